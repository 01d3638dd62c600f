"""Profiles that are kept at hand for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.core.models import UserProfile


class ProfileCache:
    """Committed profiles, each for ``ttl_s`` seconds since it was last put.

    Nothing in it can be stale, since one process owns the store: what expires is memory.
    """

    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._held: dict[str, tuple[float, UserProfile]] = {}  # In the order of their ends.

    def __len__(self) -> int:
        """How many are held, expired ones among them."""
        return len(self._held)

    def get(self, user_id: str) -> UserProfile | None:
        """A profile that has not expired, or None."""
        found = self._held.get(user_id)
        if found is None or found[0] <= time.monotonic():
            return None
        return found[1]

    def put(self, profiles: Iterable[UserProfile]) -> None:
        """Hold profiles from now on."""
        held, end_s = self._held, time.monotonic() + self._ttl_s
        for profile in profiles:
            held.pop(profile.user_id, None)
            held[profile.user_id] = end_s, profile

    def sweep(self) -> None:
        """Let go of what has expired."""
        now_s = time.monotonic()
        expired = []
        for user_id, (end_s, _profile) in self._held.items():
            if end_s > now_s:
                break
            expired.append(user_id)
        for user_id in expired:
            del self._held[user_id]

    def drop(self, user_ids: Iterable[str]) -> None:
        """Let go of some players."""
        for user_id in user_ids:
            self._held.pop(user_id, None)

    def clear(self) -> None:
        """Let go of everything."""
        self._held.clear()
