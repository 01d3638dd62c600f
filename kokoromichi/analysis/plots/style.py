"""How every chart of the project looks, and how it becomes text."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
YELLOW: Final = "#f0e442"
ORANGE: Final = "#e69f00"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
WINE: Final = "#882255"
"""Tol's (https://personal.sron.nl/~pault/), where Okabe and Ito's colours are too few."""
INK: Final = "#1f2933"
STEEL: Final = "#3e4c59"
SLATE: Final = "#7b8794"
MIST: Final = "#b8c2cc"
GRID: Final = "#e4e7eb"
PAPER: Final = "#ffffff"

OKABE_ITO: Final[tuple[str, ...]] = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, SLATE, YELLOW)
"""Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), told apart with every common colour blindness;
its black is the ink of the text, and a grey stands in its place."""

GREYS: Final[tuple[str, ...]] = (INK, STEEL, SLATE, MIST, GRID, PAPER)
"""The neutral colours: text, frame and what is small."""

FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that a chart is the same everywhere."""

LEGEND_SIZE: Final = 9
GRID_WIDTH: Final = 0.8
DPI: Final = 96
"""Pixels an inch on a screen."""

_HOUSE: Final = {
    "axes.axisbelow": True,
    "axes.edgecolor": SLATE,
    "axes.grid": False,
    "axes.labelcolor": STEEL,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # Else each drawing measures all ticks, to move the title above them.
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "figure.dpi": DPI,
    "font.family": FONT,
    "font.size": 9.5,
    "grid.color": GRID,
    "grid.linewidth": GRID_WIDTH,
    "legend.borderaxespad": 0.0,
    "legend.columnspacing": 1.3,
    "legend.fontsize": LEGEND_SIZE,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.handletextpad": 0.5,
    "legend.labelcolor": STEEL,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.0,
    "path.simplify_threshold": 0.2,
    "svg.fonttype": "path",
    "svg.hashsalt": "kokoromichi",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SLATE,
    "xtick.labelcolor": STEEL,
    "xtick.labelsize": 9,
    "xtick.major.size": 3.5,
    "ytick.color": SLATE,
    "ytick.labelcolor": STEEL,
    "ytick.labelsize": 9,
    "ytick.major.size": 0.0,
}
_STYLE_LOCK: Final = threading.RLock()
_in_style: Final[list[bool]] = []
"""Not empty while the thread that holds the lock is in the style."""


@contextmanager
def chart_style() -> Iterator[None]:
    """Set matplotlib's parameters to the project's, whatever the caller's are, and put the caller's back.

    Matplotlib reads its parameters while it draws and keeps them for the whole process; one lock lets threads
    that draw charts of the project take turns. Within itself it does nothing: to set some 300 parameters is
    a tenth of what a chart costs.
    """
    with _STYLE_LOCK:
        if _in_style:
            yield
            return
        with mpl.rc_context():
            style.use(["default", _HOUSE])
            _in_style.append(True)
            try:
                yield
            finally:
                _in_style.clear()


def svg_text(figure: Figure, area_in: Bbox | None = None) -> str:
    """Return a figure as SVG: the same text for the same figure, letters as outlines, no date.

    Args:
        figure: What is written.
        area_in: How much of it, or of what is around it, in inches; all of it when left out.
    """
    page = io.StringIO()
    with chart_style(), _laid_out(figure):
        figure.savefig(page, format="svg", bbox_inches=area_in, metadata={"Date": None, "Creator": None})
    return page.getvalue()


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Lay a figure out now: to save one that has yet to be laid out, matplotlib draws it twice."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)
