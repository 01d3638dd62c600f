"""An existing installation comes into every store alike: each value booked once, nothing lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.copying.importing import import_installation
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.reference.installation import read_installation
from tests.unit.old_folder import ANNA, BERT, write

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider

FIXTURE = Path(__file__).parents[1] / "fixtures" / "reference_data"
EXPECTED: dict[str, Any] = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))


async def test_an_installation_is_imported_whole_and_once(provider: DataProvider, clock: ManualClock) -> None:
    installation = read_installation(FIXTURE / "data")
    first = await import_installation(installation, provider, clock=clock)
    assert first.complete
    assert await provider.user_ids() == sorted(EXPECTED["users"])
    for user_id, user in EXPECTED["users"].items():
        profile = await provider.profile(user_id)
        assert profile is not None
        assert (profile.gold, profile.gems, profile.inventory) == (user["gold"], user["gems"], user["items"])
        assert profile.unknown == installation.users[user_id].unknown
    for name, section in installation.sections.items():
        assert await provider.get_game_data(name) == section
    second = await import_installation(installation, provider, clock=clock)
    assert second.complete
    assert not second.done.total()
    assert second.verified == first.verified
    assert (await audit_provider(provider)).sound


async def test_names_and_keys_of_any_text_come_through(
    provider: DataProvider, clock: ManualClock, tmp_path: Path
) -> None:
    inventory = {"🎁": 1, "...": 2, "$": 3, "a.b": 4, "$where": 5, "\x00": 6, "": 7, "x" * 99: 8, "'; --": 9}
    odd = {
        "$set": {"a.b": [{"$c": None}]},
        "": 1,
        "x\x00y": "\ud800",
        "big": 2**80,
        "_id": "mine",
        "深い": [[]],
    }
    users = {
        ANNA: {"name": "\x00\u202e", "gold": 2**63 - 1, "inventory": inventory, **odd},
        BERT: {"gems": 2**53 + 1},
    }
    installation = read_installation(write(tmp_path, {"users.json": json.dumps(users)}))
    report = await import_installation(installation, provider, clock=clock)
    assert not report.failed
    alike = MemoryProvider(clock)
    await import_installation(installation, alike, clock=clock)
    for user_id in users:
        assert await provider.get_user(user_id) == await alike.get_user(user_id)
    assert (await audit_provider(provider)).sound
