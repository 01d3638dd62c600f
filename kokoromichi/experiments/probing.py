"""Optuna's TPE over the cube of a search: what surfaces cannot follow, and what may be pruned early."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from optuna.trial import Trial as Asking

    from kokoromichi.experiments.seed_runs import Numbers
    from kokoromichi.experiments.trials import Trial
    from kokoromichi.experiments.tune import Search

_AT_ONCE: Final = 2
"""Runs between two looks at whether a point is worth more; the same on every machine, as the finds are."""
_FARTHEST: Final = 1e3
"""What stands for a distance that is infinite, which Optuna does not take."""


def probe(search: Search, points: int, seeds: int, *, seed: int, prune: bool) -> None:
    """Play points that Optuna proposes, from everything that the search has played.

    A point is played under the common seeds in an order of its own, and left as soon as Wilcoxon's test says
    that it is farther from the targets than the best one (p below 0.1).

    Args:
        search: Goes on by these points.
        points: How many.
        seeds: Under which each is played, at most.
        seed: Of the proposals: the same one proposes the same, so that a kept search goes on.
        prune: Whether points are left early.

    Raises:
        MisuseError: Optuna is not installed.
    """
    try:
        import optuna  # noqa: PLC0415 - slow, and of an extra
    except ModuleNotFoundError as error:
        raise MisuseError('trials of TPE need Optuna: pip install "kokoromichi[tuning]"') from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # The pruner is one.
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=seed & 0xFFFFFFFF, multivariate=True),
            pruner=optuna.pruners.WilcoxonPruner(p_threshold=0.1) if prune else optuna.pruners.NopPruner(),
        )
    sides: dict[str, Any] = {
        name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in search.space.names
    }
    for trial in search.trials:
        study.add_trial(
            optuna.trial.create_trial(
                params=dict(zip(sides, trial.point, strict=True)),
                distributions=sides,
                value=_distance(search, trial.pooled()),
                intermediate_values={
                    number: _distance(search, run)
                    for number, run in zip(trial.seeds, trial.runs, strict=True)
                },
                constraints=_outside(search, trial.pooled()),
            )
        )
    dice = np.random.default_rng(seed & 0xFFFFFFFF)
    for _ in range(points):
        asking = study.ask(sides)
        point = tuple(round(float(asking.params[name]), 4) for name in sides)
        played = _played(search, asking, point, dice.permutation(seeds).tolist())
        for name, outside in _outside(search, played.pooled()).items():
            asking.set_constraint(name, outside)
        study.tell(asking, _distance(search, played.pooled()))


def _played(search: Search, asking: Asking, point: tuple[float, ...], order: list[int]) -> Trial:
    """A point under seeds in an order, as long as it may be the best."""
    begun: list[int] = []
    for place in range(0, len(order), _AT_ONCE):
        now = order[place : place + _AT_ONCE]
        for number, run in zip(now, search.runs([(point, number) for number in now]), strict=True):
            asking.report(_distance(search, run), number)
        begun += now
        if asking.should_prune():
            break
    return search.add(point, sorted(begun))


def _distance(search: Search, numbers: Numbers) -> float:
    return min(search.targets.distance(numbers), _FARTHEST)


def _outside(search: Search, numbers: Numbers) -> dict[str, float]:
    """By how much each target is missed, in tolerances; none above 0 where all are met."""
    known = {name: numbers[name] for name in search.targets}
    return {
        name: min(search.targets[name].outside(math.inf if value is None else value), _FARTHEST)
        for name, value in known.items()
    }
