"""The lines of the journal, cut and flipped at every byte: an exact prefix, or a refusal."""

from __future__ import annotations

from binascii import crc32
from typing import Final

import pytest
from kokoromichi.core.providers.local.frames import (
    DamagedError,
    Frame,
    Synced,
    UserSet,
    line_of,
    payload_of,
    read_frames,
)

GROUPS: Final = ((1, 2), (3,), (4, 5, 6))


def journal() -> tuple[bytes, list[Frame], list[int]]:
    """Three groups, their frames, and where each group ends."""
    content, frames, ends = b"", [], []
    for group in GROUPS:
        content += line_of(Synced(group[0] - 1))
        for number in group:
            frames.append(Frame(number, [UserSet("ada", number, 5 * number, 0)], {"stock.x": 9 - number}))
            content += line_of(frames[-1])
        ends.append(len(content))
    return content, frames, ends


def test_what_was_written_is_read() -> None:
    content, frames, _ends = journal()
    assert read_frames(content, 0) == (frames, 0)
    assert read_frames(content, 2) == (frames[2:], 0)
    assert read_frames(content, 6) == ([], 0)
    assert read_frames(b"", 0) == ([], 0)


def test_a_journal_that_is_cut_anywhere_is_an_exact_prefix() -> None:
    content, frames, _ends = journal()
    for size in range(len(content)):
        read, torn_bytes = read_frames(content[:size], 0)
        assert read == frames[: len(read)]
        whole = content[: size - torn_bytes]
        assert whole.endswith(b"\n") or not whole
        assert whole.count(b'"sequence"') == len(read)


@pytest.mark.parametrize("bits", [0x01, 0x0A, 0x20, 0xFF])
def test_a_journal_with_a_flipped_byte_is_an_exact_prefix_or_refused(bits: int) -> None:
    content, frames, ends = journal()
    refused = 0
    for place in range(len(content)):
        flipped = content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :]
        try:
            read, torn_bytes = read_frames(flipped, 0)
        except DamagedError:
            refused += 1
            assert place < ends[1], "the last group may be the torn tail of a dying process"
        else:
            assert read == frames[: len(read)]
            assert len(read) == len(frames) or (place >= ends[1] - 1 and torn_bytes)
    assert refused > ends[0]


def test_damage_that_the_checkpoint_covers_is_passed_over() -> None:
    content, frames, ends = journal()
    flipped = b"\x00" + content[1 : ends[0] - 40] + b"?" + content[ends[0] - 39 :]
    assert read_frames(flipped, 3) == (frames[3:], 0)


@pytest.mark.parametrize("lost", [0, 2, 3, 5])
def test_a_frame_that_is_missing_is_named(lost: int) -> None:
    content, _frames, _ends = journal()
    lines = content.splitlines(keepends=True)
    frame = [line for line in lines if b'"sequence"' in line][lost]
    if lost == 5:
        assert len(read_frames(content.replace(frame, b""), 0)[0]) == 5
        return
    with pytest.raises(DamagedError, match=f"frame {lost + 1} is damaged or missing"):
        read_frames(content.replace(frame, b""), 0)


def test_pages_of_the_last_group_may_come_in_any_order() -> None:
    content, frames, ends = journal()
    hole = content[: ends[1]] + bytes(60) + content[ends[1] + 60 :]
    read, torn_bytes = read_frames(hole, 0)
    assert (read, torn_bytes) == (frames[:3], len(content) - ends[1])


def test_a_line_of_another_version_is_refused() -> None:
    content, _frames, _ends = journal()
    payload = b'{"sequence":"seven"}'
    line = b"%08x %b\n" % (crc32(payload), payload)
    assert payload_of(line[:-1]) == payload
    with pytest.raises(DamagedError, match="another version"):
        read_frames(content + line, 0)
