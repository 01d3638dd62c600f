"""What players do over weeks: sessions, sinks, coming and going, and gold that goes from hand to hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import definition, measured_days
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.analysis.report.data import ReportData

_MOST_ROWS: Final = 12
_MOST_WEEKS: Final = 8


def habits_section(data: ReportData) -> PageSection:
    """Return what a session moves, whom sinks reach, who stays by cohort, and who takes gold away."""
    tables = (_sessions(data), _leavers(data), _cohorts(data), _sinks(data))
    return _section(data, "habits", "Habits", "What players do over their weeks.", tables)


def ties_section(data: ReportData) -> PageSection:
    """Return what sold around each change of a price, and what gold goes from hand to hand."""
    tables = (_price_events(data), _pairs(data), _rings(data))
    lede = "What changes of prices went with, and where gold goes without a price. Nobody is named."
    return _section(data, "ties", "Changes of prices, and transfers", lede, tables)


def _section(
    data: ReportData, anchor: str, title: str, lede: str, tables: tuple[PageTable, ...]
) -> PageSection:
    names = [table.anchor.replace("-", "_") for table in tables]
    missing = dict.fromkeys(data.missing[name] for name in names if name in data.missing)
    return PageSection(
        anchor=anchor,
        title=title,
        lede=lede,
        missing=tuple(missing),
        blocks=tuple(table for table in tables if table.rows),
    )


def _sessions(data: ReportData) -> PageTable:
    columns = ("players", "sessions", "earned_per_session", "spent_per_session")
    frame = data.frames["session_flows"]
    rows = averaged(frame, ["age_weeks"], *columns).head(_MOST_ROWS).iter_rows()
    return _table(
        "session_flows",
        "What a session earns and spends",
        ("Week of age", "Players", "Sessions", "Gold earned", "Gold spent"),
        [(f"{age}", *map(words.whole, numbers)) for age, *numbers in rows],
        frame,
        measured_days(data),
    )


def _sinks(data: ReportData) -> PageTable:
    """The mean of the days."""
    frame = data.frames["sink_use"]
    days = frame.group_by("replication", "kind").agg(pl.col("share", "amount").mean()).sort("kind")
    means = averaged(days, ["kind"], "share", "amount").sort("share", "kind", descending=[True, False])
    return _table(
        "sink_use",
        "Whom each sink reaches on a day",
        ("Sink", "Of active players", "Gold a day"),
        [(kind, words.share(reached), words.short(gold)) for kind, reached, gold in means.iter_rows()],
        frame.group_by("kind", "day").agg(pl.col("amount", "players", "share").mean()).sort("kind", "day"),
        f"The mean of the days. {measured_days(data)}",
    )


def _cohorts(data: ReportData) -> PageTable:
    """A triangle: a row for each week of arrival, a column for each week of age."""
    frame = data.frames["cohort_retention"]
    shares = averaged(frame, ["cohort_week", "age_weeks"], "active_share", "players")
    ages = list(range(min(_MOST_WEEKS, int(shares["age_weeks"].max() or 0) + 1)))  # type: ignore[arg-type] # Integers.
    rows = []
    for (week,), cohort in shares.group_by("cohort_week", maintain_order=True):
        active = dict(cohort.select("age_weeks", "active_share").iter_rows())
        players = words.whole(cohort["players"][0])
        rows.append(
            (words.day(week), players, *(words.share(active[age]) if age in active else "" for age in ages))
        )
    return _table(
        "cohort_retention",
        "Active in a week, by the week of arrival",
        ("Week of arrival", "Players", *(f"Week {age}" for age in ages)),
        rows[:_MOST_ROWS],
        frame,
        wide=True,
    )


def _leavers(data: ReportData) -> PageTable:
    """By calendar week, the newest first."""
    frame = data.frames["leavers"]
    columns = ("left_players", "left_gold", "returned_players", "returned_gold")
    weeks = frame.group_by("replication", week=pl.col("day").dt.truncate("1w")).agg(pl.col(*columns).sum())
    means = averaged(weeks.sort("week"), ["week"], *columns).sort("week", descending=True)
    return _table(
        "leavers",
        "Who left and returned, and with what",
        ("Week of", "Left", "Gold they hold", "Returned", "Gold they held"),
        [
            (words.day(week), *map(words.whole, numbers))
            for week, *numbers in means.head(_MOST_ROWS).iter_rows()
        ],
        frame,
    )


def _price_events(data: ReportData) -> PageTable:
    """The mean of the days before each change and from then on, the newest change first."""
    frame, event = data.frames["price_events"], ["item_id", "changed", "old_price_gold", "new_price_gold"]
    after = pl.col("days_after") >= 0
    sold = frame.group_by("replication", *event).agg(
        before=pl.col("units_per_active_player").filter(~after).mean(),
        after=pl.col("units_per_active_player").filter(after).mean(),
        revenue_before=pl.col("revenue_gold").filter(~after).mean(),
        revenue_after=pl.col("revenue_gold").filter(after).mean(),
    )
    numbers = ("before", "after", "revenue_before", "revenue_after")
    means = averaged(sold, event, *numbers).sort("changed", "item_id", descending=[True, False])
    rows = [
        (
            spelled(item_id),
            words.day(changed),
            f"{words.whole(old)} → {words.whole(new)}",
            *(words.decimal(units, 3) for units in units),
            *(words.whole(gold) for gold in revenue),
        )
        for item_id, changed, old, new, *units, revenue_before, revenue_after in means.iter_rows()
        for revenue in [(revenue_before, revenue_after)]
    ]
    heads = ("Item", "Changed", "Price", "Units before", "after", "Gold a day before", "after")
    return _table(
        "price_events",
        "What sold around each change of a price",
        heads,
        rows[:_MOST_ROWS],
        frame,
        "Units of each active player a day; the mean of the days on either side.",
        text_columns=3,
    )


def _pairs(data: ReportData) -> PageTable:
    """The largest by their place; of several runs, the mean of that place."""
    frame = data.frames["transfer_pairs"].drop("user_id", "counterparty")
    placed = frame.with_columns(place=pl.int_range(1, pl.len() + 1).over("replication"))
    columns = ("transfers", "given", "given_back", "one_way_share")
    means = _placed(data, placed, "place", *columns)
    return _table(
        "transfer_pairs",
        "The largest transfers between two",
        ("Pair", "Transfers", "Given", "Given back", "One way"),
        [
            (place, *map(words.whole, numbers), words.share(share))
            for place, *numbers, share in means.iter_rows()
        ],
        placed,
        measured_days(data),
    )


def _rings(data: ReportData) -> PageTable:
    frame = data.frames["transfer_rings"].drop("largest_user_id")
    columns = ("players", "givers", "net", "largest_taken")
    means = _placed(data, frame, "ring", *columns)
    return _table(
        "transfer_rings",
        "Rings of one-way transfers",
        ("Ring", "Players", "Only give", "Gold one way", "One took"),
        [(ring, *map(words.whole, numbers)) for ring, *numbers in means.iter_rows()],
        frame,
        measured_days(data),
    )


def _placed(data: ReportData, frame: pl.DataFrame, place: str, *columns: str) -> pl.DataFrame:
    """The first few places in words, with the means of the runs that have them, and how many these are."""
    runs = frame.group_by(place).agg(runs=pl.len()).filter(pl.col("runs") < data.replications)
    means = averaged(frame.filter(pl.col(place) <= _MOST_ROWS), [place], *columns).join(
        runs, on=place, how="left", maintain_order="left"
    )
    few = pl.format("{} ({} of {} runs)", place, "runs", pl.lit(data.replications))
    return means.select(pl.coalesce(few, pl.col(place).cast(pl.String)).alias(place), *columns)


def _table(
    name: str,
    title: str,
    heads: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    data: pl.DataFrame,
    *more: str,
    text_columns: int = 1,
    wide: bool = False,
) -> PageTable:
    anchor = name.replace("_", "-")
    return PageTable(
        anchor=anchor,
        title=title,
        heads=heads,
        text_columns=text_columns,
        rows=tuple(PageRow(cells=tuple(map(Cell, texts))) for texts in rows),
        definition=definition(name, *more),
        csv=Csv.of(anchor, data),
        wide=wide,
    )
