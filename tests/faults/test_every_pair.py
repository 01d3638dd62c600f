"""Every store moves into every other one and back, and is equal by digest at each stop."""

from __future__ import annotations

import hashlib
import json
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.copying.importing import import_installation
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import CounterChange
from kokoromichi.core.providers import PROVIDERS
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.reference.installation import read_installation
from tests.contract.makers import MAKERS
from tests.contract.stored import NOON_US, change, goods, money, user

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider

FIXTURE: Final = Path(__file__).parents[1] / "fixtures" / "reference_data" / "data"


async def played_on() -> MemoryProvider:
    """An existing installation that was imported and played on, with every kind of thing in it."""
    store = MemoryProvider(ManualClock(NOON_US))
    assert (await import_installation(read_installation(FIXTURE), store, clock=ManualClock(NOON_US))).complete
    buyer = (await store.user_ids())[0]
    profile = await store.profile(buyer)
    assert profile is not None
    row = money(-1, profile.gold - 1, "fee") if profile.gold else money(1, 1)
    act = change(user(buyer, profile.version, row, goods("silk", 3)), request_id="r-1", digest="buy")
    act.reason = "été \\ \t\n"
    await store.apply(act)
    await store.apply(change(counters=(CounterChange("stock.silk", 7, creates=True),), request_id="r-2"))
    await store.save_user("anna", {"gold": 2**60, "x_own": {"a": [1, 1e300, None, {"b": True}]}})
    await store.save_game_data("guilds", {"names": ["深い"], "deep": {"a": {"b": [[], {}]}}})
    return store


async def digests(store: DataProvider) -> dict[str, str]:
    """One digest for each part of a store; ids of rows may be numbered anew, and so they are left out."""
    frames = [frame.drop("entry_id", "tx_id") async for frame in store.ledger_frames()]
    parts: dict[str, object] = {
        "players": {user_id: await store.get_user(user_id) for user_id in await store.user_ids()},
        "counters": await store.counters(),
        "requests": sorted(
            [
                (asked.request_id, asked.digest, json.loads(asked.answer))
                async for asked in store.stored_responses()
            ],
            key=str,
        ),
        "ledger": sorted(map(str, pl.concat(frames).rows())),
        "sections": {name: await store.get_game_data(name) for name in await store.sections()},
    }
    return {
        name: hashlib.blake2b(json.dumps(part, sort_keys=True).encode()).hexdigest()
        for name, part in parts.items()
    }


@pytest.mark.parametrize(("first", "second"), list(product(sorted(PROVIDERS), repeat=2)))
async def test_there_and_back_every_part_is_equal(first: str, second: str, tmp_path: Path) -> None:
    origin = await played_on()
    expected = await digests(origin)
    source: DataProvider = origin
    async with AsyncExitStack() as stores:
        for number, name in enumerate((first, second, first)):
            folder = tmp_path / str(number)
            folder.mkdir()
            target = await stores.enter_async_context(MAKERS[name](ManualClock(NOON_US), folder))
            report = await copy_all(source, target)
            assert report.complete, report.failed
            assert report.done == report.planned
            assert await digests(target) == expected
            again = await copy_all(source, target)
            assert again.complete
            assert not again.done.total()
            source = target
        audited = await audit_provider(source)
        assert audited.sound, str(audited)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
async def test_a_mirror_is_a_source_once_it_is_released(name: str, tmp_path: Path) -> None:
    origin = await played_on()
    async with AsyncExitStack() as stores:
        mirror = MemoryProvider(ManualClock(NOON_US))
        mirror.mirror_of, mirror.mirrored_us = None, 0
        assert (await copy_all(origin, mirror)).complete
        mirror.mirror_of = "postgres"
        target = await stores.enter_async_context(MAKERS[name](ManualClock(NOON_US), tmp_path))
        with pytest.raises(
            MisuseError, match=r"mirror of postgres, and .* release the mirror \(migrate --from-mirror\)"
        ):
            await copy_all(mirror, target)
        with pytest.raises(MisuseError, match="was never a whole mirror of postgres"):
            await copy_all(mirror, target, released=True)
        assert await target.user_ids() == []
        mirror.mirrored_us = NOON_US
        assert (await copy_all(mirror, target, released=True)).complete
        assert await digests(target) == await digests(origin)
