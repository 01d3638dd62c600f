"""The charts of a run: each metric's frame, on the axes that draw it."""

from __future__ import annotations

import re
from functools import partial, wraps
from inspect import Parameter, getdoc, signature
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.charts import CHARTS, chart
from kokoromichi.analysis.metrics import METRICS
from kokoromichi.analysis.plots.showing import pyplot_axes

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from matplotlib.axes import Axes

_FRAME: Final = re.compile(r"^ +frame: .*?(?=^ +ax: )", re.DOTALL | re.MULTILINE)
"""Of a chart's docstring: the argument that a run brings itself."""


class RunPlots:
    """``plots.supply()`` and so on: every name of ``CHARTS`` is a method, and answers the Axes it drew on.

    Each takes ``ax`` (axes to draw on, None for a figure of pyplot's) and the options of the chart.

    Args:
        measure: Answers a metric's frame by its name and options.
        first_day: First day of what is measured after the warm-up.
    """

    def __init__(self, measure: Callable[..., pl.DataFrame], first_day: int) -> None:
        self._measure = measure
        self._first_day = first_day

    def __dir__(self) -> list[str]:
        """The charts, for completion."""
        return sorted(CHARTS)

    def __getattr__(self, name: str) -> Callable[..., Axes]:
        """A chart that was added after this class was made.

        Raises:
            MisuseError: There is no such chart.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(_method(name), self)

    def _draw(self, name: str, ax: Axes | None, options: dict[str, object]) -> Axes:
        entry = chart(name)
        frame = self._measure(entry.metric, **METRICS[entry.metric].options(self._first_day))
        if ax is not None:
            return entry.draw(frame, ax=ax, **options)
        with pyplot_axes() as axes:
            return entry.draw(frame, ax=axes, **options)


def _method(name: str) -> Callable[..., Axes]:
    """A chart's method, with the signature and the words of the chart's function, its frame left out."""
    draw = chart(name).draw

    called, first = signature(draw), chart(name).first
    own = sorted(list(called.parameters.values())[1:], key=lambda option: option.name != first)
    if first:
        own = [option.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for option in own]

    @wraps(draw)
    def method(self: RunPlots, *args: object, **options: object) -> Axes:
        given = {**dict(zip((option.name for option in own), args, strict=False)), **options}
        ax: Axes | None = given.pop("ax", None)  # type: ignore[assignment] # Whatever it is, it is drawn on.
        return self._draw(name, ax, given)

    mine = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *own]
    method.__doc__ = _FRAME.sub("", getdoc(draw) or "")
    method.__signature__ = called.replace(parameters=mine)  # type: ignore[attr-defined] # inspect reads it.
    return method


for _name in CHARTS:
    setattr(RunPlots, _name, _method(_name))
