"""The draw at one address, as compiled code takes it: ``streams.draw`` in unsigned 64 bits."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np

Key: TypeAlias = Any
"""A stream's key as ``np.uint64``; Any, because ``streams.draw``, which is replaced, takes an integer."""

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_27: Final = np.uint64(27)
_30: Final = np.uint64(30)
_31: Final = np.uint64(31)
_32: Final = np.uint64(32)


def draw(key: Key, player: int, day: int, slot: int) -> np.int64:
    """The number at one address, as ``streams.draw`` gives it; mixed with signed integers it were a float."""
    z = key + np.uint64(player << 32 | day << 16 | slot) * _GAMMA
    z = (z ^ z >> _30) * _MIX_1
    z = (z ^ z >> _27) * _MIX_2
    return np.int64((z ^ z >> _31) >> _32)
