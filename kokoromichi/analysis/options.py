"""What the options of every metric and chart may be, by their names: one door for all of them."""

from __future__ import annotations

import datetime as dt
import inspect
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import polars as pl

from kokoromichi.analysis.metrics.by_day import days
from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.options import ends, near, one_of, plain, whole
from kokoromichi.rules.codes import MAX_BALANCE

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_MOST_DAYS: Final = 3_660


def checked_options(function: Callable[P, T]) -> Callable[P, T]:
    """Let everything that a metric or a chart is called with pass the door.

    Args:
        function: Takes ``Observations`` or a frame first; its options have the names of ``CHECKS``.

    Returns:
        The function with its signature and its words; it raises ``MisuseError`` for an option that it has not
        or that cannot be, naming what comes near, the cure last.
    """
    signature = inspect.signature(function)
    defaults = {name: parameter.default for name, parameter in signature.parameters.items()}

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        call = _bound(function, signature, args, kwargs)
        source = next(iter(call.arguments.values()))
        for name, value in call.arguments.items():
            if name in CHECKS and value is not defaults[name]:
                call.arguments[name] = CHECKS[name](name, value, source)
        return function(*call.args, **call.kwargs)

    return called


def _bound(
    function: Callable[..., object],
    signature: inspect.Signature,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> inspect.BoundArguments:
    odd = next((name for name in kwargs if name not in signature.parameters), None)
    if odd is not None and all(p.kind is not p.VAR_KEYWORD for p in signature.parameters.values()):
        known = list(signature.parameters)[1:]
        raise MisuseError(f"{function.__name__} has no option {odd!r}; {near(odd, known)}")
    call = signature.bind(*args, **kwargs)
    call.apply_defaults()
    return call


def _day(option: str, value: object, source: object) -> dt.date | int:
    """A date, or a number of days after the first one; within what was observed, where anything was."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, dt.date)) or isinstance(number, dt.datetime):
        raise MisuseError(
            f"{option} is {value!r}; use a number of days after the first one, or a date such as "
            f"{_date_in(value)!r}"
        )
    if not isinstance(source, Observations):
        return number
    first, last = days(source).select(first=pl.col("day").min(), last=pl.col("day").max()).collect().row(0)
    if first is not None:
        most = (last - first).days
        at = number if isinstance(number, int) else (number - first).days
        if not 0 <= at <= most:
            raise MisuseError(
                f"{option} is {number}, which was not observed; "
                f"use 0 to {most}, or a date from {first} to {last}"
            )
    return number


def _date_in(value: object) -> dt.date:
    """The date that was meant, where it can be read."""
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return dt.date(2026, 1, 5)


def _days(option: str, value: object, _source: object) -> int:
    return whole(option, value, 1, _MOST_DAYS)


def _currency(option: str, value: object, _source: object) -> str:
    return one_of(option, value, CURRENCIES)


def _named(option: str, value: object, source: object) -> object:
    """A name in the column that is called like the option; any, where there is no row."""
    if isinstance(source, pl.DataFrame) and not source.is_empty():
        return one_of(option, value, sorted(source[option].drop_nulls().unique()))
    return value


def _text(option: str, value: object, _source: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise MisuseError(f"{option} is {value!r}; use a text")


def _colour(option: str, value: object, _source: object) -> object:
    from matplotlib.colors import CSS4_COLORS, is_color_like  # noqa: PLC0415 - a metric needs no charts

    if value is None or is_color_like(value):
        return value
    raise MisuseError(
        f"{option} {value!r} is unknown; {near(value, CSS4_COLORS)}; or use one such as '#0072b2'"
    )


def _gold(option: str, value: object, _source: object) -> int | None:
    return None if value is None else whole(option, value, 0, MAX_BALANCE)


def _band(option: str, value: object, _source: object) -> tuple[float, float] | None:
    return None if value is None else ends(option, value)


CHECKS: Final[dict[str, Callable[[str, object, object], object]]] = {
    "day": _day,
    "first_day": _day,
    "last_day": _day,
    "period_days": _days,
    "window_days": _days,
    "days_a_bar": _days,
    "currency": _currency,
    "item_id": _named,
    "archetype": _named,
    "label": _text,
    "colour": _colour,
    "opening": _gold,
    "target": _band,
}
"""By the name of an option: takes the name, what was given, and the observations or the frame it is for."""
