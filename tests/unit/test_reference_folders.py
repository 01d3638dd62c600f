"""Whole folders of existing installations with every kind of trap at once, made from a seed.

Each value is written beside what it means, so that what a right import finds is known without the importer.
``KOKORO_FOLDERS`` is the number of folders.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - what a folder holds is no part of a simulation
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.importing import import_installation
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.reference.installation import read_installation
from tests.unit.old_folder import ANNA, BERT, problems, snapshot, write

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS: Final = int(os.environ.get("KOKORO_FOLDERS", "30"))  # noqa: TID251 - the campaign's size

_NUMBERS: Final = (
    *(("0", 0), ("7", 7), ("120345", 120_345), ("9007199254740993", 2**53 + 1), (str(2**63 - 1), 2**63 - 1)),
    *(("5.9", 5), ("1e3", 1_000), ("-0.5", 0), ("-7", 0), ("-1e300", 0), ("NaN", 0), ("Infinity", 0)),
    *(("null", 0), ("true", 0), ("[5]", 0), ('{"gold": 5}', 0), ('"12"', 12), ('"007"', 7), ('"12,500"', 0)),
    *(('"1.5K"', 0), ('"-3"', 0), ('" 4"', 0), ('""', 0), ('"\uff11\uff12"', 0)),
)
"""JSON as it stands in a file, and the whole number that is meant."""
_ITEMS: Final = (
    *(("Iron Ore", "iron_ore"), ("iron_ore", "iron_ore"), ("\uff29ron  ORE!", "iron_ore")),
    *(("Straße", "strasse"), ("STRASSE", "strasse"), ("Health Potion (Small)", "health_potion_small")),
    *(("🎁", "🎁"), ("\uff12×Gem", "2_gem"), ("🗡\ufe0f Sword", "sword"), ("a" * 64, "a" * 64)),
    *(("../etc", "etc"), ("$where.x", "where_x")),
)
_BAD_IDS: Final = (
    *("u1", "test_user_online", f"<@!{ANNA}>", "\uff11" * 18, f" {ANNA}"),
    *("1" * 16, "1" * 21, "", "../1", "null"),
)


@dataclass
class Meant:
    """What one store, or all of them, says of a user."""

    numbers: Counter[str] = field(default_factory=Counter)
    items: Counter[str] = field(default_factory=Counter)


def a_user(chance: Random) -> tuple[str, Meant]:
    """A user object as JSON, and what it means."""
    meant = Meant()
    parts: list[str] = []
    for name in ("gold", "gems", "xp"):
        if chance.random() < 0.8:
            text, meant.numbers[name] = chance.choice(_NUMBERS)
            parts.append(f'"{name}": {text}')
    carried = dict(chance.sample(_ITEMS, chance.randint(0, 6)))
    inventory: list[str] = []
    relics: list[str] = []
    for name, key in carried.items():
        text, units = chance.choice([pair for pair in _NUMBERS if pair[1] < 2**60])
        (relics if chance.random() < 0.2 else inventory).append(f"{json.dumps(name)}: {text}")
        meant.items[key] += units
    if relics:
        inventory.append('"relics": {' + ", ".join(relics) + "}")
    if chance.random() < 0.9:
        parts.append('"inventory": {' + ", ".join(inventory) + "}")
    else:
        parts.append('"inventory": ' + chance.choice(["null", "[]", '"none"']))
        meant.items.clear()
    if chance.random() < 0.3:
        name, key = chance.choice(_ITEMS)
        auctions = [{"item_name": name, "status": status} for status in ("active", "sold", "active")]
        parts.append('"active_auctions": ' + json.dumps(dict(enumerate(auctions))))
        meant.items[key] += 2
    parts.append('"x_own": [1, {"a.b": null, "$c": 2.5}]')
    chance.shuffle(parts)
    return "{" + ", ".join(parts) + "}", meant


def cut(text: str, chance: Random) -> str:
    """JSON that a dying process left."""
    return text[: chance.randint(0, len(text) - 1)]


class AFolder:
    """A folder in the making.

    Attributes:
        files: What is in it.
        stores: What each store says of each user.
        refused: How many names are refused.
    """

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - no secret
        self.files: dict[str, object] = {"NOTES.txt": "mine", "users/deep/er.json": "{}"}
        self.stores: dict[str, list[Meant]] = {}
        self.refused = 0
        ids = [f"{self._chance.randint(10**16, 10**20 - 1)}" for _ in range(self._chance.randint(0, 25))]
        self._users_json([user_id for user_id in ids if self._chance.random() < 0.7])
        for user_id in ids:
            if self._chance.random() < 0.7:
                self._user_file(user_id)
        for bad in self._chance.sample(["u1", f"{ANNA} (1)", "\uff11" * 18], 2):
            self.files[f"users/{bad}.json"] = '{"gold": 5}'
            self.refused += 1

    def _users_json(self, ids: list[str]) -> None:
        chance, entries = self._chance, []
        for user_id in ids:
            text, meant = a_user(chance)
            entries.append(f'"{user_id}": {text}')
            self.stores.setdefault(user_id, []).append(meant)
        entries += [f'{json.dumps(bad)}: {{"gold": 5}}' for bad in chance.sample(_BAD_IDS, 3)]
        entries.append(f'"{ANNA}": {chance.choice(["null", "[]", "5"])}')
        self.refused += 4
        chance.shuffle(entries)
        text = "{\n" + ",\n".join(entries) + "\n}"
        encoded = chance.choice([text, text.replace("\n", "\r\n"), "\ufeff" + text])
        if chance.random() < 0.3:
            self.files |= {"users.json": cut(text, chance), "users.json.backup": encoded}
        else:
            self.files |= {"users.json": encoded, "users.json.backup": json.dumps({BERT: {"gold": 999}})}

    def _user_file(self, user_id: str) -> None:
        chance, path = self._chance, f"users/{user_id}.json"
        text, meant = a_user(chance)
        backup, stale = f"backups/{user_id}.json.%d.bak.json", '{"gold": 9007199254740990}'
        state = chance.choice(["whole", "whole", "backed", "cut", "tmp"])
        if state == "whole":
            self.files |= {path: text, backup % 999: stale, f"users/{user_id}.tmp": stale}
        elif state == "backed":  # The newest readable one counts, by its number and not by its text.
            self.files |= {path: cut(text, chance), backup % 1_001: cut(text, chance)}
            self.files |= {backup % 1_000: text, backup % 999: stale}
        elif state == "cut":
            self.files[path] = cut(text, chance)
        else:
            self.files[f"users/{user_id}.tmp"] = text
        if state in ("whole", "backed"):
            self.stores.setdefault(user_id, []).append(meant)
        elif state == "cut" and user_id not in self.stores:
            self.refused += 1

    def expected(self) -> dict[str, tuple[int, int, int, dict[str, int]]]:
        """By user: gold, gems, xp and items: of each the larger of the stores."""
        found = {}
        for user_id, stores in self.stores.items():
            numbers, items = Counter[str](), Counter[str]()
            for meant in stores:
                numbers |= meant.numbers
                items |= meant.items
            found[user_id] = numbers["gold"], numbers["gems"], numbers["xp"], dict(items)
        return found


@pytest.mark.parametrize("seed", range(FOLDERS))
async def test_a_folder_of_every_trap_comes_in_as_it_is_meant(tmp_path: Path, seed: int) -> None:
    made = AFolder(seed)
    source = write(tmp_path / "old", made.files)
    before = snapshot(source)
    installation = read_installation(source)
    assert len(installation.refused) == made.refused
    assert {note.path for note in installation.files} == set(before)
    target = MemoryProvider(ManualClock())
    first = await import_installation(installation, target, clock=ManualClock())
    assert first.complete, first.failed
    found = {}
    for user_id in await target.user_ids():
        profile = await target.profile(user_id)
        assert profile is not None
        found[user_id] = profile.gold, profile.gems, profile.xp, profile.inventory
    assert found == made.expected()
    again = await import_installation(read_installation(source), target, clock=ManualClock())
    assert again.complete
    assert again.done.total() == 0
    assert (await audit_provider(target)).sound
    assert snapshot(source) == before


def test_users_behind_links_are_users_and_links_to_nothing_are_told(tmp_path: Path) -> None:
    source = write(tmp_path / "old", {"users.json": {BERT: {"gold": 1}}})
    write(tmp_path / "elsewhere", {f"{ANNA}.json": {"gold": 7}})
    (source / "users").symlink_to("../elsewhere")
    (source / "circle").symlink_to(source)
    (source / "gone.json").symlink_to("nowhere")
    found = read_installation(source)
    assert {user_id: user.gold for user_id, user in found.users.items()} == {ANNA: 7, BERT: 1}
    assert [note.path for note in found.files if note.status == "no file"] == ["circle", "gone.json"]
    assert problems(found) == ["no_file", "no_file"]


def test_a_user_nested_too_deeply_is_refused_and_the_others_come(tmp_path: Path) -> None:
    levels = 800 if sys.version_info < (3, 12) else 1_200  # Read, but not handled: what each can do differs.
    deep = '{"a":' * levels + "1" + "}" * levels
    user = f'{{"gold": 5, "x_own": {deep}}}'
    users = f'{{"{ANNA}": {user}, "{BERT}": {{}}}}'
    source = write(tmp_path, {"users.json": users, f"users/{ANNA}.json": user})
    found = read_installation(source)
    assert list(found.users) == [BERT]
    assert set(found.refused.values()) == {"nested_too_deeply"}


def test_a_cut_users_json_without_a_backup_is_refused_by_that_name(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cut or damaged, and there is no backup beside it: nothing was"):
        read_installation(write(tmp_path / "cut", {"users.json": "{", f"users/{ANNA}.json": {}}))
    (tmp_path / "folder" / "users.json").mkdir(parents=True)
    write(tmp_path / "folder", {f"users/{ANNA}.json": {}})
    with pytest.raises(StorageError, match="nothing was changed"):
        read_installation(tmp_path / "folder")


async def test_a_journal_folder_of_somebody_else_does_not_make_it_ours(tmp_path: Path) -> None:
    source = write(tmp_path, {"users.json": {ANNA: {"gold": 5}}, "journal/diary.txt": "mine"})
    before = snapshot(source)
    with pytest.raises(StorageError, match="existing installation"):
        await LocalJSONProvider(source).open()
    assert snapshot(source) == before
