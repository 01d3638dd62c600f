"""Players and sections as JSON text and back; and profiles that are kept at hand for a while."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import make_dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kokoromichi.core.models import PROFILE_FIELDS, UserProfile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.core.documents import Document

_NAMES: Final = tuple(sorted(PROFILE_FIELDS))
_SLOTS: Final = (*_NAMES, "unknown")
_VALUES: Final = attrgetter(*_SLOTS)
_NEW: Final = UserProfile.__new__
_FILL: Final = make_dataclass("_Fields", _SLOTS).__init__  # type: ignore[misc] # It is called on no subclass.
"""Sets all of them, three times as fast as one ``setattr`` after the other: every act copies a profile."""
_ENCODE: Final = msgspec.json.Encoder().encode
_BLANK: Final = UserProfile(user_id="nobody")


def encode_profile(profile: UserProfile) -> str:
    """A player as the stored document, in which unknown fields stand by themselves."""
    return _ENCODE(profile).decode()


def flat_document(document: str) -> Document:
    """A stored document as people and ``save_user`` have it: unknown fields beside the others."""
    values: dict[str, Any] = msgspec.json.decode(document)
    return {**values.pop("unknown", {}), **values}


def decode_profile(document: str) -> UserProfile:
    """The player of a stored document; it was checked when it was written, and is not checked again."""
    values: dict[str, Any] = flat_document(document)
    profile = _NEW(UserProfile)
    for name in _NAMES:
        setattr(profile, name, values.pop(name) if name in values else copy(getattr(_BLANK, name)))
    profile.unknown = values
    return profile


def changeable(profile: UserProfile) -> UserProfile:
    """A copy that may be moved while others read the profile itself."""
    new = _NEW(UserProfile)
    _FILL(new, *_VALUES(profile))
    new.inventory = dict(profile.inventory)
    return new


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
