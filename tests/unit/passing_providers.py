"""Providers that pass everything on to another one, each with one habit."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import TYPE_CHECKING, ClassVar

from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    import polars as pl

    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import AnswerT, ChangeSet, LedgerEntry, Receipt, UserProfile
    from kokoromichi.core.reader import Reader, Wanted


class PassingProvider(DataProvider):
    """Passes everything on.

    Attributes:
        inner: Who stores.
    """

    name: ClassVar[str] = "passing"

    def __init__(self, inner: DataProvider) -> None:
        self.inner = inner

    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        return self.inner.snapshot()

    async def profile(self, user_id: str) -> UserProfile | None:
        return await self.inner.profile(user_id)

    async def user_ids(self) -> list[str]:
        return await self.inner.user_ids()

    async def balances(self) -> list[tuple[str, int]]:
        return await self.inner.balances()

    async def counters(self) -> dict[str, int]:
        return await self.inner.counters()

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        return await self.inner.get_response(request_id, digest)

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        return await self.inner.apply(change)

    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        return await self.inner.read_ledger(**wanted._asdict(), limit=rows)

    def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        return self.inner.ledger_frames(user_ids)

    async def ledger_rows(self) -> int:
        return await self.inner.ledger_rows()

    async def erase(self, user_id: str, pseudonym: str) -> None:
        await self.inner.erase(user_id, pseudonym)

    async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
        await self.inner.append_observations(stream, rows)

    def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        return self.inner.observation_frames(stream)

    async def save_user(self, user_id: str | int, data: Document) -> None:
        await self.inner.save_user(user_id, data)

    async def get_game_data(self, section: str) -> Document | None:
        return await self.inner.get_game_data(section)

    async def save_game_data(self, section: str, data: Document) -> None:
        await self.inner.save_game_data(section, data)


class SlowProvider(PassingProvider):
    """Answers what was true a moment ago, as a store over a wire does, and lets others in between."""

    async def profile(self, user_id: str) -> UserProfile | None:
        await asyncio.sleep(0)
        found = deepcopy(await self.inner.profile(user_id))
        await asyncio.sleep(0)
        return found

    async def counters(self) -> dict[str, int]:
        found = await self.inner.counters()
        await asyncio.sleep(0)
        return found

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        found = await self.inner.get_response(request_id, digest)
        await asyncio.sleep(0)
        return found

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        await asyncio.sleep(0)
        answer = await self.inner.apply(change)
        await asyncio.sleep(0)
        return answer


class RudeProvider(PassingProvider):
    """Says so many times that somebody was faster, before it passes on.

    Attributes:
        conflicts: How many times are left.
        asked: Commits that were tried.
    """

    def __init__(self, inner: DataProvider, conflicts: int) -> None:
        super().__init__(inner)
        self.conflicts = conflicts
        self.asked = 0

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        self.asked += 1
        if self.conflicts:
            self.conflicts -= 1
            message = "somebody was faster"
            raise ConflictError(message)
        return await super().apply(change)
