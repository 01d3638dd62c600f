"""An existing installation in a target: every value booked once, and the laws hold from the first row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.copying.importing import import_installation
from kokoromichi.core.documents import MOST_BYTES
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ChangeSet, Movement, UserChange
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.reference.installation import Installation, read_installation
from kokoromichi.core.transactions import Committed
from tests.unit.old_folder import ANNA, BERT, write

if TYPE_CHECKING:
    from kokoromichi.core.models import Receipt, UserProfile

FIXTURE = Path(__file__).parents[1] / "fixtures" / "reference_data"
EXPECTED: dict[str, Any] = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))
CLOCK = ManualClock(1_700_000_000_000_000)


@pytest.fixture(scope="module")
def installation() -> Installation:
    return read_installation(FIXTURE / "data")


async def test_every_user_is_in_the_target_as_expected(installation: Installation) -> None:
    target = MemoryProvider()
    report = await import_installation(installation, target, clock=CLOCK)
    assert report.complete
    assert report.done == report.planned
    assert await target.user_ids() == sorted(EXPECTED["users"])
    for user_id, user in EXPECTED["users"].items():
        profile = await target.profile(user_id)
        assert profile is not None
        assert (profile.gold, profile.gems, profile.level) == (user["gold"], user["gems"], user["level"])
        assert (profile.xp, profile.inventory, profile.streak) == (user["xp"], user["items"], user["streak"])
        assert sum(profile.collection.values()) == user["characters"]
        assert profile.name == (user["name"] or "")
        rows = await target.read_ledger(user_id=user_id, limit=1_000)
        assert {row.kind for row in rows} == {"import"}
        assert {row.actor for row in rows} == {"system"}
        assert {row.reason for row in rows} == {"import from the existing installation data"}
        assert {row.currency: row.amount for row in rows if row.currency} == user["import_row"]
        assert {row.item_id: row.quantity for row in rows if row.item_id} == user["items"]


async def test_the_audit_is_clean_and_a_second_run_adds_nothing(installation: Installation) -> None:
    target = MemoryProvider()
    first = await import_installation(installation, target, clock=CLOCK)
    rows = (await read_ledger(target)).height
    second = await import_installation(installation, target, clock=ManualClock(CLOCK.us + 1))
    assert (await audit_provider(target)).sound
    assert second.complete
    assert second.planned.total() == second.done.total() == 0
    assert second.skipped["users"] == first.done["users"]
    assert second.skipped["sections"] == first.done["sections"]
    assert (await read_ledger(target)).height == rows
    assert second.verified == first.verified


async def test_what_was_played_since_stays(installation: Installation) -> None:
    target = MemoryProvider()
    await import_installation(installation, target, clock=CLOCK)
    user_id = next(iter(installation.users))
    profile = await target.profile(user_id)
    assert profile is not None
    after = profile.gold + 5
    played = UserChange(user_id, profile.version, (Movement("grant", "gold", 5, after),))
    await target.apply(ChangeSet(1, (played,), Committed(0, 0)))
    await target.save_game_data("server_config", {})
    again = await import_installation(installation, target, clock=CLOCK)
    assert again.complete
    assert profile.gold == after
    assert await target.get_game_data("server_config") == {}


async def test_a_player_from_elsewhere_is_listed_and_left_alone(installation: Installation) -> None:
    target = MemoryProvider()
    user_id = next(iter(installation.users))
    own = UserChange(user_id, 0, (Movement("opening", "gold", 5, 5),))
    await target.apply(ChangeSet(1, (own,), Committed(0, 0)))
    report = await import_installation(installation, target, clock=CLOCK)
    assert [failure.name for failure in report.failed] == [user_id]
    profile = await target.profile(user_id)
    assert profile is not None
    assert profile.gold == 5
    assert report.done["users"] == len(installation.users) - 1


async def test_a_source_that_changed_since_is_listed(tmp_path: Path) -> None:
    target = MemoryProvider()
    for gold in (5, 6):
        folder = write(tmp_path, {"users.json": {ANNA: {"gold": gold}, BERT: {"gold": 1}}})
        report = await import_installation(read_installation(folder), target, clock=CLOCK)
    assert [(failure.name, failure.why) for failure in report.failed] == [
        (ANNA, "imported before, and the source has changed since")
    ]


async def test_a_section_of_the_target_s_own_is_listed_and_left_alone(installation: Installation) -> None:
    target = MemoryProvider()
    name = min(installation.sections)
    await target.save_game_data(name, {"own": 1})
    report = await import_installation(installation, target, clock=CLOCK)
    assert [(failure.what, failure.name) for failure in report.failed] == [("section", name)]
    assert await target.get_game_data(name) == {"own": 1}
    assert await target.user_ids() == sorted(EXPECTED["users"])


async def test_nothing_is_imported_into_a_mirror(installation: Installation) -> None:
    target = MemoryProvider()
    target.mirror_of = "postgres"
    with pytest.raises(MisuseError, match="is a mirror of postgres: import into postgres itself"):
        await import_installation(installation, target, clock=CLOCK)
    assert await target.user_ids() == []


async def test_a_store_that_fails_is_the_report_s_last_word(installation: Installation) -> None:
    class Away(MemoryProvider):
        async def profile(self, user_id: str) -> UserProfile | None:
            message = f"the store is away: {user_id} cannot be read"
            raise StorageError(message)

    report = await import_installation(installation, Away(), clock=CLOCK)
    assert not report.complete
    assert ("store", "memory") in {(failure.what, failure.name) for failure in report.failed}


async def test_who_is_too_large_is_named_in_the_plan_and_the_others_come(tmp_path: Path) -> None:
    users = {ANNA: {"gold": 5, "x_own": "x" * MOST_BYTES}, BERT: {"gold": 7}}
    large = read_installation(write(tmp_path, {"users.json": users}))
    target = MemoryProvider(CLOCK)
    planned = await import_installation(large, None, clock=CLOCK, dry_run=True)
    report = await import_installation(large, target, clock=CLOCK)
    for each in (planned, report):
        assert [failure.name for failure in each.failed] == [ANNA]
        assert "over 15728640 bytes" in each.failed[0].why
    assert await target.user_ids() == [BERT]


async def test_a_dry_run_needs_no_target(installation: Installation) -> None:
    report = await import_installation(installation, None, clock=CLOCK, dry_run=True)
    assert report.planned["users"] == EXPECTED["totals"]["users"]
    assert not report.done
    with pytest.raises(MisuseError, match="needs a target"):
        await import_installation(installation, None, clock=CLOCK)


class Forgetful(MemoryProvider):
    """A store that has forgotten every answer."""

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:  # noqa: ARG002 - it forgets
        return None


async def test_rows_tell_of_an_import_whose_answers_are_forgotten(installation: Installation) -> None:
    target = Forgetful()
    await import_installation(installation, target, clock=CLOCK)
    again = await import_installation(installation, target, clock=CLOCK)
    assert again.complete
    assert again.skipped["users"] == len(installation.users)


class Dying(MemoryProvider):
    """A store that dies before its ``lives``-th document."""

    lives = 0

    async def save_user(self, user_id: str | int, data: Any) -> None:
        self.lives -= 1
        if self.lives < 0:
            message = "the store died"
            raise StorageError(message)
        await super().save_user(user_id, data)


@pytest.mark.parametrize("lives", [0, 1, 7, 37])
async def test_an_import_cut_off_in_the_middle_ends_equal(installation: Installation, lives: int) -> None:
    whole, target = MemoryProvider(), Dying()
    await import_installation(installation, whole, clock=CLOCK)
    target.lives = lives
    cut = await import_installation(installation, target, clock=CLOCK)
    assert not cut.complete
    assert (await audit_provider(target)).sound
    target.lives = 1_000
    assert (await import_installation(installation, target, clock=CLOCK)).complete
    for user_id in installation.users:
        assert await target.get_user(user_id) == await whole.get_user(user_id)
    assert (await read_ledger(target)).height == (await read_ledger(whole)).height


async def test_an_imported_store_goes_there_and_back(installation: Installation) -> None:
    here, there, back = MemoryProvider(), MemoryProvider(), MemoryProvider()
    await import_installation(installation, here, clock=CLOCK)
    assert (await copy_all(here, there)).complete
    assert (await copy_all(there, back)).complete
    for user_id in installation.users:
        assert await back.get_user(user_id) == await here.get_user(user_id)
    assert (await audit_provider(back)).sound
