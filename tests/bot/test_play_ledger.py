"""One script, played through the services and through the text commands, leaves one ledger."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from kokoromichi.bot import create_bot
from kokoromichi.chat.console.guild import FakeGuild, player_id
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from kokoromichi.settings import Settings, shipped_folder
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from kokoromichi.chat.console.http_client import Posted
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.executor import Dice

PLAYERS: Final = ("alice", "bob", "carol")
ITEMS: Final = (
    "health_potion",
    "stamina_drink",
    "training_manual",
    "wooden_chest",
    "treasure_chest",
    "ema_plaque",
)
ACTS: Final = ("buy", "buy", "buy", "sell", "use", "use", "gift", "transfer", "daily")
LINES: Final = 300
HOURS: Final = 5
APART: Final = {"entry_id", "tx_id", "at", "request_id"}


class Line(NamedTuple):
    """One line of the script."""

    player: str
    act: str
    item: str
    quantity: int
    other: str


def script(seed: int) -> list[Line]:
    chance = np.random.default_rng(seed)

    def one(of: tuple[str, ...]) -> str:
        return of[chance.integers(len(of))]

    return [
        Line(one(PLAYERS), one(ACTS), one(ITEMS), int(chance.integers(0, 4)), one(PLAYERS))
        for _ in range(LINES)
    ]


def dice(seed: int) -> Dice:
    chance = np.random.default_rng(seed)
    return lambda: int(chance.integers(2**32))


async def through_services(lines: list[Line]) -> DataProvider:
    clock = ManualClock(NOON_US)
    store = MemoryProvider(clock)
    services = Services(store, load_economy(shipped_folder("data")), clock, dice(1))
    await services.start()
    for name in PLAYERS:
        await services.executor.open_account(str(player_id(name)))
    for line in lines:
        with suppress(RefusedError):  # The commands meet the same one.
            await act(services, line)
        clock.advance(HOURS * 3_600)
    return store


async def act(services: Services, line: Line) -> None:
    who, other = str(player_id(line.player)), str(player_id(line.other))
    if line.act == "buy":
        await services.store.purchase(who, line.item, line.quantity)
    elif line.act == "sell":
        await services.store.sell(who, line.item, line.quantity)
    elif line.act == "use":
        await services.store.use(who, line.item)
    elif line.act == "gift":
        await services.store.gift(who, other, line.item, line.quantity)
    elif line.act == "transfer":
        await services.bank.transfer(who, other, line.quantity * 100)
    else:
        await services.daily.claim(who)


async def through_commands(lines: list[Line]) -> tuple[DataProvider, list[str]]:
    clock = ManualClock(NOON_US)
    store = MemoryProvider(clock)
    settings = Settings(_env_file=None, economy_dir=shipped_folder("data"), shard_count=1)
    shown: list[Posted] = []
    guild = FakeGuild(create_bot(settings, provider=store, clock=clock, dice=dice(1)), "alice", shown.append)
    await guild.open()
    for name in PLAYERS:
        await guild.say(name, "balance")
    for line in lines:
        await guild.say(line.player, written(line))
        question = shown[-1]
        if (
            question.choices
        ):  # A gift, and what is large for its player: not what is refused before it is asked.
            await guild.press(line.player, question.message_id, question.choices[0].custom_id)
        clock.advance(HOURS * 3_600)
    await guild.close()
    return store, [str(message.embeds[0].description) for message in shown if message.embeds]


def written(line: Line) -> str:
    return {
        "use": f"use {line.item}",
        "gift": f"gift {line.other} {line.item} {line.quantity}",
        "transfer": f"transfer @{line.other} {line.quantity / 10}k",
        "daily": "daily",
    }.get(line.act, f"{line.act} {line.item} {line.quantity}")


async def ledger(store: DataProvider) -> list[dict[str, object]]:
    frames = [frame async for frame in store.ledger_frames()]
    return [row for frame in frames for row in frame.drop(APART).to_dicts()]


async def test_the_commands_and_the_services_write_one_ledger() -> None:
    lines = script(7)
    played, answers = await through_commands(lines)
    rows = await ledger(played)
    assert rows == await ledger(await through_services(lines))
    assert {"purchase", "sale", "use", "gift", "transfer", "fee", "daily"} <= {row["kind"] for row in rows}
    assert not [answer for answer in answers if "went wrong" in answer]
    assert [answer for answer in answers if answer.startswith("Need ")], "the script meets refusals too"
