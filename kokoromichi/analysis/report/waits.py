"""The section about waits: how long a price keeps players waiting, and how prices moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.metrics.headline import WAIT_ARCHETYPE
from kokoromichi.analysis.plots import prices, waits
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged, replications
from kokoromichi.analysis.replicated import estimate
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart, definition, summary
from kokoromichi.analysis.report.distribution import who_is_missing
from kokoromichi.analysis.report.page import Cell, Chart, Csv, PageRow, PageSection, PageTable, Stack

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData

_BASE: Final = 100
_TIE: Final = 1e-9
_FEWEST: Final = 10
"""Cases that a number must be of, or it is set in grey."""


def wait_section(data: ReportData) -> PageSection:
    """Return the days to afford, by item and by archetype."""
    title, lede = "Days to afford", "How long a price keeps players waiting."
    if "days_to_afford" in data.missing:
        return PageSection(anchor="waits", title=title, lede=lede, missing=(data.missing["days_to_afford"],))
    frame = data.frames["days_to_afford"]
    columns = (
        "wait_days",
        "mean_wait_days",
        "earned_days",
        "first_days",
        "never_share",
        "waiting",
        "afforded",
    )
    everyone = frame.filter(pl.col("archetype") == ALL)
    item = frame.filter(pl.col("item_id") == data.wait_item)
    by_item = chart(
        waits.days_to_afford(frame),
        anchor="days-to-afford",
        takeaway=_wait_takeaway(data, ALL, "Players wait"),
        says=definition("days_to_afford"),
        csv=summary(everyone, ["item_id", "price_gold"], *columns),
    )
    by_archetype = chart(
        waits.waits(frame, item_id=data.wait_item or None),
        anchor="waits-by-archetype",
        takeaway=_wait_takeaway(data, WAIT_ARCHETYPE, "Casual players wait"),
        says="The same measures for one item, by archetype. An archetype without a dot has nobody who "
        "waited; one with a cross has fewer than half who could afford the item in time.",
        csv=summary(item, ["archetype"], *columns),
    )
    missing = who_is_missing(data)
    beside = [by_archetype]
    if prices_moved(data):
        beside.append(_index_chart(data))
    else:
        lede = f"{lede} Prices did not move."
    blocks = (by_item, Stack(tuple(beside)), _wait_table(everyone))
    return PageSection(anchor="waits", title=title, lede=lede, missing=missing, blocks=blocks)


def _wait_table(frame: pl.DataFrame) -> PageTable:
    """Return the measures beside one another: what a wait leaves out, the others show."""
    columns = ("wait_days", "mean_wait_days", "earned_days", "first_days", "never_share")
    keys = ["price_gold", "item_id"]
    counts = frame.group_by(keys).agg(runs=pl.col("wait_days").count(), waited=pl.col("waiting").sum())
    means = averaged(frame, keys, *columns).join(counts, on=keys).sort(keys)
    return PageTable(
        anchor="waits-by-item",
        title="Four measures of a wait",
        heads=(
            "Item",
            "Price",
            "Wait,\u00a0d",
            "30\u2011day mean",
            "Never",
            "Waited",
            "Earned,\u00a0d",
            "First,\u00a0d",
        ),
        rows=tuple(_wait_row(row, replications(frame)) for row in means.iter_rows(named=True)),
        definition="All players, medians in days; of several runs, their medians. "
        f"{words.BEYOND.capitalize()}: fewer than half could in time; {words.NOTHING}: nobody waited. 30-day "
        "mean: of the waits, each counted up to 30 days. Never: the share still waiting after the longest "
        "wait seen. Waited: players of all runs, and in how many runs; what fewer than "
        f"{_FEWEST} waited for is grey. Earned: from arrival until earnings, opening left out, reach the "
        "price. First: from arrival until a balance first reaches it.",
        csv=Csv.of("waits-by-item", means),
        wide=True,
    )


def _wait_row(row: dict[str, Any], runs: int) -> PageRow:
    waited, known = row["waited"], row["runs"]
    waits = (*_days(row["wait_days"], row["mean_wait_days"]), words.share(row["never_share"]))
    counted = f"{waited:,} in {words.counted(known, 'run')}" if 0 < known < runs else f"{waited:,}"
    return PageRow(
        cells=(
            Cell(spelled(row["item_id"])),
            Cell(words.whole(row["price_gold"])),
            *(Cell(text, "faint" if waited < _FEWEST else "plain") for text in (*waits, counted)),
            *map(Cell, _days(row["earned_days"], row["first_days"])),
        )
    )


def _days(*medians: float | None) -> tuple[str, ...]:
    return tuple(words.decimal(median, 1) for median in medians)


def _index_chart(data: ReportData) -> Chart:
    index = data.frames["price_index"]
    values = ("laspeyres", "paasche", "fisher_chained", "contribution_points")
    return chart(
        prices.price_index(index),
        anchor="price-index",
        takeaway="Categories that are not drawn did not move.",
        says=definition("price_index"),
        csv=summary(index, ["period_start", "category"], *values),
    )


def prices_moved(data: ReportData) -> bool:
    """Say whether any basket ever cost something else than in the first period."""
    return data.frames["price_index"].filter((pl.col("fisher_chained") - _BASE).abs() > _TIE).height > 0


def _wait_takeaway(data: ReportData, archetype: str, who: str) -> str:
    frame = data.frames["days_to_afford"]
    rows = frame.filter(pl.col("archetype") == archetype, pl.col("item_id") == data.wait_item)
    found = estimate(rows["wait_days"].to_list(), "wait_days")
    item = spelled(data.wait_item)
    if found.value is None:
        return ""
    if math.isinf(found.value):
        return f"Fewer than half could afford a {item} in time."
    of = f", {found.counted}" if found.counted else ""
    return f"{who} {words.decimal(found.value, 1)} days for a {item} (median{of})."
