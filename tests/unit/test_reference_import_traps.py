"""Small folders of existing installations, each with one kind of trap in its files and stores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import UserProfile
from kokoromichi.core.reference.installation import Installation, read_installation
from kokoromichi.core.reference.values import moment_us
from tests.unit.old_folder import ANNA, BERT, Files, problems, snapshot, write

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.reference.union import ReferenceUser


UTC = ZoneInfo("UTC")


def read(folder: Path, files: Files, **options: Any) -> Installation:
    return read_installation(write(folder, files), **options)


def one(folder: Path, raw: object, copy: object = None) -> ReferenceUser:
    """The only user of a folder; ``copy`` is what the second store has."""
    files: dict[str, object] = {"users.json": {ANNA: raw}}
    if copy is not None:
        files[f"users/{ANNA}.json"] = copy
    return read(folder, files).users[ANNA]


class TestStores:
    def test_the_larger_of_each_number_and_item_counts_and_never_the_sum(self, tmp_path: Path) -> None:
        user = one(
            tmp_path,
            {"gold": 5, "gems": 9, "level": 2, "xp": 1, "inventory": {"Wood": 3, "Ore": 1}},
            {"gold": 7, "gems": 1, "level": 1, "xp": 4, "inventory": {"wood": 2, "Herb": 4}},
        )
        assert (user.gold, user.gems, user.level, user.xp) == (7, 9, 2, 4)
        assert user.items == {"herb": 4, "ore": 1, "wood": 3}

    def test_names_are_added_up_within_a_store_only(self, tmp_path: Path) -> None:
        user = one(
            tmp_path,
            {"inventory": {"Iron Ore": 2, "iron_ore": 3, "IRON-ORE": 1}},
            {"inventory": {"Iron Ore": 4}},
        )
        assert user.items == {"iron_ore": 6}

    def test_an_open_auction_is_counted_before_the_stores_are_compared(self, tmp_path: Path) -> None:
        auction = {
            "a": {"item_name": "Wood", "status": "active"},
            "b": {"item_name": "Wood", "status": "sold"},
        }
        user = one(
            tmp_path, {"inventory": {"Wood": 2}, "active_auctions": auction}, {"inventory": {"Wood": 3}}
        )
        assert user.items == {"wood": 3}

    @pytest.mark.parametrize(
        ("ours", "theirs", "streak"),
        [
            ({}, {"last_daily_claim": "2026-01-02T00:00:00", "consecutive_daily_claims": 3}, 3),
            ({"last_daily_claim": "2026-01-02T00:00:00", "consecutive_daily_claims": 2}, {}, 2),
            (
                {"last_daily_claim": "2026-01-02T00:00:00", "consecutive_daily_claims": 2},
                {"last_daily_claim": "2026-01-02 00:00:00Z", "consecutive_daily_claims": 9},
                2,
            ),
            (
                {"last_daily_claim": "soon", "consecutive_daily_claims": 2},
                {"last_daily_claim": "", "consecutive_daily_claims": 9},
                2,
            ),
            (
                {"last_daily_claim": "soon", "consecutive_daily_claims": 9},
                {"last_daily_claim": "1971-01-01T00:00:00", "consecutive_daily_claims": 1},
                1,
            ),
        ],
    )
    def test_streak_and_claim_come_together_from_the_later_readable_claim(
        self, tmp_path: Path, ours: dict[str, object], theirs: dict[str, object], streak: int
    ) -> None:
        user = one(tmp_path, ours, theirs)
        chosen = theirs if streak == theirs.get("consecutive_daily_claims") else ours
        assert (user.streak, user.claim_raw) == (streak, chosen.get("last_daily_claim"))

    def test_characters_are_matched_by_name_and_moment_and_the_larger_count_stays(
        self, tmp_path: Path
    ) -> None:
        first = {"name": "Luna", "summoned_at": "2026-01-01T00:00:00", "affection": 3}
        given_ = {"name": "Luna", "obtained_at": "2026-01-01T00:00:00", "potential": {"a": 1}}
        other = {"name": "Luna", "summoned_at": "2026-01-02T00:00:00"}
        user = one(
            tmp_path,
            {"claimed_waifus": [first, first, other]},
            {"claimed_waifus": [first | {"affection": 9}, given_, {"name": "Sól"}, "nobody"]},
        )
        assert user.characters == 4
        assert user.fields["collection"] == {"luna": 3, "sól": 1}
        sheets: Any = user.unknown["claimed_waifus"]
        assert sorted(sheet.get("affection", 0) for sheet in sheets) == [0, 0, 3, 9]

    def test_the_name_that_says_something_is_taken(self, tmp_path: Path) -> None:
        assert one(tmp_path, {"name": ""}, {"name": "null"}).name == "null"
        assert one(tmp_path, {"name": "a"}, {"name": "b"}).name == "a"

    def test_a_missing_number_is_0_and_not_that_of_a_new_profile(self, tmp_path: Path) -> None:
        user = one(tmp_path, {})
        assert (user.gold, user.gems, user.level, user.xp, user.items) == (0, 0, 1, 0, {})

    def test_a_business_is_not_paid_twice(self, tmp_path: Path) -> None:
        cafe = {"purchased_at": "2026-01-01T00:00:00", "last_collected": "2026-01-02T00:00:00"}
        later = cafe | {"last_collected": "2026-01-03T00:00:00"}
        user = one(tmp_path, {"investments": {"cafe": cafe, "moon": cafe}}, {"investments": {"cafe": later}})
        assert user.fields["businesses"] == {"cafe": moment_us("2026-01-03T00:00:00", UTC)}
        assert "moon" in str(user.unknown["investments"])


class TestUsersJson:
    def test_a_cut_file_gives_way_to_its_backup(self, tmp_path: Path) -> None:
        found = read(tmp_path, {"users.json": '{"1', "users.json.backup": {ANNA: {"gold": 3}}})
        assert found.users[ANNA].gold == 3
        assert "users_json_from_backup" in problems(found)
        assert {note.path: note.action for note in found.files} == {
            "users.json": "users.json.backup, one write older",
            "users.json.backup": "read: stands in for the broken file",
        }

    def test_a_readable_file_leaves_its_backup_alone(self, tmp_path: Path) -> None:
        found = read(tmp_path, {"users.json": {}, "users.json.backup": {ANNA: {"gold": 3}}})
        assert not found.users

    @pytest.mark.parametrize("broken", ["", "{", "[]", "null", b"\xff\xfe{\x00}\x00", "[" * 100_000])
    def test_both_unreadable_refuse_the_whole_run(self, tmp_path: Path, broken: object) -> None:
        folder = write(
            tmp_path, {"users.json": broken, "users.json.backup": broken, f"users/{ANNA}.json": {}}
        )
        before = snapshot(folder)
        with pytest.raises(StorageError, match="nothing was changed"):
            read_installation(folder)
        assert snapshot(folder) == before

    def test_a_byte_order_mark_and_windows_lines_are_accepted(self, tmp_path: Path) -> None:
        text = json.dumps({ANNA: {"gold": 3}}, indent=2).replace("\n", "\r\n")
        found = read(tmp_path, {"users.json": b"\xef\xbb\xbf" + text.encode()})
        assert found.users[ANNA].gold == 3
        assert problems(found) == ["byte_order_mark", "level_and_xp_disagree"][:1]

    @pytest.mark.parametrize(
        "user_id",
        [
            "u1",
            "",
            " " + ANNA,
            ANNA + "\n",
            "../" + ANNA,
            f"<@!{ANNA}>",
            "\uff11" * 18,
            "1" * 16,
            "1" * 21,
        ],
    )
    def test_ids_are_17_to_20_digits_and_never_cleaned_up(self, tmp_path: Path, user_id: str) -> None:
        found = read(tmp_path, {"users.json": {user_id: {"gold": 3}, BERT: {}}})
        assert list(found.users) == [BERT]
        assert list(found.refused.values()) == ["bad_user_id"]

    @pytest.mark.parametrize("value", [None, [], 5, "text"])
    def test_a_user_who_is_no_object_is_refused(self, tmp_path: Path, value: object) -> None:
        found = read(tmp_path, {"users.json": {ANNA: value}})
        assert found.refused == {f"users.json:{ANNA}": "not_an_object"}


class TestUserFiles:
    def test_the_newest_readable_backup_stands_in(self, tmp_path: Path) -> None:
        found = read(
            tmp_path,
            {
                f"users/{ANNA}.json": "{",
                f"backups/{ANNA}.json.999.bak.json": {"gold": 1},
                f"backups/{ANNA}.json.1000.bak.json": {"gold": 2},
                f"backups/{ANNA}.json.1001.bak.json": "{",
                f"backups/{BERT}.json.1002.bak.json": {"gold": 4},
            },
        )
        assert found.users[ANNA].gold == 2
        actions = {note.path: note.action for note in found.files}
        assert actions[f"backups/{ANNA}.json.1000.bak.json"] == "read: stands in for the broken file"
        assert actions[f"backups/{ANNA}.json.999.bak.json"] == "ignore: a newer backup is readable"
        assert actions[f"backups/{BERT}.json.1002.bak.json"] == "ignore: there is no live file"
        assert list(found.users) == [ANNA]

    def test_without_a_backup_the_other_store_counts(self, tmp_path: Path) -> None:
        found = read(tmp_path, {f"users/{ANNA}.json": "{", "users.json": {ANNA: {"gold": 5}}})
        assert found.users[ANNA].gold == 5
        assert not found.refused

    def test_a_user_of_whom_nothing_is_left_is_named(self, tmp_path: Path) -> None:
        found = read(tmp_path, {f"users/{ANNA}.json": "{", "users.json": {}})
        assert found.refused == {f"users/{ANNA}.json": "unreadable"}

    def test_a_live_file_beats_any_backup_and_a_tmp_is_never_read(self, tmp_path: Path) -> None:
        found = read(
            tmp_path,
            {
                f"users/{ANNA}.json": {"gold": 1},
                f"backups/{ANNA}.json.9.bak.json": {"gold": 9},
                f"users/{ANNA}.tmp": {"gold": 99},
                f"users/{BERT}.tmp": {"gold": 99},
            },
        )
        assert {user_id: user.gold for user_id, user in found.users.items()} == {ANNA: 1}

    def test_the_file_name_decides_over_the_id_inside(self, tmp_path: Path) -> None:
        found = read(tmp_path, {f"users/{ANNA}.json": {"user_id": BERT, "gold": 1}})
        assert list(found.users) == [ANNA]
        assert "other_user_id_inside" in problems(found)

    def test_names_that_are_no_ids_are_refused(self, tmp_path: Path) -> None:
        found = read(tmp_path, {f"users/{ANNA} (1).json": {}, "users/u1.json": {}, f"users/{ANNA}.json": {}})
        assert found.refused == {f"users/{ANNA} (1).json": "bad_file_name", "users/u1.json": "bad_user_id"}


@given(
    users=st.dictionaries(
        st.one_of(st.sampled_from([ANNA, BERT]), st.text(max_size=3)),
        st.one_of(
            st.none(),
            st.dictionaries(
                st.sampled_from(
                    ["gold", "gems", "level", "inventory", "claimed_waifus", "name", "investments", "x"]
                ),
                st.one_of(
                    st.integers(),
                    st.floats(),
                    st.text(),
                    st.lists(
                        st.one_of(
                            st.text(), st.dictionaries(st.sampled_from(["name", "summoned_at"]), st.text())
                        )
                    ),
                    st.dictionaries(st.text(), st.one_of(st.integers(), st.floats(), st.text(), st.none())),
                ),
            ),
        ),
    )
)
def test_no_users_json_stops_the_import(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("old")
    found = read(folder, {"users.json": json.dumps(users)})
    assert len(found.users) + len(found.refused) == len(users)
    for user in found.users.values():
        profile = UserProfile.of_document(
            {
                "user_id": user.user_id,
                "gold": user.gold,
                "gems": user.gems,
                "inventory": user.items,
                **user.fields,
            }
        )
        assert profile.level >= 1
    json.dumps(found.report(), allow_nan=False).encode()


def test_a_folder_that_holds_no_installation_says_where_one_is(tmp_path: Path) -> None:
    write(tmp_path / "root", {"data/users.json": {}})
    with pytest.raises(MisuseError, match=r"data does$"):
        read_installation(tmp_path / "root")
    with pytest.raises(MisuseError, match=r"is no folder"):
        read_installation(tmp_path / "nowhere")
