"""Chance without state: every number has an address, and its bits are a hash of that address.

A number is keyed by (seed, stream, player, day, slot), so it depends neither on the order of execution nor on
the number of processes, and two scenarios under one seed stay in step: an unused address shifts nothing.
The generator is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) with
the address as its counter; the seed enters through BLAKE2b, so that neighbouring seeds share nothing.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

POPULATION: Final = "population"
"""Stream of who the players are; day 0 only."""
PRESENCE: Final = "presence"
"""Stream of leaving, returning, sessions and their hours; ``DAY_DRAWS`` a day."""
SESSION: Final = "session"
"""Stream of all that happens within a session; ``SESSION_DRAWS`` a session."""
CHARACTERS: Final = "characters"
"""Stream of the character that a pull finds within its rarity.

Its numbers stand at the addresses of the rarities in ``SESSION``, whose block has no room for ten more.
"""
USE: Final = "use"
"""Begins the name of each item's own stream, ``use/<item id>``: what a chest holds depends neither on its
place in the catalogue nor on which other items there are. One number a session, at the session's number."""

ARRIVES_AT_ONCE: Final = 0
ARRIVAL_DAY: Final = 1
ACTIVITY: Final = 2
POPULATION_DRAWS: Final = 3

DAY_LEAVE_OR_RETURN: Final = 0
DAY_SESSIONS: Final = 1
DAY_HOURS: Final = 2
"""First of the four hours, one a session."""
DAY_DRAWS: Final = 8

SESSION_START: Final = 0
SESSION_GOAL: Final = 1
SESSION_CHOICES: Final = 2
"""First of ``MAX_CHOICES``, one a slot."""
SESSION_BATTLES: Final = 8
"""First of ``MAX_BATTLES``, one a battle."""
SESSION_PULLS: Final = 20
"""First of ten, one a pull."""
SESSION_WISH: Final = 31
SESSION_TRANSFER: Final = 32
SESSION_RECEIVER: Final = 33
SESSION_SELL: Final = 34
SESSION_GIFT: Final = 35
SESSION_GIFT_RECEIVER: Final = 36
SESSION_CHESTS: Final = {"wooden_chest": 30, "treasure_chest": 37, "celestial_chest": 38}
"""Chests that were there before items had streams of their own. Their numbers stay where published runs found
them; no line is ever added, and an economy without these items does not miss them."""
SESSION_DRAWS: Final = 40
"""Size of a session's block: number ``n`` of the day's session ``s`` is slot ``s * SESSION_DRAWS + n``."""

MAX_SESSIONS: Final = 4
MAX_CHOICES: Final = 4
MAX_BATTLES: Final = 12
MAX_PULLS: Final = 10

MAX_PLAYERS: Final = 1 << 24
MAX_DAYS: Final = 1 << 16
MAX_SLOTS: Final = 1 << 16

_MASK: Final = (1 << 64) - 1
_GAMMA: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = 0xBF58476D1CE4E5B9
_MIX_2: Final = 0x94D049BB133111EB


def stream_key(seed: int, stream: str) -> int:
    """The 64-bit key of a stream under a seed.

    Args:
        seed: Seed of the replication, any integer.
        stream: Name of the stream.

    Returns:
        A key that shares no structure with the key of another seed or stream.
    """
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def draw(key: int, player: int, day: int, slot: int) -> int:
    """The number at one address.

    Args:
        key: What ``stream_key`` returned.
        player: Number of the player, below ``MAX_PLAYERS``.
        day: Day since the scenario's start, below ``MAX_DAYS``.
        slot: Address within the day, below ``MAX_SLOTS``.

    Returns:
        An integer from 0 to 2^32 - 1, the same as ``draws`` gives.
    """
    z = (key + (player << 32 | day << 16 | slot) * _GAMMA) & _MASK
    z = ((z ^ z >> 30) * _MIX_1) & _MASK
    z = ((z ^ z >> 27) * _MIX_2) & _MASK
    return (z ^ z >> 31) >> 32


def draws(key: int, players: IntArray | int, day: int, slots: IntArray | int) -> IntArray:
    """The numbers of many players on one day.

    Args:
        key: What ``stream_key`` returned.
        players: Numbers of the players, or a count for players 0 to count - 1.
        day: Day since the scenario's start.
        slots: Addresses within the day, or a count for slots 0 to count - 1.

    Returns:
        Shape [players, slots], each an integer from 0 to 2^32 - 1.
    """
    who = np.arange(players, dtype=np.int64) if isinstance(players, int) else players
    where = np.arange(slots, dtype=np.int64) if isinstance(slots, int) else slots
    base = who.astype(np.uint64) << np.uint64(32) | np.uint64(day << 16)
    z = (base[:, None] | where.astype(np.uint64)[None, :]) * np.uint64(_GAMMA) + np.uint64(key)
    z = (z ^ z >> np.uint64(30)) * np.uint64(_MIX_1)
    z = (z ^ z >> np.uint64(27)) * np.uint64(_MIX_2)
    return ((z ^ z >> np.uint64(31)) >> np.uint64(32)).astype(np.int64)
