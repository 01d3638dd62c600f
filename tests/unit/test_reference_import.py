"""The data folder of an existing installation, field by field against what a right migration finds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kokoromichi.core.reference.installation import Installation, is_installation, read_installation
from tests.unit.old_folder import snapshot

FIXTURE = Path(__file__).parents[1] / "fixtures" / "reference_data"
EXPECTED: dict[str, Any] = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def installation() -> Installation:
    return read_installation(FIXTURE / "data")


@pytest.fixture(scope="module")
def report(installation: Installation) -> dict[str, Any]:
    return installation.report()


@pytest.mark.parametrize("user_id", EXPECTED["users"])
def test_a_user_is_as_expected_in_every_field(report: dict[str, Any], user_id: str) -> None:
    expected = {
        name: value
        for name, value in EXPECTED["users"][user_id].items()
        if name not in ("traps", "three_way_gold_info")  # Labels and information, nothing that is imported.
    }
    assert report["users"][user_id] == expected


def test_no_user_is_missing_and_none_is_added(report: dict[str, Any]) -> None:
    assert list(report["users"]) == sorted(EXPECTED["users"])


def test_totals_are_as_expected(report: dict[str, Any]) -> None:
    assert report["totals"] == {name: value for name, value in EXPECTED["totals"].items() if name != "traps"}


@pytest.mark.parametrize("part", ["refused", "ledger", "pending"])
def test_refusals_ledgers_and_pending_purchases_are_as_expected(report: dict[str, Any], part: str) -> None:
    assert report[part] == EXPECTED[part]


def test_every_file_is_accounted_for(report: dict[str, Any]) -> None:
    assert report["files"] == sorted(EXPECTED["files"], key=lambda file: file["path"])


TOLD_BY = {
    "auction_escrow": "auction_returned",
    "dangling_guild": "guild_exists_nowhere",
    "float_gold": "float_number",
    "float_quantity": "float_number",
    "item_name_and_id": "names_added_up",
    "level_xp_mismatch": "level_and_xp_disagree",
    "negative_quantity": "dropped_quantity",
    "nested_relics": "nested_relics",
    "pending_tx": "pending_recorded",
    "provider_truncated": "unreadable_file",
    "restored_from_backup": "restored_from_backup",
    "string_number": "text_number",
    "two_stores_disagree": "stores_differ",
    "unknown_fields": "unknown_field",
}


@pytest.mark.parametrize(
    ("user_id", "trap"),
    [
        (user_id, trap)
        for user_id, user in EXPECTED["users"].items()
        for trap in user["traps"]
        if trap in TOLD_BY
    ],
)
def test_every_trap_of_a_user_is_told(installation: Installation, user_id: str, trap: str) -> None:
    assert [
        found
        for found in installation.findings
        if found.problem == TOLD_BY[trap] and user_id in found.where + found.field
    ]


def test_both_values_are_told_where_the_stores_disagree_about_gold(installation: Installation) -> None:
    differences = [found for found in installation.findings if found.problem == "stores_differ"]
    told = {found.where: found for found in differences if found.field == "gold"}
    for user_id, user in EXPECTED["users"].items():
        if user["gold_differs"]:
            legacy, provider = user["stores"]["legacy"]["gold"], user["stores"]["provider"]["gold"]
            assert told[user_id].raw == f"{legacy} / {provider}"
            assert told[user_id].used == str(user["gold"])


def test_unknown_fields_stay_in_the_users_record(installation: Installation) -> None:
    for user_id, user in EXPECTED["users"].items():
        if "unknown_fields" in user["traps"]:
            kept = installation.users[user_id].unknown["x_season_pass"]
            assert kept == {"tier": 3, "claimed": ["ä", 1, None]}


def test_game_data_is_kept(installation: Installation) -> None:
    assert installation.sections["game_data"]["x_own_section"] == [1, 2]
    assert "999" in installation.sections["server_config"]
    assert "items" in installation.sections["imported_store_catalog"]


def test_reading_leaves_the_folder_untouched(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(FIXTURE / "data", tmp_path / "data"))
    before = snapshot(copy)
    read_installation(copy)
    assert snapshot(copy) == before


def test_two_folders_say_what_one_says(tmp_path: Path, report: dict[str, Any]) -> None:
    first = Path(shutil.copytree(FIXTURE / "data", tmp_path / "root" / "data"))
    second = tmp_path / "cwd" / "data"
    second.mkdir(parents=True)
    for name in ("users", "backups", "ledgers", "store_catalog.json", "pending_transactions.json"):
        shutil.move(first / name, second / name)
    for one, other in ((first, second), (second, first)):
        apart = read_installation(one, other).report()
        for part in ("users", "totals", "pending", "ledger"):
            assert apart[part] == report[part]


def test_the_same_folder_twice_is_one(report: dict[str, Any]) -> None:
    assert read_installation(FIXTURE / "data", FIXTURE / "data" / ".." / "data").report() == report


def test_naive_times_are_read_in_the_zone_that_was_named(installation: Installation) -> None:
    berlin = read_installation(FIXTURE / "data", time_zone="Europe/Berlin")
    for user_id, user in installation.users.items():
        naive = isinstance(user.claim_raw, str) and user.claim_us > 0 and not user.claim_raw.endswith("Z")
        assert user.claim_us - berlin.users[user_id].claim_us == (3_600_000_000 if naive else 0)


def test_an_installation_is_recognised(tmp_path: Path) -> None:
    assert is_installation(FIXTURE / "data")
    assert not is_installation(tmp_path)
