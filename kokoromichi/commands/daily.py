"""The daily reward and its streak."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from discord.ext import commands

from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.receipts import receipt_card
from kokoromichi.chat.texts import moment, say
from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.rules.daily import counted_today, next_claim_us, streak_at, streak_ends_us

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game


class Daily(commands.Cog):
    """What is claimed once a day."""

    @command(aliases=["claim", "checkin"])
    async def daily(self, ctx: Context) -> None:
        """Claim today's reward."""
        receipt = await ctx.act(partial(ctx.services.daily.claim, ctx.player_id))
        await ctx.answer(receipt_card(ctx, say("daily.title"), receipt))

    @command()
    async def streak(self, ctx: Context) -> None:
        """Show your streak, what it pays next, and when it breaks."""
        found = await ctx.profile_of(None)
        await ctx.answer(card(say("streak.title"), _format_streak(ctx, found)))

    @command(aliases=["cd"])
    async def cooldowns(self, ctx: Context) -> None:
        """Show when you may claim and fight again, and what is left of today's caps."""
        found = await ctx.profile_of(None)
        services, now_us = ctx.services, ctx.services.now_us()
        battle = services.battle.readiness(found)
        sent_gold = counted_today(now_us, found.sent_day, found.sent_gold_today)
        cap_gold = services.live.config.transfer.daily_cap_gold
        fields = [
            (say("daily.title"), _or_now(next_claim_us(now_us, found.last_claim_us), now_us)),
            (say("battle.next"), _or_now(battle.ready_us, now_us)),
            (say("battle.today"), say("of_cap", gold=battle.earned_gold, cap=battle.cap_gold)),
            (say("transfer.today"), say("of_cap", gold=sent_gold, cap=cap_gold)),
        ]
        await ctx.answer(card(say("cooldowns.title"), fields=fields))


def _or_now(at_us: int, now_us: int) -> str:
    return say("now") if at_us <= now_us else moment(at_us)


def _format_streak(ctx: Context, found: UserProfile) -> str:
    """The streak as a claim would find it now, what that claim pays, and until when it does."""
    if found.last_claim_us == NEVER:
        return say("streak.none")
    daily, now_us = ctx.services.live.config.daily, ctx.services.now_us()
    opens_us = next_claim_us(now_us, found.last_claim_us)
    ends_us = streak_ends_us(found.last_claim_us, daily.streak_window_h)
    streak = streak_at(now_us, found.last_claim_us, found.streak, daily.streak_window_h)
    day = streak % len(daily.gold)
    if streak:
        lines = [say("streak.now", streak=streak, best=found.best_streak)]
    elif not found.streak:  # A claim of the day outlives a reset and an erasure, its streak does not.
        lines = [say("streak.none")]
    else:
        lines = [say("streak.broken", streak=found.streak, broke=moment(ends_us), best=found.best_streak)]
    lines.append(
        say("streak.next", gold=daily.gold[day], gems=daily.gems[day], opens=_or_now(opens_us, now_us))
    )
    if streak:
        lines.append(say("streak.breaks", breaks=moment(ends_us)))
    return "\n".join(lines)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Daily())
