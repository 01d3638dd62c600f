"""The field ``paid_gold`` of a profile: what it is after units entered or left a holding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def paid_field(before: Mapping[str, int], item_id: str, owned: int, paid_gold: int) -> dict[str, int]:
    """The field once ``owned`` units are held for which ``paid_gold`` was paid; none have no entry."""
    after = dict(before)
    if owned:
        after[item_id] = paid_gold
    else:
        after.pop(item_id, None)
    return after
