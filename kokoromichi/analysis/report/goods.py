"""The sections about goods: what gold is spent on, what sells out, what is put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from kokoromichi.analysis.plots import goods
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.goods import engel_points
from kokoromichi.analysis.plots.series import averaged, ranked, replications
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart, definition, measured_days, summary
from kokoromichi.analysis.report.page import Cell, Csv, PageRow, PageSection, PageTable, Stack

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData


def spending_section(data: ReportData) -> PageSection:
    """Return what rich and poor spend their gold on."""
    title, lede = "Engel shares", f"What the poorer and the richer spend their gold on. {measured_days(data)}"
    if "engel_shares" in data.missing:
        return PageSection(anchor="engel", title=title, lede=lede, missing=(data.missing["engel_shares"],))
    frame = data.frames["engel_shares"]
    blocks = (
        chart(
            goods.engel(frame),
            anchor="engel-shares",
            takeaway=_engel_takeaway(frame),
            says=definition("engel_shares"),
            csv=engel_points(frame),
        ),
        _engel_table(frame, data.replications),
    )
    return PageSection(anchor="engel", title=title, lede=lede, blocks=blocks)


def _engel_takeaway(frame: pl.DataFrame) -> str:
    """Name the category whose share differs most between the ends."""
    ends = (
        engel_points(frame)
        .filter(pl.col("decile").is_in([1, 10]))
        .pivot("decile", index="category", values="share")
        .drop_nulls()
    )
    if not {"1", "10"} <= set(ends.columns) or ends.is_empty():
        return ""
    gap = (pl.col("10") - pl.col("1")).abs()
    row = ends.sort(gap, "category", descending=[True, False]).row(0, named=True)
    return (
        f"The richest tenth spends {words.share(row['10'])} on {spelled(row['category'])}, "
        f"the poorest {words.share(row['1'])}: the widest gap."
    )


def _engel_table(frame: pl.DataFrame, runs: int) -> PageTable:
    sums = (
        frame.group_by("category")
        .agg(pl.col("spending_gold").cast(pl.Int128).sum())
        .sort("spending_gold", "category", descending=[True, False])
    )
    whole = int(sums["spending_gold"].sum())
    rows = [
        PageRow(
            cells=(
                Cell(spelled(category)),
                Cell(words.whole(gold)),
                Cell(words.share(gold / whole if whole else None, 1)),
            )
        )
        for category, gold in sums.iter_rows()
    ]
    rows.append(
        PageRow(
            cells=(Cell("All spending"), Cell(words.whole(whole)), Cell(words.share(1.0, 1))), role="total"
        )
    )
    return PageTable(
        anchor="spending",
        title="Spending by category",
        heads=("Category", f"Sum of {runs} runs" if runs > 1 else "Gold", "Share"),
        rows=tuple(rows),
        definition="Purchases under the item's category, other sinks under their kind; all deciles and runs.",
        csv=Csv.of("spending", sums),
    )


def stock_section(data: ReportData) -> PageSection:
    """Return sell-through and days of cover."""
    title, lede = "Stock", f"What sells out, and what is put aside. Use: {measured_days(data).lower()}"
    if "sell_through" in data.missing:
        return PageSection(anchor="stock", title=title, lede=lede, missing=(data.missing["sell_through"],))
    frame = data.frames["sell_through"]
    columns = ("sell_through_share", "sold_units", "remaining_units")
    sold = chart(
        goods.sell_through(frame),
        anchor="sell-through",
        takeaway=_stock_takeaway(frame),
        says=definition("sell_through", "Unlimited items have no sell-through and are in the table alone."),
        csv=summary(frame, ["item_id"], *columns),
    )
    held = chart(
        goods.hoarding(data.frames["hoarding"]),
        anchor="cover",
        takeaway=_cover_takeaway(data.frames["hoarding"]),
        says=definition("hoarding", "Items that nobody used have no bar."),
        csv=summary(data.frames["hoarding"], ["item_id"], "cover_days", "units_held", "used_per_day"),
    )
    return PageSection(
        anchor="stock", title=title, lede=lede, blocks=(Stack((sold, held)), _goods_table(data))
    )


def _stock_takeaway(frame: pl.DataFrame) -> str:
    means = averaged(frame.drop_nulls("sell_through_share"), ["item_id"], "sell_through_share")
    if means.is_empty():
        return "No item has limited stock."
    item, share = means.sort("sell_through_share", "item_id", descending=[True, False]).row(0)
    return f"The {spelled(item)} sells best: {words.share(share)} of its stock is gone."


def _cover_takeaway(frame: pl.DataFrame) -> str:
    common = ranked(frame, "item_id", "cover_days").filter(2 * pl.col("runs") >= replications(frame))
    if common.is_empty():
        return ""
    item, days = common.select("name", "mean").row(0)
    return f"The {spelled(item)} is put aside for longest: {words.decimal(days, 1)} days of use."


def _goods_table(data: ReportData) -> PageTable:
    keys = ["replication", "item_id"]
    sold = data.frames["sell_through"].select(*keys, "sold_units", "remaining_units")
    held = data.frames["hoarding"].select(*keys, "units_held", "used_per_day", "cover_days")
    goods = sold.join(held, on=keys, how="full", coalesce=True).sort(keys)
    means = averaged(goods, ["item_id"], *goods.columns[2:])
    means = means.sort("sold_units", "item_id", descending=[True, False], nulls_last=True)
    return PageTable(
        anchor="goods",
        title="Sold, held and used",
        heads=("Item", "Sold", "Left", "Held", "Used/day", "Cover,\u00a0d"),
        rows=tuple(_goods_row(*row) for row in means.iter_rows()),
        definition=f"{definition('hoarding')} Units sold since the first day, left in stock, held by players "
        "and used a day, and days of cover; means of the runs. An item without a number left is unlimited.",
        csv=Csv.of("goods", goods),
    )


def _goods_row(
    item: str,
    sold: float | None,
    left: float | None,
    held: float | None,
    used: float | None,
    cover: float | None,
) -> PageRow:
    texts = (
        spelled(item),
        words.whole(sold),
        words.whole(left),
        words.whole(held),
        words.decimal(used, 1),
        words.decimal(cover, 1),
    )
    return PageRow(cells=tuple(Cell(text) for text in texts))
