"""The door for options: a value is taken as what it is meant for, or refused in a sentence, the cure last."""

from __future__ import annotations

import datetime as dt
import math
import operator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, SupportsFloat, SupportsIndex

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW: Final = 12
"""As many names can be read in a sentence."""


def near(name: object, known: Iterable[str]) -> str:
    """Say which names come near one that is unknown, or which there are."""
    names = list(dict.fromkeys(known))
    if found := get_close_matches(str(name).lower(), names):
        return f"near it: {', '.join(found)}"
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"there are {', '.join(names[:_FEW])}{more}" if names else "there are none"


def one_of(option: str, value: object, known: Iterable[str]) -> str:
    """Take one of some names.

    Raises:
        MisuseError: It is none of them; the nearest are named.
    """
    names = list(known)
    if isinstance(value, str) and value in names:
        return value
    raise MisuseError(f"{option} {value!r} is unknown; {near(value, names)}")


def plain(value: object) -> object:
    """An integer of any library as Python's own; everything else as it is."""
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        return operator.index(value)
    return value


def whole(option: str, value: object, least: int, most: int, *, cure: str = "") -> int:
    """Take a whole number; numpy's are as good as Python's.

    Args:
        option: Its name.
        value: What was given.
        least: The least that is taken.
        most: The most.
        cure: What to write instead, where it is not just another number.

    Raises:
        MisuseError: It is no whole number, a truth value, or out of range.
    """
    number = plain(value)
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    raise MisuseError(f"{option} is {number!r}; {cure or f'use a whole number from {least:,} to {most:,}'}")


def percent(option: str, value: object, most: int = 10_000) -> int:
    """Take a whole number of per cent, at least 1.

    Raises:
        MisuseError: It is none; of a fraction, the error says what it would be in per cent.
    """
    fraction = isinstance(value, float) and 0 < value < 1
    cure = f"write {round(100 * value)} for {round(100 * value)} %" if fraction else ""  # type: ignore[operator]
    return whole(option, value, 1, most, cure=cure)


def between(option: str, value: object, low: float, high: float) -> float:
    """Take a number between two, neither of which it may be.

    Raises:
        MisuseError: It is no number, or not between them.
    """
    if isinstance(value, SupportsFloat) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and low < number < high:
            return number
    raise MisuseError(f"{option} is {value!r}; use a number between {low:g} and {high:g}")


def day(option: str, value: object) -> dt.date | None:
    """Take a day: a date, or one as ISO 8601 writes it; None is none.

    Raises:
        MisuseError: It is neither.
    """
    try:
        if value is None or isinstance(value, str):
            return None if value is None else dt.date.fromisoformat(value)
    except ValueError:
        pass
    if isinstance(value, dt.date):
        return value.date() if isinstance(value, dt.datetime) else value
    raise MisuseError(f"{option} is {value!r}; use a date such as '2026-10-01'")
