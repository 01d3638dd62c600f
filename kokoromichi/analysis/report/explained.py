"""A report as sentences: what grows and how fast, who gains by what, which target is missed and by how much.

Nothing is advised: what a change would do, an experiment says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl
from markupsafe import Markup

from kokoromichi.analysis.html import card
from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.plots.canvas import words as spelled
from kokoromichi.analysis.plots.series import averaged
from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import lasting, measured_days
from kokoromichi.analysis.report.cards import LEAST_DAYS, headline_card, targets_met, wanted
from kokoromichi.analysis.report.numbers import headline_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.analysis.report.data import ReportData
    from kokoromichi.analysis.report.numbers import HeadlineNumber
    from kokoromichi.analysis.targets import Band

_SPAN_DAYS: Final = 28
_KINDS_NAMED: Final = 2
_EXPERIMENT: Final = "What a change of a number would do is not said here: compare() measures it."


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences with their numbers; a notebook shows them as a list.

    Attributes:
        title: What is explained.
        sentences: From the supply to the targets.
    """

    title: str
    sentences: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        """The sentences."""
        return iter(self.sentences)

    def __repr__(self) -> str:
        """A line each."""
        return "\n".join((f"{self.title}:", *(f"- {sentence}" for sentence in self.sentences)))

    def _repr_html_(self) -> str:
        items = Markup().join(Markup("<li>{}</li>").format(sentence) for sentence in self.sentences)
        return card(self.title, (), foot=Markup("<ul>{}</ul>").format(items))


def explained(data: ReportData) -> Explanation:
    """Say in sentences what a report shows."""
    if data.first_day is None:
        return Explanation(data.title, (lasting(data),))
    sentences = (lasting(data), *_supply(data), *_flows(data), *_gains(data), *_targets(data), _EXPERIMENT)
    return Explanation(data.title, sentences)


def _supply(data: ReportData) -> list[str]:
    """How far and how fast the supply moved in the last weeks, and by what."""
    columns = ("supply", "opening", "faucets", "sinks")
    gold = data.frames["money_supply"].filter(pl.col("currency") == "gold")
    days = averaged(gold, ["day"], *columns).tail(_SPAN_DAYS + 1)
    if days.height < 2:  # noqa: PLR2004 - two closes make a change
        return []
    first, last = days.row(0, named=True), days.row(-1, named=True)
    length = days.height - 1
    moved = {name: last[name] - first[name] for name in columns}
    grown = moved["supply"] / first["supply"] if first["supply"] else None
    rate = "" if grown is None else f", {words.signed_share(grown)}"
    weekly = (
        ""
        if grown is None or grown <= -1
        else f" ({words.signed_share((1 + grown) ** (7 / length) - 1)} a week)"
    )
    said = (
        f"In the last {words.counted(length, 'day')} the money supply went from "
        f"{words.short(first['supply'])} to {words.short(last['supply'])} gold{rate}{weekly}: "
        f"{words.short(moved['opening'])} came by openings, {words.short(moved['faucets'])} by faucets, and "
        f"{words.short(moved['sinks'])} left by sinks."
    )
    return [said]


def _flows(data: ReportData) -> list[str]:
    """By which kinds gold enters and leaves."""
    gold = data.frames["flows_total"].filter(pl.col("currency") == "gold", pl.col("share").is_not_null())
    said = []
    for direction, verb in (("faucet", "enters"), ("sink", "leaves")):
        kinds = averaged(gold.filter(pl.col("direction") == direction), ["kind"], "share")
        largest = kinds.sort("share", "kind", descending=[True, False]).head(_KINDS_NAMED)
        named = [f"{words.share(size)} by {kind}" for kind, size in largest.iter_rows()]
        if named:
            said.append(f"Of the gold that {verb}, {words.listed(named)}.")
    days = measured_days(data).lower()
    return [*said, f"These shares, and what players gain and lose: {days}"] if said else []


def _gains(data: ReportData) -> list[str]:
    """What a player of each group gains and loses, the largest gain first."""
    known = data.frames["gains"].filter(pl.col("archetype") != ALL)
    frame = known if known.height else data.frames["gains"]
    kinds = averaged(frame, ["archetype", "kind"], "per_player")
    groups = kinds.group_by("archetype").agg(net=pl.col("per_player").sum()).sort("net", "archetype")
    return [
        _gain(
            _one_of(data, archetype),
            net,
            kinds.filter(pl.col("archetype") == archetype).sort("per_player", "kind"),
        )
        for archetype, net in groups.reverse().iter_rows()
    ]


def _one_of(data: ReportData, archetype: str) -> str:
    return "a player" if archetype == ALL else f"a player of the {data.told_apart} {spelled(archetype)}"


def _gain(who: str, net: float, kinds: pl.DataFrame) -> str:
    least, most = kinds.row(0, named=True), kinds.row(-1, named=True)
    parts = []
    if most["per_player"] > 0:
        parts.append(f"most came by {most['kind']} (+{words.whole(most['per_player'])})")
    if least["per_player"] < 0:
        parts.append(f"most went by {least['kind']} ({words.whole(least['per_player'])})")
    verb = "gained" if net >= 0 else "lost"
    return f"Openings left out, {who} {verb} {words.whole(abs(net))} gold on average: {words.listed(parts)}."


def _targets(data: ReportData) -> list[str]:
    """Which targets are missed and by how much, and how many are met."""
    if data.days < LEAST_DAYS:
        return [f"Fewer than {LEAST_DAYS} days were observed: no target is judged."]
    judged = [
        (number, data.targets[number.target])
        for number in headline_numbers(data)
        if number.target in data.targets
    ]
    missed = [said for number, target in judged if (said := _missed(number, target))]
    met = targets_met([headline_card(number, target) for number, target in judged])
    return [*missed, met] if judged else []


def _missed(number: HeadlineNumber, target: Band) -> str:
    """How far a number lies outside of its target; empty where it is met."""
    found = number.over(number.tested or number.values)
    if found.value is None:
        return f"{number.label} is not known: no run has it, so that its target is not met."
    if target.holds(found.value) and not found.scarce:
        return ""
    bounds = wanted(target, number.write_target or number.write, number.target_unit)
    if math.isinf(found.value):
        return f"{number.label} lies beyond the horizon; its target is {bounds}."
    if target.holds(found.value):
        return f"{number.label} is known of {found.counted}, too few for its target, {bounds}."
    write = words.decimal if number.tested else number.write
    unit = number.target_unit if number.tested else number.unit
    end, side = (target.low, "below") if found.value < target.low else (target.high, "above")
    sure = "" if found.low is None else f"95 % interval {write(found.low)} to {write(found.high)}"
    aside = ", ".join(part for part in (sure, found.counted) if part)
    said = f"{number.label}: {write(found.value)} {unit}".rstrip() + (f" ({aside})" if aside else "")
    far = write(abs(found.value - end)).replace("\u00a0%", " percentage points")
    return f"{said}, {far} {side} its target, {bounds}."
