"""What a weight is: an integer in place of an exponential, and the steps in which purse and cost are seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SAVE_WEIGHT: Final = 1 << 20
"""The weight of *save*, whose utility is 0."""
WEIGHT_CAP: Final = 1 << 26
"""The most that any alternative weighs: a million of them sum below 2^46, the bound of ``below``."""
BUCKETS: Final = 130
"""Purse buckets: two an octave, for every int64."""
NEED_ONE: Final = 5 << 26
"""What a need of 1 is in the table of needs; 5 x 2^26 holds 1/20 and 4^-13 exactly."""
FACTOR_ONE: Final = 1 << 10
TRAIN_PARTS: Final = 8
"""Steps of the training cost per reference cost."""
TRAIN_STEPS: Final = 1_024
"""Length of a row of training factors; beyond 128 times the reference cost the factor stays."""
_UPPER_HALF: Final = 0.75
"""Where the second half of an octave starts, as a mantissa."""
_LEAST_PURSE_GOLD: Final = 100
_HIGHEST_UTILITY: Final = 50.0


def exponential_weights(utilities: ArrayLike) -> list[int]:
    """Turn utilities, in utils, into weights: ``min(2^26, floor(exp(utility) x 2^20 + 0.5))`` each."""
    bounded = np.minimum(utilities, _HIGHEST_UTILITY).tolist()
    exponentials = np.fromiter(map(math.exp, bounded), np.float64)  # Not numpy's, whose last bits differ.
    weights: list[int] = np.minimum(exponentials * SAVE_WEIGHT + 0.5, WEIGHT_CAP).astype(np.int64).tolist()
    return weights


def purse_bucket(gold: int) -> int:
    """The bucket of a purse: two an octave, ``2 x bit_length + next bit``.

    Args:
        gold: Balance in gold, at least 0.

    Returns:
        0 to ``BUCKETS`` - 1.
    """
    mantissa, exponent = math.frexp(gold)
    if mantissa >= _UPPER_HALF:
        return 2 * exponent + 1
    return 2 * exponent


def purse_of_bucket(bucket: int) -> float:
    """The purse, in gold, that stands for all of a bucket: the middle of its half octave, at least 100."""
    middle = 1.75 if bucket % 2 else 1.25
    return max(float(_LEAST_PURSE_GOLD), 2.0 ** (bucket // 2 - 1) * middle)


def scale_weight(weight: int, factor: int) -> int:
    """Multiply a weight with a factor in 1 / ``FACTOR_ONE``, under the cap."""
    return min(weight * factor // FACTOR_ONE, WEIGHT_CAP)


def train_step(cost_gold: int, reference_gold: int) -> int:
    """Place of a training cost in a row of training factors: eighths of the reference cost.

    Args:
        cost_gold: Cost of the next session, in gold.
        reference_gold: Cost of the first session that the population remembers, in gold.

    Returns:
        1 to ``TRAIN_STEPS`` - 1.
    """
    return min(max(TRAIN_PARTS * cost_gold // reference_gold, 1), TRAIN_STEPS - 1)
