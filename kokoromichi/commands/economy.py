"""This economy as its players may see it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from discord import app_commands
from discord.ext import commands

from kokoromichi.analysis.digest import TOP_SHARE, Digest
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.chat.arguments import DaysArgument
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import Picture, card
from kokoromichi.chat.texts import moment, percent, say
from kokoromichi.core.clock import moment_of
from kokoromichi.core.models import SECOND_US

if TYPE_CHECKING:
    import polars as pl

    from kokoromichi.chat.game import Game
    from kokoromichi.services.bundle import Services

KEPT_S: Final = 300
"""So long one reading of the ledger answers everybody, in seconds."""
_LARGEST_KINDS: Final = 4


class EconomyCog(commands.Cog, name="Economy"):
    """How this economy is doing."""

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._kept: tuple[Digest, int] | None = None

    @command()
    @app_commands.describe(days="How many days, 30 when left out")
    async def economy(self, ctx: Context, days: DaysArgument = 30) -> None:
        """Show how much gold there is, where it comes from and where it goes."""
        whole, read_us = await self._read(ctx)
        found = whole.last(days)
        if found.span is None or not found.players:
            await ctx.answer(card(say("economy.title"), say("nothing")))
            return
        picture = await asyncio.to_thread(_picture, found)
        first, last = found.span
        days_told = {"first": f"{first:%d %b %Y}", "last": f"{last:%d %b %Y}"}
        text = say("economy.days", **days_told, when=moment(read_us))
        embed = card(say("economy.title"), text, fields=_fields(found), picture=picture)
        await ctx.answer(embed, picture=picture)

    async def _read(self, ctx: Context) -> tuple[Digest, int]:
        """The ledger, read anew when the last reading is old; whoever asks meanwhile waits for the same."""
        async with self._reading:
            now_us = ctx.services.now_us()
            if self._kept is not None and 0 <= now_us - self._kept[1] < KEPT_S * SECOND_US:
                return self._kept
            read_from, ledger = await ctx.read(_ledger)
            found = await asyncio.to_thread(_digested, ledger, now_us), now_us
            if read_from is ctx.services:  # What a mirror says is not kept: the storage may be back at once.
                self._kept = found
            return found


async def _ledger(services: Services) -> tuple[Services, pl.DataFrame]:
    return services, await read_ledger(services.provider)


def _picture(found: Digest) -> Picture | None:
    from kokoromichi.chat.pictures import economy_picture  # noqa: PLC0415 - half of the bot's start

    return economy_picture(found)


def _digested(ledger: pl.DataFrame, now_us: int) -> Digest:
    today = moment_of(now_us).date()
    return Digest.of(Observations.from_frames(ledger).over(today, today))


def _fields(found: Digest) -> list[tuple[str, str]]:
    faucets, sinks = int(found.days["faucets_gold"].sum()), int(found.days["sinks_gold"].sum())
    active = found.days["active_players"].to_numpy().mean()
    fields = [
        (say("economy.supply"), say("gold", gold=found.supply_gold)),
        (say("economy.median"), say("gold", gold=round(found.median_gold or 0))),
        (
            say("economy.top", share=percent(TOP_SHARE)),
            say("economy.top_value", share=percent(found.top_share or 0.0)),
        ),
        (say("economy.net"), say("gold", gold=f"{faucets - sinks:+,}")),
        (say("economy.players"), f"{found.players:,}"),
        (say("economy.active"), f"{active:.1f}"),
    ]
    for direction, total in (("faucet", faucets), ("sink", sinks)):
        rows = [
            say("economy.kind", kind=say(f"kind.{kind}"), gold=gold)
            for kind, gold in found.largest(direction, _LARGEST_KINDS)
        ]
        fields.append((say(f"economy.{direction}"), "\n".join([say("gold", gold=total), *rows])))
    return fields


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(EconomyCog())
