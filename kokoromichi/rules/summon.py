"""Pulls: what they cost, how rare the result is, and the guarantee after a dry run.

Rarities are numbered from the most common, 0, upwards. A draw is an integer from 0 to ``2**32 - 1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules.codes import BAD_QUANTITY, MAX_BALANCE, OK, TOO_POOR
from kokoromichi.rules.draws import below

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

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


def pay_pulls(gems: int, pulls: int, price_gems: int, ten_price_gems: int) -> tuple[int, int]:
    """Decide whether pulls can be paid.

    Args:
        gems: Balance before, in gems.
        pulls: Pulls wanted, 1 or 10.
        price_gems: Price of one pull, in gems.
        ten_price_gems: Price of ten pulls together, in gems.

    Returns:
        OK, BAD_QUANTITY or TOO_POOR, and the price, also where it is more than the balance.
    """
    if pulls == 1:
        cost_gems = price_gems
    elif pulls == TEN_PULLS:
        cost_gems = ten_price_gems
    else:
        return BAD_QUANTITY, 0
    if cost_gems > gems:
        return TOO_POOR, cost_gems
    return OK, cost_gems


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


def next_widths(left: int, pity_rarity: int, thresholds: Sequence[int]) -> tuple[int, ...]:
    """Compute the ``widths`` of a player's next pull, for people to read; not compiled.

    Args:
        left: What ``left_pulls`` says.
        pity_rarity: The index of the rarity that is guaranteed at least.
        thresholds: The table of ``rarity_thresholds``.
    """
    return widths(pity_rarity if left == 1 else 0, thresholds)


def lucky_draws(pulls: int, left: int, least: int, thresholds: Sequence[int]) -> tuple[int, int]:
    """Compute the chance that some of the next pulls is rare, for people to read; not compiled.

    Args:
        pulls: So many pulls.
        left: What ``left_pulls`` says.
        least: The index of the rarity that counts as rare.
        thresholds: The table of ``rarity_thresholds``.

    Returns:
        Draws of all pulls together with such a rarity among them, and all there are: the chance is their
        ratio.
    """
    every = DRAWS**pulls
    if left <= pulls or least < 1:
        return every, every
    return every - thresholds[least - 1] ** pulls, every


def character_of(draw: int, count: int) -> int:
    """Choose a character within a rarity, each with the same chance.

    Args:
        draw: A draw of 32 bits, another than the one that gave the rarity.
        count: Characters of the rarity, 1 to ``2**46``.

    Returns:
        The character's index among them, 0 to ``count - 1``.
    """
    return below(draw, count)


def left_pulls(pity: int, pity_pulls: int) -> int:
    """Say at which pull the guarantee comes, unless luck is faster.

    Args:
        pity: Pulls since the last one of the pity rarity or better.
        pity_pulls: The pull of a dry run that is guaranteed.

    Returns:
        The pull, counted from the next one: at least 1.
    """
    return max(1, pity_pulls - pity)


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


class Summoned(NamedTuple):
    """What a summon came to; on a refusal everything is as before, and nothing moved.

    Attributes:
        code: OK, BAD_QUANTITY or TOO_POOR.
        gems: Balance afterwards, in gems.
        pity: Pulls since the last one of the pity rarity or better.
        pulls: Pulls ever made.
        shards: Shards held afterwards.
        moved_gems: Gems that moved, at most 0.
    """

    code: int
    gems: int
    pity: int
    pulls: int
    shards: int
    moved_gems: int


class Summoner(NamedTuple):
    """What a summon reads of a player, but for the collection.

    Attributes:
        gems: Balance, in gems.
        pity: Pulls since the last one of the pity rarity or better.
        pulls: Pulls ever made.
        shards: Shards held.
    """

    gems: int
    pity: int
    pulls: int
    shards: int


class Pool(NamedTuple):
    """What a summon reads of the economy: flat tables, the most common rarity first.

    Attributes:
        price_gems: Price of one pull.
        ten_price_gems: Price of ten pulls together.
        pity_pulls: The pull of a dry run that is guaranteed, at least 1.
        pity_rarity: The index of the rarity that is guaranteed at least.
        thresholds: The table of ``rarity_thresholds``.
        starts: Number of the first character of each rarity, then the number of all characters.
        duplicate_shards: What a duplicate of each rarity gives.
    """

    price_gems: int
    ten_price_gems: int
    pity_pulls: int
    pity_rarity: int
    thresholds: Sequence[int]
    starts: Sequence[int]
    duplicate_shards: Sequence[int]


def summon(
    wanted: int,
    draws: Sequence[int],
    summoner: Summoner,
    copies: MutableSequence[int],
    found: MutableSequence[int],
    first: MutableSequence[int],
    pool: Pool,
) -> Summoned:
    """Make 1 or 10 pulls: charged, drawn, and kept or turned into shards.

    Args:
        wanted: Pulls wanted, any integer of 64 bits.
        draws: 32 bits each: one a pull for the rarities, then one a pull for the characters.
        summoner: The player.
        copies: What the player has of each character, by its number; receives what is so afterwards.
        found: Receives the number of each pull's character; at least as long as the pulls.
        first: Receives 1 for each pull of a character that was not owned, else 0; as long as ``found``.
        pool: The economy's tables.

    Returns:
        The summon; on a refusal no sequence is touched and no draw is read.
    """
    code, cost_gems = pay_pulls(summoner.gems, wanted, pool.price_gems, pool.ten_price_gems)
    if code != OK:
        return Summoned(code, summoner.gems, summoner.pity, summoner.pulls, summoner.shards, 0)
    pity, shards, starts = summoner.pity, summoner.shards, pool.starts
    for place in range(wanted):
        rarity, pity = pull(draws[place], pity, pool.pity_pulls, pool.pity_rarity, pool.thresholds)
        count = starts[rarity + 1] - starts[rarity]
        found[place] = character = starts[rarity] + character_of(draws[wanted + place], count)
        had = copies[character]
        first[place] = 1 if had < 1 else 0
        copies[character], shards = keep_or_shard(had, shards, pool.duplicate_shards[rarity])
    gems = summoner.gems - cost_gems
    return Summoned(OK, gems, pity, summoner.pulls + wanted, shards, -cost_gems)
