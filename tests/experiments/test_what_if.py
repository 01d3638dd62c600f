"""Changes as a designer types them."""

from __future__ import annotations

import pytest

from kokoromichi.cli.experiments import _arms
from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.what_if import read_amounts, read_change, read_free
from kokoromichi.simulation.scenario import Scenario


def test_a_change_has_a_name_numbers_and_factors() -> None:
    change = read_change("potion +20 %: store.health_potion.price_gold * 1.2, daily.gold = 90")
    assert (change.name, change.values, change.factors) == (
        "potion +20 %", {"daily.gold": 90}, {"store.health_potion.price_gold": 1.2},
    )  # fmt: skip


def test_without_a_name_the_change_is_the_name() -> None:
    assert read_change("daily.gold=90").name == "daily.gold=90"


def test_a_change_is_applied_to_the_economy() -> None:
    base = Scenario.load("baseline", players=5, days=1)
    changed = read_change("opening.gold = 90, train.price_gold * 2").applied(base).economy.config
    assert (changed.opening.gold, changed.train.price_gold) == (90, 2 * base.economy.config.train.price_gold)


@pytest.mark.parametrize(
    "text", ["", "potion", "a: b", "daily.gold += 3", "daily.gold = ten", "daily.gold = _", "x: daily.gold*"]
)
def test_what_is_no_change_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(MisuseError, match=r"write PATH \* FACTOR or PATH = NUMBER.*: \"training \+20 %: "):
        read_change(text)


def test_of_what_is_given_twice_nothing_is_dropped_without_a_word() -> None:
    for given in (
        lambda: read_change("daily.gold = 1, daily.gold = 2"),
        lambda: read_amounts(["daily.gold=1", "daily.gold=2"]),
        lambda: read_free(["daily.gold=1:2", "daily.gold=*1:2"]),
        lambda: _arms(
            "baseline", (), ("daily.gold: opening.gold=1", "daily.gold: opening.gold=2"), 1, 2, None
        ),
    ):
        with pytest.raises(MisuseError, match="is given twice"):
            given()


def test_amounts_are_read_by_name() -> None:
    assert read_amounts(["supply_gold=0.02", "gini = 0.1"]) == {"supply_gold": 0.02, "gini": 0.1}
    with pytest.raises(MisuseError, match="write it like"):
        read_amounts(["supply_gold"])
