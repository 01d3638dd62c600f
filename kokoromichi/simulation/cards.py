"""What a notebook shows of a scenario and of a run, instead of every number that is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.html import badge, card
from kokoromichi.rules.economy_laws import economy_findings

if TYPE_CHECKING:
    from markupsafe import Markup

    from kokoromichi.rules.findings import Finding
    from kokoromichi.simulation.run import Run
    from kokoromichi.simulation.scenario import Scenario

_USUAL: Final = 100
"""Per cent."""


def scenario_card(scenario: Scenario) -> str:
    """Return a scenario's card as HTML: who plays, for how long, in which economy, and what changes."""
    population, economy = scenario.population, scenario.economy
    crowd = ", ".join(f"{cohort.players:,} {cohort.label}" for cohort in population.cohorts if cohort.players)
    goods = f"{len(economy.catalogue)} items, {len(economy.config.business)} businesses (hash {economy.hash})"
    rows = (
        ("scenario", scenario.name),
        ("players", f"{scenario.players:,}: {crowd}"),
        ("days", f"{scenario.days:,} from {scenario.start} (UTC)"),
        ("economy", goods),
        ("price changes", "; ".join(map(str, scenario.changes))),
        ("closed", ", ".join(sorted(scenario.closed))),
        ("own stages", ", ".join(scenario.stages)),
        ("leaving", "" if scenario.leave_percent == _USUAL else f"{scenario.leave_percent} % of its chance"),
    )
    return card(scenario.title, rows, foot=_found((*economy_findings(economy), *scenario.findings())))


def run_card(run: Run) -> str:
    """Return a run's card as HTML: what was played, how, where it is, and whether its books are sound."""
    told = run.manifest
    rows = (
        ("scenario", told["scenario"]),
        (
            "played",
            f"{told['players']:,} players, {told['days']:,} days, {told['replications']:,} replications",
        ),
        ("seed", told["seed"]),
        ("engine", told["engine"]),
        ("folder", run.folder),
        ("next", "run.metrics(), run.plot.supply(), run.report()"),
    )
    sound = badge("Ledgers sound", "good") if run.sound else badge("A ledger breaks a law", "bad")
    return card(told["title"], rows, foot=sound + _found(run.findings))


def _found(findings: tuple[Finding, ...]) -> Markup:
    if not findings:
        return badge("No findings", "good")
    return badge(f"{len(findings)} finding{'s' if len(findings) > 1 else ''}: {findings[0]}", "bad")
