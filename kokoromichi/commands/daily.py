"""The daily reward and its streak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord.ext import commands

from kokoromichi.chat.context import Context
from kokoromichi.chat.declaring import command
from kokoromichi.chat.embeds import card
from kokoromichi.chat.receipts import receipt_card
from kokoromichi.chat.texts import moment, say
from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.rules.daily import next_claim_us, streak_ends_us

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game


class Daily(commands.Cog):
    """What is claimed once a day."""

    @command(aliases=["claim", "checkin"])
    async def daily(self, ctx: Context) -> None:
        """Claim today's reward."""
        receipt = await ctx.act(
            lambda request_id: ctx.services.daily.claim(ctx.player_id, request_id=request_id)
        )
        await ctx.answer(receipt_card(ctx, say("daily.title"), receipt))

    @command()
    async def streak(self, ctx: Context) -> None:
        """Show your streak, what it pays next, and when it breaks."""
        found = await ctx.profile_of(None)
        await ctx.answer(card(say("streak.title"), _format_streak(ctx, found)))


def _format_streak(ctx: Context, found: UserProfile) -> str:
    if found.last_claim_us == NEVER:
        return say("streak.none")
    daily = ctx.services.live.config.daily
    day = found.streak % len(daily.gold)
    lines = [
        say("streak.now", streak=found.streak, best=found.best_streak),
        say(
            "streak.next",
            gold=daily.gold[day],
            gems=daily.gems[day],
            opens=moment(next_claim_us(ctx.services.now_us(), found.last_claim_us)),
        ),
        say("streak.breaks", breaks=moment(streak_ends_us(found.last_claim_us, daily.streak_window_h))),
    ]
    return "\n".join(lines)


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Daily())
