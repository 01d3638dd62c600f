"""Small folders of existing installations, each with one kind of trap in its values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.core.clock import us_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.core.reference.installation import Installation, read_installation
from kokoromichi.core.reference.values import item_key, moment_us, storable, whole_number
from tests.unit.old_folder import ANNA, BERT, Files, problems, write

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


NUMBERS = [
    ("9007199254741093", 9007199254741093, ""),
    ("9223372036854775807", 2**63 - 1, ""),
    ("9223372036854775808", 0, "too_large_number"),
    ("1" * 5_000, 0, "unusable_number"),
    ("12.9", 12, "float_number"),
    ("2.0", 2, "float_number"),
    ("1e3", 1000, "float_number"),
    ("1e400", 0, "unusable_number"),
    ("NaN", 0, "unusable_number"),
    ("Infinity", 0, "unusable_number"),
    ('"12500"', 12_500, "text_number"),
    ('"12,500"', 0, "unusable_number"),
    ('"1.5K"', 0, "unusable_number"),
    ('"\uff11\uff12"', 0, "unusable_number"),
    ('""', 0, "unusable_number"),
    ("null", 0, "unusable_number"),
    ("true", 0, "unusable_number"),
    ("[]", 0, "unusable_number"),
    ("-5", 0, "negative_number"),
    ("-0.5", 0, "float_number"),
]


class TestNumbers:
    @pytest.mark.parametrize(("raw", "value", "problem"), NUMBERS)
    def test_gold(self, tmp_path: Path, raw: str, value: int, problem: str) -> None:
        found = read(tmp_path, {"users.json": f'{{"{ANNA}": {{"gold": {raw}, "level": 1}}}}'})
        assert found.users[ANNA].gold == value
        assert problems(found, "gold") == ([problem] if problem else [])

    @pytest.mark.parametrize(("raw", "value", "problem"), NUMBERS)
    def test_quantities(self, tmp_path: Path, raw: str, value: int, problem: str) -> None:
        found = read(tmp_path, {"users.json": f'{{"{ANNA}": {{"inventory": {{"Wood": {raw}}}}}}}'})
        assert found.users[ANNA].items == ({"wood": value} if value else {})
        told = problems(found, "inventory.Wood")
        assert ("dropped_quantity" in told) == (value == 0)
        assert problem in ("", "negative_number", *told)

    @pytest.mark.parametrize("inventory", [None, [], "wood", 5])
    def test_an_inventory_that_is_none_is_empty(self, tmp_path: Path, inventory: object) -> None:
        assert one(tmp_path, {"inventory": inventory}).items == {}

    def test_relics_are_flattened_and_other_objects_dropped(self, tmp_path: Path) -> None:
        inventory = {"relics": {"Moon Mirror": 1, "Bad": -1}, "Moon Mirror": 2, "Box": {"Wood": 1}}
        assert one(tmp_path, {"inventory": inventory}).items == {"moon_mirror": 3}
        assert one(tmp_path, {"inventory": {"relics": 4}}).items == {"relics": 4}

    @given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none()))
    def test_any_value_becomes_a_number_that_every_store_keeps(self, raw: Any) -> None:
        number, odd = whole_number(raw)
        assert -(2**63) <= number < 2**63
        assert bool(odd) or number == raw


class TestItems:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("Health Potion (Small)", "health_potion_small"),
            ("  Collector's  Badge ", "collector_s_badge"),
            ("\uff26\uff35\uff2c\uff2c\u3000width", "full_width"),
            ("Straße", "strasse"),
            ("Лунный камень", "лунный_камень"),
            ("🎁", "🎁"),
            ("...", "..."),
            ("$", "$"),
            ("", "_"),
            ("\x00", "�"),
            ("\ud800", "�"),
        ],
    )
    def test_keys(self, name: str, key: str) -> None:
        assert item_key(name) == key

    def test_long_names_stay_apart(self) -> None:
        first, second = item_key("x" * 200 + "a"), item_key("x" * 200 + "b")
        assert first != second
        assert len(first) == len(second) == 64

    @given(st.text())
    def test_every_name_becomes_an_item_id(self, name: str) -> None:
        key = item_key(name)
        assert 1 <= len(key) <= 64
        key.encode()
        UserProfile(user_id=ANNA, inventory={key: 1})


class TestTimes:
    @pytest.mark.parametrize(
        ("raw", "readable"),
        [
            ("2026-01-19T18:51:23.690682", True),
            ("2026-01-19T18:51:23", True),
            ("2026-01-19 18:51:23.5", True),
            ("2026-01-19", True),
            ("2026-01-19T22:01:07Z", True),
            ("2026-01-19T22:01:07+02:00", True),
            ("", False),
            ("Never", False),
            ("2026-13-01T00:00:00", False),
            ("2026-02-30", False),
            ("20260119", False),
            ("1950-01-01T00:00:00", False),
            ("9999-12-31T23:59:59-23:59", False),
            (1_768_600_000, False),
            (None, False),
        ],
    )
    def test_what_is_a_time(self, raw: Any, readable: bool) -> None:  # noqa: FBT001 - a case
        assert (moment_us(raw, UTC) != NEVER) == readable

    def test_an_unreadable_time_keeps_its_text_and_the_streak(self, tmp_path: Path) -> None:
        user = one(tmp_path, {"last_daily_claim": "Never", "consecutive_daily_claims": 7})
        assert (user.streak, user.claim_us, user.unknown["last_daily_claim"]) == (7, NEVER, "Never")

    def test_the_zone_counts_for_naive_times_alone(self, tmp_path: Path) -> None:
        users = {
            ANNA: {"last_daily_claim": "2026-07-01T12:00:00"},
            BERT: {"last_daily_claim": "2026-07-01T12:00:00Z"},
        }
        found = read(tmp_path, {"users.json": users}, time_zone="Europe/Berlin")
        assert found.users[BERT].claim_us - found.users[ANNA].claim_us == 2 * 3_600_000_000

    @pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/passwd"])
    def test_an_unknown_zone_is_misuse(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(MisuseError, match="time zone"):
            read(tmp_path, {"users.json": {}}, time_zone=name)

    @given(st.datetimes())
    def test_any_time_is_read_as_it_was_written(self, moment: Any) -> None:
        us = us_of(moment.replace(tzinfo=UTC))
        assert moment_us(moment.isoformat(), UTC) == (us if us >= 0 else NEVER)


class TestBooks:
    LINE: ClassVar = {"ledger_type": "purchases", "user_id": ANNA, "item_id": "x", "quantity": 1, "cost": 5}

    def test_lines_are_counted_and_never_replayed(self, tmp_path: Path) -> None:
        line = json.dumps(self.LINE)
        odd = json.dumps({"user_id": ["no", "text"], "cost": "7"})
        torn = f"{line}\n\n{line}\r\n[1]\n{line[:20]}{line}\n{odd}\n\xff"
        found = read(
            tmp_path, {"users.json": {ANNA: {"gold": 3}}, "ledgers/purchases.log": torn.encode("latin-1")}
        )
        assert found.users[ANNA].gold == 3
        report: Any = found.report()
        assert report["ledger"]["purchases"] == {
            "good_lines": 3,
            "broken_lines": 3,
            "identical_repeats_kept": 1,
            "lines_of_unknown_users": 1,
            "good_lines_of_migrated_users": 2,
            "cost_of_migrated_users": 10,
        }
        assert report["users"][ANNA]["ledger_purchases"] == {"lines": 2, "cost": 10}
        assert {note.path: note.status for note in found.files}["ledgers/purchases.log"] == "torn last line"

    def test_pending_purchases_are_recorded_and_none_is_applied(self, tmp_path: Path) -> None:
        entries = [
            {"tx_id": "a", "user_id": ANNA, "post_balances": {"gold": 1}},
            {"tx_id": "a", "user_id": ANNA, "post_balances": {"gold": 1}},
            {"tx_id": "b", "user_id": ANNA, "post_balances": {}},
            {"user_id": ANNA},
            "no object",
        ]
        found = read(tmp_path, {"users.json": {ANNA: {"gold": 3}}, "pending_transactions.json": entries})
        assert found.pending.document() == {"entries": 5, "distinct_tx": 3, "never_applied_tx": 2, "apply": 0}
        assert found.users[ANNA].gold == 3
        kept: Any = found.sections["imported_pending_transactions"]["entries"]
        assert [entry.get("tx_id") for entry in kept] == ["a", "b", None]

    def test_pending_purchases_without_an_id_are_one_only_where_they_are_equal(self, tmp_path: Path) -> None:
        """The first 200 characters of two such purchases are the same: who, what, and at which price."""
        price = {"item_id": "health_potion", "currency": "gold", "base_price": {"gold": 100, "gems": 0}}
        bought = {"user_id": ANNA, "item_id": "health_potion", "quantity": 1, "price_snapshot": price}
        bought |= {
            "pre_balances": {"gold": 9_900, "gems": 100},
            "post_balances": {"gold": 9_800, "gems": 100},
        }
        early, late = (bought | {"created_at": f"2025-12-07 03:1{minute}:23.123456"} for minute in (6, 7))
        entries = [early, late, {"tx_id": None} | early, {"tx_id": None} | late, early]
        found = read(tmp_path, {"users.json": {ANNA: {}}, "pending_transactions.json": entries})
        assert list(found.pending.distinct) == entries[:4]

    @pytest.mark.parametrize("broken", ["", "{", "{}", "5"])
    def test_a_broken_list_of_pending_purchases_stops_nothing(self, tmp_path: Path, broken: str) -> None:
        found = read(tmp_path, {"users.json": {ANNA: {}}, "pending_transactions.json": broken})
        assert found.pending.entries == 0


class TestWhatIsKept:
    def test_namesakes_of_profile_fields_are_kept_one_level_deeper(self, tmp_path: Path) -> None:
        raw = {"version": 7, "pity": 3, "unknown": {"a": 1}, "imported": 5, "mine": [1]}
        user = one(tmp_path, raw)
        namesakes = {"version": 7, "pity": 3, "unknown": {"a": 1}, "imported": 5}
        assert user.unknown == {"mine": [1], "imported": namesakes}

    def test_what_no_store_can_keep_is_changed_and_told(self, tmp_path: Path) -> None:
        deep: Any = 1
        for _ in range(80):
            deep = [deep]
        text = json.dumps({ANNA: {"a": "x\x00y", "b": "\ud800", "d": deep, "e": 2**70}})
        found = read(tmp_path, {"users.json": text.replace('"d"', '"c": NaN, "f": Infinity, "d"')})
        unknown = found.users[ANNA].unknown
        assert (unknown["a"], unknown["b"], unknown["c"]) == ("x�y", "�", "nan")
        assert unknown["e"] == str(2**70)
        json.dumps(unknown, allow_nan=False).encode()
        assert problems(found).count("unstorable_value") == 6

    def test_keys_that_a_store_would_read_as_paths_are_changed_and_told(self, tmp_path: Path) -> None:
        user = one(tmp_path, {"x": {"a.b": 1, "a\uff0eb": 2, "$set": {"$": 3}, "c$": 4}})
        changed = {"a\uff0eb_": 1, "a\uff0eb": 2, "\uff04set": {"\uff04": 3}, "c$": 4}
        assert user.unknown["x"] == changed

    def test_sections_are_kept_and_unknown_files_listed(self, tmp_path: Path) -> None:
        found = read(
            tmp_path,
            {
                "users.json": {},
                "npc_names.json": ["Éva"],
                "relics/moon.json": {"a": 1},
                "guilds.json": "{",
                "backups/guilds.json.5.bak.json": {"b": 2},
                "own.json": {},
                "deep/er/file.bin": b"\x00",
                "npc_names.tmp": "{}",
            },
        )
        assert found.sections == {
            "npc_names": {"content": ["Éva"]},
            "relics_moon": {"a": 1},
            "guilds": {"b": 2},
        }
        unknown = [note.path for note in found.files if note.status == "unknown"]
        assert unknown == ["deep/er/file.bin", "own.json"]

    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
            lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        )
    )
    def test_any_json_becomes_storable(self, value: Any) -> None:
        kept = storable(value, lambda _was, _became: None)
        text = json.dumps(kept, allow_nan=False, ensure_ascii=False).encode()
        assert storable(json.loads(text), lambda was, _became: pytest.fail(was)) == json.loads(text)
