"""The profile and the records: strict numbers, kept unknowns, one shape."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kokoromichi.core.kinds import BOOKS, CURRENCIES, KINDS
from kokoromichi.core.models import (
    MOVED_FIELDS,
    PROFILE_FIELDS,
    SET_FIELDS,
    Item,
    LedgerEntry,
    StoreListing,
    Transaction,
    UserProfile,
    Waifu,
)
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from kokoromichi.core.documents import Document

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=8).filter(lambda name: name not in PROFILE_FIELDS), JSON, max_size=4))
def test_a_document_keeps_what_this_version_does_not_know(unknown: Document) -> None:
    document = {"user_id": "ada", "gold": 5, **unknown}
    profile = UserProfile.of_document(document)
    assert profile.unknown == unknown
    assert UserProfile.of_document(profile.document()) == profile
    assert profile.document().items() >= document.items()


def test_a_new_profile_is_that_of_a_rested_beginner() -> None:
    profile = UserProfile(user_id="ada")
    assert (profile.version, profile.gold, profile.gems, profile.level, profile.hp) == (0, 0, 0, 1, 100)
    assert (profile.hp_at_us, profile.last_claim_us, profile.battle_at_us) == (-1, -1, -1)
    assert (profile.inventory, profile.collection, profile.businesses, profile.unknown) == ({}, {}, {}, {})
    assert UserProfile(user_id="bo").inventory is not profile.inventory


NUMBERS = sorted(name for name in PROFILE_FIELDS if type(getattr(UserProfile(user_id="ada"), name)) is int)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [1.5, True, "5", None, 2**63, -5])
def test_every_number_of_a_profile_is_a_whole_one_in_its_range(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        UserProfile.of_document({"user_id": "ada", name: value})


@pytest.mark.parametrize("level", [0, 2**31])
def test_a_level_is_at_least_1_and_fits_32_bits(level: int) -> None:
    with pytest.raises(ValidationError, match="level"):
        UserProfile.of_document({"user_id": "ada", "level": level})
    assert UserProfile.of_document({"user_id": "ada", "level": 2**31 - 1}).level == 2**31 - 1


def test_every_field_is_moved_by_rows_or_set_or_the_providers_own() -> None:
    assert MOVED_FIELDS | SET_FIELDS | {"user_id", "version"} == PROFILE_FIELDS
    assert not MOVED_FIELDS & SET_FIELDS
    assert set(CURRENCIES) | {"inventory"} == MOVED_FIELDS


def test_a_record_has_the_ledgers_columns() -> None:
    assert list(LedgerEntry.model_fields) == list(LEDGER_SCHEMA)


def test_the_record_of_an_act_holds_its_rows() -> None:
    at = datetime(2026, 3, 10, tzinfo=timezone.utc)
    entry = LedgerEntry(
        entry_id="1",
        tx_id="2",
        at=at,
        book="admin",
        kind="grant",
        user_id="ada",
        actor="root",
        request_id="~2",
    )
    act = Transaction(tx_id="2", request_id="~2", at=at, actor="root", entries=(entry,))
    assert act.entries == (entry,)
    with pytest.raises(ValidationError, match="frozen"):
        act.actor = "ada"  # type: ignore[misc] # What is refused.


def test_what_a_player_is_shown_is_frozen_and_complete() -> None:
    item = Item(item_id="x", name="X", description="An x.", category="charm", price_gold=5)
    assert (item.stock, item.limit) == (None, None)
    assert Waifu(waifu_id="nuwa", name="Nuwa", rarity="LR", copies=1).copies == 1
    with pytest.raises(ValidationError, match="price_gold"):
        Item(item_id="x", name="X", description="An x.", category="charm", price_gold=-1)
    with pytest.raises(ValidationError, match="copies"):
        Waifu(waifu_id="nuwa", name="Nuwa", rarity="LR", copies=-1)


def test_a_price_is_read_and_given_by_either_name() -> None:
    item = Item.model_validate({"item_id": "x", "name": "X", "price": 5})
    assert item == Item(item_id="x", name="X", price_gold=5)
    assert (item.price, item.price_gold, item.description) == (5, 5, "")
    for wrong in ({"price": -1}, {"price": 5, "price_gold": 5}, {}):
        with pytest.raises(ValidationError):
            Item.model_validate({"item_id": "x", "name": "X", **wrong})


def test_offers_are_a_tuple_whose_text_is_a_listing() -> None:
    charm = Item(item_id="charm", name="Lucky Charm", price_gold=1_500, stock=5, limit=3)
    potion = Item(item_id="potion", name="Potion", price_gold=100)
    offers = StoreListing((charm, potion))
    assert offers == (charm, potion)
    assert str(offers) == (
        "charm: Lucky Charm, 1,500 gold, 5 left, at most 3 a player\npotion: Potion, 100 gold"
    )


def test_every_kind_has_one_book_and_a_name_of_its_own() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}
    assert BOOKS == ("admin", "battles", "progress", "purchases", "rewards", "summons", "transfers")
