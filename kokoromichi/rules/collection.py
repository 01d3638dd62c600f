"""What players do with the characters they have, and with the shards of those they had already."""

from __future__ import annotations

from typing import NamedTuple

from kokoromichi.rules.codes import CHARACTER_OWNED, NOT_FOR_SALE, NOT_OWNED, OK, TOO_POOR


class Chosen(NamedTuple):
    """What the choice of a favourite came to: OK or NOT_OWNED; nothing moves."""

    code: int


def choose_favorite(named: int, copies: int) -> Chosen:
    """Decide whether a character may be the favourite.

    Args:
        named: 1 where a character is named, 0 where it shall be none.
        copies: What the player has of that character.

    Returns:
        The choice.
    """
    return Chosen(NOT_OWNED if named > 0 and copies < 1 else OK)


class Redeemed(NamedTuple):
    """What choosing a character for shards came to; on a refusal everything is as before.

    Attributes:
        code: OK, CHARACTER_OWNED, NOT_FOR_SALE or TOO_POOR.
        copies: What the player has of the character afterwards.
        shards: Shards held afterwards.
    """

    code: int
    copies: int
    shards: int


def redeem(shards: int, copies: int, price_shards: int) -> Redeemed:
    """Decide the choice of a character for shards: one that the player does not have.

    Args:
        shards: Shards held before.
        copies: What the player has of the character.
        price_shards: Its price, in shards; below 1 it is not offered.

    Returns:
        The choice; neither gold nor gems move.
    """
    if copies > 0:
        return Redeemed(CHARACTER_OWNED, copies, shards)
    if price_shards < 1:
        return Redeemed(NOT_FOR_SALE, copies, shards)
    if price_shards > shards:
        return Redeemed(TOO_POOR, copies, shards)
    return Redeemed(OK, 1, shards - price_shards)
