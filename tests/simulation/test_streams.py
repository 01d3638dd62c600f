"""Chance by address: both forms give the same bits, and neighbours of every kind share nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kokoromichi.simulation import streams
from kokoromichi.simulation.streams import IntArray, draw, draws, stream_key

SEEDS = st.integers(-(2**70), 2**70)
PLAYERS = st.integers(0, streams.MAX_PLAYERS - 1)
DAYS = st.integers(0, streams.MAX_DAYS - 1)
SLOTS = st.integers(0, streams.MAX_SLOTS - 1)
KEY_OF_7 = 1680402971223710170
DRAWS_OF_7 = [4030147904, 3563020168, 4151631513]
LUCK = 1e-6
"""Chance that a sound generator fails one statistical test; the addresses are fixed, so it never varies."""


@given(SEEDS, st.sampled_from([streams.POPULATION, streams.PRESENCE, streams.SESSION]), PLAYERS, DAYS, SLOTS)
def test_both_forms_give_the_same_bits(seed: int, stream: str, player: int, day: int, slot: int) -> None:
    key = stream_key(seed, stream)
    one = draw(key, player, day, slot)
    many = draws(key, np.array([player]), day, np.array([slot]))
    assert many.tolist() == [[one]]
    assert 0 <= one < 2**32


def test_a_count_stands_for_the_first_players_and_slots() -> None:
    key = stream_key(7, streams.SESSION)
    block = draws(key, 5, 3, 160)
    assert block.shape == (5, 160)
    assert block.dtype == np.int64
    assert block.tolist() == [[draw(key, player, 3, slot) for slot in range(160)] for player in range(5)]
    some = draws(key, np.array([4, 1]), 3, np.array([100, 8]))
    assert some.tolist() == [[block[4, 100], block[4, 8]], [block[1, 100], block[1, 8]]]


def test_the_bits_never_change() -> None:
    assert stream_key(7, streams.SESSION) == KEY_OF_7
    assert [draw(KEY_OF_7, 3, 5, slot) for slot in range(3)] == DRAWS_OF_7


def test_no_two_numbers_of_a_session_share_an_address() -> None:
    named = [
        [streams.SESSION_START],
        [streams.SESSION_GOAL],
        range(streams.SESSION_CHOICES, streams.SESSION_CHOICES + streams.MAX_CHOICES),
        range(streams.SESSION_BATTLES, streams.SESSION_BATTLES + streams.MAX_BATTLES),
        range(streams.SESSION_PULLS, streams.SESSION_PULLS + streams.MAX_PULLS),
        [*streams.SESSION_CHESTS.values()],
        [streams.SESSION_WISH, streams.SESSION_TRANSFER, streams.SESSION_RECEIVER, streams.SESSION_SELL],
        [streams.SESSION_GIFT, streams.SESSION_GIFT_RECEIVER],
    ]
    addresses = [address for group in named for address in group]
    assert len(set(addresses)) == len(addresses)
    assert max(addresses) < streams.SESSION_DRAWS
    assert streams.DAY_HOURS + streams.MAX_SESSIONS <= streams.DAY_DRAWS
    assert streams.MAX_SESSIONS * streams.SESSION_DRAWS <= streams.MAX_SLOTS


@pytest.mark.parametrize("along", ["players", "days", "slots"])
def test_every_bit_is_fair_along_every_axis(along: str) -> None:
    numbers = _along(stream_key(11, streams.PRESENCE), along, 1 << 16)
    ones = [(numbers >> bit & 1).sum() for bit in range(32)]
    half = len(numbers) / 2
    chi_square = sum((one - half) ** 2 / half * 2 for one in ones)
    assert stats.chi2.sf(chi_square, 32) > LUCK


@pytest.mark.parametrize("along", ["players", "days", "slots"])
def test_values_are_uniform_along_every_axis(along: str) -> None:
    numbers = _along(stream_key(12, streams.SESSION), along, 1 << 16)
    high = np.bincount(numbers >> 24, minlength=256)
    low = np.bincount(numbers & 255, minlength=256)
    assert stats.chisquare(high).pvalue > LUCK
    assert stats.chisquare(low).pvalue > LUCK


@pytest.mark.parametrize("along", ["players", "days", "slots"])
def test_neighbours_along_every_axis_share_nothing(along: str) -> None:
    numbers = _along(stream_key(13, streams.SESSION), along, 1 << 16)
    assert _unrelated(numbers[:-1], numbers[1:])
    assert _unrelated(numbers[:-2], numbers[2:])


def test_neighbouring_seeds_and_streams_share_nothing() -> None:
    keys = [stream_key(seed, streams.SESSION) for seed in range(5)] + [stream_key(4, streams.PRESENCE)]
    for one, other in pairwise(keys):
        assert _unrelated(draws(one, 1 << 14, 9, 4).ravel(), draws(other, 1 << 14, 9, 4).ravel())


def test_keys_differ() -> None:
    names = [streams.POPULATION, streams.PRESENCE, streams.SESSION]
    keys = {stream_key(seed, name) for seed in range(-200, 200) for name in names}
    assert len(keys) == 400 * len(names)


def _along(key: int, axis: str, count: int) -> IntArray:
    """Numbers whose addresses differ in one part only."""
    if axis == "players":
        return draws(key, count, 17, 1).ravel()
    if axis == "slots":
        return draws(key, np.array([23]), 17, count).ravel()
    return np.array([draw(key, 23, day, 5) for day in range(count)])


def _unrelated(one: IntArray, other: IntArray) -> bool:
    """Neither correlated as values, nor equal in more or fewer bits than half of them."""
    bound = stats.norm.isf(LUCK / 2)
    correlation = np.corrcoef(one, other)[0, 1] * np.sqrt(len(one))
    differing = int(np.bitwise_count(one ^ other).sum())
    excess = (differing - 16 * len(one)) / np.sqrt(8 * len(one))
    return bool(abs(correlation) < bound and abs(excess) < bound)
