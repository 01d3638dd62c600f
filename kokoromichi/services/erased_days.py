"""What of a day outlives an erasure: the claim and the caps, so that no return on the same day has them anew.

They stand in a section of the store under a hash of the player's id. Its key is drawn each UTC day and
forgotten soon after it (see ``ErasedDays.forget``): then nothing leads from a hash to anybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kokoromichi.core.errors import StorageError
from kokoromichi.rules.daily import day_of

if TYPE_CHECKING:
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import UserProfile

SECTION: Final = "erased_days"
DayField = Literal[
    "last_claim_us", "battle_at_us", "battle_day", "battle_gold_today", "sent_day", "sent_gold_today"
]
DAY_FIELDS: Final[tuple[DayField, ...]] = get_args(DayField)
"""The fields of a profile that hold the claim and the caps of a day."""


class DayDocument(BaseModel):
    """The section, whole.

    Attributes:
        day: The UTC day that it is about.
        key: Of the hashes, in hex.
        players: Fields of ``UserProfile`` by hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: int
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    players: dict[str, dict[DayField, int]] = {}

    def hash_of(self, user_id: str) -> str:
        """What stands for a player, in hex."""
        key = bytes.fromhex(self.key)
        return hashlib.blake2b(user_id.encode(), key=key, digest_size=16).hexdigest()


class ErasedDays:
    """Keeps and forgets them.

    Args:
        provider: Where they are stored.
        clock: What tells the day.
    """

    def __init__(self, provider: DataProvider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._changing = asyncio.Lock()

    async def keep(self, profile: UserProfile) -> None:
        """Keep what a player's day forbids, before they are erased."""
        async with self._changing:
            stored, day = await self._stored(), self._today()
            today = (
                stored if stored and stored.day == day else DayDocument(day=day, key=secrets.token_hex(32))
            )
            fields = {name: getattr(profile, name) for name in DAY_FIELDS}
            players = {**today.players, today.hash_of(profile.user_id): fields}
            whole = today.model_copy(update={"players": players})
            await self._provider.save_game_data(SECTION, whole.model_dump())

    async def fields_of(self, user_id: str) -> dict[DayField, int]:
        """The fields that somebody without an account begins with: none, unless they were erased today."""
        stored = await self._stored()
        if stored is None or stored.day != self._today():
            return {}
        return stored.players.get(stored.hash_of(user_id), {})

    async def forget(self) -> None:
        """Forget the key of a day that has passed, and all that stands under it."""
        async with self._changing:
            stored = await self._stored()
            # Another process may be in tomorrow already; a later day was kept while a clock was ahead.
            if stored is not None and not 0 <= stored.day - self._today() <= 1:
                await self._provider.save_game_data(SECTION, {})

    def _today(self) -> int:
        return day_of(self._clock.now_us())

    async def _stored(self) -> DayDocument | None:
        stored = await self._provider.get_game_data(SECTION)
        try:
            return DayDocument.model_validate(stored) if stored else None
        except ValidationError as invalid:
            message = (
                f"section {SECTION!r} is no valid document: {invalid}. Correct it, or store an empty one"
            )
            raise StorageError(message) from invalid
