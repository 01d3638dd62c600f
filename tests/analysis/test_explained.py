"""What a report says in sentences, against an economy that is counted by hand."""

from __future__ import annotations

from typing import Final

from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.report import explained, report_data
from kokoromichi.analysis.targets import Targets
from tests.analysis.books import Book, players

TARGETS: Final = Targets({"gini": (None, 0.2), "sink_faucet_ratio": (0.6, None), "wait_days": (5, 15)})

GROWTH: Final = (
    "In the last 10 days the money supply went from 2,000 to 2,600 gold, +30.0\u00a0% (+20.2\u00a0% a week): "
    "0 came by openings, 1,000 by faucets, and 400 left by sinks."
)
GAINS: Final = "Openings left out, a player of the archetype"


def two_weeks() -> Observations:
    """Ada earns 100 a day for 10 days and keeps it; Bo spends 400 of what he began with."""
    book = Book().opening(0, "ada", 1_000).opening(0, "bo", 1_000)
    for number in range(1, 11):
        book.move(number, "ada", "daily", 100)
    book.move(10, "bo", "purchase", -300, item="charm", units=1).move(10, "bo", "train", -100)
    return book.observations(players=players({"ada": "grinder", "bo": "whale"}))


def test_growth_gains_and_missed_targets_are_said_with_their_numbers() -> None:
    said = explained(report_data([two_weeks()], title="Two weeks", manifest={}, targets=TARGETS))
    assert list(said) == [
        "2 players over 11 days from 2026-01-05 (UTC), 1 run.",
        GROWTH,
        "Of the gold that enters, 100\u00a0% by daily.",
        "Of the gold that leaves, 75\u00a0% by purchase and 25\u00a0% by train.",
        "These shares, and what players gain and lose: measured on every day, the first ones too.",
        f"{GAINS} grinder gained 1,000 gold on average: most came by daily (+1,000).",
        f"{GAINS} whale lost 400 gold on average: most went by purchase (−300).",
        "Sink/faucet ratio: 40.0\u00a0%, 20.0 percentage points below its target, at least 60\u00a0%.",
        "Wait for a chest is not known: no run has it, so that its target is not met.",  # There is no price.
        "Gini of balances: 0.27, 0.07 above its target, at most 0.2.",
        "0 of 3 targets are met; 1 not known.",
        "What a change of a number would do is not said here: compare() measures it.",
    ]
    assert str(said).startswith("Two weeks:\n- 2 players")
    assert said._repr_html_().count("<li>") == 12


def test_nothing_is_judged_where_nothing_was_seen() -> None:
    [said] = explained(report_data([Observations.empty()], title="Nothing", manifest={}))
    assert said == "Nothing was observed: the ledger is empty."
