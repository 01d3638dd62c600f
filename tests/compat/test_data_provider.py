"""The first KoKoroMichi's tests of the models, by their names."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kokoromichi.core.models import Item, UserProfile


def test_user_profile_model() -> None:
    profile = UserProfile(user_id="1", name="Ada", gold=5)
    assert (profile.user_id, profile.name, profile.gold, profile.gems, profile.level) == ("1", "Ada", 5, 0, 1)
    assert profile.inventory == {}
    with pytest.raises(ValidationError):
        UserProfile(user_id="1", gold=-1)


def test_item_model() -> None:
    item = Item(item_id="x", name="X", price=5)  # type: ignore[call-arg] # The plugin knows price_gold alone.
    assert (item.item_id, item.name, item.price) == ("x", "X", 5)
    with pytest.raises(ValidationError):
        Item(item_id="x", name="X", price=-5)  # type: ignore[call-arg] # Likewise.
