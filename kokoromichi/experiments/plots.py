"""The charts of a comparison: every number at once, one number pair by pair, one change day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import Affine2D

from kokoromichi.analysis.plots import style
from kokoromichi.analysis.plots.canvas import (
    has_data,
    label_axes,
    legend_below,
    percent,
    shown,
    thousands,
    whole_days,
)
from kokoromichi.analysis.statistics import student_t
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.comparison import BASE, CERTAIN, NEGLIGIBLE, NOT_VISIBLE, UNCHANGED
from kokoromichi.experiments.likeness import INSIDE
from kokoromichi.experiments.measures import MEASURES, measure_of, require_measures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kokoromichi.experiments.comparison import Comparison
    from kokoromichi.experiments.likeness import Likeness
    from kokoromichi.experiments.sensitivity import Sensitivity
    from kokoromichi.experiments.tuned import Tuned

VERDICT_COLOURS: Final = {
    CERTAIN: style.BLUE,
    NEGLIGIBLE: style.GREEN,
    UNCHANGED: style.GREEN,
    NOT_VISIBLE: style.SLATE,
}
_ROW_IN: Final = 0.24
_LEAST_SHARE, _MOST_SHARE = 0.02, 1.5
_INSIDE: Final = 0.85
_ROOM: Final = 1.3
_BASE, _OTHER = 0, 1
_BEYOND: Final = 2.5
"""Where an arrow stands for a number that lies farther outside, in half ranges."""


class ComparisonPlots:
    """Charts of a comparison; each answers the Axes it drew on.

    Args:
        comparison: What is drawn.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def forest(self, scenario: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw every number's change in per cent of the base, with its interval and its verdict.

        Args:
            scenario: Which one; the first one when left out.
            ax: Where to draw; None for a figure of its own.
        """
        name = self._scenario(scenario)
        table = self._comparison.table().filter(
            pl.col("scenario") == name, pl.col("change_share").is_not_null()
        )
        title = f"{name} against {self._comparison.base.name}"
        with shown(ax, title, 1.0 + _ROW_IN * max(table.height, 3)) as axes:
            if has_data(table, axes):
                _forest(table, axes)
            return axes

    def pairs(self, metric: str | None = None, scenario: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw one number of every run under both scenarios, a line a pair.

        Args:
            metric: Its name; the primary one when left out.
            scenario: Which one; the first one when left out.
            ax: Where to draw; None for a figure of its own.
        """
        name, wanted = self._scenario(scenario), metric or self._comparison.asked.primary
        require_measures([wanted], self._comparison.measures, "plot.pairs")
        measure = self._comparison.measures[wanted]
        old, new = self._comparison.pairs(name, wanted)
        with shown(ax, f"{measure.title}, pair by pair") as axes:
            for before, after in zip(old, new, strict=True):
                colour = style.VERMILLION if after < before else style.BLUE
                axes.plot([_BASE, _OTHER], [before, after], color=colour, alpha=0.5, linewidth=1)
                axes.plot([_BASE, _OTHER], [before, after], ".", color=colour, markersize=5)
            axes.set_xlim(-0.3, 1.3)
            axes.set_xticks([_BASE, _OTHER], [self._comparison.base.name, name])
            label_axes(axes, f"{len(old)} pairs of runs", measure.unit)
            thousands(axes.yaxis)
            return axes

    def event(
        self,
        what: str | None = None,
        scenario: str | None = None,
        ax: Axes | None = None,
        *,
        day: int | None = None,
    ) -> Axes:
        """Draw day by day how far a scenario lies from the base: an event study over pairs.

        Args:
            what: An item that was changed (its units a day), or ``supply_gold``, ``spent_gold``,
                ``net_gold``; the first changed item when left out, else the supply.
            scenario: Which one; the first one when left out.
            ax: Where to draw; None for a figure of its own.
            day: Where to mark the change; the first scheduled one when left out.
        """
        name, column = self._scenario(scenario), self._day_column(what)
        apart = self.daily(column, name)
        title = f"{column.removesuffix('.units').replace('_', ' ').capitalize()}: {name} − base"
        with shown(ax, title) as axes:
            axes.axhline(0, color=style.SLATE, linewidth=0.8)
            axes.fill_between(apart["day"], apart["low"], apart["high"], color=style.BLUE, alpha=0.2)
            axes.plot(apart["day"], apart["mean"], color=style.BLUE)
            begins = self._begins(name) if day is None else day
            if begins is not None:
                axes.axvline(begins, color=style.VERMILLION, linewidth=1, linestyle=(0, (4, 3)))
            label_axes(axes, "day", "units a day" if column.endswith(".units") else "gold")
            whole_days(axes.xaxis)
            thousands(axes.yaxis)
            return axes

    def _scenario(self, name: str | None) -> str:
        names = list(self._comparison.others)
        if name is None:
            return names[0]
        if name not in names:
            raise MisuseError(f"there is no scenario {name!r}; compared were {', '.join(names)}")
        return name

    def _day_column(self, what: str | None) -> str:
        columns = self._comparison.by_day.columns[3:]
        items = [column for column in columns if column.endswith(".units")]
        wanted = (items or ["supply_gold"])[0] if what is None else what
        found = wanted if wanted in columns else f"{wanted}.units"
        if found not in columns:
            names = ", ".join(column.removesuffix(".units") for column in columns)
            raise MisuseError(f"{what!r} was not changed, so that its days were not kept; there are {names}")
        return found

    def daily(self, what: str | None = None, scenario: str | None = None) -> pl.DataFrame:
        """How far a scenario lies from the base, day by day; the numbers of ``event``.

        Args:
            what: As in ``event``.
            scenario: Which one; the first one when left out.

        Returns:
            One row per day, ascending: ``day`` (Int64, from 0), ``mean``, ``low``, ``high`` and ``error``
            (Float64) of the difference over the pairs, ``runs`` (UInt32).
        """
        days, keys, column = self._comparison.by_day, ["replication", "day"], self._day_column(what)
        old = days.filter(pl.col("scenario") == BASE).select(*keys, before=column)
        new = days.filter(pl.col("scenario") == self._scenario(scenario)).select(*keys, after=column)
        apart = old.join(new, on=keys).select("day", apart=pl.col("after") - pl.col("before"))
        summed = apart.group_by("day").agg(
            pl.col("apart").mean().alias("mean"), error=pl.col("apart").std() / pl.len().sqrt(), runs=pl.len()
        )
        margin = pl.col("error") * student_t(self._comparison.asked.confidence, summed["runs"].item(0) - 1)
        return summed.sort("day").with_columns(low=pl.col("mean") - margin, high=pl.col("mean") + margin)

    def _begins(self, scenario: str) -> int | None:
        changes = {*self._comparison.others[scenario].changes} - {*self._comparison.base.changes}
        return min((change.from_day for change in changes), default=None)


def _forest(table: pl.DataFrame, axes: Axes) -> None:
    places, edge = np.arange(table.height)[::-1], _edge(table)
    for place, row in zip(places, table.iter_rows(named=True), strict=True):
        colour = VERDICT_COLOURS.get(row["verdict"], style.ORANGE)
        base = abs(row["before"])
        if row["low"] is not None:
            low, high = row["low"] / base, row["high"] / base
            axes.plot(np.clip([low, high], -edge, edge), [place, place], color=colour, linewidth=2)
            for end in (low, high):
                if abs(end) > edge:
                    _mark(end, place, edge, colour, axes)
        share = row["change_share"]
        _mark(share, place, edge, colour, axes)
        beyond = f" ({100 * share:+,.0f} %)".replace("-", "−") if abs(share) > edge else ""
        axes.annotate(
            f"{row['verdict']}{beyond}", (1.03, place), xycoords=("axes fraction", "data"), color=colour,
            va="center", fontsize=8.5,
        )  # fmt: skip
    axes.axvline(0, color=style.SLATE, linewidth=0.8)
    axes.set_yticks(places, table["title"].to_list())
    axes.set_ylim(-0.7, table.height - 0.3)
    label_axes(axes, "change against the base", "", grid="x")
    axes.set_xlim(-edge, edge)
    axes.locator_params(axis="x", nbins=5)
    percent(axes.xaxis)


def _mark(value: float, place: float, edge: float, colour: str, axes: Axes) -> None:
    """A dot; where the value lies beyond an edge, an arrow head with its tip there."""
    side = (value > edge) - (value < -edge)
    look = MarkerStyle("o><"[side]).transformed(Affine2D().translate(-side / 2, 0))
    axes.plot(np.clip([value], -edge, edge), [place], marker=look, color=colour, markersize=5, clip_on=False)


def _edge(table: pl.DataFrame) -> float:
    """Where the forest ends: most numbers lie inside, and one that reaches far does not flatten them.

    A change beyond it is an arrow head at the edge, with its number beside it.
    """
    base = pl.col("before").abs()
    ends = (pl.col("change_share").abs(), (pl.col("low") / base).abs(), (pl.col("high") / base).abs())
    reach = table.select(pl.max_horizontal(ends)).to_series().quantile(_INSIDE, "linear")
    return min(max(_ROOM * (reach or 0.0), _LEAST_SHARE), _MOST_SHARE)


class TunedPlots:
    """Charts of a search; each answers the Axes it drew on.

    Args:
        tuned: What is drawn.
    """

    def __init__(self, tuned: Tuned) -> None:
        self._tuned = tuned

    def frontier(self, x: str | None = None, y: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw every trial over two targeted numbers, with their bands; filled where every target is met.

        The best one has a ring. A trial without a finite value of both is counted beneath the chart.

        Args:
            x: A target; the first one when left out.
            y: Another one; the second when left out.
            ax: Where to draw; None for a figure of its own.
        """
        names = list(self._tuned.targets)
        across, up = x or names[0], y or names[min(1, len(names) - 1)]
        for name in (across, up):
            if name not in names:
                raise MisuseError(f"{name!r} is no target; there are {', '.join(names)}")
        trials = self._tuned.table()
        drawn = trials.filter(pl.all_horizontal(pl.col(across, up).is_finite()))
        with shown(ax, "Trials and targets", 3.2) as axes:
            if has_data(drawn, axes):
                for part, label, size, face, edge in (
                    (drawn.filter(met=False), "a target missed", 26, "none", style.BLUE),
                    (drawn.filter(met=True), "every target met", 26, style.BLUE, style.BLUE),
                    (drawn.filter(trial=trials["trial"][0]), "the best", 90, "none", style.VERMILLION),
                ):
                    if part.height:
                        axes.scatter(
                            part[across], part[up], size, label=label, facecolors=face, edgecolors=edge,
                            linewidths=1.2,
                        )  # fmt: skip
                self._bands(across, up, axes)
                label_axes(axes, measure_of(across).label, measure_of(up).label)
            if hidden := trials.height - drawn.height:
                said = f"not drawn: {hidden} of {trials.height} trials, beyond the horizon or without a value"
                axes.plot([], [], " ", label=said)
            legend_below(axes)
            return axes

    def _bands(self, across: str, up: str, axes: Axes) -> None:
        """Shade what is wanted, as far as the axes reach."""
        x, y = axes.get_xlim(), axes.get_ylim()
        for name, span, (least, most) in ((across, axes.axvspan, x), (up, axes.axhspan, y)):
            band = self._tuned.targets[name]
            low, high = max(band.low, least), min(band.high, most)
            if low < high:
                span(low, high, color=style.GREEN, alpha=0.12)
        axes.set(xlim=x, ylim=y)


class LikenessPlots:
    """Charts of a real economy held against simulated runs; each answers the Axes it drew on.

    Args:
        found: What is drawn.
    """

    def __init__(self, found: Likeness) -> None:
        self._found = found

    def ranges(self, ax: Axes | None = None) -> Axes:
        """Draw where each number of the real economy lies in the range of the simulated runs.

        Args:
            ax: Where to draw; None for a figure of its own.
        """
        span = pl.col("high") - pl.col("low")
        table = self._found.table().filter(pl.col("live").is_finite(), span.is_finite(), span > 0)
        placed = table.with_columns(place=2 * (pl.col("live") - pl.col("low")) / span - 1)
        rows = np.arange(placed.height)[::-1]
        with shown(ax, "One real run, in the simulated range", 1.0 + _ROW_IN * max(placed.height, 3)) as axes:
            if not has_data(placed, axes):
                return axes
            axes.axvspan(-1, 1, color=style.GREEN, alpha=0.12)
            for row, place, verdict in zip(rows, placed["place"], placed["verdict"], strict=True):
                colour = style.BLUE if verdict == INSIDE else style.VERMILLION
                _mark(place, row, _BEYOND, colour, axes)
            axes.set_yticks(rows, placed["title"].to_list())
            axes.set_xlim(-_BEYOND - 0.2, _BEYOND + 0.2)
            axes.set_xticks([-1, 0, 1], ["least", "middle", "most"])
            label_axes(axes, "of what one more run would show; arrow: farther", "", grid="x")
            return axes


class SensitivityPlots:
    """Charts of a screening; each answers the Axes it drew on.

    Args:
        found: What is drawn.
    """

    def __init__(self, found: Sensitivity) -> None:
        self._found = found

    def tornado(self, metric: str = "supply_gold", ax: Axes | None = None) -> Axes:
        """Draw how much each number moves a metric, the strongest on top, with its interval.

        Args:
            metric: A number of the headline.
            ax: Where to draw; None for a figure of its own.
        """
        table = self._found.table(metric)
        places = np.arange(table.height)[::-1]
        with shown(ax, f"What moves: {MEASURES[metric].title}", 1.0 + _ROW_IN * max(table.height, 3)) as axes:
            colours = [style.BLUE if signed >= 0 else style.VERMILLION for signed in table["signed"]]
            axes.barh(places, table["effect"], color=colours, height=0.6)
            axes.hlines(places, table["low"], table["high"], color=style.INK, linewidth=1)
            axes.set_yticks(places, [f"{row['rank']}  {row['path']}" for row in table.iter_rows(named=True)])
            label_axes(axes, f"change over the whole span, {MEASURES[metric].unit}; red falls", "", grid="x")
            axes.locator_params(axis="x", nbins=5)
            thousands(axes.xaxis)
            return axes
