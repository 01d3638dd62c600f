"""Charts as PNG, drawn for Discord's dark background; plain functions, so that a thread can draw them."""

from __future__ import annotations

import datetime as dt
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from matplotlib import style
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from kokoromichi.analysis.plots.style import GREEN, SKY, VERMILLION, chart_style
from kokoromichi.chat.embeds import Picture
from kokoromichi.chat.texts import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from kokoromichi.analysis.digest import Digest
    from kokoromichi.core.models import LedgerEntry

PAPER: Final = "#2b2d31"
"""An embed's background in Discord's dark theme."""
INK: Final = "#f2f3f5"
DIM: Final = "#b5bac1"
LINE: Final = "#43464d"

_DARK: Final = {
    "axes.edgecolor": LINE,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": DIM,
    "axes.labelsize": 11,
    "axes.titlecolor": INK,
    "axes.titlesize": 14,
    "figure.dpi": 144,
    "figure.facecolor": PAPER,
    "grid.color": LINE,
    "legend.fontsize": 11,
    "legend.labelcolor": DIM,
    "lines.linewidth": 2.2,
    "text.color": INK,
    "xtick.color": DIM,
    "xtick.labelcolor": DIM,
    "xtick.labelsize": 11,
    "ytick.color": DIM,
    "ytick.labelcolor": DIM,
    "ytick.labelsize": 11,
}
_WIDTH_IN: Final = 7.0
_LOW_IN: Final = 2.6
_LEFT_IN: Final = 0.7
_RIGHT_IN: Final = 0.2
_TOP_IN: Final = 0.4
_BOTTOM_IN: Final = 0.65
_FEWEST_MOMENTS: Final = 2
_FEWEST_DAYS: Final = 7
_HALF_DAY: Final = dt.timedelta(hours=12)
_HEADROOM: Final = 1.08


def balance_picture(rows: Sequence[LedgerEntry]) -> Picture | None:
    """A player's gold over time.

    Args:
        rows: Their own rows, the newest first.

    Returns:
        The picture, or None where everything happened at one moment.
    """
    points = [
        (row.at, row.balance_after)
        for row in reversed(rows)
        if row.currency == "gold" and row.balance_after is not None
    ]
    if len({at for at, _ in points}) < _FEWEST_MOMENTS:
        return None
    times, balances = zip(*points, strict=True)
    with _drawn(_LOW_IN) as figure:
        axes = figure.subplots()
        axes.step(times, balances, where="post", color=SKY)
        axes.plot(times[-1:], balances[-1:], "o", color=SKY)
        axes.set_title(say("picture.balance"))
        _gold_axis(axes)
        _from_zero(axes, balances)
        _time_axis(axes)
        return Picture("balance.png", _png(figure))


def economy_picture(digest: Digest) -> Picture | None:
    """Supply, and what entered and left a day; None where nothing was seen.

    Args:
        digest: Cut to the days that are shown.
    """
    if digest.days.is_empty():
        return None
    days = digest.days["day"].to_list()
    with _drawn(4.8) as figure:
        supply, moved = figure.subplots(2, 1, sharex=True)
        held = digest.days["supply_gold"].to_list()
        supply.plot(days, held, color=SKY, marker="o" if len(days) == 1 else "")
        supply.set_title(say("picture.supply"))
        _from_zero(supply, held)
        edges = [_midnight(day) - _HALF_DAY for day in (*days, days[-1] + dt.timedelta(days=1))]
        faucets, sinks = (digest.days[name].to_numpy() for name in ("faucets_gold", "sinks_gold"))
        moved.stairs(faucets, edges, fill=True, color=GREEN, label=say("picture.faucets"))
        moved.stairs(-sinks, edges, fill=True, color=VERMILLION, label=say("picture.sinks"))
        moved.axhline(0, color=DIM, linewidth=0.8)
        moved.set_title(say("picture.flows"))
        moved.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, -0.2))
        for axes in (supply, moved):
            _gold_axis(axes)
        first = min(days[0], days[-1] - dt.timedelta(days=_FEWEST_DAYS - 1))
        moved.set_xlim(_midnight(first) - _HALF_DAY, _midnight(days[-1]) + _HALF_DAY)
        _time_axis(moved)
        return Picture("economy.png", _png(figure))


def load() -> None:
    """Draw a blank: fonts and encoder are then there for the first player who asks."""
    with _drawn(_LOW_IN) as figure:
        _time_axis(figure.subplots())
        _png(figure)


@contextmanager
def _drawn(height_in: float) -> Iterator[Figure]:
    """A figure that pyplot does not know: threads share nothing, and take turns behind the style's lock."""
    with chart_style():  # It puts the caller's parameters back, and ours with them.
        style.use(_DARK)
        figure = Figure(figsize=(_WIDTH_IN, height_in))
        # Fixed, since a layout that is fitted draws every label twice.
        figure.subplots_adjust(
            left=_LEFT_IN / _WIDTH_IN,
            right=1 - _RIGHT_IN / _WIDTH_IN,
            top=1 - _TOP_IN / height_in,
            bottom=_BOTTOM_IN / height_in,
            hspace=0.3,
        )
        yield figure


def _from_zero(axes: Axes, amounts: Sequence[int]) -> None:
    """Room above the highest: a thick line on the edge would be cut in half."""
    axes.set_ylim(0, max(1, _HEADROOM * max(amounts)))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.timezone.utc)


def _gold_axis(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _time_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=2, maxticks=7, tz=dt.timezone.utc)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=dt.timezone.utc)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlabel(say("picture.utc"))


def _png(figure: Figure) -> bytes:
    page = io.BytesIO()
    figure.savefig(page, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return page.getvalue()
