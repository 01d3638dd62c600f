"""Players under other names: keyed hashes, which nobody can turn back who lacks the key."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

import polars as pl

from kokoromichi.core.kinds import SYSTEM

KEY_BYTES_LEAST: Final = 16
KEY_BYTES_MOST: Final = 64

_DIGEST_BYTES: Final = 15
_PLAYERS: Final = ("user_id", "counterparty", "actor")


def fresh_key() -> bytes:
    """A key that nobody has seen: with it forgotten, no pseudonym can be told again."""
    return secrets.token_bytes(KEY_BYTES_MOST)


def pseudonymous(frame: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """The frame with keyed hashes wherever a player is named; admins' words, which may name any, go.

    Args:
        frame: Of any stream.
        key: ``KEY_BYTES_LEAST`` to ``KEY_BYTES_MOST`` bytes.
    """
    columns = [pseudonyms(frame[name], key) for name in _PLAYERS if name in frame.columns]
    if "request_id" in frame.columns:
        columns.append(pseudonyms(frame["request_id"], key, "r"))  # A caller's id may hold a player's.
    if "reason" in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("reason"))
    return frame.with_columns(columns)


def pseudonyms(names: pl.Series, key: bytes, prefix: str = "u") -> pl.Series:
    """Each name's keyed hash behind a prefix; ``system`` and null stay what they are."""
    known = names.unique().drop_nulls()
    hashes = [
        name
        if name == SYSTEM
        else prefix + hashlib.blake2b(name.encode(), key=key, digest_size=_DIGEST_BYTES).hexdigest()
        for name in known
    ]
    return names.replace_strict(
        known, pl.Series(hashes, dtype=pl.String), default=None, return_dtype=pl.String
    )
