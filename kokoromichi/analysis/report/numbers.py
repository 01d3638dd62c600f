"""The dozen headline numbers: where each comes from, how it is written, and what it is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.metrics.definitions import define
from kokoromichi.analysis.metrics.headline import POSSIBLE, SHARE, WAIT_CATEGORY, headline
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.replicated import Estimate, estimate
from kokoromichi.analysis.report import words
from kokoromichi.options import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.analysis.report.data import ReportData

Values: TypeAlias = "list[float | None]"
"""One number per run, None where a run has none."""

Writer: TypeAlias = "Callable[[float | None], str]"

_WAIT_SAYS: Final = "Wait for the item's price, in days; a wait that fewer than half end in time is beyond."
_WHOLE_FROM: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadlineNumber:
    """One number of the headline.

    Attributes:
        label: What is measured.
        values: It, by run.
        write: How it is written.
        unit: Set behind it.
        says: The definition.
        target: Its name among the targets; empty for a number that is held against none.
        column: Its name among the columns of ``headline``; empty where it is none of them.
        possible: Between which values it can lie.
        tested: What is held against the target, by run, where that is not the number itself.
        write_target: How the target is written, where that is not the number's way.
        target_unit: Set behind the target.
    """

    label: str
    values: Values
    write: Writer
    says: str
    unit: str = ""
    target: str = ""
    column: str = ""
    possible: tuple[float, float] = (0.0, math.inf)
    tested: Values = field(default_factory=list)
    write_target: Writer | None = None
    target_unit: str = ""

    def over(self, values: Values) -> Estimate:
        """Sum up values of the number over the runs."""
        return estimate(values, self.column, self.possible)


def headline_numbers(data: ReportData) -> list[HeadlineNumber]:
    """Return the headline numbers, those that are held against a target first."""
    numbers = (
        *_flows(data),
        *_supply(data),
        _wait(data),
        *_medians(data),
        *_inequality(data),
        _retention(data),
    )
    numbers = (*numbers, *_asked_for(data, {number.target for number in numbers}))
    return sorted(numbers, key=lambda number: number.target not in data.targets)


def _flows(data: ReportData) -> tuple[HeadlineNumber, ...]:
    kind, shares = _largest_sink(data)
    return (
        _of_column(
            data,
            "sink_faucet_ratio",
            label="Sink/faucet ratio",
            write=_fine_share,
            says="Gold that left, in per cent of the gold that entered; openings are left out.",
            write_target=words.share,
        ),
        HeadlineNumber(
            label=f"Largest sink: {kind}",
            values=shares,
            write=_fine_share,
            possible=SHARE,
            unit="of all sinks",
            says="The kind of sink that takes most. An economy that drains through one kind hangs on it.",
            target="largest_sink_share",
            write_target=words.share,
        ),
        _of_column(
            data,
            "net_flow_gold_per_active_player_day",
            label="Net flow",
            write=words.whole,
            unit="gold a player-day",
            says="Faucets less sinks for each day of an active player; openings are left out.",
        ),
        _of_column(
            data,
            "velocity_per_day",
            target="",
            label="Velocity",
            write=_fine_share,
            unit="a day",
            says="Mean spending a day, in per cent of the mean supply.",
        ),
    )


def _supply(data: ReportData) -> tuple[HeadlineNumber, ...]:
    supply = _column(data, "supply_gold")
    gold = data.frames["money_supply"].filter(pl.col("currency") == "gold").sort("day")
    opened = _by_run(data, _opened(data, gold))
    return (
        HeadlineNumber(
            label="Money supply",
            values=supply,
            write=words.short,
            unit="gold",
            says="The sum of all balances when the last day closes.",
            target="supply_per_opening",
            tested=_quotients(supply, opened),
            write_target=_plain,
            target_unit="times the openings",
        ),
        HeadlineNumber(
            label="In active purses",
            values=_quotients(_column(data, "active_supply_gold"), supply),
            write=words.share,
            possible=SHARE,
            unit="of the supply",
            says="Gold of players who were active on the last day or the six before.",
        ),
    )


def _opened(data: ReportData, gold: pl.DataFrame) -> pl.DataFrame:
    """By run, what all players opened with; in a part of a ledger, what as many would today."""
    players = data.frames["balance_percentiles"].filter(currency="gold", archetype=ALL)
    last = gold.group_by("replication").agg(pl.col("opening", "brought_forward").last())
    both = last.join(players, on="replication", how="left")
    whole = pl.col("brought_forward") == 0
    today = pl.col("players") * pl.lit(data.opening_gold, pl.Int64)
    return both.select("replication", pl.when(whole).then("opening").otherwise(today))


def _wait(data: ReportData) -> HeadlineNumber:
    who = "casual players" if data.has_players else "all players"
    return _of_column(
        data,
        "wait_days",
        label=f"Wait for a {spelled(data.wait_item or WAIT_CATEGORY)}",
        write=lambda value: words.decimal(value, 1),
        unit="days",
        says=f"Median of {who}, from the first day that closes below the price to the first at or above "
        f"it; of several runs their median. {words.BEYOND.capitalize()}: fewer than half could afford it "
        "in time.",
        write_target=_plain,
        target_unit="days",
    )


def _medians(data: ReportData) -> tuple[HeadlineNumber, ...]:
    """The lowest and the highest median balance of an archetype, in openings."""
    rows = data.frames["balance_percentiles"].filter(pl.col("currency") == "gold")
    known = rows.filter(pl.col("archetype") != ALL)
    rows = known if known.height else rows
    scaled = rows.with_columns(times=pl.col("p50") / (data.opening_gold or None))
    means = averaged(scaled, ["archetype"], "times").sort("times", "archetype")
    ends = scaled.group_by("replication").agg(low=pl.col("times").min(), high=pl.col("times").max())
    names = [spelled(name) for name in means["archetype"]] or [words.NOTHING]
    return tuple(
        HeadlineNumber(
            label=f"{label} {data.told_apart}: {name}",
            values=_by_run(data, ends.select("replication", end)),
            write=words.decimal,
            unit="times the opening",
            says=f"The {said} median balance of {data.told_apart}s when the last day closes.",
            target=f"{said}_median_per_opening",
            write_target=_plain,
        )
        for label, said, name, end in (
            ("Poorest", "lowest", names[0], "low"),
            ("Richest", "highest", names[-1], "high"),
        )
    )


def _inequality(data: ReportData) -> tuple[HeadlineNumber, ...]:
    top = words.share(estimate(_column(data, "top_1_share")).value)
    return (
        _of_column(
            data,
            "gini",
            label="Gini of balances",
            write=words.decimal,
            says="0 when all hold the same gold, towards 1 when one player holds everything.",
            write_target=_plain,
        ),
        _of_column(
            data,
            "top_10_share",
            label="Held by the top 10 %",
            write=words.share,
            unit="of the gold",
            says=f"What the richest tenth holds; the richest hundredth holds {top}.",
        ),
    )


def _retention(data: ReportData) -> HeadlineNumber:
    assumed = f"{text} " if (text := data.assumptions.get("retention_d30")) else ""
    shares = {age: words.share(estimate(_column(data, f"retention_d{age}")).value) for age in (1, 7)}
    return _of_column(
        data,
        "retention_d30",
        label="Retention D30",
        write=words.share,
        unit="not away",
        says=f"Of the players observed for 30 days, on day 30. {assumed}D1: {shares[1]}, D7: {shares[7]}.",
    )


def _of_column(data: ReportData, column: str, **said: Any) -> HeadlineNumber:
    """A number that is a column of the headline, and held against the target of its name."""
    derived = {"values": _column(data, column), "possible": POSSIBLE[column], "target": column}
    return HeadlineNumber(column=column, **{**derived, **said})


def _asked_for(data: ReportData, shown: set[str]) -> tuple[HeadlineNumber, ...]:
    """The numbers that have a target and no place of their own."""
    means = {column.name: column.meaning for column in define(headline).columns}
    found = []
    for target in data.targets:
        column, *who = target.split(".")
        if target not in shown:
            shares = POSSIBLE[column] == SHARE
            found.append(
                HeadlineNumber(
                    label=spelled(column).capitalize() + "".join(f", {spelled(name)}" for name in who),
                    values=_wait_of(data, column, *who) if who else _column(data, column),
                    column=column,
                    possible=POSSIBLE[column],
                    write=words.share if shares else _amount,
                    says=f"{means[column][:1].upper()}{means[column][1:]}." if not who else _WAIT_SAYS,
                    target=target,
                    write_target=words.share if shares else _plain,
                )
            )
    return tuple(found)


def _wait_of(data: ReportData, column: str, item: str, archetype: str = ALL) -> Values:
    waits = data.frames["days_to_afford"]
    for name, asked in (("item_id", item), ("archetype", archetype)):
        if waits.height:
            one_of(name, asked, sorted(waits[name].unique()))
    rows = waits.filter(pl.col("item_id") == item, pl.col("archetype") == archetype)
    return _by_run(data, rows.select("replication", column))


def _largest_sink(data: ReportData) -> tuple[str, Values]:
    rows = data.frames["flows_total"].filter(pl.col("currency") == "gold", pl.col("direction") == "sink")
    sizes = rows.group_by("kind").agg(pl.col("amount").cast(pl.Int128).sum())
    sizes = sizes.sort("amount", "kind", descending=[True, False])
    kind = str(sizes["kind"].first() or words.NOTHING)
    return kind, _by_run(data, rows.filter(pl.col("kind") == kind).select("replication", "share"))


def _by_run(data: ReportData, rows: pl.DataFrame) -> Values:
    values: dict[int, float | None] = dict(rows.iter_rows())
    return [values.get(run) for run in range(1, data.replications + 1)]


def _column(data: ReportData, name: str) -> Values:
    return data.headline[name].to_list()


def _quotients(parts: Values, wholes: Values) -> Values:
    return [
        part / whole if part is not None and whole else None
        for part, whole in zip(parts, wholes, strict=True)
    ]


def _fine_share(value: float | None) -> str:
    return words.share(value, 1)


def _amount(value: float | None) -> str:
    return words.short(value) if value is not None and abs(value) >= _WHOLE_FROM else words.decimal(value)


def _plain(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:g}"
