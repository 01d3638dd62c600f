"""The headline: a dozen numbers as cards, each against its target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import measured
from kokoromichi.analysis.report.numbers import HeadlineNumber, Writer, headline_numbers
from kokoromichi.analysis.report.page import Card, PageSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.analysis.report.data import ReportData
    from kokoromichi.analysis.report.page import Verdict
    from kokoromichi.analysis.report.targets import Target

_MARGIN = 0.12


def headline_section(data: ReportData) -> PageSection:
    """Return the headline numbers with their targets and verdicts."""
    cards = tuple(_card(number, data.targets.get(number.target)) for number in headline_numbers(data))
    met = sum(card.verdict == "good" for card in cards)
    held = sum(card.verdict != "plain" for card in cards)
    lede = (
        f"{met} of {held} targets are met. The sink/faucet ratio alone is a weak alarm, because spending "
        f"follows the purse: read it beside supply, wait and balances. {measured(data)} "
        "Supply, inequality, wait and retention are those of the whole time."
    )
    return PageSection(anchor="headline", title="Headline", lede=lede, cards=cards)


def _card(number: HeadlineNumber, target: Target | None) -> Card:
    found = words.span(number.values)
    tested = [value for value in number.tested or number.values if value is not None]
    middle = words.span(tested)
    verdict: Verdict = "plain"
    if target is not None and middle is not None:
        verdict = "good" if target.holds(middle[0]) else "bad"
    apart = found is not None and len(tested) > 1
    return Card(
        label=number.label,
        value=number.write(found[0] if found else None),
        unit=number.unit if found else "",
        spread=f"p10–p90 {number.write(found[1])} – {number.write(found[2])}" if found and apart else "",
        target=_wanted(target, number.write_target or number.write, number.target_unit) if target else "",
        verdict=verdict,
        pill=_pill(verdict, target, tested),
        gauge=_gauge(target, middle[0]) if target and middle else None,
        says=number.says,
    )


def _pill(verdict: Verdict, target: Target | None, tested: Sequence[float]) -> str:
    """Say whether the number meets its target, and how many runs do."""
    if target is None or verdict == "plain":
        return "not known"
    said = "met" if verdict == "good" else "missed"
    return f"{said}: {sum(map(target.holds, tested))} of {len(tested)} runs" if len(tested) > 1 else said


def _wanted(target: Target, write: Writer, unit: str) -> str:
    if math.isinf(target.low):
        text = f"at most {write(target.high)}"
    elif math.isinf(target.high):
        text = f"at least {write(target.low)}"
    else:
        text = f"{write(target.low)} to {write(target.high)}"
    return f"Target: {text} {unit}".strip()


def _gauge(target: Target, value: float) -> tuple[float, float, float]:
    """Place band and value on a line that reaches a little beyond both; an open band ends with the line."""
    low = target.low if math.isfinite(target.low) else min(0.0, value, target.high)
    high = target.high if math.isfinite(target.high) else max(1.0, 2 * low, value)
    margin = _MARGIN * (max(high, value) - min(low, value) or 1.0)
    left = min(low, value) - (margin if math.isfinite(target.low) else 0.0)
    right = max(high, value) + (margin if math.isfinite(target.high) else 0.0)
    band_left, band_right, dot = (round(100 * (at - left) / (right - left), 2) for at in (low, high, value))
    return band_left, round(100 - band_right, 2), dot
