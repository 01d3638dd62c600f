"""Receipts as bytes and back: what a store that outlives the process remembers for a request id."""

from __future__ import annotations

from functools import lru_cache
from typing import Union

import msgspec

from kokoromichi.core.models import Receipt


def encode_response(answer: Receipt) -> bytes:
    """A receipt as tagged JSON."""
    return msgspec.json.encode(answer)


def decode_response(encoded: bytes | str) -> Receipt:
    """The receipt of tagged JSON; the class that wrote it must have been imported.

    Raises:
        msgspec.ValidationError: No receipt has this tag, or a field is wrong.
    """
    return _decoder(tuple(_receipts(Receipt))).decode(encoded)


def _receipts(base: type[Receipt]) -> list[type[Receipt]]:
    return [found for child in base.__subclasses__() for found in (child, *_receipts(child))]


@lru_cache(maxsize=8)
def _decoder(receipts: tuple[type[Receipt], ...]) -> msgspec.json.Decoder[Receipt]:
    return msgspec.json.Decoder(Union[receipts])  # noqa: UP007 - made at run time
