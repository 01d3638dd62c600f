"""Numbers that meet targets: a search over an economy by response surfaces, and what it found."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kokoromichi.analysis.targets import Bands, Targets
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.measures import MEASURES, require_measures
from kokoromichi.experiments.probing import probe
from kokoromichi.experiments.seed_runs import choose_engine, headlines, item_waits
from kokoromichi.experiments.space import Scale, Space, sobol_points
from kokoromichi.experiments.surface import Surface
from kokoromichi.experiments.trials import Journal, Trial
from kokoromichi.experiments.tuned import Tuned
from kokoromichi.options import whole, whole_seed
from kokoromichi.simulation import engines
from kokoromichi.simulation.notebook import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.experiments.seed_runs import Numbers, Point
    from kokoromichi.experiments.space import Free
    from kokoromichi.simulation.population import Population
    from kokoromichi.simulation.scenario import Scenario

Floats = NDArray[np.float64]

FIRST_POINTS: Final = 16
FIRST_SEEDS: Final = 4
ROUND_POINTS: Final = 2
ROUND_SEEDS: Final = 8
_CANDIDATES: Final = 4_096
_NEAR: Final = 0.12
"""Half the side of the cube around the best point in which half the candidates lie."""
_APART: Final = 0.04
"""Points of a round are no nearer to one another, or to an earlier one, than this."""
_OPTIMISM: Final = 1.5
"""The second point of a round is chosen as if every number might be so many standard errors nearer."""


class Search:
    """A search while it goes on.

    Args:
        space: What may be turned.
        targets: What is wanted.
        seed: Of every trial: run n has the same chance in all of them.
        engine: FAITHFUL or COMPILED.
        journal: Where runs are kept.
        on_done: Called with how many runs are done.
    """

    def __init__(
        self,
        space: Space,
        targets: Targets,
        *,
        seed: int,
        engine: str,
        journal: Journal,
        on_done: Callable[[int], None],
    ) -> None:
        self.space, self.targets, self._seed, self._engine = space, targets, seed, engine
        self._waits = item_waits(targets, space.base)
        self._journal, self._on_done = journal, on_done
        self._done = 0
        self.trials: list[Trial] = []
        self.base = Trial(-1, (), ())

    def play(self, points: Sequence[Sequence[float]], seeds: int) -> None:
        """Play points under the first so many seeds; what the journal holds is not played again."""
        asked = [tuple(float(side) for side in point) for point in points]
        self.runs([(point, number) for point in asked for number in range(seeds)])
        for point in dict.fromkeys(asked):
            self.add(point, range(seeds))

    def runs(self, asked: Sequence[tuple[Point, int]]) -> list[Numbers]:
        """The numbers of runs, each a point and the number of a seed."""
        missing = [run for run in asked if self._journal.find(*run) is None]
        self._count(len(asked) - len(missing))
        with closing(headlines(missing, self._scenario, self._seed, self._engine, self._waits)) as played:
            for run, numbers in zip(missing, played, strict=True):
                self._journal.keep(*run, numbers)
                self._count(1)
        return [self._journal.find(*run) or {} for run in asked]

    def add(self, point: Point, seeds: Sequence[int]) -> Trial:
        """Let runs that were played be a trial; of the point without sides, that of the base."""
        runs = tuple(self._journal.find(point, number) or {} for number in seeds)
        if not point:
            self.base = Trial(-1, point, runs, tuple(seeds))
            return self.base
        self.trials.append(Trial(len(self.trials), point, runs, tuple(seeds)))
        return self.trials[-1]

    def surface(self) -> Surface:
        """The surfaces through everything that was played, of the numbers that some run has."""
        points = np.array([trial.point for trial in self.trials for _ in trial.runs])
        runs = [run for trial in self.trials for run in trial.runs]
        every = {name: np.array([_known(run[name]) for run in runs]) for name in self.targets}
        numbers = {name: values for name, values in every.items() if not np.isnan(values).all()}
        if not numbers:
            raise MisuseError(f"no run has a {', a '.join(every)}: play more days, or choose other targets")
        wanted = Targets({name: (self.targets[name].low, self.targets[name].high) for name in numbers})
        return Surface(wanted, points, numbers, self.space.base.days)

    def _scenario(self, point: Point) -> Scenario:
        return self.space.scenario(point) if point else self.space.base

    def _count(self, runs: int) -> None:
        self._done += runs
        self._on_done(self._done)


def _known(value: float | None) -> float:
    return np.nan if value is None else float(value)


def next_points(search: Search, dice: np.random.Generator) -> list[list[float]]:
    """The points of a round: where the surfaces put the targets, and where they might lie."""
    surface, sides = search.surface(), len(search.trials[0].point)
    played = np.array([trial.point for trial in search.trials])
    best = played[int(np.argmin(surface.distances(played)))]
    anywhere = dice.random((_CANDIDATES // 2, sides))
    near = np.clip(best + dice.uniform(-_NEAR, _NEAR, (_CANDIDATES // 2, sides)), 0, 1)
    candidates, taken = np.vstack([anywhere, near]), list(played)
    points: list[list[float]] = []
    for optimism in (0.0, _OPTIMISM)[:ROUND_POINTS]:
        for place in np.argsort(surface.distances(candidates, optimism), kind="stable"):
            if min(np.abs(candidates[place] - other).max() for other in taken) >= _APART:
                taken.append(candidates[place])
                points.append(np.round(candidates[place], 4).tolist())
                break
    return points


def first_points(sides: int, seed: int) -> list[list[float]]:
    """Points that fill the cube evenly.

    Raises:
        MisuseError: scipy is not installed.
    """
    rounded: list[list[float]] = np.round(sobol_points(sides, FIRST_POINTS, seed), 4).tolist()
    return rounded


def tune(  # noqa: PLR0913 - a designer names what they ask for
    base: Scenario,
    free: Free,
    targets: Bands,
    *,
    rounds: int = 6,
    trials: int = 0,
    prune: bool = True,
    robust: Sequence[Population] = (),
    seed: int = 1,
    engine: str = engines.AUTO,
    out: str | Path | None = None,
    on_done: Callable[[int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Tuned:
    """Search for numbers of the economy under which targets are met.

    16 points that fill the cube are played under 4 seeds each; a quadratic surface is fitted to every
    targeted number; then each round plays 2 points under 8 seeds, where the surfaces put the targets: 160
    runs with the six rounds of the default. ADR 16 has what was measured. Where surfaces do not follow the
    numbers, ``trials`` lets Optuna propose more points after them, or with ``rounds=0`` in their place.

    Args:
        base: What is turned.
        free: The numbers that may be turned, by path: ``(5_000, 30_000)``, or ``km.scale(0.1, 1.2)`` for
            factors.
        targets: The bands wanted, by the names of the headline; a wait may name its item, and who waits:
            ``wait_days.treasure_chest.casual``.
        rounds: After the first points; 0 for these alone.
        trials: Points that Optuna's TPE proposes after the rounds, each under at most 8 seeds.
        prune: Whether such a point is left as soon as it is surely farther from the targets than the best.
        robust: Populations a little different, such as ``km.plausible(base, 40)``: the best five are held
            against each, and the one that meets the targets under most of them is the best.
        seed: Of every trial; ``validate`` takes another one.
        engine: As in ``simulate``.
        out: A folder that keeps every run: the same question goes on there. None for nowhere.
        on_done: Called with how many runs are done.
        on_step: Called with what is done before the first one, where that takes a while.

    Raises:
        MisuseError: A band or an end is none, or the folder holds another search.
        EconomyError: A path is unknown, or the economy refuses an end.
    """
    wanted, seed = Targets.of(targets), whole_seed(seed)
    rounds, trials = whole("rounds", rounds, 0, 1_000), whole("trials", trials, 0, 100_000)
    space = Space(base, free)
    waits = item_waits(wanted, base)
    require_measures([name for name in wanted if name not in waits], MEASURES, "targets")
    chosen = choose_engine(engine, [base], planned_runs(rounds, trials))
    watched = Watched(f"Tuning {base.name}", planned_runs(rounds, trials))
    engines.compile_once(base, chosen, on_step or watched.step)
    journal = Journal(None if out is None else Path(out), _question(space, wanted, seed))
    search = Search(
        space, wanted, seed=seed, engine=chosen.name, journal=journal, on_done=on_done or watched.reach
    )
    _played(search, rounds, seed)
    if trials:
        probe(search, trials, ROUND_SEEDS, seed=seed, prune=prune)
    found = Tuned(space, wanted, search.base, tuple(search.trials), search.surface(), chosen.name, seed)
    return found.held_against(robust) if robust else found


def _played(search: Search, rounds: int, seed: int) -> None:
    """The base, the points that fill the cube, and the rounds."""
    search.play([()], ROUND_SEEDS)
    search.play(first_points(len(search.space.names), seed), FIRST_SEEDS)
    dice = np.random.default_rng(seed & 0xFFFFFFFF)
    for _ in range(rounds):
        search.play(next_points(search, dice), ROUND_SEEDS)


def planned_runs(rounds: int, trials: int = 0) -> int:
    """How many runs a search plays at most: of the base, the first points, the rounds and Optuna's points."""
    points = rounds * ROUND_POINTS + trials
    return ROUND_SEEDS + FIRST_POINTS * FIRST_SEEDS + points * ROUND_SEEDS


def _question(space: Space, targets: Targets, seed: int) -> dict[str, Any]:
    from kokoromichi.simulation.manifest import manifest  # noqa: PLC0415 - a search alone needs it

    described = manifest(space.base, seed, 1)
    return {
        "scenario_hash": described["scenario_hash"],
        "code_hash": described["code_hash"],
        "free": {
            path: {"factors": [ends.low, ends.high]} if isinstance(ends, Scale) else [*ends]
            for path, ends in space.free.items()
        },
        "targets": {name: [str(band.low), str(band.high)] for name, band in targets.items()},
        "seed": seed,
    }
