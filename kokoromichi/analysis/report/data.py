"""What a report is written from: every metric of every run, already computed, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics import (
    METRICS,
    WARM_UP_DAYS,
    first_measured_day,
    measured,
    numbered,
)
from kokoromichi.analysis.metrics.by_day import days
from kokoromichi.analysis.metrics.headline import headline, wait_item
from kokoromichi.analysis.observations import MissingBooksError, MissingObservationsError, Observations
from kokoromichi.analysis.targets import TARGETS, Band
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container, Mapping, Sequence

    from kokoromichi.rules.findings import Finding

_ACTIVITY_READ: Final = ("user_id", "at", "act", "code")
_LEDGER_READ: Final = tuple(column for column in LEDGER_SCHEMA if column != "reason")
_LEFT_OUT: Final = frozenset({"balances"})
"""A report shows bands and percentiles, and nobody's own balance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportData:
    """The numbers and texts of a report; build it with ``report_data``.

    Attributes:
        title: The report's title.
        manifest: How the observations came about, a name and a text each: scenario, seed, versions.
        frames: By the name of a metric (``METRICS``): its frame, ``replication`` (Int64, from 1) in front.
        headline: One row per replication: ``replication`` (Int64, from 1), then the columns of ``headline``.
        missing: By the name of a metric: the sentence that says which stream was not observed, and the cure.
        missing_books: The metrics among them that need every book of a ledger that has only some.
        replications: How many runs there are.
        first_day: First UTC day observed; None when nothing was.
        days: Days from the first to the last one observed, the longest run's.
        players: Players that ever had a balance, the mean of the runs.
        measured_from_day: First day of flows, spending and acts, counted from 0: the warm-up is cut.
        wait_item: The item whose wait is a headline number; empty when no chest is known.
        opening_gold: What a player starts with, in gold; None when it is not known.
        has_activity: Whether every run has its activity stream.
        has_players: Whether archetypes are known in every run.
        grouped_by: By what behaviour players are grouped where archetypes are not known; else empty.
        targets: Bands by the name of the number.
        findings: What the economy's check found; None when it was not checked.
        booked: By replication and currency, as ``replication``, ``currency``, ``booked`` (Int128): the sum of
            every row, whatever else the row says; what a part of a ledger brings forward is among it.
        assumptions: By the name of a headline number: the sentence that says what a model put in, so that it
            is no prediction of it.
        before: The same of the time before, where there is one to compare with.
        alone: Why nothing stands beside a time that was asked for; empty otherwise.
        leaves_out_idle: Whether it is a part of a ledger that does not say what players hold who moved
            nothing in it.
    """

    title: str
    manifest: tuple[tuple[str, str], ...]
    frames: Mapping[str, pl.DataFrame]
    headline: pl.DataFrame
    missing: Mapping[str, str]
    missing_books: frozenset[str]
    replications: int
    first_day: dt.date | None
    days: int
    players: float
    measured_from_day: int
    wait_item: str
    opening_gold: int | None
    has_activity: bool
    has_players: bool
    grouped_by: str
    targets: Mapping[str, Band]
    findings: tuple[Finding, ...] | None
    booked: pl.DataFrame
    assumptions: Mapping[str, str] = field(default_factory=dict)
    before: ReportData | None = None
    alone: str = ""
    leaves_out_idle: bool = False

    @property
    def told_apart(self) -> str:
        """What players are told apart by: ``archetype``, else ``group``."""
        return "group" if self.grouped_by else "archetype"


