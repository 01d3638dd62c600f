"""This economy as its players may see it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from discord import app_commands
from discord.ext import commands

from kokoromichi.analysis.digest import TOP_SHARE, Digest, digest_of
from kokoromichi.chat.arguments import DaysArgument
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import Picture, card
from kokoromichi.chat.texts import moment, percent, say
from kokoromichi.core.clock import moment_of

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game

_LARGEST_KINDS: Final = 4


class EconomyCog(commands.Cog, name="Economy"):
    """How this economy is doing."""

    @command()
    @app_commands.describe(days="How many days, 30 when left out")
    async def economy(self, ctx: Context, days: DaysArgument = 30) -> None:
        """Show how much gold there is, where it comes from and where it goes."""
        now_us = ctx.services.now_us()
        today = moment_of(now_us).date()
        found = (await ctx.read(lambda services: digest_of(services.provider, today))).last(days)
        if found.span is None or not found.players:
            await ctx.answer(card(say("economy.title"), say("nothing")))
            return
        picture = await asyncio.to_thread(_picture, found)
        first, last = found.span
        days_told = {"first": f"{first:%d %b %Y}", "last": f"{last:%d %b %Y}"}
        text = say("economy.days", **days_told, when=moment(now_us))
        embed = card(say("economy.title"), text, fields=_fields(found), picture=picture)
        await ctx.answer(embed, picture=picture)


def _picture(found: Digest) -> Picture | None:
    from kokoromichi.chat.pictures import economy_picture  # noqa: PLC0415 - half of the bot's start

    return economy_picture(found)


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
