"""The lines of the journal: a checksum, a blank and JSON.

A group is what one sync makes durable: first a line that says up to which frame all was durable before, then
its frames. So a bad line can be judged: when a later group was written on top of it, it had been
acknowledged, and the journal is damaged; otherwise it is the tail that a dying process left.
"""

from __future__ import annotations

from binascii import crc32
from typing import Any, Final

import msgspec

from kokoromichi.core.models import FieldValue


class UserSet(msgspec.Struct, omit_defaults=True, gc=False):
    """What a player has after a change: never a difference, so that it may be put twice.

    Attributes:
        items: Units held afterwards of the items that moved; 0 leaves the inventory.
        fields: New values of other fields.
        unknown: New values of fields that this version does not know.
        whole: Nothing of what the player was before is left.
    """

    user_id: str
    version: int
    gold: int
    gems: int
    items: dict[str, int] = {}
    fields: dict[str, FieldValue] = {}
    unknown: dict[str, Any] = {}
    whole: bool = False


NO_ANSWER: Final = msgspec.Raw(b"null")


class Request(msgspec.Struct, gc=False):
    """What a request id remembers.

    Attributes:
        at_us: When it was stored, in microseconds since the epoch.
        answer: A receipt as tagged JSON; null when it is too old to be told, and refused.
    """

    request_id: str
    at_us: int
    digest: str
    answer: msgspec.Raw


class Frame(msgspec.Struct, omit_defaults=True, gc=False):
    """One change, whole.

    Attributes:
        sequence: The number of the change, from 1, without a gap.
        users: What the players have afterwards.
        counters: What the counters stand at afterwards.
        rows: Ledger lines, as they stand in ``ledgers/``.
        requests: What request ids remember from now on.
        sections: New documents of sections.
        mirror: The store that this one mirrors from now on.
        mirrored_us: Up to when it holds everything, in microseconds; 0 where the frame says nothing.
    """

    sequence: int
    users: list[UserSet] = []
    counters: dict[str, int] = {}
    rows: list[msgspec.Raw] = []
    requests: list[Request] = []
    sections: dict[str, msgspec.Raw] = {}
    mirror: str = ""
    mirrored_us: int = 0


class Synced(msgspec.Struct):
    """The line before a group's frames: all frames up to ``synced`` were durable when it was written."""

    synced: int


_ENCODE: Final = msgspec.json.Encoder().encode
_FRAMES: Final = msgspec.json.Decoder(Frame)
_SYNCED: Final = msgspec.json.Decoder(Synced)
_SYNCED_START: Final = b'{"synced":'
_CHECKSUM_CHARS: Final = 8


class DamagedError(Exception):
    """A frame that was acknowledged cannot be read; the text says which."""


def line_of(value: msgspec.Struct) -> bytes:
    """A value as a checked line, its newline included."""
    payload = _ENCODE(value)
    return b"%08x %b\n" % (crc32(payload), payload)


def payload_of(line: bytes) -> bytes | None:
    """The JSON of a checked line without its newline, or None when the line is no longer what it was."""
    payload = line[_CHECKSUM_CHARS + 1 :]
    return payload if line[: _CHECKSUM_CHARS + 1] == b"%08x " % crc32(payload) else None


def read_frames(content: bytes, after: int) -> tuple[list[Frame], int]:
    """The frames of a journal that are newer than ``after``.

    Args:
        content: The segments of the journal, joined in their order.
        after: What the checkpoint holds already: older frames are passed over, damaged or not.

    Returns:
        The frames in sequence, and the bytes of the torn tail that followed them, mostly 0.

    Raises:
        DamagedError: A frame that was acknowledged is damaged or missing.
    """
    frames: list[Frame] = []
    lines = content.split(b"\n")  # What follows the last newline is empty, or torn.
    torn: int | None = None
    offset = 0
    for number, line in enumerate(lines, 1):
        payload = payload_of(line) if number < len(lines) else None
        expected = after + len(frames) + 1
        if payload is None:
            torn = offset if torn is None and line else torn
        elif payload.startswith(_SYNCED_START):
            if _SYNCED.decode(payload).synced >= expected:
                raise DamagedError(_missing(expected, number, offset))
        elif (frame := _frame_of(payload)).sequence <= expected:
            frames += [frame] if frame.sequence == expected else []
            torn = None  # What was bad before it is not missing.
        elif torn is None:
            raise DamagedError(_missing(expected, number, offset))
        offset += len(line) + 1
    return frames, 0 if torn is None else len(content) - torn


def _frame_of(payload: bytes) -> Frame:
    try:
        return _FRAMES.decode(payload)
    except msgspec.DecodeError as unknown:
        message = f"a frame is of another version of this program: {unknown}"
        raise DamagedError(message) from unknown


def _missing(expected: int, number: int, offset: int) -> str:
    return (
        f"frame {expected} is damaged or missing, and what follows at line {number}, byte {offset}, is whole"
    )
