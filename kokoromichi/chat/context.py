"""What a command is given: who asks, under which request id, and how to act and answer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.delivery import attached, can_answer, referring, shown, telling
from kokoromichi.chat.embeds import Picture, noted, warning
from kokoromichi.chat.failures import (
    BotPlayerError,
    DirectMessagesClosedError,
    Failure,
    FormerCommandError,
    MutedError,
    TermsChangedError,
    describe_failure,
)
from kokoromichi.chat.game import Game
from kokoromichi.chat.texts import moment, say
from kokoromichi.chat.views import Click, Confirm, OwnedView, Pages
from kokoromichi.core.errors import CommitUnknownError, RefusedError, StorageError
from kokoromichi.core.models import Receipt, UserProfile
from kokoromichi.rules import codes
from kokoromichi.services.authority import Actor, role_of
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.services.bundle import Services
    from kokoromichi.services.live_economy import Offer

log = logging.getLogger(__name__)

T = TypeVar("T")
ReceiptT = TypeVar("ReceiptT", bound=Receipt)

DEFER_S: Final = 1.5
"""Discord wants to hear something within three seconds."""
_PLACEHOLDER: Final = "…"
_PAUSES_S: Final = (1, 2, 4, 8, 15, 30, 60, 120, 240)
"""How long to wait between two questions for the outcome of a commit: eight minutes in all, of the fifteen in
which Discord lets an interaction be answered."""


class Context(commands.Context[Game]):
    """One command as it runs.

    Attributes:
        direct: Whether a text command is answered in a direct message.
        receiver_id: Another player of the server whom the answer concerns, and who is told; empty for nobody.
        begun_s: When the command was begun, by the monotonic clock.
    """

    direct: bool = False
    receiver_id: str = ""
    begun_s: float = 0.0
    _answer: discord.Message | None = None
    _timer: asyncio.TimerHandle | None = None
    _deferral: asyncio.Future[None] | None = None
    _as_of_us: int | None = None
    _mirrored: tuple[Services, int] | None = None

    @property
    def player_id(self) -> str:
        """Who asks, as the services know them."""
        return str(self.author.id)

    @property
    def request_id(self) -> str:
        """The interaction's or message's id: an event that is delivered twice is one request."""
        return str(self.message.id if self.interaction is None else self.interaction.id)

    @property
    def services(self) -> Services:
        """The game."""
        return self.bot.services

    @property
    def private(self) -> bool:
        """Whether the answer is for the author's eyes alone, where Discord can do that."""
        return self.command is not None and bool(self.command.extras.get("private"))

    def require_answerable(self) -> None:
        """Make sure, before anything is done, that the author can be told of it.

        Raises:
            MutedError: The bot may not write where the command was given.
        """
        if not can_answer(self):
            raise MutedError

    def require_known_options(self) -> None:
        """Make sure that nothing which the author chose is passed over in silence, as the library would.

        Raises:
            FormerCommandError: There is an option that the command no longer has.
        """
        if self.interaction is None or not isinstance(self.interaction.command, app_commands.Command):
            return
        known = {parameter.display_name for parameter in self.interaction.command.parameters}
        if not {name for name, _ in self.interaction.namespace} <= known:
            raise FormerCommandError

    @property
    def reads_mirror(self) -> bool:
        """Whether what was read is the mirror's, so that the answer says how old it is."""
        return self._mirrored is not None

    async def promise_answer(self) -> None:
        """Tell Discord to wait for us, should the answer take longer than ``DEFER_S``.

        Not at once: an answer that comes in time needs one request instead of two, and whether it is for the
        author's eyes alone is not fixed before it is known. What a text command answers for these alone goes
        into a direct message, which is begun before the act: who cannot be told of it does not act.

        Raises:
            DirectMessagesClosedError: The author takes no direct message.
        """
        if self.interaction is not None:
            self._timer = asyncio.get_running_loop().call_later(DEFER_S, self._begin_deferral)
        elif self.private and self.guild is not None:
            try:
                self._answer = await self.author.send(_PLACEHOLDER)
                self.direct = True
            except discord.Forbidden:
                raise DirectMessagesClosedError from None

    def _begin_deferral(self) -> None:
        self._deferral = asyncio.ensure_future(self.defer(ephemeral=self.private))

    async def _end_promise(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._deferral is not None:
            await self._deferral

    async def act(
        self, call: Callable[..., Awaitable[ReceiptT]], action: str = "", *, play: bool = True
    ) -> ReceiptT:
        """Carry out one act of a service under this command's request id.

        A commit of unknown outcome is asked for again under the same id until the storage knows: then it has
        had one effect, or none and is refused.

        Args:
            call: Calls the service; it is given ``request_id`` by name.
            action: What a button does, in a word: its act has an id of its own.
            play: Whether it is a player's, and so noted; an admin's is in the ledger, and an erasure must be
                the last that is said of a player.

        Raises:
            RefusedError: The game says no.
            StorageError: The storage failed; nothing was charged, unless it is a ``CommitUnknownError``.
        """
        request_id = f"{self.request_id}:{action}" if action else self.request_id

        def asked() -> Awaitable[ReceiptT]:
            return self._retry_unknown(call, request_id)

        if not play:
            return await self.bot.storage.ask(asked, writes=True)
        receipt = await self.check(asked)
        await self.services.activity.note(self.player_id, self._act_name, receipt=receipt)
        return receipt

    async def check(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask the game for what a player's act needs; a refusal is noted as the act's.

        Raises:
            RefusedError: The game says no.
            StorageError: The storage failed.
        """
        try:
            return await self.bot.storage.ask(call, writes=True)
        except RefusedError as refusal:
            await self.services.activity.note(self.player_id, self._act_name, refusal.code)
            raise

    @property
    def _act_name(self) -> str:
        return "" if self.command is None else self.command.qualified_name

    async def _retry_unknown(self, call: Callable[..., Awaitable[ReceiptT]], request_id: str) -> ReceiptT:
        try:
            return await call(request_id=request_id)
        except CommitUnknownError as unknown:
            log.warning("request %s: outcome unknown, asking again", request_id)
            self.bot.storage.note(unknown)
        try:
            await self.answer(warning(say("error.checking")))
        except discord.HTTPException as unsent:  # What became of the commit must be found out all the same.
            log.warning("request %s: the answer could not be sent: %s", request_id, unsent)
        for pause_s in _PAUSES_S:  # Meanwhile ``Housekeeping.mend`` opens a store that failed a sync again.
            await asyncio.sleep(pause_s)
            try:
                return await call(request_id=request_id)
            except StorageError:
                log.info("request %s: still unknown", request_id)
        raise CommitUnknownError(request_id)

    async def read(self, call: Callable[[Services], Awaitable[T]]) -> T:
        """Read something; from the local mirror while the storage is away, and then marked with its age.

        A command that was told once that the storage is away reads on from the mirror: its author has waited.

        Args:
            call: Reads from the services that it is given, and changes nothing.

        Raises:
            StorageError: The storage is away, and there is no mirror.
        """
        if self._mirrored is None:
            try:
                return await self.bot.storage.ask(lambda: call(self.services), writes=False)
            except StorageError:
                self._mirrored = await self.bot.mirrored()
                if self._mirrored is None:
                    raise
        services, self._as_of_us = self._mirrored
        return await call(services)

    async def profile_of(self, user: discord.User | discord.Member | None) -> UserProfile:
        """A player's profile: the author's own, whose account is opened on first use, or another one's.

        Raises:
            RefusedError: There is no account, and looking opens none: at somebody else, or in the mirror.
        """
        own = user is None or user.id == self.author.id
        user_id = self.player_id if user is None else self.player_named(user)

        async def call(services: Services) -> UserProfile:
            if own and services is self.services:
                return await services.executor.open_account(user_id, f"{self.request_id}:open")
            found = await services.profile(user_id)
            if found is None:
                raise refused(codes.UNKNOWN_PLAYER, user_id)
            return found

        return await self.read(call)

    async def own(self) -> UserProfile:
        """The author as their next act meets them; looking opens no account."""
        meet = self.services.executor.meet
        return await self.bot.storage.ask(lambda: meet(self.player_id), writes=False)

    async def tell(self, receiver_id: str) -> None:
        """Let the answer notify whom the act concerned, unless they have switched that off."""
        with suppress(
            StorageError
        ):  # The act is done: what cannot be asked any more must not undo its answer.
            found = await self.services.profile(receiver_id)
            if found is not None and found.pings:
                self.receiver_id = receiver_id

    def player_named(self, user: discord.User | discord.Member) -> str:
        """Another player's id.

        Raises:
            BotPlayerError: It is a bot.
        """
        if user.bot:
            raise BotPlayerError
        return str(user.id)

    async def answer(
        self,
        embed: discord.Embed,
        *,
        view: OwnedView | None = None,
        picture: Picture | None = None,
    ) -> discord.Message:
        """Show an embed: the first answer of this command, or in place of the one before."""
        await self._end_promise()
        if self._as_of_us is not None:
            embed = noted(embed, say("as_of", when=moment(self._as_of_us)))
        self._answer = await self._edited(embed, view, picture) or await self._send_first(
            embed, view, picture
        )
        if view is not None:
            view.message = self._answer
            self.bot.questions.add(self.request_id)
        return self._answer

    async def _edited(
        self, embed: discord.Embed, view: OwnedView | None, picture: Picture | None
    ) -> discord.Message | None:
        """The answer before, as it stands now; None where there was none, or somebody has removed it."""
        if self._answer is None:
            return None
        files = attached(self, picture)
        with suppress(discord.NotFound):
            return await self._answer.edit(**shown(self, embed), view=view, attachments=files)
        return None

    async def _send_first(
        self, embed: discord.Embed, view: OwnedView | None, picture: Picture | None
    ) -> discord.Message:
        """Answer where the command was given, or in a direct message where Discord takes no answer there."""
        if can_answer(self):
            place = referring(self) if self.interaction is None else {"ephemeral": self.private}
            try:
                return await self.send(**self._parts(embed, view, picture), **place)
            except discord.HTTPException as unsent:  # The act may be done: its player must be told.
                log.warning("request %s: answered in a direct message, since: %s", self.request_id, unsent)
        self.direct = True
        return await self.author.send(**self._parts(embed, view, picture))

    def _parts(self, embed: discord.Embed, view: OwnedView | None, picture: Picture | None) -> dict[str, Any]:
        parts = {**shown(self, embed), "files": attached(self, picture), **telling(self)}
        return parts if view is None else {**parts, "view": view}

    async def ask(self, question: discord.Embed, act: Callable[[Click], Awaitable[discord.Embed]]) -> None:
        """Ask the author whether they mean it; ``act`` is called with their click, once."""
        await self.answer(question, view=Confirm(self, question, act))

    async def do_or_ask(
        self, act: Callable[[str], Awaitable[discord.Embed]], question: discord.Embed | None, item: str = ""
    ) -> None:
        """Carry out an act and show its answer; where there is a question, ask the author first.

        Whatever was asked by other numbers than those in force at the click is not done.

        Args:
            act: Called once, with the action that ``Context.act`` wants.
            question: What to ask, or None.
            item: Whose price an admin may change meanwhile, where the act does not say what it expects.
        """
        if question is None:
            await self.answer(await act(""))
            return

        def terms() -> tuple[str, Offer | None]:
            return self.services.overrides.economy.hash, self.services.live.offers.get(item)

        asked_by = terms()

        async def confirmed(_click: Click) -> discord.Embed:
            if terms() != asked_by:
                raise TermsChangedError
            return await act("confirm")

        await self.ask(question, confirmed)

    async def turn_pages(
        self,
        count: int,
        draw: Callable[[int], Awaitable[discord.Embed]],
        first: int = 0,
        *,
        picture: Picture | None = None,
    ) -> None:
        """Show a page, with buttons where there are more.

        Args:
            count: How many pages there are.
            draw: Makes the embed of a page, from 0.
            first: The page to begin with; beyond the ends it is the nearest one.
            picture: What every page shows below.
        """
        view = Pages(self, max(count, 1), draw, first)
        await self.answer(await view.embed(), view=view if count > 1 else None, picture=picture)

    async def fail(self, error: Exception) -> None:
        """Tell the author what went wrong, in words that say whether anything was charged."""
        failure = describe_failure(self, error)
        if failure.unexpected:
            log.error("%s: unexpected failure", failure.reference, exc_info=error)
        try:
            await self._tell(failure)
        except discord.HTTPException as unsent:
            log.warning("request %s: the answer could not be sent: %s", self.request_id, unsent)

    async def _tell(self, failure: Failure) -> None:
        """A failure is for the author's eyes alone, where the answer has not begun in public."""
        await self._end_promise()
        embed = warning(failure.text)
        if self.interaction is None or self._answer is not None:
            await self.answer(embed)
        elif self._deferral is not None and not self.private:
            # What follows upon a public deferral takes its place, in public: it must be filled first.
            placeholder = await self.interaction.edit_original_response(content=_PLACEHOLDER)
            self._answer = await self.interaction.followup.send(embed=embed, ephemeral=True, wait=True)
            await placeholder.delete()
        else:
            self._answer = await self.send(embed=embed, ephemeral=True)


async def actor_of(asked: Context | discord.Interaction[Game]) -> Actor:
    """Who gives a command, clicks or types, and their role there at this moment."""
    if isinstance(asked, Context):
        bot, user = asked.bot, asked.author
    else:
        bot, user = asked.client, asked.user
    guild = asked.guild
    role = role_of(
        owns_bot=await bot.is_owner(user),
        managed_guild_id=guild.id if guild is not None and asked.permissions.manage_guild else None,
        admin_guilds=bot.settings.admin_guilds,
    )
    return Actor(str(user.id), role)
