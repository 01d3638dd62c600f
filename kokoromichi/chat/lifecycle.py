"""The life of every command: who may, spam limits, the promised answer, closing, the last handler."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import discord
from discord.ext import commands

from kokoromichi.chat.context import Context, actor_of
from kokoromichi.chat.declaring import needed_role
from kokoromichi.chat.embeds import warning
from kokoromichi.chat.failures import ClosingError, NotAllowedError, TooFastError
from kokoromichi.chat.spam import SpamLimit
from kokoromichi.chat.texts import say
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import SECOND_US
from kokoromichi.services.authority import Role, admit

if TYPE_CHECKING:
    from kokoromichi.chat.game import Game

log = logging.getLogger(__name__)

SLOW_S: Final = 2.0
"""What takes longer is logged as slow."""
SPAM_COMMANDS: Final = 8
SPAM_S: Final = 10.0


class Lifecycle(commands.Cog):
    """Stands around every command.

    Args:
        bot: The bot.
    """

    def __init__(self, bot: Game) -> None:
        self._bot = bot
        self._spam = SpamLimit(SPAM_COMMANDS, SPAM_S)
        self._slowing = SpamLimit(1, SPAM_S)
        bot.before_invoke(self._before)
        bot.after_invoke(self._after)

    async def bot_check_once(self, ctx: Context) -> bool:  # type: ignore[override] # Our context.
        """No command once the bot closes, and not too many of one player who is no admin."""
        self._bot.begin(ctx)
        ctx.begun_s = time.monotonic()
        if self._bot.closing:
            raise ClosingError
        if self._bot.limits_spam:
            wait_s = self._spam.wait_s(ctx.author.id, self._bot.services.now_us() / SECOND_US)
            if wait_s and (await actor_of(ctx)).role < Role.MANAGER:
                raise TooFastError(wait_s)
        ctx.require_answerable()
        ctx.require_known_options()
        return True

    async def bot_check(self, ctx: Context) -> bool:  # type: ignore[override] # Our context.
        """Only who has the role that the command needs; the services check an admin's acts again."""
        assert ctx.command is not None  # noqa: S101 - there is none to check otherwise
        least = needed_role(ctx.command)
        if least > Role.PLAYER:
            place = "a direct message" if ctx.guild is None else f"server {ctx.guild.id}"
            try:
                admit(await actor_of(ctx), f"/{ctx.command.qualified_name} in {place}", least)
            except RefusedError:
                raise NotAllowedError(least) from None
        return True

    async def _before(self, ctx: Context) -> None:
        self._bot.services.activity.prolong(ctx.player_id)
        await ctx.promise_answer()

    async def _after(self, ctx: Context) -> None:
        if not ctx.command_failed:
            self._finish(ctx)

    def _finish(self, ctx: Context) -> None:
        """Count the command out, and tell of one that its player had to wait for."""
        self._bot.finish(ctx)
        took_s = time.monotonic() - ctx.begun_s
        if took_s >= SLOW_S and ctx.command is not None:
            log.warning(
                "slow: /%s took %.1f s (request %s)", ctx.command.qualified_name, took_s, ctx.request_id
            )

    @commands.Cog.listener()
    async def on_command_error(self, ctx: Context, error: commands.CommandError) -> None:
        """The last handler, for text and slash alike."""
        if isinstance(error, commands.CommandNotFound):
            return  # Other bots have commands too.
        if isinstance(error, TooFastError) and not self._is_to_be_slowed(ctx):
            self._finish(ctx)
            return
        try:
            await ctx.fail(error)
        finally:
            self._finish(ctx)

    def _is_to_be_slowed(self, ctx: Context) -> bool:
        """Whether a player is told to slow down: by slash always, in public once in ``SPAM_S``."""
        now_s = self._bot.services.now_us() / SECOND_US
        return ctx.interaction is not None or not self._slowing.wait_s(ctx.author.id, now_s)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Game]) -> None:
        """A button whose question is over, or was asked before a restart, is told so."""
        if interaction.type is not discord.InteractionType.component or interaction.data is None:
            return
        question = str(interaction.data.get("custom_id", "")).partition(":")[0]
        if question not in self._bot.questions and self._bot.claim_event(interaction.id):
            await interaction.response.send_message(embed=warning(say("error.expired")), ephemeral=True)
