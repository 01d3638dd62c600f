"""The headline: a dozen numbers as cards, each against its target."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.report import words
from kokoromichi.analysis.report.blocks import measured_days
from kokoromichi.analysis.report.numbers import HeadlineNumber, Values, Writer, headline_numbers
from kokoromichi.analysis.report.page import Card, PageSection
from kokoromichi.analysis.report.periods import comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.analysis.replicated import Estimate
    from kokoromichi.analysis.report.data import ReportData
    from kokoromichi.analysis.report.page import Verdict
    from kokoromichi.analysis.targets import Band

LEAST_DAYS: Final = 7
"""Days that must have been observed for a number to be held against its target."""

_MARGIN: Final = 0.12
_NOT_JUDGED: Final = f"Fewer than {LEAST_DAYS} days were observed, or no target was given: nothing is judged."


def headline_section(data: ReportData) -> PageSection:
    """Return the headline numbers with their targets and verdicts."""
    targets = data.targets if data.days >= LEAST_DAYS else {}
    cards = tuple(headline_card(number, targets.get(number.target)) for number in headline_numbers(data))
    lede = (
        f"{data.alone}{targets_met(cards) or _NOT_JUDGED} The sink/faucet ratio alone is a weak alarm, "
        "because spending follows the purse: read it beside supply, wait and balances. "
        "Supply, inequality, wait and retention are of the whole time; the rest: "
        f"{measured_days(data).lower()}"
    )
    missing = tuple(data.missing[name] for name in data.missing if name in data.missing_books)
    blocks = (comparison(data, data.before),) if data.before else ()
    return PageSection(
        anchor="headline", title="Headline", lede=lede, missing=missing, cards=cards, blocks=blocks
    )


def targets_met(cards: Sequence[Card]) -> str:
    """Say how many targets are met, of all that are set: one whose number is not known is not met."""
    held = [card.verdict for card in cards if card.target]
    unknown = f"; {held.count('plain')} not known" if "plain" in held else ""
    return f"{held.count('good')} of {len(held)} targets are met{unknown}." if held else ""


def unmet_targets(data: ReportData) -> tuple[str, ...]:
    """Say of each target that is not met what was found; of a time too short to be judged, of each."""
    if data.days < LEAST_DAYS:
        return (f"fewer than {LEAST_DAYS} days were observed: no target is judged",) if data.targets else ()
    numbers = [number for number in headline_numbers(data) if number.target in data.targets]
    cards = {number.target: headline_card(number, data.targets[number.target]) for number in numbers}
    return tuple(
        f"{name}: {card.value} {card.unit}".rstrip() + f", {card.pill} ({card.target})"
        for name, card in cards.items()
        if card.verdict != "good"
    )


def headline_card(number: HeadlineNumber, target: Band | None) -> Card:
    """Return one number as a card, held against its target."""
    found, tested = number.over(number.values), number.tested or number.values
    middle = number.over(tested)
    verdict = _verdict(target, middle)
    beyond = found.value is not None and math.isinf(found.value)
    return Card(
        label=number.label,
        value=number.write(found.value),
        unit="the horizon" if beyond else number.unit if found.runs else "",
        spread=_spread(found, number.write),
        target=f"Target: {wanted(target, number.write_target or number.write, number.target_unit)}"
        if target
        else "",
        verdict=verdict,
        pill=_pill(verdict, target, tested),
        gauge=_gauge(target, middle.value) if target and middle.value is not None and not beyond else None,
        says=number.says,
        faint=found.scarce,
    )


def _verdict(target: Band | None, found: Estimate) -> Verdict:
    """Judge the number: one that few of the runs have meets nothing, one that none has is not judged."""
    if target is None or found.value is None:
        return "plain"
    return "good" if target.holds(found.value) and not found.scarce else "bad"


def _spread(found: Estimate, write: Writer) -> str:
    """Say how sure the number is, how far the runs lie apart, and how many have it."""
    parts = []
    if found.low is not None:
        parts.append(f"95 % interval {words.between(write(found.low), write(found.high))}")
    if found.runs > 1:
        parts.append(f"p10–\u2060p90 of runs {words.between(write(found.p10), write(found.p90))}")
    if found.counted:
        parts.append(found.counted)
    return " · ".join(parts)


def _pill(verdict: Verdict, target: Band | None, tested: Values) -> str:
    """Say whether the number meets its target, and how many of all runs do: one without a value misses it."""
    if target is None or verdict == "plain":
        return "not known"
    if len(tested) == 1:
        return "met" if verdict == "good" else "missed"
    met = sum(target.holds(value) for value in tested)
    return f"{'' if verdict == 'good' else 'missed: '}met in {met} of {len(tested)} runs"


def wanted(target: Band, write: Writer, unit: str) -> str:
    """Say which values a target holds, with their unit."""
    if math.isinf(target.low):
        text = f"at most {write(target.high)}"
    elif math.isinf(target.high):
        text = f"at least {write(target.low)}"
    else:
        text = f"{write(target.low)} to {write(target.high)}"
    return f"{text} {unit}".strip()


def _gauge(target: Band, value: float) -> tuple[float, float, float]:
    """Place band and value on a line that reaches a little beyond both; an open band ends with the line."""
    low = target.low if math.isfinite(target.low) else min(0.0, value, target.high)
    high = target.high if math.isfinite(target.high) else max(1.0, 2 * low, value)
    margin = _MARGIN * (max(high, value) - min(low, value) or 1.0)
    left = min(low, value) - (margin if math.isfinite(target.low) else 0.0)
    right = max(high, value) + (margin if math.isfinite(target.high) else 0.0)
    band_left, band_right, dot = (round(100 * (at - left) / (right - left), 2) for at in (low, high, value))
    return band_left, round(100 - band_right, 2), dot
