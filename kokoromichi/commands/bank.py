"""Purses: what one has, and gold from one player to another."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import (
    ONE,
    AmountArgument,
    NumberArgument,
    PageArgument,
    PlayerArgument,
    PlayerOrSelfArgument,
)
from kokoromichi.chat.asking import ShownPrices, is_large
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import Picture, card, paged
from kokoromichi.chat.known import seen_in
from kokoromichi.chat.names import choices, found_name
from kokoromichi.chat.receipts import format_entry, kind_names, receipt_card
from kokoromichi.chat.texts import mention, moment, plain, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import LedgerEntry
    from kokoromichi.rules.economy import Exchange

RANK_ROWS: Final = 10
PAGE_ROWS: Final = 10
_PACK: Final = "gems"
HISTORY_ROWS: Final = 1_000
"""So many of one's own rows can be looked through, the newest."""


class Bank(commands.Cog):
    """Your purse, and sending gold."""

    def __init__(self) -> None:
        self._shown = ShownPrices()

    @command(aliases=["bal", "gold", "money"])
    @app_commands.describe(user="Whose balance; yours when left out")
    async def balance(self, ctx: Context, user: PlayerOrSelfArgument = None) -> None:
        """Show how much gold and gems a player has."""
        found = await ctx.profile_of(user)
        lines = [mention(found.user_id), say("gold", gold=found.gold), say("gems", gems=found.gems)]
        place = await ctx.read(lambda services: services.standing.rank(found.user_id))
        if place is not None:
            listed = await ctx.read(lambda services: services.standing.page())
            lines.append(say("balance.rank", rank=place.rank, players=listed.players))
            lines += _as_of(ctx, listed.read_us)
        await ctx.answer(card(say("balance.title"), "\n".join(lines)))

    @command(aliases=["pay", "send", "give"])
    @app_commands.describe(user="Who receives it", amount="1500, 2k, 3m, all or half")
    async def transfer(self, ctx: Context, user: PlayerArgument, amount: AmountArgument) -> None:
        """Send gold to another player; a fee of it is burned. You are asked once more where it is much."""
        receiver_id = ctx.player_named(user)
        gold = amount.of((await ctx.own()).gold) if amount.share else amount.units
        large = await is_large(ctx, gold)
        bank = ctx.services.bank

        async def transferred(action: str) -> discord.Embed:
            share = amount.share and not large  # What was asked for is the number that stood in the question.
            send, asked = (bank.transfer_share, amount.share) if share else (bank.transfer, gold)
            receipt = await ctx.act(partial(send, ctx.player_id, receiver_id, asked), action)
            await ctx.tell(receiver_id)
            return receipt_card(ctx, say("transfer.title"), receipt)

        question = None
        if large:
            await ctx.check(partial(bank.check_transfer, ctx.player_id, receiver_id, gold))
            told = say("transfer.question", gold=gold, receiver=mention(receiver_id))
            question = card(say("sure"), told)
        await ctx.do_or_ask(transferred, question)

    @command()
    @app_commands.describe(tell="Whether you are notified of gold and gifts that you receive")
    async def pings(self, ctx: Context, tell: Literal["on", "off"]) -> None:
        """Say whether you are notified of gold and gifts from others."""
        receipt = await ctx.act(partial(ctx.services.bank.set_pings, ctx.player_id, int(tell == "on")))
        await ctx.answer(card(say("pings.title"), say("pings.on" if receipt.pings else "pings.off")))

    @command()
    @app_commands.describe(packs="How many packs, all or half of what you can pay")
    async def exchange(self, ctx: Context, packs: AmountArgument = ONE) -> None:
        """Buy gems for gold; there is no way back."""
        pack = ctx.services.live.config.exchange
        count = packs.units
        if packs.share and pack.price_gold:
            count = packs.of_units((await ctx.own()).gold // pack.price_gold)

        async def exchanged(action: str) -> discord.Embed:
            buy_gems = partial(ctx.services.bank.buy_gems, expected_price_gold=pack.price_gold)
            receipt = await ctx.act(partial(buy_gems, ctx.player_id, count), action)
            return receipt_card(ctx, say("exchange.title"), receipt)

        await ctx.do_or_ask(exchanged, await self._question(ctx, pack, count))

    async def _question(self, ctx: Context, pack: Exchange, count: int) -> discord.Embed | None:
        """What to ask before an exchange; None where it is cheap and costs what was read, or is refused."""
        cost_gold = pack.price_gold * count
        told = [say("exchange.question", gems=pack.gems * count, gold=cost_gold)]
        was_gold = self._shown.price_gold(ctx.player_id, _PACK)
        if was_gold not in (None, pack.price_gold) and 0 < cost_gold <= (await ctx.own()).gold:
            told.append(say("exchange.changed", price=pack.price_gold, was=was_gold))
        if await is_large(ctx, cost_gold):
            told.append(say("most"))
        self._shown.note(ctx.player_id, {_PACK: pack.price_gold})
        return card(say("sure"), " ".join(told)) if len(told) > 1 else None

    @command(aliases=["leaderboard", "lb", "top"])
    @app_commands.describe(page="Which page")
    async def rich_list(self, ctx: Context, page: NumberArgument = 1) -> None:
        """Show who has the most gold."""
        own = await ctx.read(lambda services: services.standing.rank(ctx.player_id))
        first = await ctx.read(lambda services: services.standing.page(page, RANK_ROWS))
        known = {str(user.id): plain(user.display_name) for user in seen_in(ctx)}
        foot = "" if own is None else say("rich_list.own", rank=own.rank, players=first.players)

        async def draw(number: int) -> discord.Embed:
            found = await ctx.read(lambda services: services.standing.page(number + 1, RANK_ROWS))
            rows = [
                say(
                    "rich_list.row",
                    rank=row.rank,
                    player=known.get(row.user_id) or mention(row.user_id),
                    gold=row.gold,
                )
                for row in found.rows
            ]
            text = "\n".join([*rows, *_as_of(ctx, found.read_us)] if rows else [])
            return card(say("rich_list.title"), text or say("nothing"), footer=foot)

        await ctx.turn_pages(first.pages, draw, page - 1)

    @command(aliases=["history", "ledger"], private=True)
    @app_commands.describe(page="Which page", kind="Only movements of this kind")
    async def transactions(self, ctx: Context, page: PageArgument = 1, *, kind: str | None = None) -> None:
        """Show what happened to your gold, gems and items, the newest first."""
        wanted = None if kind is None else found_name(kind, kind_names(), _no_kind)
        rows = await ctx.read(
            lambda services: services.history.page(ctx.player_id, kind=wanted, limit=HISTORY_ROWS)
        )
        pages = paged([format_entry(ctx, row) for row in rows], PAGE_ROWS) or [say("nothing")]
        picture = None if wanted else await asyncio.to_thread(_picture, rows)
        foot = say("history.newest", rows=len(rows)) if len(rows) == HISTORY_ROWS else ""

        async def draw(number: int) -> discord.Embed:
            return card(say("history.title"), pages[number], footer=foot, picture=picture)

        await ctx.turn_pages(len(pages), draw, page - 1, picture=picture)

    @transactions.autocomplete("kind")
    async def _kinds(
        self, _interaction: discord.Interaction[Game], typed: str
    ) -> list[app_commands.Choice[str]]:
        return choices(typed, kind_names(), kind_names())


def _as_of(ctx: Context, read_us: int) -> list[str]:
    """When a ranking was read, in a line; an answer from the mirror says by itself how old all of it is."""
    return [] if ctx.reads_mirror else [say("rich_list.as_of", when=moment(read_us))]


def _no_kind(text: str) -> str:
    return say("error.kind", name=plain(text))


def _picture(rows: Sequence[LedgerEntry]) -> Picture | None:
    from kokoromichi.chat.pictures import balance_picture  # noqa: PLC0415 - half of the bot's start

    return balance_picture(rows)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Bank())
