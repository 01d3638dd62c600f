"""The power goes, the disk fails or fills up, at any operation: what was acknowledged is there, once.

``KOKORO_CUTS`` is the number of courses; each has a seed of its own.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random  # noqa: TID251 - when a disk fails is no part of a simulation
from typing import Final

import pytest

from kokoromichi.analysis.stored import audit_provider
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import Stored, change, goods, money, stored, user, with_counter
from tests.faults.local_disk import Disk
from tests.faults.local_load import SALES, STOCK, ProgressCallback, check, play

DEFAULT_CUTS: Final = 60
CUTS: Final = int(os.environ.get("KOKORO_CUTS", str(DEFAULT_CUTS)))  # noqa: TID251 - the campaign's size
FOLDER: Final = Path("/data")


def over(disk: Disk, debounce_s: float = 0.0, segment_bytes: int = 4_000) -> LocalJSONProvider:
    """A provider over a disk, in a hurry to write its files."""
    return LocalJSONProvider(FOLDER, debounce_s, 0.02, files=disk, segment_bytes=segment_bytes)


async def live(disk: Disk, told: ProgressCallback, sections: dict[str, str], life: str, players: int) -> None:
    """One life of the store, until the power goes or all is done."""
    provider = over(disk)

    async def one(user_id: str) -> None:
        await play(provider, user_id, life, 30, told.acknowledged.__setitem__, told.refused.add)
        sections[user_id] = "unknown"
        await provider.save_game_data(user_id, {"life": life})
        sections[user_id] = life

    try:
        await provider.open()
        if SALES not in await provider.counters():
            await with_counter(provider, SALES, STOCK)
        await asyncio.gather(
            *(one(f"p{number % max(6, players - 10)}") for number in range(players)), return_exceptions=True
        )
    except StorageError:
        pass
    finally:
        await provider.close()


@pytest.mark.parametrize("seed", range(CUTS))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_was_acknowledged_survives_power_cuts(seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - no secret
    disk, told, sections = Disk(chance), ProgressCallback(), dict[str, str]()
    for life in range(4):
        disk.cut_at = chance.randint(1, chance.choice([30, 100, 400]))
        disk.short = chance.random() < 0.5
        await live(disk, told, sections, str(life), chance.choice([1, 3, 8, 60]))
        disk = disk.after_power_cut()
    async with over(disk) as provider:
        await check(provider, told)
        for section, life_of in sections.items():
            stored = await provider.get_game_data(section)
            assert life_of == "unknown" or stored == {"life": life_of}
    async with over(disk) as provider:  # What was repaired stays repaired.
        await check(provider, told)


async def crashed(debounce_s: float) -> tuple[dict[Path, bytes], list[Stored]]:
    """A folder as kill -9 leaves it, and what was stored after each of its commits."""
    disk = Disk(Random(1))  # noqa: S311 - no secret
    provider = over(disk, debounce_s, segment_bytes=100_000)
    await provider.open()
    states = [await stored(provider)]
    for act in range(6):
        player = f"p{act % 2}"
        await provider.apply(
            change(user(player, act // 2, money(5, 5 * (act // 2 + 1)), goods("x", 1)), request_id=f"r-{act}")
        )
        await asyncio.sleep(0.03)  # Time for the files, where they are in a hurry.
        states.append(await stored(provider))
    image = disk.image()
    await provider.close()
    return image, states


@pytest.mark.parametrize("debounce_s", [0.0, 3_600.0])
@pytest.mark.parametrize("damage", ["cut", "flip"])
async def test_a_damaged_journal_gives_an_exact_past_or_a_refusal(damage: str, debounce_s: float) -> None:
    image, states = await crashed(debounce_s)
    (segment,) = (path for path in image if path.suffix == ".journal")
    content, refused = image[segment], 0
    for place in range(0, len(content), 1 if CUTS > DEFAULT_CUTS else 17):
        flipped = content[:place] + bytes([content[place] ^ 0x15]) + content[place + 1 :]
        bad = content[:place] if damage == "cut" else flipped
        provider = over(Disk(Random(2), {**image, segment: bad}))  # noqa: S311 - no secret
        try:
            await provider.open()
        except StorageError:
            refused += 1
            continue
        assert await stored(provider) in states
        assert (await audit_provider(provider)).sound
        await provider.close()
    if debounce_s == 0 or damage == "flip":
        assert refused
    else:
        assert not refused
