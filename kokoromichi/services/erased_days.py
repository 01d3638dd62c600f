"""What of a day outlives an erasure: the claim and the caps, so that no return on the same day has them anew.

They stand in a section of the store under a hash of the player's id. Its key is drawn each UTC day and
forgotten with it: afterwards nothing leads from a hash to anybody.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from kokoromichi.rules.daily import day_of

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import UserProfile

SECTION: Final = "erased_days"
DAY_FIELDS: Final = (
    *("last_claim_us", "battle_at_us", "battle_day", "battle_gold_today"),
    *("sent_day", "sent_gold_today"),
)
"""The fields of a profile that hold the claim and the caps of a day."""


class ErasedDays(BaseModel):
    """The section.

    Attributes:
        day: The UTC day that it is about.
        key: Of the hashes, in hex.
        players: Fields of ``UserProfile`` by hash.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: int
    key: str
    players: dict[str, dict[str, int]] = {}

    def hash_of(self, user_id: str) -> str:
        """What stands for a player, in hex."""
        key = bytes.fromhex(self.key)
        return hashlib.blake2b(user_id.encode(), key=key, digest_size=16).hexdigest()


async def keep_day(provider: DataProvider, profile: UserProfile, at_us: int) -> None:
    """Keep what a player's day forbids, before they are erased."""
    today = await _of_today(provider, at_us)
    if today is None:
        today = ErasedDays(day=day_of(at_us), key=secrets.token_hex(32))
    day = {name: getattr(profile, name) for name in DAY_FIELDS}
    players = {**today.players, today.hash_of(profile.user_id): day}
    await provider.save_game_data(SECTION, today.model_copy(update={"players": players}).model_dump())


async def kept_day(provider: DataProvider, user_id: str, at_us: int) -> dict[str, int]:
    """The fields that somebody without an account begins with: none, unless they were erased today."""
    today = await _of_today(provider, at_us)
    return {} if today is None else today.players.get(today.hash_of(user_id), {})


async def _of_today(provider: DataProvider, at_us: int) -> ErasedDays | None:
    stored = await provider.get_game_data(SECTION)
    days = None if stored is None else ErasedDays.model_validate(stored)
    return days if days is not None and days.day == day_of(at_us) else None
