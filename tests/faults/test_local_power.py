"""Power that fails at any write, and syncs that fail: what was acknowledged is there, once.

``KOKORO_CUTS`` is the number of cuts; a campaign takes 1,000.
"""

from __future__ import annotations

import asyncio
import os
import time
from random import Random  # noqa: TID251 - where power fails is no part of a simulation
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from kokoromichi.core.errors import CommitUnknownError, StorageError
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, money, rows, user, with_counter, with_player
from tests.faults.local_disk import UnsafeDisk
from tests.faults.local_folders import DATABASE, over
from tests.faults.local_load import SALES, STOCK, ProgressCallback, check, play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUTS: Final = int(os.environ.get("KOKORO_CUTS", "30"))  # noqa: TID251 - the campaign's size
SEED: Final = int(os.environ.get("KOKORO_SEED", "7"))  # noqa: TID251 - the campaign's course
CUT_CHANCE: Final = 0.05
"""Of each write, sync, cut and removal."""


@pytest.fixture
def disk() -> Iterator[UnsafeDisk]:
    with UnsafeDisk() as made:
        yield made


class Cut(NamedTuple):
    """A disk after power failed, and what players had been told until then."""

    files: dict[str, bytes]
    books: dict[str, bytes]
    acknowledged: dict[str, int]

    def write(self, folder: Path) -> None:
        """Make a folder of it."""
        (folder / "ledgers").mkdir(parents=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        for name, content in self.books.items():
            (folder / "ledgers" / name).write_bytes(content)


async def lived(folder: Path, disk: UnsafeDisk, chance: Random) -> list[Cut]:
    """One life, from the first byte to the last, whose power fails at some of its steps."""
    cuts: list[Cut] = []
    told = ProgressCallback()

    def step() -> None:
        if chance.random() < CUT_CHANCE:
            acknowledged = dict(told.acknowledged)  # Before the disk is looked at.
            files = disk.after_cut(folder, chance)
            books = {path.name: path.read_bytes() for path in (folder / "ledgers").glob("*.log")}
            cuts.append(Cut(files, books, acknowledged))

    disk.step = step
    async with over(folder, 0.005) as local:
        await with_counter(local, SALES, STOCK)
        lives = [
            play(local, f"p{place % 5}", str(place), 12, told.acknowledged.__setitem__, told.refused.add)
            for place in range(8)
        ]
        await asyncio.gather(*lives)
    async with over(folder, 0.005) as local:  # Beside what closing has made of the first part.
        await play(local, "p1", "last", 8, told.acknowledged.__setitem__, told.refused.add)
    return cuts


async def test_what_was_acknowledged_survives_every_power_cut_once(tmp_path: Path) -> None:
    chance = Random(SEED)  # noqa: S311 - no secret
    begun, tried, acknowledged = time.monotonic(), 0, 0
    while tried < CUTS:
        with UnsafeDisk() as disk:
            cuts = await lived(tmp_path / f"life-{tried}", disk, chance)
        for cut in cuts:
            folder = tmp_path / f"cut-{tried}"
            cut.write(folder)
            told = ProgressCallback()
            told.acknowledged = cut.acknowledged
            async with over(folder) as local:
                if SALES in await local.counters():
                    await check(local, told)
                else:
                    assert not cut.acknowledged
            tried += 1
            acknowledged += len(cut.acknowledged)
    assert acknowledged > CUTS
    seconds = time.monotonic() - begun
    print(f"{tried} cuts, {seconds:.0f} s: acknowledged {acknowledged:,}, lost 0, doubled 0")  # noqa: T201 - the campaign's figure


async def test_a_sync_that_fails_is_unknown_and_the_same_request_has_one_effect(
    disk: UnsafeDisk, tmp_path: Path
) -> None:
    spend = change(user("ada", 1, money(-10, 90, "fee")), request_id="r-1", digest="d", answer=(90, 0))
    async with over(tmp_path) as local:
        await with_player(local, "ada", gold=100)
        disk.fails = True
        with pytest.raises(CommitUnknownError, match="the outcome of request r-1 is unknown"):
            await local.apply(spend)
        assert "could not be written" in (local.failed or "")
        with pytest.raises(StorageError, match="only reads"):
            await local.save_game_data("events", {})
        with pytest.raises(StorageError, match="the disk reports an error, or has no room"):
            await local.reopen()  # Opening writes, and cannot be trusted yet.
        disk.fails = False
        await local.reopen()
        assert await local.apply(spend) == Committed(90, 0)
        assert [row.balance_after for row in await rows(local, "ada")] == [100, 90]
    assert not (tmp_path / f"{DATABASE}-wal").exists()
