"""The door for options: a value is taken as what it is meant for, or refused in a sentence, the cure last."""

from __future__ import annotations

import datetime as dt
import math
import operator
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, SupportsFloat, SupportsIndex, TypeVar

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

_FEW: Final = 12
"""As many names can be read in a sentence."""


def near(name: object, known: Iterable[str]) -> str:
    """Say which names come near one that is unknown, or which there are."""
    names = list(dict.fromkeys(known))
    asked = str(name).lower()
    holding = [one for one in names if asked and asked in one.lower()]
    if found := get_close_matches(asked, names) or holding[:_FEW]:
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


def once(named: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Take what is named, if each name comes once: of two, one would be dropped without a word.

    Raises:
        MisuseError: A name comes twice.
    """
    found: dict[str, T] = {}
    for name, value in named:
        if name in found:
            raise MisuseError(f"{name!r} is given twice: give it once")
        found[name] = value
    return found


def plain(value: object) -> object:
    """An integer of any library as Python's own; everything else as it is."""
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        with suppress(TypeError):  # Every array has the method, and few are a number.
            return operator.index(value)
    return value


def real(value: object) -> float | None:
    """A number of any library as Python's own; None where it is none, such as a truth value or a text."""
    if isinstance(value, SupportsFloat) and not isinstance(value, (bool, str)):
        with suppress(TypeError, ValueError, OverflowError):
            return float(value)
    return None


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


def whole_seed(value: object) -> int:
    """Take the seed of a run, or of many.

    Raises:
        MisuseError: It is no whole number of 64 bits.
    """
    return whole("seed", value, -(2**63), 2**63 - 1, cure="use a whole number of 64 bits")


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
    number = real(value)
    if number is not None and low < number < high:
        return number
    raise MisuseError(f"{option} is {value!r}; use a number between {low:g} and {high:g}")


def ends(option: str, value: object) -> tuple[float, float]:
    """Take the two ends of a band, of which one may be None or infinite: it is open there.

    Raises:
        MisuseError: They are none, the wrong way round, or both open.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2:  # noqa: PLR2004 - two ends
        low, high = (
            real(open_end if end is None else end)
            for end, open_end in zip(value, (-math.inf, math.inf), strict=True)
        )
        if low is not None and high is not None and low < high and (low, high) != (-math.inf, math.inf):
            return low, high
    raise MisuseError(
        f"{option} is {value!r}: give two ends, the lower end first and None for no end, such as (None, 0.6)"
    )


def day(option: str, value: object) -> dt.date | None:
    """Take a day: a date, or one as ISO 8601 writes it; None is none. A moment is one that begins a UTC day.

    Raises:
        MisuseError: It is neither.
    """
    try:
        if value is None or isinstance(value, str):
            return None if value is None else dt.date.fromisoformat(value)
    except ValueError:
        pass
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo is None else value.astimezone(dt.timezone.utc)
        if moment.time() == dt.time():
            return moment.date()
    elif isinstance(value, dt.date):
        return value
    raise MisuseError(f"{option} is {value!r}; use a date such as '2026-10-01'")
