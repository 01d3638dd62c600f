"""Pulls: what they cost, how rare the result is, and the guarantee after a dry run.

Rarities are numbered from the most common, 0, upwards. A draw is an integer from 0 to ``2**32 - 1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.rules.codes import BAD_QUANTITY, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.draws import below

if TYPE_CHECKING:
    from collections.abc import Sequence

TEN_PULLS: Final = 10
"""The size of the one bundle that is sold."""

PPM: Final = 1_000_000
DRAWS: Final = 1 << 32


def rarity_thresholds(odds_ppm: Sequence[int]) -> tuple[int, ...]:
    """Turn odds into the table that pulls read; built once per economy, not compiled.

    Args:
        odds_ppm: Chance of each rarity in parts per million, the most common first; they sum to 1,000,000.

    Returns:
        Per rarity ``floor(2**32 x chance of this rarity or a commoner one)``; the last is ``2**32``. A draw
        has the first rarity whose threshold exceeds it.
    """
    return tuple((sum(odds_ppm[: index + 1]) << 32) // PPM for index in range(len(odds_ppm)))


def rarity_of(draw: int, thresholds: Sequence[int]) -> int:
    """Look a draw up.

    Args:
        draw: A draw of 32 bits.
        thresholds: The table of ``rarity_thresholds``.

    Returns:
        The rarity's index.
    """
    rarity = 0
    last = len(thresholds) - 1  # Compiled code does not check an index: never read past the table.
    while rarity < last and draw >= thresholds[rarity]:
        rarity += 1
    return rarity


def pay_pulls(gems: int, pulls: int, price_gems: int, ten_price_gems: int) -> tuple[int, int, int]:
    """Decide whether pulls can be paid.

    Args:
        gems: Balance before, in gems.
        pulls: Pulls wanted, 1 or 10.
        price_gems: Price of one pull, in gems.
        ten_price_gems: Price of ten pulls together, in gems.

    Returns:
        OK, BAD_QUANTITY or TOO_POOR, the balance afterwards and the price (0 unless the code is OK).
    """
    if pulls == 1:
        cost_gems = price_gems
    elif pulls == TEN_PULLS:
        cost_gems = ten_price_gems
    else:
        return BAD_QUANTITY, gems, 0
    if cost_gems > gems:
        return TOO_POOR, gems, 0
    return OK, gems - cost_gems, cost_gems


def pull(
    draw: int, pity: int, pity_pulls: int, pity_rarity: int, thresholds: Sequence[int]
) -> tuple[int, int]:
    """Make one pull.

    Args:
        draw: A draw of 32 bits.
        pity: Pulls since the last one of the pity rarity or better.
        pity_pulls: The pull of a dry run that is guaranteed, at least 1.
        pity_rarity: The index of the rarity that is guaranteed at least.
        thresholds: The table of ``rarity_thresholds``.

    Returns:
        The rarity's index and the new count. At the guaranteed pull the rarities from ``pity_rarity`` upwards
        keep their odds relative to one another. The count restarts at 0 with each of them, lucky or not.
    """
    rarity = rarity_of(draw, thresholds)
    if rarity >= pity_rarity:
        return rarity, 0
    if pity + 1 < pity_pulls:
        return rarity, pity + 1
    return guaranteed_rarity(draw, pity_rarity, thresholds), 0


def guaranteed_rarity(draw: int, pity_rarity: int, thresholds: Sequence[int]) -> int:
    """Replace a draw that was too common at the guaranteed pull.

    Args:
        draw: A draw below the threshold of the rarity before ``pity_rarity``.
        pity_rarity: The index of the rarity that is guaranteed at least, at least 1.
        thresholds: The table of ``rarity_thresholds``.

    Returns:
        A rarity's index, with the odds that the rarities from ``pity_rarity`` upwards have among themselves:
        the draw is stretched from the common part of the table over the rare one. Where all of those have no
        chance, ``pity_rarity`` itself.
    """
    common = thresholds[pity_rarity - 1]
    rare = DRAWS - common
    if rare < 1:
        return pity_rarity
    return rarity_of(common + draw * rare // common, thresholds)  # The product is at most 2**62.


def widths(least: int, thresholds: Sequence[int]) -> tuple[int, ...]:
    """Compute what the chance of each rarity is made of, for people to read; not compiled.

    Args:
        least: The index of the rarity that is guaranteed at least; 0 for a plain pull.
        thresholds: The table of ``rarity_thresholds``.

    Returns:
        Per rarity, the most common first, its part of all that may be drawn: its chance is its part of their
        sum. Those below ``least`` have none, the others keep what they are to one another, as
        ``guaranteed_rarity`` draws them.
    """
    found = [0] * least
    for index in range(least, len(thresholds)):
        found.append(thresholds[index] - (thresholds[index - 1] if index else 0))
    if not sum(found):
        found[least] = 1
    return tuple(found)


def character_of(draw: int, count: int) -> int:
    """Choose a character within a rarity, each with the same chance.

    Args:
        draw: A draw of 32 bits, another than the one that gave the rarity.
        count: Characters of the rarity, 1 to ``2**46``.

    Returns:
        The character's index among them, 0 to ``count - 1``.
    """
    return below(draw, count)


def ring_bell(pity: int, pity_pulls: int, extra_pulls: int) -> int:
    """Add a summoner bell to the count.

    Args:
        pity: Pulls since the last one of the pity rarity or better.
        pity_pulls: The pull of a dry run that is guaranteed.
        extra_pulls: What the bell adds, at least 0.

    Returns:
        The new count, at most ``pity_pulls - 1`` (the next pull is guaranteed, none is skipped), never less
        than before.
    """
    return max(pity, min(pity + extra_pulls, pity_pulls - 1))


def keep_or_shard(copies: int, shards: int, duplicate_shards: int) -> tuple[int, int]:
    """Keep a character that was pulled, or turn a duplicate into shards.

    Args:
        copies: 0 where the player has none of this character, else 1.
        shards: Shards held before.
        duplicate_shards: What a duplicate of this rarity gives.

    Returns:
        Copies and shards afterwards; shards stay at most ``MAX_BALANCE``.
    """
    if copies < 1:
        return 1, shards
    return copies, max(shards, min(shards + duplicate_shards, MAX_BALANCE))
