"""Commits of the local provider while the disk is slow, full or failing, and while callers give up."""

from __future__ import annotations

import asyncio
import errno
import math
import threading
from random import Random  # noqa: TID251 - what a failing disk leaves is no part of a simulation
from typing import TYPE_CHECKING, Final

import pytest
from kokoromichi.core.providers.local.files import Files

from kokoromichi.core.clock import DAY_US, ManualClock
from kokoromichi.core.errors import CommitUnknownError, ConflictError, RequestMismatchError, StorageError
from kokoromichi.core.models import CounterChange
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, change, money, rows, stored, user, with_counter, with_player
from tests.faults.local_disk import Disk

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.models import ChangeSet

SLOW_S: Final = 3_600.0


class SlowFiles(Files):
    """A real disk whose syncs wait until they are let through, and fail after as many as they are told."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.good_syncs = math.inf

    def sync(self, handle: int) -> None:
        assert self.gate.wait(30)
        if self.good_syncs < 1:
            raise OSError(errno.EIO, "Input/output error")
        self.good_syncs -= 1
        super().sync(handle)


@pytest.fixture
def files() -> SlowFiles:
    return SlowFiles()


@pytest.fixture
def local(files: SlowFiles, tmp_path: Path) -> LocalJSONProvider:
    return LocalJSONProvider(tmp_path, SLOW_S, clock=ManualClock(NOON_US), files=files)


def spend(version: int, after: int, digest: str = "spend") -> ChangeSet[Committed]:
    row = money(-10, after, "fee")
    return change(user("ada", version, row), request_id="r-1", digest=digest, answer=(after, 0))


async def test_what_is_not_synced_is_shown_to_nobody_and_counted_by_the_next(
    local: LocalJSONProvider, files: SlowFiles
) -> None:
    async with local:
        await with_counter(local, "stock.x", 5)
        await with_player(local, "ada", gold=100, x=1)
        before = await stored(local)
        files.gate.clear()
        act = change(user("ada", 1, money(-60, 40)), counters=(CounterChange("stock.x", -4),))
        first = asyncio.create_task(local.apply(act))
        await asyncio.sleep(0.02)
        assert await stored(local) == before
        with pytest.raises(ConflictError, match="ada has version 2, not 1"):
            await local.apply(change(user("ada", 1, money(-60, 40))))
        second = asyncio.create_task(local.apply(change(user("ada", 2, money(-40, 0)))))
        await asyncio.sleep(0.02)
        files.gate.set()
        assert list(await asyncio.gather(first, second)) == [Committed(0, 0)] * 2
        profile = await local.profile("ada")
        assert profile is not None
        assert (profile.gold, profile.version, await local.counters()) == (0, 3, {"stock.x": 1})


async def test_a_duplicate_on_its_way_waits_for_the_first_ones_answer(
    local: LocalJSONProvider, files: SlowFiles
) -> None:
    async with local:
        await with_player(local, "ada", gold=100)
        files.gate.clear()
        first = asyncio.create_task(local.apply(spend(1, 90)))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(local.apply(spend(1, 90))) for _ in range(3)]
        recalled = asyncio.create_task(local.get_response("r-1", "spend"))
        await asyncio.sleep(0.01)
        with pytest.raises(RequestMismatchError):
            await local.apply(spend(1, 90, "sell"))
        assert not any(task.done() for task in (first, recalled, *others))
        files.gate.set()
        answers = await asyncio.gather(first, recalled, *others)
        assert answers == [Committed(90, 0)] * 5
        assert len(await rows(local)) == 2


async def test_a_failed_sync_is_unknown_to_all_who_wait_and_the_provider_only_reads(
    local: LocalJSONProvider, files: SlowFiles, tmp_path: Path
) -> None:
    async with local:
        await with_player(local, "ada", gold=100)
        await with_player(local, "bo", gold=100)
        before = await stored(local)
        files.gate.clear()
        files.good_syncs = 0
        waiting = [asyncio.create_task(local.apply(spend(1, 90)))]
        await asyncio.sleep(0.01)
        waiting.append(asyncio.create_task(local.apply(spend(1, 90))))
        waiting.append(asyncio.create_task(local.apply(change(user("bo", 1, money(1, 101))))))
        await asyncio.sleep(0.01)
        files.gate.set()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [CommitUnknownError] * 3
        files.good_syncs = math.inf
        sentence = f"the journal in {tmp_path}/journal could not be written: Input/output error.*only reads"
        with pytest.raises(StorageError, match=sentence) as error:
            await local.apply(change(user("bo", 1, money(1, 101)), request_id="r-2"))
        assert not isinstance(error.value, CommitUnknownError)
        for asking in (local.apply(spend(1, 90)), local.get_response("r-1", "spend")):
            with pytest.raises(CommitUnknownError):  # Nobody may be told that nothing happened.
                await asking
        assert await stored(local) == before
    async with LocalJSONProvider(tmp_path, clock=ManualClock(NOON_US)) as again:
        answer = await again.apply(spend(1, 90))  # It may have happened; either way it has one effect.
        assert answer == Committed(90, 0)
        assert [row.balance_after for row in await rows(again, "ada")] == [100, 90]


async def test_a_crowd_is_synced_in_parts_and_everybody_hears_of_his_own(
    local: LocalJSONProvider, files: SlowFiles, tmp_path: Path
) -> None:
    crowd = [f"p{number}" for number in range(100)]
    async with local:
        for one in crowd:
            await with_player(local, one, gold=100)
        files.good_syncs = 1
        outcomes = await asyncio.gather(
            *(local.apply(change(user(one, 1, money(-10, 90)), answer=(90, 0))) for one in crowd),
            return_exceptions=True,
        )
        synced = outcomes.count(Committed(90, 0))
        assert 0 < synced < len(crowd)
        assert [type(outcome) for outcome in outcomes[synced:]] == [CommitUnknownError] * (
            len(crowd) - synced
        )
        profiles = [await local.profile(one) for one in crowd]
        seen = [profile.gold for profile in profiles if profile is not None]
        assert seen == [90] * synced + [100] * (len(crowd) - synced)
        files.good_syncs = math.inf
    async with LocalJSONProvider(tmp_path, clock=ManualClock(NOON_US)) as again:
        profiles = [await again.profile(one) for one in crowd[:synced]]
        assert [profile.gold for profile in profiles if profile is not None] == [90] * synced


async def test_who_stops_waiting_changes_nothing_for_the_others(
    local: LocalJSONProvider, files: SlowFiles
) -> None:
    async with local:
        await with_player(local, "ada", gold=100)
        await with_player(local, "bo", gold=100)
        files.gate.clear()
        gone = asyncio.create_task(local.apply(spend(1, 90)))
        other = asyncio.create_task(local.apply(change(user("bo", 1, money(1, 101)))))
        await asyncio.sleep(0.01)
        again = asyncio.create_task(local.apply(spend(1, 90)))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0.01)
        files.gate.set()
        assert list(await asyncio.gather(again, other)) == [Committed(90, 0), Committed(0, 0)]
        assert gone.cancelled()
        assert len(await rows(local, "ada")) == 2


async def test_a_full_disk_charges_nobody_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    disk = Disk(Random(1))  # noqa: S311 - no secret
    async with LocalJSONProvider(tmp_path, SLOW_S, files=disk) as local:
        await with_player(local, "ada", gold=100)
        before = await stored(local)
        disk.fails = {"write": (1, errno.ENOSPC)}
        acts = [local.apply(spend(1, 90)), local.apply(change(user("bo", 0, money(1, 1))))]
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
        sentence = (
            f"the journal in {tmp_path}/journal takes no more: No space left on device. Nothing was changed"
        )
        assert str(outcomes[0]).startswith(sentence)
        assert await stored(local) == before
        disk.fails = {}
        assert await local.apply(spend(1, 90)) == Committed(90, 0)
    async with LocalJSONProvider(tmp_path, files=Disk(Random(2), disk.image())) as again:  # noqa: S311 - no secret
        assert [row.balance_after for row in await rows(again)] == [100, 90]


async def test_files_that_find_no_room_lose_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk(Random(1))  # noqa: S311 - no secret
    async with LocalJSONProvider(tmp_path, SLOW_S, files=disk) as local:
        await with_player(local, "ada", gold=100)
        disk.fails = {"replace": (1, errno.ENOSPC)}
    assert "No space left on device" in caplog.text
    assert "the journal holds it" in caplog.text
    async with LocalJSONProvider(tmp_path, files=Disk(Random(2), disk.image())) as again:  # noqa: S311 - no secret
        assert [row.balance_after for row in await rows(again)] == [100]


async def test_request_ids_outlive_the_process_and_their_answers(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    async with LocalJSONProvider(tmp_path, clock=clock) as local:
        await with_player(local, "ada", gold=100)
        await local.apply(spend(1, 90))
    for days, is_stored in ((29, True), (2, False), (400, False)):
        clock.us += days * DAY_US
        async with LocalJSONProvider(tmp_path, clock=clock) as local:
            if is_stored:
                assert await local.apply(spend(2, 80)) == Committed(90, 0)
                continue
            with pytest.raises(RequestMismatchError):
                await local.apply(spend(2, 80))
            with pytest.raises(RequestMismatchError):
                await local.get_response("r-1", "spend")
            assert len(await rows(local)) == 2
    assert b"Committed" not in b"".join(path.read_bytes() for path in (tmp_path / "journal").iterdir())


async def test_a_store_whose_sync_failed_is_opened_again_while_others_ask(
    local: LocalJSONProvider, files: SlowFiles
) -> None:
    async with local:
        await with_player(local, "ada", gold=100)
        files.good_syncs = 0
        with pytest.raises(CommitUnknownError):
            await local.apply(spend(1, 90))
        assert "only reads" in (local.failed or "")
        files.good_syncs = math.inf

        async def asked() -> int | None:
            profile = await local.profile("ada")
            return None if profile is None else profile.gold

        _, *seen = await asyncio.gather(local.reopen(), *(asked() for _ in range(20)))
        assert local.failed is None
        answer = await local.get_response("r-1", "spend") or await local.apply(spend(1, 90))
        assert answer == Committed(90, 0)
        assert set(seen) <= {100, 90}
        profile = await local.profile("ada")
        assert profile is not None
        assert profile.gold == 90
