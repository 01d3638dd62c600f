"""The same script through the services and through Discord's commands leaves the same ledger."""

from __future__ import annotations

from random import Random  # noqa: TID251 - what is asked is no part of a simulation
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from tests.bot.bot_process import ROOT, BotProcess
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider

PLAYERS: Final = 30
ACTS_EACH: Final = 6
"""So few that nobody meets the limit against spam, which the services do not have."""
ACTS: Final = PLAYERS * ACTS_EACH
DONE: Final = ("Bought", "Sold")


class Act(NamedTuple):
    """One purchase or sale, wise or not."""

    what: str
    user_id: int
    item_id: str
    quantity: int


def script(seed: int, items: list[str]) -> list[Act]:
    chance = Random(seed)  # noqa: S311 - no secret
    players = [1000 + number for number in range(PLAYERS)] * ACTS_EACH
    chance.shuffle(players)
    return [
        Act(
            chance.choice(["buy", "buy", "buy", "sell"]),
            user_id,
            chance.choice(items),
            chance.choice([1, 1, 2, 3, 7]),
        )
        for user_id in players
    ]


async def rows(provider: DataProvider) -> list[dict[str, object]]:
    ledger = await read_ledger(provider)
    return ledger.drop("entry_id", "tx_id", "at", "request_id").to_dicts()


async def carried_out(discord: StandIn, act: Act) -> str:
    """What an act is answered with in the end: its player means it where they are asked."""
    player = User(act.user_id)
    asked = await discord.slash(player, act.what, item=act.item_id, quantity=act.quantity).answered()
    if not asked.text.startswith("Are you sure?"):
        return asked.text
    clicked = discord.click(asked, "Confirm")
    await clicked.until(lambda one: any(answer.text.startswith(DONE) for answer in one.said))
    return clicked.text


async def test_discord_and_the_services_write_one_ledger(tmp_path: Path) -> None:
    economy = load_economy(ROOT / "data")
    acts = script(7, sorted(economy.config.store))
    refusals = 0
    async with MemoryProvider() as provider:
        services = Services(provider, economy)
        await services.start()
        for act in acts:
            call = services.store.purchase if act.what == "buy" else services.store.sell
            try:
                await call(str(act.user_id), act.item_id, act.quantity)
            except RefusedError:
                refusals += 1
        expected = await rows(provider)
    assert ACTS / 10 < refusals < ACTS * 9 / 10, "a script of which some is refused"

    async with StandIn() as discord, BotProcess(discord, tmp_path, LOG_LEVEL="INFO") as bot:
        told = [await carried_out(discord, act) for act in acts]
        await bot.stopped()
    assert sum(not text.startswith(DONE) for text in told) == refusals
    async with LocalJSONProvider(tmp_path / "data") as stored:
        assert await rows(stored) == expected
