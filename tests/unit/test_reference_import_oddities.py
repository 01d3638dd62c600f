"""What an existing installation should not have and has: each is told, and the rest is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.reference.files import is_installation
from kokoromichi.core.reference.installation import read_installation
from tests.unit.old_folder import ANNA, BERT, problems, write

if TYPE_CHECKING:
    from pathlib import Path

MOST = 2**63 - 1
PLAIN = {"gold": 5, "gems": 1}


def test_an_auction_without_a_name_returns_nothing(tmp_path: Path) -> None:
    auctions = [{"status": "active"}, {"status": "active", "item_name": "Wood"}, {"status": "sold"}]
    found = read_installation(write(tmp_path, {"users.json": {ANNA: {**PLAIN, "active_auctions": auctions}}}))
    assert problems(found, "active_auctions") == ["unusable_auction", "auction_returned"]
    assert found.users[ANNA].items == {"wood": 1}


def test_names_that_add_up_to_more_than_fits_are_cut_and_told(tmp_path: Path) -> None:
    inventory = {"Wood": MOST, "wood": 5}
    found = read_installation(write(tmp_path, {"users.json": {ANNA: {**PLAIN, "inventory": inventory}}}))
    assert "too_large_number" in problems(found)
    assert 0 < found.users[ANNA].items["wood"] <= MOST


def test_a_key_that_stands_twice_is_told_and_the_last_one_counts(tmp_path: Path) -> None:
    text = f'{{"{ANNA}": {{"gold": 5, "gold": 7, "gems": 1, "gems": 2}}}}'
    found = read_installation(write(tmp_path, {"users.json": text}))
    assert problems(found).count("duplicate_key") == 1
    assert (found.users[ANNA].gold, found.users[ANNA].gems) == (7, 2)


def test_a_user_s_file_that_is_no_object_does_not_count(tmp_path: Path) -> None:
    files = {
        "users.json": {ANNA: PLAIN, BERT: PLAIN},
        f"users/{ANNA}.json": [1, 2],
        f"users/{BERT}.json": {"gold": 9},
    }
    found = read_installation(write(tmp_path, files))
    assert (found.users[ANNA].gold, found.users[BERT].gold) == (5, 9)


def test_this_package_s_own_folder_is_no_existing_installation(tmp_path: Path) -> None:
    write(tmp_path, {"users.json": {ANNA: PLAIN}})
    assert is_installation(tmp_path)
    write(tmp_path, {"journal/0000000000000001.journal": b""})
    assert not is_installation(tmp_path)
