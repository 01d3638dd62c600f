"""What a change does, and how surely: scenarios played under common random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, Final, overload

import polars as pl

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.comparison import BASE, Asked, Comparison, runs_missing
from kokoromichi.experiments.likeness import likeness
from kokoromichi.experiments.measures import MEASURES, item_measures, require_measures
from kokoromichi.experiments.seed_runs import SeedRun, choose_engine, play_all
from kokoromichi.options import between, whole, whole_seed
from kokoromichi.simulation import engines
from kokoromichi.simulation.notebook import Watched
from kokoromichi.simulation.scenario import Scenario, require_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kokoromichi.analysis.live import Live
    from kokoromichi.experiments.likeness import Likeness
    from kokoromichi.experiments.measures import Measure
    from kokoromichi.experiments.seed_runs import Measured
    from kokoromichi.simulation.run import Run

_ROUND: Final = 10
"""Runs added at once where a precision is asked for."""


def changed_items(base: Scenario, others: Sequence[Scenario]) -> tuple[str, ...]:
    """The items that a scenario sells otherwise than the base, in catalogue order.

    Their numbers differ, or their scheduled prices do.
    """
    changed = {item for other in others for item in _differing(base, other)}
    catalogues = [base, *others]
    order = dict.fromkeys(item.id for scenario in catalogues for item in scenario.economy.catalogue)
    return tuple(item for item in order if item in changed)


def _differing(base: Scenario, other: Scenario) -> Iterator[str]:
    old, new = base.economy.config.store, other.economy.config.store
    yield from (item for item in {*old, *new} if old.get(item) != new.get(item))
    for change in {*base.changes} ^ {*other.changes}:
        for item in (*base.economy.catalogue, *other.economy.catalogue):
            if item.id in change.items or item.category in change.categories:
                yield item.id


@overload
def compare(base: Live, others: Run, *, confidence: float = 0.95) -> Likeness: ...


@overload
def compare(base: Scenario, others: Mapping[str, Scenario], **options: Any) -> Comparison: ...


def compare(  # type: ignore[misc] # noqa: PLR0913 - it names the options that the overload leaves open
    base: Scenario | Live,
    others: Mapping[str, Scenario] | Run,
    *,
    precision: Mapping[str, float] | None = None,
    primary: str = "supply_gold",
    replications: int = 20,
    most_replications: int = 60,
    confidence: float = 0.95,
    seed: int = 1,
    workers: str = "serial",
    engine: str = engines.AUTO,
    on_done: Callable[[SeedRun], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Comparison | Likeness:
    """Hold scenarios against a base under common random numbers: the same players, until the change is felt.

    Args:
        base: What is in force; or a ``Live``: each number lies inside or outside of ``others``' range.
        others: What might be, by names for the table; players and days must be the base's. Or a ``Run``.
        precision: Half-widths to add runs for: shares of the base's mean, gold for the net flow.
        primary: The number that the comparison is about.
        replications: Runs of each scenario, at least 2.
        most_replications: Where runs stop being added.
        confidence: Of the intervals, above 0 and below 1.
        seed: Run n of every scenario shares its chance with run n of the others.
        workers: As in ``simulate``.
        engine: As in ``simulate``.
        on_done: Called with each run that is done.
        on_step: Called with what takes a while before the first one.

    Raises:
        MisuseError: Scenarios do not fit one another, or an option is out of its range.
        UnsoundRunError: A run breaks a law of the ledger.
    """
    if not isinstance(base, Scenario) or not isinstance(others, Mapping):
        return likeness(base, others, between("confidence", confidence, 0, 1))
    replications = whole("replications", replications, 2, 1_000_000)
    most_replications = whole("most_replications", most_replications, replications, 1_000_000)
    seed, confidence = whole_seed(seed), between("confidence", confidence, 0, 1)
    _require_comparable(base, others)
    items = changed_items(base, list(others.values()))
    measures = {**item_measures(items), **MEASURES}
    chosen = choose_engine(engine, [base, *others.values()], replications)
    asked = Asked(seed, primary, _known(primary, precision, measures), confidence, str(chosen))
    arms = {BASE: base, **others}
    watched = Watched(f"Comparing with {base.name}", len(arms) * replications)
    engines.compile_once(base, chosen, on_step or watched.step)
    found: dict[tuple[str, int], Measured] = {}
    done, wanted = 0, replications
    while True:
        numbers = product(range(done, wanted), arms)
        runs = [SeedRun(name, arms[name], seed, number, items, chosen.name) for number, name in numbers]
        for run, measured in play_all(runs, workers, on_done or watched.done):
            found[run.name, run.replication] = measured
        comparison = _comparison(base, others, asked, measures, found)
        done = wanted
        wanted = min(done + _ROUND, most_replications)
        if done >= most_replications or not _lacks_precision(comparison):
            return comparison


def _known(
    primary: str, precision: Mapping[str, float] | None, measures: Mapping[str, Measure]
) -> dict[str, float]:
    """The half-widths wanted, once every number is one that runs have and the primary one is tested."""
    precision = {} if precision is None else precision
    if not isinstance(precision, Mapping):
        raise MisuseError(f'precision is {precision!r:.60}; name the number, such as {{"supply_gold": 0.02}}')
    require_measures([primary, *precision], measures, "compare")
    if not measures[primary].tested:
        raise MisuseError(f"{primary} is shown and not tested: take mean_wait_days, or another number")
    return {name: between(f"precision of {name}", value, 0, 1e12) for name, value in precision.items()}


def _require_comparable(base: Scenario, others: Mapping[str, Scenario]) -> None:
    if not others:
        raise MisuseError('compare needs scenarios by name, such as {"potion +20 %": base.scaled(...)}')
    if BASE in others:
        raise MisuseError(f"the name {BASE!r} is the base's own; give the scenario another one")
    for name, other in others.items():
        if not isinstance(name, str):
            raise MisuseError(
                f"scenarios are compared by names, and {name!r:.60} is none: write it as a text"
            )
        require_scenario(f"compare, by the name {name!r},", other)
        if (other.players, other.days, other.start) != (base.players, base.days, base.start):
            message = (
                f"{name!r} has {other.players} players and {other.days} days from {other.start}, the base "
                f"{base.players} and {base.days} from {base.start}: give both the same"
            )
            raise MisuseError(message)


def _comparison(
    base: Scenario,
    others: Mapping[str, Scenario],
    asked: Asked,
    measures: Mapping[str, Measure],
    found: Mapping[tuple[str, int], Measured],
) -> Comparison:
    names = [BASE, *others]
    ordered = sorted(found.items(), key=lambda entry: (entry[0][1], names.index(entry[0][0])))
    keys = [{"scenario": name, "replication": number + 1} for (name, number), _ in ordered]
    numbers = {metric: pl.Float64() for metric in measures}
    schema: dict[str, Any] = {"scenario": pl.String(), "replication": pl.Int64(), **numbers}
    rows = [{**key, **run.numbers} for key, (_, run) in zip(keys, ordered, strict=True)]
    by_day = [
        run.by_day.select(*(pl.lit(value).alias(name) for name, value in key.items()), pl.all())
        for key, (_, run) in zip(keys, ordered, strict=True)
    ]
    return Comparison(base, others, asked, pl.DataFrame(rows, schema), pl.concat(by_day), measures)


def _lacks_precision(comparison: Comparison) -> bool:
    return any(
        runs_missing(apart, comparison.measures[metric], comparison.asked.precision.get(metric))
        for (_, metric), apart in comparison.differences.items()
    )
