"""A seal inside each file of the readable copy: what shows that it was edited externally."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kokoromichi.core.reference.files import OUR_SEAL

if TYPE_CHECKING:
    from pathlib import Path


class Key(NamedTuple):
    """What a file is of; counters have one file together."""

    kind: str
    name: str


class Sealed(NamedTuple):
    """What a file says.

    Attributes:
        document: All of it but the seal.
        seal: As it stands there, or nothing.
    """

    document: dict[str, Any]
    seal: str

    @property
    def is_sound(self) -> bool:
        """Whether the file is as it was written."""
        return self.seal == seal_of(self.document)

    def is_of(self, key: Key) -> bool:
        """Whether a file of this name may say so: one player's file is no other one's, whole or not."""
        return key.kind != "user" or self.document.get("user_id", key.name) == key.name


def seal_of(document: dict[str, Any]) -> str:
    """A checksum of a document, however it is laid out."""
    plain = msgspec.json.encode(document, order="deterministic")
    return hashlib.blake2b(plain, digest_size=16).hexdigest()


def sealed(document: dict[str, Any]) -> bytes:
    """A file's content, for people to read."""
    plain = {name: value for name, value in document.items() if name != OUR_SEAL}
    return msgspec.json.format(msgspec.json.encode({**plain, OUR_SEAL: seal_of(plain)}), indent=2) + b"\n"


def unsealed(content: bytes) -> Sealed | None:
    """What a file's content says, sealed or not; None where it is no JSON object."""
    try:
        document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    seal = document.pop(OUR_SEAL, "")
    return Sealed(document, seal if isinstance(seal, str) else "")


def read_sealed(path: Path) -> Sealed | None:
    """What a file says; None where there is no file, or no JSON object. Blocks."""
    try:
        return unsealed(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
