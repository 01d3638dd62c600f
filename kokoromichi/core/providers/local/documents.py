"""Players as JSON text and back."""

from __future__ import annotations

from copy import copy
from dataclasses import make_dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kokoromichi.core.models import PROFILE_FIELDS, UserProfile

if TYPE_CHECKING:
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
