"""Where an act becomes one commit: read, decide, apply, and decide anew when somebody was faster."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from copy import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from msgspec.structs import replace

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.errors import CommitUnknownError, ConflictError, FloorError, MisuseError, RefusedError
from kokoromichi.core.models import ChangeSet, Receipt, UserChange, UserProfile
from kokoromichi.core.validation import checked_request_id, checked_user_id, digest_of
from kokoromichi.rules import codes
from kokoromichi.rules.grant import is_opening_due, open_account
from kokoromichi.services.booking import Booking
from kokoromichi.services.erased_days import ErasedDays
from kokoromichi.services.receipts import OpenReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import Movement
    from kokoromichi.services.erased_days import DayField
    from kokoromichi.services.live_economy import LiveEconomy

Arguments: TypeAlias = "Sequence[str | int]"
Dice: TypeAlias = Callable[[], int]
"""Rolls 32 bits."""

AnswerT = TypeVar("AnswerT", bound=Receipt)
P = ParamSpec("P")
Decide: TypeAlias = "Callable[[UserProfile, int, Arguments], ChangeSet[AnswerT]]"
"""Profile, time in microseconds, arguments: a change, or a refusal is raised. It may be called again."""
DecideBetween: TypeAlias = "Callable[[UserProfile, UserProfile, int, Arguments], ChangeSet[AnswerT]]"

_OPENING: Final = Booking("opening")
_NO_FIELDS: Final[Mapping[DayField, int]] = MappingProxyType({})
RESERVED_PREFIXES: Final = ("stock:", "restock:", "retire:")
"""How the request ids of restocking begin; no caller may take one first."""
_TRIES_APART: Final = 8
"""Decided anew so often with growing pauses; then the act waits for its player's lock."""
_TRIES_LOCKED: Final = 64
_PAUSE_MS: Final = 2
_DOUBTS_KEPT: Final = 10_000
"""Request ids of unknown outcome that nobody has asked for again."""


