"""The sections about gold itself: how much there is, where it comes from and goes, and that it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from kokoromichi.analysis.metrics.by_day import OPENING
from kokoromichi.analysis.plots import flows, supply
from kokoromichi.analysis.plots.flows import flow_windows, weekly
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import chart, definition, measured_days, summary
from kokoromichi.analysis.report.page import Cell, Chart, Csv, PageRow, PageSection, PageTable

if TYPE_CHECKING:
    from kokoromichi.analysis.report.data import ReportData
    from kokoromichi.analysis.targets import Band

_SIDES: Final = (("faucet", "Faucets", 1), ("sink", "Sinks", -1))


def supply_section(data: ReportData) -> PageSection:
    """Return the money supply by day, and its reconciliation to the unit."""
    frame = data.frames["money_supply"]
    charts = tuple(
        chart(
            supply.supply(frame, currency=currency),
            anchor=f"supply-{currency}",
            takeaway=_supply_takeaway(frame, currency),
            says=definition("money_supply")
            if currency == "gold"
            else "The sum of all balances of gems, counted as that of gold.",
            csv=summary(frame.filter(pl.col("currency") == currency), ["day"], "supply", "active_supply"),
        )
        for currency in ("gold", "gems")
    )
    lede = (
        "How much there is. Every unit can be traced: what was opened with and what entered, less what left, "
        "is what is held."
    )
    return PageSection(
        anchor="supply", title="Money supply", lede=lede, blocks=(*charts, reconciliation(data))
    )


def _supply_takeaway(frame: pl.DataFrame, currency: str) -> str:
    days = averaged(frame.filter(pl.col("currency") == currency), ["day"], "supply", "active_supply")
    if days.is_empty():
        return ""
    first, last = days.row(0, named=True), days.row(-1, named=True)
    active = words.share(last["active_supply"] / last["supply"]) if last["supply"] else words.NOTHING
    return (
        f"From {words.short(first['supply'])} to {words.short(last['supply'])} {currency}; "
        f"at the end {active} of it with players active in the last week."
    )


def reconciliation(data: ReportData) -> PageTable:
    """Return the table that adds up every run, to the unit: what came in, less what left, is what is held."""
    keys, parts = ["replication", "currency"], ["brought_forward", "opening", "faucets", "sinks"]
    last = data.frames["money_supply"].sort("day").group_by(keys).last().select(*keys, *parts, "supply")
    both = last.join(data.booked, on=keys, how="full", coalesce=True, nulls_equal=True)
    both = both.with_columns(
        pl.col("currency").fill_null("no currency"),
        pl.col(*parts, "supply", "booked").cast(pl.Int128).fill_null(0),
    )
    brought, opening, faucets, sinks = map(pl.col, parts)
    expected = brought + opening + faucets - sinks
    off = pl.when(pl.col("supply") != expected).then(pl.col("supply")).otherwise("booked") - expected
    exact = both.sort(pl.col("currency") != "gold", "currency", "replication").select(
        *keys, off.alias("difference"), *parts, expected.alias("expected"), "supply", "booked"
    )
    broken = exact.filter(pl.col("difference") != 0).height
    sentence = (
        f"All {exact.height} sums reconcile to the unit."
        if not broken
        else f"{broken} of {exact.height} sums do not reconcile."
    )
    return PageTable(
        anchor="reconciliation",
        title="Does it add up?",
        takeaway=sentence if exact.height else "",
        heads=(
            "Run",
            "Currency",
            "Difference",
            "Brought forward",
            "+ Opening",
            "+ Faucets",
            "− Sinks",
            "= Expected",
            "Supply held",
            "All rows",
        ),
        text_columns=2,
        rows=tuple(_reconciled(*row) for row in exact.iter_rows()),
        definition="Opening, faucets and sinks are summed from their kinds alone, the supply from every "
        "movement of every balance, transfers among them; both over the whole time. All rows: the sum of "
        "every row that has an amount, whatever else it lacks. A difference of one unit is an error.",
        csv=Csv.of("reconciliation", exact),
        wide=True,
    )


def reconciles(data: ReportData) -> bool:
    """Say whether opening + faucets - sinks is the supply in every run and currency, to the unit."""
    return all(cell.verdict != "bad" for row in reconciliation(data).rows for cell in row.cells)


def _reconciled(run: int, currency: str, *amounts: int) -> PageRow:
    difference, *numbers = amounts
    verdict = Cell("0, exact", "good") if difference == 0 else Cell(f"{words.whole(difference)} off", "bad")
    cells = (Cell(f"Run {run}"), Cell(currency), verdict, *(Cell(words.whole(number)) for number in numbers))
    return PageRow(cells=cells)


def flow_section(data: ReportData) -> PageSection:
    """Return faucets and sinks by kind, of gold and of gems."""
    frame = data.frames["flows"]
    says = definition(
        "flows", "Openings are left out of the chart; kinds below 2 % of their side stand together."
    )
    blocks: list[Chart | PageTable] = []
    for currency in ("gold", "gems"):
        windows = flow_windows(frame, currency=currency)
        axes = flows.flows(frame, currency=currency)
        takeaway = _flow_takeaway(data, currency)
        blocks.append(chart(axes, anchor=f"flows-{currency}", takeaway=takeaway, says=says, csv=windows))
        blocks.append(kind_table(data, currency))
    lede = (
        f"Where it comes from and where it goes. Shares: {measured_days(data).lower()} "
        "Totals: exact, and of the whole time."
    )
    return PageSection(anchor="flows", title="Faucets and sinks", lede=lede, blocks=tuple(blocks))


def _flow_takeaway(data: ReportData, currency: str) -> str:
    shares = _mean_shares(data, currency)
    parts = []
    for side, verb, whole in (("faucet", "brings", "what enters"), ("sink", "takes", "what leaves")):
        rows = shares.filter(pl.col("direction") == side)
        if rows.height:
            kind, share = rows.select("kind", "share").row(0)
            parts.append(f"{kind} {verb} {words.share(share)} of {whole}")
    sentence = words.listed(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def _mean_shares(data: ReportData, currency: str) -> pl.DataFrame:
    """Per direction and kind, the largest first: the mean share after the warm-up, of runs with any flow."""
    rows = data.frames["flows_total"].filter(pl.col("currency") == currency).drop_nulls("share")
    means = averaged(rows, ["direction", "kind"], "share")
    return means.sort("direction", "share", "kind", descending=[False, True, False])


def kind_table(data: ReportData, currency: str) -> PageTable:
    """Return the exact totals by kind over all runs, closed by the supply that they leave."""
    flows = data.frames["flows"].filter(pl.col("currency") == currency, pl.col("direction") != "transfer")
    totals = flows.group_by("direction", "kind").agg(pl.col("amount").cast(pl.Int128).sum())
    totals = totals.join(_mean_shares(data, currency), on=["direction", "kind"], how="left")
    totals = totals.sort("direction", "amount", "kind", descending=[False, True, False])
    runs = data.replications
    opening = totals.filter(pl.col("kind") == OPENING)
    held = int(opening["amount"].sum())
    rows = [_kind_row("opening", held, None, runs, role="total")]
    if brought := _brought(data, currency):
        rows.insert(0, _kind_row("brought forward", brought, None, runs, role="total"))
        held += brought
    for side, title, sign in _SIDES:
        part = totals.filter(pl.col("direction") == side, pl.col("kind") != OPENING)
        rows.append(
            PageRow(cells=tuple(map(Cell, (title, "", "", "")[: 4 if runs > 1 else 3])), role="group")
        )
        rows.extend(
            _kind_row(kind, sign * amount, share, runs) for _, kind, amount, share in part.iter_rows()
        )
        moved = sign * int(part["amount"].sum())
        rows.append(_kind_row(f"All {title.lower()}", moved, 1.0 if moved else None, runs, role="total"))
        held += moved
    rows.append(_kind_row("Supply held", held, None, runs, role="total"))
    summed = f"Whole time, {runs} runs" if runs > 1 else "Whole time"
    means = ("Whole time, mean",) if runs > 1 else ()
    shares = f"Share from day {data.measured_from_day} on" if data.measured_from_day else "Share"
    return PageTable(
        anchor=f"kinds-{currency}",
        title=f"{currency.capitalize()} by kind, to the unit",
        heads=("Kind", summed, *means, shares),
        rows=tuple(rows),
        definition=definition(
            "flows_total",
            "Totals are of the whole time and exact; shares are the mean of the runs after the warm-up.",
        )
        + " Transfers between players change no total and are left out.",
        csv=Csv.of(
            f"kinds-{currency}",
            flows.group_by("replication", "direction", "kind")
            .agg(pl.col("amount", "rows").sum())
            .sort("replication", "direction", "kind"),
        ),
    )


def _brought(data: ReportData, currency: str) -> int:
    last = data.frames["money_supply"].filter(pl.col("currency") == currency).sort("day")
    sums = last.group_by("replication").last()["brought_forward"]
    return int(sums.cast(pl.Int128).sum())


def _kind_row(
    name: str, amount: int, share: float | None, runs: int, *, role: Literal["plain", "total"] = "plain"
) -> PageRow:
    shared = "" if share is None else words.share(share, 1)
    means = (words.whole(amount / runs),) if runs > 1 else ()
    texts = (name, words.whole(amount), *means, shared)
    return PageRow(cells=tuple(Cell(text) for text in texts), role=role)


def net_section(data: ReportData) -> PageSection:
    """Return net flow and ratio by day."""
    frame = data.frames["net_flow"]
    band: Band | None = data.targets.get("sink_faucet_ratio")
    csv = summary(weekly(frame), ["day"], "net_gold_per_active_player", "net_per_player_day", "ratio")
    seven = "The line is of the seven days that end with each day, fewer at the beginning."
    blocks = (
        chart(
            flows.net_flow(frame),
            anchor="net-flow",
            takeaway=_net_takeaway(data),
            says=definition("net_flow", seven),
            csv=csv.select(pl.exclude("^ratio.*$")),
        ),
        chart(
            flows.ratio(frame, target=(band.low, band.high) if band else None),
            anchor="ratio",
            takeaway=_ratio_takeaway(data),
            says=definition("sink_faucet_ratio", seven),
            csv=csv.select("day", "^ratio.*$"),
        ),
    )
    lede = "Whether more enters than leaves, for each player who was there."
    return PageSection(anchor="net", title="Net flow", lede=lede, blocks=blocks)


def _net_takeaway(data: ReportData) -> str:
    found = words.span(data.headline["net_flow_gold_per_active_player_day"].to_list())
    if found is None:
        return ""
    verb = "gains" if found[0] >= 0 else "loses"
    return f"An active player {verb} {words.whole(abs(found[0]))} gold a day{_when(data)}."


def _ratio_takeaway(data: ReportData) -> str:
    found = words.span(data.headline["sink_faucet_ratio"].to_list())
    return f"{words.share(found[0], 1)} of what enters leaves again{_when(data)}." if found else ""


def _when(data: ReportData) -> str:
    return f" from day {data.measured_from_day} on" if data.measured_from_day else ", the first days included"
