"""Pulls for gems, and whom they brought."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import CharacterArgument, NumberArgument, all_characters, own_characters
from kokoromichi.chat.asking import is_large
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card, paged
from kokoromichi.chat.receipts import format_receipt, named, receipt_card
from kokoromichi.chat.texts import percent, plain, say, verbatim
from kokoromichi.rules.economy import RARITIES

if TYPE_CHECKING:
    import discord

    from kokoromichi.chat.game import Game
    from kokoromichi.services.receipts import Pull

COLLECTION_ROWS: Final = 20


class Summons(commands.Cog):
    """Summoning characters, and your collection."""

    @command(aliases=["pull"])
    @app_commands.describe(count="One pull, or ten at a lower price")
    async def summon(self, ctx: Context, count: Literal["1", "10"] = "1") -> None:
        """Summon characters for gems; you are asked once more where it is most of yours."""
        pulls, terms = int(count), ctx.services.live.config.summon
        price_gems = terms.price_gems if pulls == 1 else terms.ten_price_gems

        async def summoned(action: str) -> discord.Embed:
            receipt = await ctx.act(partial(ctx.services.summon.summon, ctx.player_id, pulls), action)
            rows = [_format_pull(ctx, pull) for pull in receipt.pulls]
            rows += ["", format_receipt(ctx, receipt)]
            pity = _format_pity(terms.pity_rarity, ctx.services.summon.left_pulls(receipt.pity))
            return card(say("summon.title"), "\n".join(rows), footer=pity)

        question = None
        if await is_large(ctx, price_gems, "gems"):
            question = card(say("sure"), say("summon.question", pulls=pulls, gems=price_gems))
        await ctx.do_or_ask(summoned, question)

    @command()
    async def rates(self, ctx: Context) -> None:
        """Show your odds at the next pull, with the pulls you went without luck."""
        rates = ctx.services.summon.rates(await ctx.profile_of(None))
        chances = [
            say("rates.row", rarity=rarity, chance=percent(chance, 2))
            for rarity, chance in reversed(rates.next_pull.items())
        ]
        rows = [
            say("rates.table", rows="\n".join(chances)),
            say("rates.within_ten", rarity=rates.pity_rarity, chance=percent(rates.within_ten, 1)),
            _format_pity(rates.pity_rarity, rates.left_pulls),
        ]
        price = say("rates.price", price=rates.price_gems, ten_price=rates.ten_price_gems)
        await ctx.answer(card(say("rates.title"), "\n".join(rows), footer=price))

    @command()
    @app_commands.describe(page="Which page")
    async def collection(self, ctx: Context, page: NumberArgument = 1) -> None:
        """Show the characters you have, the rarest first."""
        found = await ctx.profile_of(None)
        sheets = {sheet.id: sheet for sheet in ctx.services.live.economy.waifus}
        own = [sheets[waifu_id] for waifu_id in found.collection if waifu_id in sheets]
        own.sort(key=lambda sheet: (-RARITIES.index(sheet.rarity), sheet.name))
        rows = [say("collection.row", rarity=sheet.rarity, name=plain(sheet.name)) for sheet in own]
        retired = sorted(found.collection.keys() - sheets.keys())
        rows += [say("collection.retired", waifu_id=verbatim(waifu_id)) for waifu_id in retired]
        pages = paged(rows, COLLECTION_ROWS) or [say("collection.none")]
        foot = say("collection.foot", own=len(own), kinds=len(sheets), shards=found.shards)

        async def draw(number: int) -> discord.Embed:
            return card(say("collection.title"), pages[number], footer=foot)

        await ctx.turn_pages(len(pages), draw, page - 1)

    @command()
    @app_commands.describe(character="Whom")
    @app_commands.autocomplete(character=all_characters)
    async def character(self, ctx: Context, *, character: CharacterArgument) -> None:
        """Show a character."""
        found = await ctx.profile_of(None)
        (sheet,) = (one for one in ctx.services.live.economy.waifus if one.id == character)
        fields = [
            (say("character.rarity"), sheet.rarity),
            (say("character.element"), sheet.element.capitalize()),
            (say("character.mythology"), plain(sheet.mythology)),
        ]
        owned = bool(found.collection.get(character))
        if not owned and (shards := ctx.services.live.redeem_shards[character]):
            fields.append((say("character.redeem"), say("character.redeem_value", shards=shards)))
        foot = say("character.owned" if owned else "character.missing")
        await ctx.answer(card(plain(sheet.name), plain(sheet.description), fields=fields, footer=foot))

    @command()
    @app_commands.describe(character="Whom; one that you do not have")
    @app_commands.autocomplete(character=all_characters)
    async def redeem(self, ctx: Context, *, character: CharacterArgument) -> None:
        """Choose a character for shards; you are asked once more where it is most of yours."""
        price_shards, own = ctx.services.live.redeem_shards[character], await ctx.own()

        async def redeemed(action: str) -> discord.Embed:
            receipt = await ctx.act(partial(ctx.services.summon.redeem, ctx.player_id, character), action)
            return receipt_card(ctx, say("redeem.title"), receipt)

        question = None
        if character not in own.collection and price_shards <= own.shards < 2 * price_shards:
            told = say("redeem.question", character=named(ctx, character), shards=price_shards)
            question = card(say("sure"), told)
        await ctx.do_or_ask(redeemed, question)

    @command()
    @app_commands.describe(character="Whom of your collection; nobody when left out")
    @app_commands.autocomplete(character=own_characters)
    async def favorite(self, ctx: Context, *, character: CharacterArgument = "") -> None:
        """Choose the character that stands in your profile."""
        receipt = await ctx.act(partial(ctx.services.summon.favorite, ctx.player_id, character))
        text = format_receipt(ctx, receipt) if receipt.waifu_id else say("favorite.none")
        await ctx.answer(card(say("favorite.title"), text))


def _format_pull(ctx: Context, pull: Pull) -> str:
    key = "summon.first" if pull.first else "summon.again"
    return say(key, rarity=pull.rarity, name=named(ctx, pull.waifu_id))


def _format_pity(rarity: str, left_pulls: int) -> str:
    if left_pulls == 1:
        return say("summon.certain", rarity=rarity)
    return say("summon.pity", rarity=rarity, left=left_pulls)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Summons())
