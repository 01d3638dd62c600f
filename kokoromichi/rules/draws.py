"""Turning a draw of 32 bits into one of so many outcomes, in 64-bit integers."""

from __future__ import annotations


def below(draw: int, bound: int) -> int:
    """Turn a draw into an integer from 0 to bound - 1.

    The product is taken in two halves of the draw, because ``draw * bound`` leaves int64 from 2^31 on.

    Args:
        draw: A draw of 32 bits.
        bound: How many outcomes, or the sum of their weights: 1 to 2^46.

    Returns:
        ``draw * bound >> 32``, exactly; each outcome has the same chance up to bound / 2^32.
    """
    return (draw >> 16) * bound + ((draw & 0xFFFF) * bound >> 16) >> 16
