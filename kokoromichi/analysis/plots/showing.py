"""How a notebook shows a chart: as pyplot shows every figure, sharp on any screen, and each of them once."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox

from kokoromichi.analysis.plots import style

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH_IN: Final = 5.3
HEIGHT_IN: Final = 2.7
"""Of a figure without its legend, which is added below."""

_GUESS: Final = Bbox.from_extents(0.12, 0.2, 0.97, 0.87)
"""About where axes end up in their figure: its size decides how many ticks there are to measure."""

_SHARP: Final = 2
"""Pixels of a picture for one on the screen."""

_CARD_MARGIN_IN: Final = 0.16
_CARD_GAP_IN: Final = 0.03
"""Between the cards of two figures that a cell shows."""
_CARD_CORNER_IN: Final = 0.08


class ChartFigure(Figure):
    """A figure that a notebook shows as SVG, and as PNG in twice the size where that is all it can."""

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only a notebook asks, and it is there

        width, height = (round(inches * style.DPI) for inches in _card_of(self).size)
        bundle = {"image/svg+xml": svg_card(self), "image/png": png_card(self), "text/plain": repr(self)}
        display(  # type: ignore[no-untyped-call] # IPython has no types here.
            bundle, raw=True, metadata={"image/png": {"width": width, "height": height}}
        )


class OnceMeasured(ConstrainedLayoutEngine):
    """Gives axes that are alone on their figure the room that their texts leave.

    Matplotlib's own measures every text twice, which is two fifths of what a chart costs; it lays out what
    has several axes or texts beside them, and warns where nothing fits.
    """

    def execute(self, fig: Figure) -> None:
        """Lay the figure out."""
        alone = len(fig.axes) == 1 and not (fig.texts or fig.legends or fig.subfigs)
        if not (alone and self._fits(fig, fig.axes[0])):
            super().execute(fig)

    def _fits(self, fig: Figure, axes: Axes) -> bool:
        """Whether the texts leave room for the axes, which then have it."""
        room = _GUESS
        for _ in range(2):
            _place(axes, room)
            outer = axes.get_tightbbox(for_layout_only=True)  # What is to draw it may set its own dpi here.
            if outer is None:  # It is hidden.
                return True
            words = _tick_words(axes)
            options = self.get()
            rect = Bbox.from_bounds(*options["rect"]).transformed(fig.transFigure)
            free = rect.padded(-options["w_pad"] * fig.dpi, -options["h_pad"] * fig.dpi)
            corners = free.get_points() + axes.bbox.get_points() - outer.get_points()
            room = Bbox(fig.transFigure.inverted().transform(corners))
            if min(room.width, room.height) <= 0:
                return False
            _place(axes, room)
            if _tick_words(axes) == words:
                break  # In another size an axis may choose other ticks, with wider words.
        return True


class ThemedAxes(Axes):
    """Axes of a figure of their own, which grows by its legend; a notebook shows them as its last value."""

    _bare_height_in: float | None = None

    def make_room_below(self, height_in: float) -> Figure:
        """Keep so many inches free at the figure's foot, which grows by them; return the figure."""
        figure = figure_of(self)
        if self._bare_height_in is None:
            self._bare_height_in = figure.get_figheight()
        whole_in = self._bare_height_in + height_in
        figure.set_figheight(whole_in)
        free = height_in / whole_in
        figure.set_layout_engine(OnceMeasured(rect=(0, free, 1, 1 - free)))
        return figure

    def _ipython_display_(self) -> None:
        figure = figure_of(self)
        if isinstance(figure, ChartFigure) and not _pyplot_shows(figure):
            figure._ipython_display_()


def _tick_words(axes: Axes) -> list[str]:
    ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    return [tick.get_text() for tick in ticks]


def _place(axes: Axes, position: Bbox) -> None:
    axes.set_position(position)
    axes.set_in_layout(True)  # Or matplotlib's own engine would take it for placed by hand.


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that axes stand on."""
    figure = ax.figure
    return figure if isinstance(figure, Figure) else figure.figure


def svg_card(figure: Figure) -> str:
    """Return a figure as SVG on a card of its own: a light one with room around, for pages of any colour."""
    with _on_card(figure) as card:
        return style.svg_text(figure, card)


def png_card(figure: Figure) -> bytes:
    """Return a figure as PNG on a card of its own, sharp where two pixels make one of the screen's."""
    page = io.BytesIO()
    with style.chart_style(), _on_card(figure) as card:
        figure.savefig(
            page, format="png", dpi=_SHARP * style.DPI, bbox_inches=card, metadata={"Software": None}
        )
    return page.getvalue()


def _card_of(figure: Figure) -> Bbox:
    """The area of a figure with the card around it, in inches."""
    return figure.bbox_inches.padded(_CARD_MARGIN_IN)


@contextmanager
def _on_card(figure: Figure) -> Iterator[Bbox]:
    """Give a figure a background with round corners for a while; what is saved is the area of its card."""
    width_in, height_in = figure.get_size_inches()
    look = f"round,pad={-_CARD_GAP_IN / width_in},rounding_size={_CARD_CORNER_IN / width_in}"
    card = FancyBboxPatch(
        (0, 0), 1, 1, look, mutation_aspect=width_in / height_in, transform=figure.transFigure
    )
    plain = figure.patch
    card.update_from(plain)
    figure.patch = card  # type: ignore[assignment] # It is drawn and placed as a rectangle is.
    try:
        yield _card_of(figure)
    finally:
        figure.patch = plain


@contextmanager
def pyplot_axes() -> Iterator[Axes]:
    """Give axes on a new figure of pyplot's, which is shown as all of its are; an error takes it back."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - it chooses a backend

    # Outside of the style: the first figure loads a backend, whose own parameters the style would take back.
    figure = plt.figure(
        FigureClass=ChartFigure,
        figsize=(WIDTH_IN, HEIGHT_IN),
        dpi=style.DPI,
        layout=OnceMeasured(),
        facecolor=style.PAPER,
    )
    with style.chart_style():
        axes = figure.add_subplot(axes_class=ThemedAxes)
    try:
        yield axes
    except BaseException:
        plt.close(figure)
        raise


def _pyplot_shows(figure: Figure) -> bool:
    """Whether pyplot has the figure and will show it: at the cell's end, or in its window."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    manager = figure.canvas.manager
    if pyplot is None or manager is None or pyplot.get_backend().lower() == "agg":
        return False
    return bool(pyplot.fignum_exists(manager.num))