def report_data(
    runs: Sequence[Observations],
    *,
    title: str,
    manifest: Mapping[str, str],
    targets: Mapping[str, Band] = TARGETS,
    findings: Sequence[Finding] | None = None,
    warm_up_days: int = WARM_UP_DAYS,
    assumptions: Mapping[str, str] = {},
) -> ReportData:
    """Compute every metric of every run.

    Args:
        runs: The replications of one scenario, or one real ledger; streams that were not observed are named
            in the report, and nothing is guessed in their place.
        title: The report's title.
        manifest: How the observations came about; a date is in the report only when one is given here.
        targets: Bands by the name of a headline number.
        findings: What the economy's check found; None when it was not checked.
        warm_up_days: Days cut before flows, spending and acts are measured; none are cut from a shorter run,
            or from a part of a ledger, which does not begin with its openings.
        assumptions: By the name of a headline number: the sentence that says what a model put in.

    Raises:
        MisuseError: There is no run.
    """
    if not runs:
        raise MisuseError("a report needs at least one run; pass the observations of one or of several")
    spans = [days(run).collect()["day"] for run in runs]
    length = max(span.len() for span in spans)
    first_day = 0 if _is_part(runs) else first_measured_day(length, warm_up_days)
    seen = [_Measured.of(run, first_day) for run in runs]
    missing = {name: error for run in seen for name, error in run.missing.items()}
    frames = _frames(seen, missing, first_day)
    return ReportData(
        title=title,
        manifest=tuple((name, str(text)) for name, text in manifest.items()),
        frames=frames,
        headline=numbered(run.headline for run in seen),
        missing={name: str(error) for name, error in missing.items()},
        missing_books=frozenset(name for name in missing if isinstance(missing[name], MissingBooksError)),
        replications=len(seen),
        first_day=min((span[0] for span in spans if span.len()), default=None),
        days=length,
        players=_players(frames),
        measured_from_day=first_day,
        wait_item=next((run.wait_item for run in seen if run.wait_item), ""),
        opening_gold=next((run.opening_gold for run in seen if run.opening_gold is not None), None),
        has_activity=all(run.has_activity for run in runs),
        has_players=all(run.has_players for run in runs),
        grouped_by=runs[0].grouped_by,
        targets=targets,
        findings=None if findings is None else tuple(findings),
        assumptions=assumptions,
        booked=numbered(run.booked for run in seen),
        leaves_out_idle=any(_is_part([run]) and not run.has_goods for run in runs),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Everything that is read from one run, so that only one is in memory at a time."""

    frames: Mapping[str, pl.DataFrame]
    missing: Mapping[str, MissingObservationsError]
    headline: pl.DataFrame
    booked: pl.DataFrame
    wait_item: str
    opening_gold: int | None

    @classmethod
    def of(cls, run: Observations, first_day: int) -> _Measured:
        """Measure a run; of its streams, only the columns that our metrics read are loaded."""
        loaded = replace(
            run, ledger=run.ledger.select(_LEDGER_READ), activity=run.activity.select(_ACTIVITY_READ)
        ).loaded()
        frames: dict[str, pl.DataFrame] = {}
        missing: dict[str, MissingObservationsError] = {}
        for name, entry in METRICS.items():
            if name in _LEFT_OUT:
                continue
            try:
                frames[name] = measured(name, run if entry.own else loaded, **entry.options(first_day))
            except MissingObservationsError as error:
                missing[name] = error
        return cls(
            frames=frames,
            missing=missing,
            headline=headline(loaded, first_day),
            booked=_booked(loaded),
            wait_item="".join(wait_item(loaded).collect()["item_id"]),
            opening_gold=_opening(loaded),
        )


def _frames(seen: Sequence[_Measured], missing: Container[str], first_day: int) -> dict[str, pl.DataFrame]:
    """The frames of all runs by metric; an empty one where a run lacks what it is made of."""
    return {
        name: numbered(
            [_blank(name, first_day)] if name in missing else [run.frames[name] for run in seen], name
        )
        for name in METRICS
        if name not in _LEFT_OUT
    }


def _blank(name: str, first_day: int) -> pl.DataFrame:
    return measured(name, Observations.empty(), **METRICS[name].options(first_day))


def measured_from_day(run: Observations) -> int:
    """First day of flows, spending and acts, counted from 0: the warm-up is cut, unless it is a part."""
    return 0 if _is_part([run]) else first_measured_day(days(run).collect().height)


def _is_part(runs: Sequence[Observations]) -> bool:
    return any(run.brought.head(1).collect().height for run in runs)


def _booked(run: Observations) -> pl.DataFrame:
    rows = pl.concat([frame.select("currency", "amount") for frame in (run.ledger, run.brought)])
    sums = rows.drop_nulls("amount").group_by("currency").agg(booked=pl.col("amount").cast(pl.Int128).sum())
    return sums.sort("currency").collect()


def _players(frames: Mapping[str, pl.DataFrame]) -> float:
    rows = frames["balance_percentiles"].filter(pl.col("archetype") == "all")
    mean = rows.group_by("replication").agg(pl.col("players").max())["players"].mean()
    return float(mean) if isinstance(mean, float) else 0.0


def _opening(run: Observations) -> int | None:
    """What the economy history says, else the opening that most players had."""
    stated = run.economy_history.filter(pl.col("measure") == "opening_gold", pl.col("key") == "gold")
    booked = run.ledger.filter(pl.col("kind") == "opening", pl.col("currency") == "gold")
    values = pl.concat(
        [
            stated.sort("effective_from").select("value").last(),
            booked.select(value=pl.col("amount").mode().max()),
        ]
    )
    found = values.collect()["value"].drop_nulls()
    return int(found[0]) if found.len() else None
