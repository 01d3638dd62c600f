"""Battles, and what one should know before them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.arguments import NumberArgument
from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.receipts import named
from kokoromichi.chat.texts import moment, percent, say
from kokoromichi.rules.moments import is_running
from kokoromichi.rules.use import CHARM_US

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import UserProfile
    from kokoromichi.services.receipts import BattleReceipt

_PERMILLE = 1_000


class Battle(commands.Cog):
    """Battles against ever stronger opponents."""

    @command()
    @app_commands.describe(tier="How strong an opponent, from 1", mana_potion="Drink one for a better chance")
    async def battle(
        self, ctx: Context, tier: NumberArgument, mana_potion: Literal["no", "yes"] = "no"
    ) -> None:
        """Fight an opponent; victories pay gold, every battle teaches."""
        potions = int(mana_potion == "yes")
        receipt = await ctx.act(partial(ctx.services.battle.fight, ctx.player_id, tier, mana_potions=potions))
        title = say("battle.won" if receipt.won else "battle.lost")
        await ctx.answer(card(title, _format_fight(ctx, receipt)))

    @battle.autocomplete("tier")
    async def _tiers(
        self, interaction: discord.Interaction[Game], typed: str
    ) -> list[app_commands.Choice[int]]:
        terms = interaction.client.services.live.config.battle
        names = {
            number: say("battle.tier", tier=number, level=level, gold=gold)
            for number, (level, gold) in enumerate(zip(terms.tier_level, terms.tier_gold, strict=True), 1)
            if str(number).startswith(typed.strip())
        }
        return [app_commands.Choice(name=name, value=number) for number, name in names.items()][:25]

    @command()
    @app_commands.describe(use="Whether battles take potions and scrolls by themselves")
    async def auto_use(self, ctx: Context, use: Literal["on", "off"]) -> None:
        """Say whether battles take health potions and revive scrolls by themselves."""
        receipt = await ctx.act(partial(ctx.services.battle.set_auto_use, ctx.player_id, int(use == "on")))
        told = say("auto_use.on" if receipt.auto_use else "auto_use.off")
        await ctx.answer(card(say("auto_use.title"), told))

    @command()
    async def battle_stats(self, ctx: Context) -> None:
        """Show your strength, your opponents, and when you may fight again."""
        found = await ctx.profile_of(None)
        now = ctx.services.battle.readiness(found)
        at_us = ctx.services.now_us()
        ready = say("now") if now.ready_us <= at_us else moment(now.ready_us)
        fields = [
            (say("profile.level"), say("profile.level_value", level=found.level, xp=found.xp)),
            (say("battle.hp"), say("battle.hp_value", hp=now.hp, full=now.hp_full)),
            (say("battle.next"), ready),
            (say("battle.today"), say("of_cap", gold=now.earned_gold, cap=now.cap_gold)),
            (
                say("profile.battles"),
                say("profile.battles_value", won=found.battles_won, lost=found.battles_lost),
            ),
        ]
        effects = _format_effects(found, at_us)
        if now.tired:
            effects.append(say("battle.tired_now"))
        if effects:
            fields.append((say("battle.effects"), "\n".join(effects)))
        rows = [
            say(
                "battle.opponent",
                tier=one.tier,
                level=one.level,
                gold=one.gold,
                xp=one.xp,
                chance=percent(one.chance_permille / _PERMILLE),
            )
            for one in now.opponents
        ]
        await ctx.answer(card(say("battle_stats.title"), "\n".join(rows), fields=fields))


def _format_fight(ctx: Context, receipt: BattleReceipt) -> str:
    lines = [
        say(
            "battle.paid" if receipt.won else "battle.unpaid",
            gold=receipt.payout_gold,
            xp=receipt.xp,
            tier=receipt.tier,
            chance=percent(receipt.chance_permille / _PERMILLE),
        ),
        say("battle.after", level=receipt.level, hp=receipt.hp, gold=receipt.gold),
    ]
    if receipt.consumed:
        took = (
            say("battle.took", units=units, item=named(ctx, item_id))
            for item_id, units in receipt.consumed.items()
        )
        lines.insert(1, say("battle.consumed", items=", ".join(took)))
    if receipt.tired:
        lines.insert(1, say("battle.tired"))
    return "\n".join(lines)


def _format_effects(found: UserProfile, at_us: int) -> list[str]:
    lasting = {"battle.luck": found.luck_until_us, "battle.guard": found.guard_until_us}
    told = [
        say(key, until=moment(until_us, "f"))
        for key, until_us in lasting.items()
        if is_running(at_us, until_us, CHARM_US)
    ]
    if not found.auto_use:
        told.append(say("auto_use.off"))
    if found.stamina_battles:
        told.append(say("battle.stamina", battles=found.stamina_battles))
    return told


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Battle())
