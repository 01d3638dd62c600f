"""Measures and charts of a designer's own: registered by a line, they stand beside the shipped ones."""

from __future__ import annotations

import re
from functools import wraps
from inspect import getdoc, signature
from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.analysis.charts import CHARTS, ChartEntry
from kokoromichi.analysis.metrics import METRICS, Entry, framed
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import near

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from matplotlib.axes import Axes

    from kokoromichi.analysis.metrics import Metric
    from kokoromichi.analysis.observations import Observations

F = TypeVar("F", bound="Callable[..., object]")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def own_metric(function: F) -> F:
    """Let a function of ``Observations`` be a metric: in ``run.metric``, workbooks and the report.

    Use it as a decorator, ``@km.metric``. One that takes ``first_day`` is measured after the warm-up. What
    it is called with passes the door of all options.

    Args:
        function: Answers a polars frame, in memory or lazy, or a single number; its docstring's first line
            says what it means.

    Raises:
        MisuseError: A shipped metric has its name, or the name is none of small letters.
    """
    name = name_of(function)
    name = _free(function, "metric", taken=name == "headline" or (name in METRICS and not METRICS[name].own))
    METRICS[name] = Entry(
        module=function.__module__,
        after_warm_up="first_day" in signature(function).parameters,
        function=_framed(checked_options(function), name),
    )
    return function


def own_chart(metric: str) -> Callable[[F], F]:
    """Let a function draw a metric: as ``run.plot.<name>()``, and in the report.

    Use it as a decorator, ``@km.chart("whale_share")``.

    Args:
        metric: A key of ``METRICS``, one's own among them.

    Returns:
        A decorator of a function that takes the metric's frame, ``replication`` in front, and axes to draw
        on; the first line of its docstring is the chart's title.

    Raises:
        MisuseError: There is no such metric, or a shipped chart has the function's name.
    """
    if metric not in METRICS:
        raise MisuseError(f"there is no metric {metric!r} to draw; {near(metric, METRICS)}")

    def register(draw: F) -> F:
        name = _free(draw, "chart", taken=name_of(draw) in CHARTS and not CHARTS[name_of(draw)].own)
        CHARTS[name] = ChartEntry(metric, _themed(draw, name), own=True)
        return draw

    return register


def name_of(function: Callable[..., object]) -> str:
    """What a function is called."""
    return str(getattr(function, "__name__", ""))


def _free(function: Callable[..., object], kind: str, *, taken: bool) -> str:
    name = name_of(function)
    if not _NAME.fullmatch(name):
        raise MisuseError(
            f"{name!r} is no name of a {kind}; define a function whose name is of small letters"
        )
    if taken:
        raise MisuseError(f"{name} is a {kind} of KoKoroMichi itself; give the function another name")
    return name


def _framed(function: Callable[..., object], name: str) -> Metric:
    """The function with a lazy frame for an answer; a single number becomes a row."""

    @wraps(function)
    def measure(observations: Observations, **options: object) -> pl.LazyFrame:
        return framed(function(observations, **options), name)

    return measure


def _themed(draw: Callable[..., object], name: str) -> Callable[..., Axes]:
    """The function on axes in the project's style, with its title and its legend; an empty frame says so."""
    title = (getdoc(draw) or "").partition("\n")[0].rstrip(".") or canvas.words(name).capitalize()

    @wraps(draw)
    def chart(frame: pl.DataFrame, ax: Axes | None = None, **options: object) -> Axes:
        with canvas.drawing(ax, title) as axes:
            if canvas.has_data(frame, axes):
                draw(frame, axes, **options)
                canvas.legend_below(axes)
        return axes

    return chart