class CommandExecutor:
    """Every service's way to storage.

    Args:
        provider: Where acts are stored.
        live: The economy to start with; it may be swapped for another as a whole.
        clock: What tells the time.
        dice: What rolls where a caller gives no draws.

    Attributes:
        provider: Where acts are stored.
        live: The economy in force.
        clock: What tells the time.
        dice: What rolls where a caller gives no draws.
        erased_days: What of today outlives an erasure.
        watch: Is told what each decision saw and changes, before it is stored; it may be decided anew. A
            request that is sent again because its outcome is unknown is not told of once more.
    """

    def __init__(
        self, provider: DataProvider, live: LiveEconomy, clock: Clock | None = None, dice: Dice | None = None
    ) -> None:
        self.provider = provider
        self.live = live
        self.clock = clock or SystemClock()
        self.dice = dice or _roll
        self.erased_days = ErasedDays(provider, self.clock)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._in_doubt: dict[str, None] = {}  # Request ids whose outcome is unknown.
        self.watch: Callable[[UserProfile, ChangeSet[Any]], None] = lambda _met, _change: None

    async def prepare(self) -> None:
        """Make ready what an act reads: nothing here, since ``Services.start`` does it for a whole game."""

    async def act(
        self,
        operation: str,
        user_id: str,
        arguments: Arguments,
        decide: Decide[AnswerT],
        request_id: str | None = None,
    ) -> AnswerT:
        """Carry out one player's act, opening the account where there is none.

        Args:
            operation: What is asked, in a word: part of the request's digest.
            user_id: Who asks.
            arguments: What is asked for: part of the request's digest.
            decide: The decision; it sees the profile and changes nothing.
            request_id: Idempotency key, or None.

        Returns:
            The decision's receipt, or the one that the request id remembers.

        Raises:
            RefusedError: The game says no; nothing happened.
            ConflictError: Others were faster until the patience ended; nothing happened.
            MisuseError: The act needs a stock and nobody called ``Services.start``; nothing happened.
            RequestMismatchError: The request id was used for another act.
            StorageError: The storage failed; see ``DataProvider.apply``.
        """
        user_id = checked_user_id(user_id)
        decide = self._watched(decide, request_id)

        async def attempt() -> ChangeSet[AnswerT]:
            return await self._decide_for_actor(
                user_id, lambda profile: decide(profile, self.clock.now_us(), arguments)
            )

        return await self.retry_on_conflict(operation, user_id, arguments, attempt, request_id)

    async def act_upon(
        self,
        operation: str,
        user_id: str,
        arguments: Arguments,
        decide: Decide[AnswerT],
        request_id: str | None = None,
    ) -> AnswerT:
        """Carry out an admin's act upon a player who must have an account, frozen or not.

        Raises:
            RefusedError: Also where there is no such player: a mistyped id opens no account.
        """
        user_id = checked_user_id(user_id)
        decide = self._watched(decide, request_id)

        async def attempt() -> ChangeSet[AnswerT]:
            stored = await self.provider.profile(user_id)
            if stored is None:
                raise refused(codes.UNKNOWN_PLAYER, user_id)
            return self._decide_with_opening(stored, lambda one: decide(one, self.clock.now_us(), arguments))

        return await self.retry_on_conflict(operation, user_id, arguments, attempt, request_id)

    async def act_between(
        self,
        operation: str,
        user_id: str,
        other_id: str,
        arguments: Arguments,
        decide: DecideBetween[AnswerT],
        request_id: str | None = None,
    ) -> AnswerT:
        """Carry out an act over two players in one commit; the other one must have an account.

        Raises:
            RefusedError: Also where both are one player, or the other one is unknown, or either is frozen.
        """
        user_id, other_id = checked_user_id(user_id), checked_user_id(other_id)
        decide = self._watched(decide, request_id)

        def attempt() -> Awaitable[ChangeSet[AnswerT]]:
            return self.decide_between(user_id, other_id, arguments, decide)

        return await self.retry_on_conflict(operation, user_id, (other_id, *arguments), attempt, request_id)

    async def decide_between(
        self, user_id: str, other_id: str, arguments: Arguments, decide: DecideBetween[AnswerT]
    ) -> ChangeSet[AnswerT]:
        """What an act over two players would commit now; nothing is.

        Raises:
            RefusedError: As ``act_between``.
        """
        user_id, other_id = checked_user_id(user_id), checked_user_id(other_id)
        if other_id == user_id:
            raise refused(codes.SELF_TRANSFER)
        other = await self.provider.profile(other_id)
        if other is None:
            raise refused(codes.UNKNOWN_PLAYER, other_id)
        return await self._decide_for_actor(
            user_id, lambda profile: decide(profile, _thawed(other), self.clock.now_us(), arguments)
        )

    async def retry_on_conflict(
        self,
        operation: str,
        user_id: str,
        arguments: Arguments,
        attempt: Callable[[], Awaitable[ChangeSet[AnswerT]]],
        request_id: str | None,
    ) -> AnswerT:
        """Try until nobody is faster: with growing pauses at first, then one at a time for each player.

        Args:
            operation: What is asked, in a word; with ``user_id`` and ``arguments`` the request's digest.
            user_id: Who asks, or upon whom it is done.
            arguments: What is asked for.
            attempt: Reads and decides anew each time.
            request_id: Idempotency key, or None.
        """
        digest = digest_of(operation, user_id, arguments)
        if request_id is not None and checked_request_id(request_id).startswith(RESERVED_PREFIXES):
            message = f"request id {request_id!r} is reserved for restocking: choose another one"
            raise MisuseError(message)

        async with AsyncExitStack() as turn:
            for number in range(_TRIES_APART + _TRIES_LOCKED):
                if number == _TRIES_APART:
                    await turn.enter_async_context(self._locks.setdefault(user_id, asyncio.Lock()))
                with suppress(ConflictError):
                    return await self._decide_and_store(attempt, request_id, digest)
                await asyncio.sleep(secrets.randbelow(_PAUSE_MS << min(number, _TRIES_APART)) / 1_000)
            return await self._decide_and_store(attempt, request_id, digest)

    async def _decide_and_store(
        self, attempt: Callable[[], Awaitable[ChangeSet[AnswerT]]], request_id: str | None, digest: str
    ) -> AnswerT:
        """Decide and store once.

        Whether the request was stored before is what the commit itself finds out, so that a fresh one costs
        no question more; only a refusal asks, since it may be the earlier act that made it one.
        """
        try:
            change = await attempt()
            change.request_id = request_id
            change.digest = digest
            answer = await self._store(change)
        except CommitUnknownError:
            if request_id is not None:
                self._in_doubt[request_id] = None
                if len(self._in_doubt) > _DOUBTS_KEPT:
                    del self._in_doubt[next(iter(self._in_doubt))]
            raise
        except RefusedError:
            if request_id is None:
                raise
            # What was sent before may still arrive, and must not be stored once the player is told no.
            in_doubt = request_id in self._in_doubt
            ask = self.provider.fence if in_doubt else self.provider.get_response
            stored = await ask(request_id, digest)
            self._in_doubt.pop(request_id, None)
            if stored is None:
                raise
            return stored  # type: ignore[return-value] # The digest says that it is of this act.
        if request_id is not None:
            self._in_doubt.pop(request_id, None)
        return answer

    async def _store(self, change: ChangeSet[AnswerT]) -> AnswerT:
        try:
            return await self.provider.apply(change)
        except FloorError as floor:
            raise refused(codes.OUT_OF_STOCK, floor.available) from None
        except ConflictError:
            if change.counters:
                there = await self.provider.counters()
                if missing := [counter.name for counter in change.counters if counter.name not in there]:
                    message = (
                        f"{missing[0]} is not on the shelf: await start() of the services before their use"
                    )
                    raise MisuseError(message) from None  # Patience would be in vain.
            raise

    def _watched(
        self, decide: Callable[Concatenate[UserProfile, P], ChangeSet[AnswerT]], request_id: str | None
    ) -> Callable[Concatenate[UserProfile, P], ChangeSet[AnswerT]]:
        """The decision, of which ``watch`` is told, but not where the request may be stored already.

        What it is decided from then is what the first one left, and not what the player chose from.
        """

        def watched(met: UserProfile, /, *rest: P.args, **named: P.kwargs) -> ChangeSet[AnswerT]:
            change = decide(met, *rest, **named)
            if request_id not in self._in_doubt:
                self.watch(met, change)
            return change

        return watched

    async def meet(self, user_id: str) -> UserProfile:
        """A player as their next act meets them; looking opens no account."""
        stored, _kept = await self._read(user_id)
        return self._settle_opening(stored)[0]

    async def _read(self, user_id: str) -> tuple[UserProfile, Mapping[DayField, int]]:
        """A player as they are stored; or as somebody without an account begins, and with which fields."""
        stored = await self.provider.profile(user_id)
        if stored is not None:
            return stored, _NO_FIELDS
        newcomer = UserProfile(user_id=user_id)
        kept = await self.erased_days.fields_of(user_id)
        for name, value in kept.items():
            setattr(newcomer, name, value)
        return newcomer, kept

    def _settle_opening(self, profile: UserProfile) -> tuple[UserProfile, tuple[Movement, ...]]:
        """The profile with its opening, where that is still to be booked, and the rows that book it."""
        if not is_opening_due(profile.version, profile.opening_due):
            return profile, ()
        opening = self.live.config.opening
        opened = open_account(profile.gold, profile.gems, opening.gold, opening.gems)
        met = copy(profile)
        met.gold, met.gems, met.opening_due = opened.gold, opened.gems, 0
        return met, _OPENING.rows(opened, profile)

    async def _decide_for_actor(
        self, user_id: str, decide: Callable[[UserProfile], ChangeSet[AnswerT]]
    ) -> ChangeSet[AnswerT]:
        """Read and decide for a player who may act; see ``_decide_with_opening``."""
        await self.prepare()
        stored, kept = await self._read(user_id)
        return self._decide_with_opening(_thawed(stored), decide, kept)

    def _decide_with_opening(
        self,
        stored: UserProfile,
        decide: Callable[[UserProfile], ChangeSet[AnswerT]],
        kept: Mapping[DayField, int] = _NO_FIELDS,
    ) -> ChangeSet[AnswerT]:
        """Decide for a player, and put the opening into the same commit where it is still to be booked.

        Args:
            stored: The player as they are stored, or as somebody without an account begins.
            decide: The decision.
            kept: Fields that an account begins with.
        """
        met, rows = self._settle_opening(stored)
        change = decide(met)
        if met is stored:
            return change
        settled = {"opening_due": 0} if stored.opening_due else {}
        change.users = tuple(
            replace(user, movements=rows + user.movements, fields={**kept, **(user.fields or {}), **settled})
            if user.user_id == stored.user_id
            else user
            for user in change.users
        )
        return change

    async def open_account(self, user_id: str, request_id: str | None = None) -> UserProfile:
        """A player's profile, opening the account on first use: never by looking at another one.

        Raises:
            MisuseError: The id is malformed.
        """
        user_id = checked_user_id(user_id)
        profile = await self.provider.profile(user_id)
        if profile is None or (profile.opening_due and not profile.frozen):
            await self.act("open", user_id, (), _open, request_id)
            profile = await self.provider.profile(user_id)
            assert profile is not None  # noqa: S101 - its opening has just been committed
        return profile


def _thawed(profile: UserProfile) -> UserProfile:
    """A player who may act and receive: one whom an admin has frozen does neither, and loses nothing."""
    if profile.frozen:
        raise refused(codes.FROZEN, profile.user_id)
    return profile


def _open(profile: UserProfile, at_us: int, _arguments: Arguments) -> ChangeSet[OpenReceipt]:
    receipt = OpenReceipt(profile.gold, profile.gems)
    return ChangeSet(at_us, (UserChange(profile.user_id, profile.version),), receipt)


def _roll() -> int:
    return secrets.randbits(32)
