"""The sections about who owns what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.plots import groups, wealth
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.plots.wealth import lorenz_points
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart, definition, measured_days, summary
from kokoromichi.analysis.report.page import Cell, Chart, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData

_MONTH_DAYS: Final = 30
_KINDS_NAMED: Final = 3

NO_PLAYERS: Final = (
    "The players were not observed, so nothing here is told apart by archetype: pass the players frame of "
    "the run, which says who follows which."
)


def who_is_missing(data: ReportData) -> tuple[str, ...]:
    """Say why nothing is told apart by archetype, or what stands in its place; nothing where it is."""
    if data.has_players:
        return ()
    if not data.grouped_by:
        return (NO_PLAYERS,)
    said = (
        f"Archetypes are not known: players are grouped by {data.grouped_by} instead, into the lower half, "
        "the next two fifths (middle) and the top tenth."
    )
    return (said,)


def balance_section(data: ReportData) -> PageSection:
    """Return the closing balances by archetype, and balances by age."""
    frame, aged = data.frames["balance_percentiles"], data.frames["cohort_balances"]
    last = frame.filter(pl.col("currency") == "gold")
    means = "Of several runs, the means of their percentiles."
    blocks: tuple[Chart | PageTable, ...] = (
        chart(
            wealth.balances(frame, opening=data.opening_gold),
            anchor="balances",
            takeaway=_balance_takeaway(data),
            says=definition("balance_percentiles", means),
            csv=summary(last, ["archetype"], "players", "p10", "p50", "p90"),
        ),
        chart(
            wealth.cohort_balances(aged),
            anchor="balances-by-age",
            takeaway=_age_takeaway(aged),
            says=definition("cohort_balances", means),
            csv=averaged(aged, ["archetype", "age_days"], "p10", "p50", "p90"),
        ),
    )
    blocks = (*blocks, _holders_chart(data))
    if data.frames["gains"].height:
        blocks = (*blocks, _gain_map(data), _gain_table(data))
    missing = who_is_missing(data)
    lede = "What players hold when the last day closes, and on the way there."
    return PageSection(anchor="wealth", title="Balances", lede=lede, missing=missing, blocks=blocks)


def _holders_chart(data: ReportData) -> Chart:
    frame = data.frames["balance_bands"]
    return chart(
        groups.holders(frame),
        anchor="holders",
        takeaway="",
        says=definition("balance_bands", "Of several runs, the mean."),
        csv=averaged(frame, ["day", "archetype"], "held", "p10", "p50", "p90"),
    )


def _gain_map(data: ReportData) -> Chart:
    frame = data.frames["gains"]
    return chart(
        groups.gold_map(frame),
        anchor="gain-map",
        takeaway="",
        says=f"{definition('gains')} {measured_days(data)}",
        csv=averaged(frame, ["archetype", "kind"], "per_player"),
    )


def _gain_table(data: ReportData) -> PageTable:
    """Return what each archetype gains, and by which kinds: the mean of the runs, after the warm-up."""
    frame = data.frames["gains"]
    sums = frame.group_by("archetype", "kind").agg(
        pl.col("amount").cast(pl.Float64).sum() / data.replications
    )
    ordered = sums.sort("archetype", "amount", "kind", descending=[False, True, False])
    groups = ordered.group_by("archetype", maintain_order=True).agg(
        "kind", "amount", net=pl.col("amount").sum()
    )
    groups = groups.sort(pl.col("archetype") == ALL, "net", "archetype", descending=[True, True, False])
    rows = tuple(_gain_row(*row) for row in groups.iter_rows())
    known = groups.filter(pl.col("archetype") != ALL)
    return PageTable(
        anchor="gains",
        title="Who gains, and by what",
        takeaway=_gain_takeaway(known, data.told_apart) if known.height > 1 else "",
        heads=(data.told_apart.capitalize(), "Gains most by", "Loses most by", "Net gold"),
        text_columns=3,
        rows=rows,
        definition=f"{definition('gains')} {measured_days(data)} Gold, the mean of the runs; the data has "
        "every kind. Who gains by a kind is no advice to turn it: what a change does, an experiment says.",
        csv=Csv.of("gains", frame),
        wide=True,
    )


def _gain_row(archetype: str, kinds: list[str], amounts: list[float], net: float) -> PageRow:
    pairs = list(zip(kinds, amounts, strict=True))
    gained = [f"{kind}\u00a0+{words.short(amount)}" for kind, amount in pairs if amount > 0][:_KINDS_NAMED]
    lost = [f"{kind}\u00a0{words.short(amount)}" for kind, amount in reversed(pairs) if amount < 0][
        :_KINDS_NAMED
    ]
    texts = (spelled(archetype), ", ".join(gained), ", ".join(lost), words.whole(net))
    return PageRow(cells=tuple(map(Cell, texts)), role="total" if archetype == ALL else "plain")


def _gain_takeaway(known: pl.DataFrame, told_apart: str) -> str:
    said = [
        f"the {told_apart} {spelled(row['archetype'])} {'gains' if row['net'] >= 0 else 'loses'} "
        f"{words.short(abs(row['net']))}"
        for row in (known.row(place, named=True) for place in (0, -1))
    ]
    return f"Summed over the players, in gold: {', '.join(said)}."


def _balance_takeaway(data: ReportData) -> str:
    rows = data.frames["balance_percentiles"].filter(pl.col("currency") == "gold")
    means = averaged(rows, ["archetype"], "p50").sort("p50", "archetype")
    everyone = means.filter(pl.col("archetype") == ALL)["p50"]
    known = means.filter(pl.col("archetype") != ALL)
    if everyone.is_empty():
        return ""
    said = f"Half of all players hold more than {words.whole(everyone[0])} gold"
    if known.height < 2:  # noqa: PLR2004 - two archetypes make a range
        return f"{said}."
    low, high = (f"{spelled(name)} {words.whole(p50)}" for name, p50 in (known.row(0), known.row(-1)))
    return f"{said}; medians run from {low} to {high}."


def _age_takeaway(aged: pl.DataFrame) -> str:
    """Say what the middle player holds at the ends of the first month."""
    medians = averaged(aged.filter(pl.col("archetype") == ALL), ["age_days"], "p50")
    ends = medians.filter(pl.col("age_days").is_in([0, _MONTH_DAYS]))
    if ends.height < 2:  # noqa: PLR2004 - nobody was observed for a month
        return ""
    first, month = (words.whole(p50) for p50 in ends["p50"])
    return f"The median player closes the first day with {first} gold, and day {_MONTH_DAYS} with {month}."


def inequality_section(data: ReportData) -> PageSection:
    """Return the Lorenz curve, and Gini and top shares as a table."""
    curves = chart(
        wealth.lorenz(data.frames["lorenz"]),
        anchor="lorenz",
        takeaway=_gini_takeaway(data),
        says=definition(
            "lorenz",
            "A curve is read at every hundredth of the players; the Gini coefficient from all points.",
        ),
        csv=summary(lorenz_points(data.frames["lorenz"]), ["measure", "players"], "held"),
    )
    lede = f"How evenly gold is held and spent. Balances are those of the last close. {measured_days(data)}"
    return PageSection(
        anchor="inequality", title="Inequality", lede=lede, blocks=(curves, _inequality_table(data))
    )


def _gini_takeaway(data: ReportData) -> str:
    found = words.span(data.headline["top_10_share"].to_list())
    return f"The richest tenth holds {words.share(found[0])} of the gold." if found else ""


def _inequality_table(data: ReportData) -> PageTable:
    ginis = data.frames["gini"].select("replication", "measure", pl.lit("Gini").alias("number"), value="gini")
    tops = data.frames["top_shares"].select(
        "replication",
        "measure",
        pl.format("Top {} %", (100 * pl.col("top")).round().cast(pl.Int64)).alias("number"),
        value="share",
    )
    numbers = pl.concat([ginis, tops])
    heads = ("Mean", "p10", "p90") if data.replications > 1 else ("Value",)
    rows = []
    for (measure, number), part in numbers.group_by("measure", "number", maintain_order=True):
        found = words.span(part["value"].to_list())
        write = words.decimal if number == "Gini" else lambda value: words.share(value, 1)
        texts = [write(value) for value in found] if found else [words.NOTHING] * 3
        rows.append(PageRow(cells=tuple(map(Cell, (str(number), str(measure), *texts[: len(heads)])))))
    return PageTable(
        anchor="inequality-numbers",
        title="Gini and top shares",
        heads=("Number", "Of", *heads),
        text_columns=2,
        rows=tuple(rows),
        definition=f"{definition('gini')} {definition('top_shares')}",
        csv=Csv.of("inequality-numbers", numbers.select("measure", "number", "replication", "value")),
    )
