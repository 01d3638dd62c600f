"""Sliders over the numbers of an economy, and one figure that follows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from markupsafe import escape

from kokoromichi.analysis.plots import style
from kokoromichi.analysis.plots.canvas import drawing, label_axes, legend_below, thousands, whole_days
from kokoromichi.analysis.plots.showing import figure_of, svg_card
from kokoromichi.analysis.targets import spelled
from kokoromichi.core.errors import KokoroError, MisuseError
from kokoromichi.experiments.measures import MEASURES
from kokoromichi.experiments.newest import Newest
from kokoromichi.experiments.seed_runs import choose_engine
from kokoromichi.experiments.space import Scale, Space
from kokoromichi.options import whole_seed
from kokoromichi.rules.findings import EconomyError
from kokoromichi.simulation import engines
from kokoromichi.simulation.replication_jobs import replication_seed
from kokoromichi.simulation.scenario import require_scenario
from kokoromichi.simulation.totals import play_totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.display import HTML, DisplayHandle

    from kokoromichi.experiments.space import Free
    from kokoromichi.simulation.scenario import Scenario
    from kokoromichi.simulation.totals import Totals

THAT_MATTER: Final[Free] = {
    "opening.gold": (1_000, 40_000),
    "daily.gold": Scale(0.1, 3.0),
    "train.price_gold": Scale(0.3, 3.0),
    "transfer.fee_percent": (0, 30),
    "income.upkeep_percent": (0, 80),
}
"""What a screening of the shipped economy put first."""
_SHOWN: Final = ("supply_gold", "net_flow_gold_per_active_player_day", "wait_days", "gini", "units_sold")
_STEPS: Final = 200
"""About as many as a slider of amounts has."""
_STEP_DECADES: Final = 0.02
"""About a step of a slider of factors: a twentieth more."""
_AFTERWARDS: Final = "<p>Sliders move while their kernel lives; to have them back, run the cell again.</p>"
_MOVES: Final = 1_000
"""As many runs as a designer may ask for: a compiled engine is worth its compiling."""


class Explorer:
    """Sliders and a figure; a notebook shows it as the last value of a cell.

    Args:
        base: What is turned.
        free: The numbers, by path, with their ends: what ``tune`` takes.
        seed: Of the run that is shown; every move shares it.

    Attributes:
        values: Of the move that is shown: amounts and factors, by path.
        numbers: Its headline.
        figure: Its picture, as SVG.
    """

    def __init__(self, base: Scenario, free: Free, seed: int) -> None:
        self._space, self._seed = Space(base, free), seed
        self._shown: DisplayHandle | None = None
        self._engine = choose_engine(engines.AUTO, [base], _MOVES)
        engines.compile_once(base, self._engine, lambda _what: None)
        self.values = {path: _start(base, path, ends) for path, ends in free.items()}
        self._base = self._play(base)
        self._moves = Newest(self._show)
        self._build()
        self._draw(self._base)

    def move(self, values: Mapping[str, float]) -> None:
        """Ask for other numbers, as the sliders do; what was still waiting is dropped."""
        self._moves.ask({**self.values, **values})

    def wait(self) -> None:
        """Wait until the figure shows the last move."""
        self._moves.wait()

    def _build(self) -> None:
        import ipywidgets  # noqa: PLC0415 - of an extra

        self._note = ipywidgets.HTML()
        self._sliders = {
            path: _slider(path, ends, self.values[path]) for path, ends in self._space.free.items()
        }
        for slider in self._sliders.values():
            slider.observe(self._moved, "value")
        self._box = ipywidgets.VBox([*self._sliders.values(), self._note])

    def _moved(self, _change: object) -> None:
        self._moves.ask({path: float(slider.value) for path, slider in self._sliders.items()})

    def _show(self, values: dict[str, float]) -> None:
        """Play a move and show it; why it cannot be is said above the figure, which stays."""
        try:
            found = self._play(self._space.changed(values))
        except (EconomyError, KokoroError) as error:
            self._note.value = f"<p>{escape(str(error))}</p>"
            return
        except Exception as error:  # A thread's own last words are not seen in a notebook.
            self._note.value = f"<p>{escape(repr(error))}</p>"
            raise
        self.values = values
        self._draw(found)

    def _play(self, scenario: Scenario) -> Totals:
        return play_totals(scenario, replication_seed(self._seed, 0), self._engine.name)

    def _draw(self, found: Totals) -> None:
        self.numbers: dict[str, float | None] = found.headline.row(0, named=True)
        with drawing(None, "Supply") as axes:
            for totals, colour, name in ((self._base, style.SLATE, "base"), (found, style.BLUE, "now")):
                days = totals.days.select(day=pl.int_range(pl.len()), supply=pl.col("supply_gold"))
                axes.plot(days["day"], days["supply"], color=colour, label=name)
            axes.set_ylim(bottom=0)
            label_axes(axes, "day", "gold")
            whole_days(axes.xaxis)
            thousands(axes.yaxis)
            legend_below(axes)
            self.figure = svg_card(figure_of(axes))
        self._note.value = ""
        if self._shown is not None:
            self._shown.update(self._page())  # type: ignore[no-untyped-call] # IPython has no types here.

    def _page(self) -> HTML:
        from IPython.display import HTML  # noqa: PLC0415 - only a notebook asks, and it is there

        return HTML(self.figure + self._table() + _AFTERWARDS)  # type: ignore[no-untyped-call] # IPython has no types here.

    def _table(self) -> str:
        base = self._base.headline.row(0, named=True)
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(MEASURES[name].label)}</td>"
            f"<td>{spelled(base[name])}</td><td>{spelled(self.numbers[name])}</td></tr>"
            for name in _SHOWN
        )
        return f"<table><tr><th></th><th>base</th><th>now</th></tr>{rows}</table>"

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only a notebook asks, and it is there

        # The figure is no widget: what a notebook was saved with is seen without its kernel, too.
        display(self._box)  # type: ignore[no-untyped-call] # IPython has no types here.
        self._shown = display(self._page(), display_id=f"explorer-{id(self)}")  # type: ignore[no-untyped-call]


def explore(base: Scenario, free: Free | None = None, *, seed: int = 1) -> Explorer:
    """Turn the numbers that matter by sliders, and see what one run becomes.

    Every move plays the same players under the same seed; what is moved while a run is played is dropped, all
    but the last. One run scatters: what looks good is for ``compare`` to be sure of.

    Args:
        base: What is turned.
        free: The numbers, as ``tune`` takes them; ``THAT_MATTER`` when left out.
        seed: Of the run.

    Raises:
        MisuseError: ipywidgets is not installed, or an end is wrong.
        EconomyError: A path is unknown, or the economy refuses an end.
    """
    require_scenario("explore", base)
    try:
        import ipywidgets  # noqa: F401, PLC0415 - of an extra
    except ModuleNotFoundError as error:
        raise MisuseError('explore needs ipywidgets: pip install "kokoromichi[notebooks]"') from error
    return Explorer(base, THAT_MATTER if free is None else free, whole_seed(seed))


def _start(base: Scenario, path: str, ends: tuple[int, int] | Scale) -> float:
    """Where a slider stands at first: at the base's own number, within its ends."""
    if isinstance(ends, Scale):
        return min(max(1.0, ends.low), ends.high)
    tree: Any = base.economy.config.tree()
    for key in path.split("."):
        tree = tree[key]
    return float(min(max(int(tree), ends[0]), ends[1]))


def _slider(path: str, ends: tuple[int, int] | Scale, start: float) -> Any:
    """Where it starts is a whole number of steps from its lower end: a browser would move it there."""
    import ipywidgets  # noqa: PLC0415 - of an extra

    options: dict[str, object] = {"style": {"description_width": "12em"}, "layout": {"width": "34em"}}
    if isinstance(ends, Scale):
        low, high = math.log10(ends.low), math.log10(ends.high)
        below = math.log10(start) - low
        step = below / max(1, round(below / _STEP_DECADES)) or _STEP_DECADES
        options |= {"description": f"{path} ×", "step": step, "readout_format": ".2f"}
        return ipywidgets.FloatLogSlider(value=start, min=low, max=high, **options)
    low, high = ends
    below, widest = int(start) - low, max(1, (high - low) // _STEPS)
    step = next(step for step in range(widest, 0, -1) if below % step == 0)
    options |= {"description": path, "step": step, "readout_format": ","}
    return ipywidgets.IntSlider(value=int(start), min=low, max=high, **options)
