"""Buttons: they answer their owner alone, and are switched off when the time is over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

import discord

from kokoromichi.chat.delivery import is_told, shown, telling
from kokoromichi.chat.embeds import card, warning
from kokoromichi.chat.texts import mention, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.chat.context import Context
    from kokoromichi.chat.game import Game

log = logging.getLogger(__name__)

ANSWER_S: Final = 60.0
"""How long a question waits for its answer."""
READ_S: Final = 180.0
"""How long pages can be turned after the last turn."""

ViewT = TypeVar("ViewT", bound="OwnedView")
Click: TypeAlias = "discord.Interaction[Game]"


class OwnedView(discord.ui.View):
    """Buttons under one answer.

    Args:
        ctx: The command that asked; its author alone is answered.
        timeout_s: After so long without a click the buttons are switched off.

    Attributes:
        message: The message under which they stand; whoever sends it sets it.
    """

    def __init__(self, ctx: Context, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self.ctx = ctx
        self.message: discord.Message | None = None

    def named(self, action: str) -> str:
        """A button's id: the question's, so that a click after a restart is known to be of no living one."""
        return f"{self.ctx.request_id}:{action}"

    async def interaction_check(self, interaction: Click, /) -> bool:  # type: ignore[override] # Our client.
        """Only the owner, and each click once."""
        if not self.ctx.bot.claim_event(interaction.id):
            return False
        if interaction.user.id == self.ctx.author.id and not self.is_finished():
            return True
        # It may have been answered in the same moment, by another click.
        why = "error.expired" if self.is_finished() else "error.not_yours"
        await interaction.response.send_message(embed=warning(say(why)), ephemeral=True)
        return False

    async def on_error(
        self,
        _interaction: Click,  # type: ignore[override] # Our client.
        error: Exception,
        _item: discord.ui.Item[OwnedView],
        /,
    ) -> None:
        """A failing button is told like a failing command."""
        await self.ctx.fail(error)

    async def on_timeout(self) -> None:
        """Switch the buttons off."""
        self.ctx.bot.questions.discard(self.ctx.request_id)
        for child in self.children:
            if isinstance(child, discord.ui.Button):
                child.disabled = True
        if self.message is None:
            return
        try:
            await self.message.edit(**shown(self.ctx, self.last_word()), view=self)
        except discord.HTTPException as gone:  # Deleted, or older than Discord lets us edit it.
            log.info("request %s: its buttons stay as they are: %s", self.ctx.request_id, gone)

    def last_word(self) -> discord.Embed:
        """What stands above the buttons once they are off."""
        raise NotImplementedError


class Button(discord.ui.Button[ViewT], Generic[ViewT]):
    """A button that calls one function.

    Args:
        view: The view it will stand in.
        action: What it does, in a word: part of its id and of the request's.
        label: What it says.
        style: How it looks.
        act: What a click calls.
    """

    def __init__(
        self,
        view: OwnedView,
        action: str,
        label: str,
        style: discord.ButtonStyle,
        act: Callable[[Click], Awaitable[None]],
    ) -> None:
        super().__init__(label=label, style=style, custom_id=view.named(action))
        self._act = act

    async def callback(self, interaction: Click) -> None:  # type: ignore[override] # Our client.
        """Count the work in, so that closing waits for it."""
        bot = interaction.client
        bot.begin(self)
        try:
            await self._act(interaction)
        finally:
            bot.finish(self)


class Confirm(OwnedView):
    """A question with two answers; the act is done at the click, once.

    Args:
        ctx: The command that asks.
        question: What is asked.
        act: Called with the click; its embed takes the question's place. Storage and role are asked again
            then: what was true at the question may not be any more.
    """

    def __init__(
        self, ctx: Context, question: discord.Embed, act: Callable[[Click], Awaitable[discord.Embed]]
    ) -> None:
        super().__init__(ctx, ANSWER_S)
        self.question = question
        self._act = act
        self.add_item(
            Button[Confirm](self, "confirm", say("confirm"), discord.ButtonStyle.success, self._confirmed)
        )
        self.add_item(
            Button[Confirm](self, "cancel", say("cancel"), discord.ButtonStyle.secondary, self._cancelled)
        )

    def last_word(self) -> discord.Embed:
        """The question, and that nobody answered."""
        return card(self.question.title or "", f"{self.question.description}\n\n{say('timed_out')}")

    async def _confirmed(self, interaction: Click) -> None:
        await self._answered(interaction)
        await self._show(interaction, await self._act(interaction))
        if is_told(self.ctx):  # An edit notifies nobody.
            await interaction.followup.send(mention(self.ctx.receiver_id), **telling(self.ctx))

    async def _cancelled(self, interaction: Click) -> None:
        await self._answered(interaction)
        await self._show(interaction, card(self.question.title or "", say("cancelled")))

    @staticmethod
    async def _show(interaction: Click, embed: discord.Embed) -> None:
        """Put the answer in the question's place; whoever has removed that keeps it from nobody."""
        try:
            await interaction.edit_original_response(content=None, embed=embed, view=None)
        except discord.HTTPException:
            await interaction.followup.send(embed=embed, ephemeral=True)

    async def _answered(self, interaction: Click) -> None:
        """A second click finds no living question."""
        self.stop()
        self.ctx.bot.questions.discard(self.ctx.request_id)
        await interaction.response.defer()


class Pages(OwnedView):
    """Pages of one answer, turned by two buttons.

    Args:
        ctx: The command that answered.
        count: How many pages there are.
        draw: Makes the embed of a page, from 0.
        first: The page to begin with.
    """

    def __init__(
        self,
        ctx: Context,
        count: int,
        draw: Callable[[int], Awaitable[discord.Embed]],
        first: int = 0,
    ) -> None:
        super().__init__(ctx, READ_S)
        self.count = count
        self.page = min(max(first, 0), count - 1)
        self._draw = draw
        self._shown: discord.Embed | None = None
        self._back = Button[Pages](
            self, "back", say("previous"), discord.ButtonStyle.secondary, lambda click: self._turn(click, -1)
        )
        self._on = Button[Pages](
            self, "on", say("next"), discord.ButtonStyle.secondary, lambda click: self._turn(click, 1)
        )
        if count > 1:
            self.add_item(self._back)
            self.add_item(self._on)

    async def embed(self) -> discord.Embed:
        """The present page; its foot says which one it is."""
        embed = await self._draw(self.page)
        if self.count > 1:
            foot = say("page", page=self.page + 1, pages=self.count)
            embed.set_footer(text=f"{embed.footer.text} · {foot}" if embed.footer.text else foot)
        self._back.disabled = self.page == 0
        self._on.disabled = self.page == self.count - 1
        self._shown = embed
        return embed

    def last_word(self) -> discord.Embed:
        """The page that was shown last."""
        return self._shown or card("")

    async def _turn(self, interaction: Click, step: int) -> None:
        await interaction.response.defer()
        self.page = min(max(self.page + step, 0), self.count - 1)
        await interaction.edit_original_response(content=None, embed=await self.embed(), view=self)
