"""Charts of what players do: who stays, what they act, what they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.plots import canvas, style
from kokoromichi.analysis.plots.series import (
    BAND_TEXT,
    banded,
    bars,
    free_colour,
    mean_text,
    of_run,
    ranked,
    replications,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ROWS = 12
_RETENTION: Final = (
    ("present_share", "not away on that very day", style.GREEN),
    ("rolling_share", "not left by then", style.BLUE),
    ("classic_share", "active on that very day", style.ORANGE),
)
"""The columns that are drawn, what they are called, and their colour."""
_NEAR: Final = 0.06
_NOTE_ROOM: Final = 0.18
"""Of the axis, from a point down to the end of the number beneath it."""


@checked_options
def retention(
    frame: pl.DataFrame, ax: Axes | None = None, *, label: str | None = None, colour: str | None = None
) -> Axes:
    """Draw which share of the players is still there, and which is active, at each age.

    Args:
        frame: The metric ``retention``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.
        label: What the legend calls the run, where several are drawn on the same axes.
        colour: Of its lines, both in the same one; None for the next ones that are free.

    Returns:
        The axes.
    """
    with canvas.drawing(ax, "Retention") as axes:
        if canvas.has_data(frame, axes):
            ages = sorted(set(frame["age_days"]))
            place = pl.col("age_days").replace_strict(
                {age: number for number, age in enumerate(ages)}, return_dtype=pl.Int64
            )
            alone = not axes.get_lines()
            means: dict[int, list[float]] = {}
            for column, name, usual in _RETENTION:
                line = colour or (usual if alone else free_colour(axes))
                rows = banded(frame, ["age_days"], column).with_columns(place=place)
                if rows.is_empty():
                    continue  # Nothing says who is away.
                axes.vlines(rows["place"], rows["low"], rows["high"], color=line, alpha=0.35, linewidth=7)
                axes.plot(rows["place"], rows["mean"], color=line)
                canvas.dots(axes, rows["place"], rows["mean"], colour=line, label=of_run(label, name))
                for at, mean in rows.select("place", "mean").iter_rows():
                    means.setdefault(at, []).append(mean)
            for at, shares in means.items():
                _note_shares(axes, at, shares)
            axes.set_xticks(range(len(ages)), [f"D{age}" for age in ages])
            axes.set(xlim=(-0.4, len(ages) - 0.6), ylim=(0, 1.12), yticks=[0, 0.2, 0.4, 0.6, 0.8, 1])
            spread = f"; {mean_text(replications(frame))}, bar {BAND_TEXT}" if replications(frame) > 1 else ""
            canvas.label_axes(axes, f"days since arrival{spread}", "share of the players observed that long")
            canvas.percent(axes.yaxis)
            canvas.legend_below(axes)
    return axes


def _note_shares(axes: Axes, at: int, shares: list[float]) -> None:
    """Write the highest share above its point, and lower ones beneath theirs where nothing comes near."""
    highest, *lower = sorted(shares, reverse=True)
    canvas.note(axes, f"{100 * highest:.0f} %", (at, highest), side="above")
    for over, share, under in zip([highest, *lower], lower, [*lower[1:], -1.0], strict=False):
        if over - share >= _NEAR and share - under >= _NOTE_ROOM:
            canvas.note(axes, f"{100 * share:.0f} %", (at, share), side="below")


@checked_options
def refusals(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what is refused most, per thousand tries of the act.

    Args:
        frame: The metric ``refusals``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    named = frame.with_columns(
        name=pl.format("{}: {}", "act", "code"), per_thousand=1000 * pl.col("refused_share")
    )
    rows = ranked(named, "name", "per_thousand").head(_MOST_ROWS)
    with canvas.drawing(ax, "Refusals", height_in=canvas.rows_in(rows.height)) as axes:
        if canvas.has_data(rows, axes):
            bars(axes, rows, style.VERMILLION, runs=replications(frame), decimals=1)
            canvas.label_axes(
                axes, "refusals per 1,000 tries of the act", "act: why it was refused", grid="x"
            )
    return axes


@checked_options
def acts(frame: pl.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the acts of an active player's day.

    Args:
        frame: The metric ``acts``; of several replications, the mean and p10 to p90.
        ax: Where to draw; None for a figure of its own.

    Returns:
        The axes.
    """
    rows = ranked(frame, "act", "acts_per_active_player_day")
    with canvas.drawing(ax, "Acts of an active player", height_in=canvas.rows_in(rows.height)) as axes:
        if canvas.has_data(rows, axes):
            bars(axes, rows, style.SKY, runs=replications(frame), decimals=2)
            canvas.label_axes(axes, "acts per active player-day", "act", grid="x")
    return axes
