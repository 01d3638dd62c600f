"""One more of anything, in one call and in one file: played alike by both engines, audited, and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pytest

import kokoromichi as km
from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.metrics import METRICS
from kokoromichi.core.errors import MisuseError
from kokoromichi.rules.economy import EconomyError
from kokoromichi.simulation.setup_files import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.axes import Axes

BASE: Final = km.Scenario.load("baseline", players=40, days=4)
FILE: Final = """
title = "More of everything"
days = 4
players = 40

[economy]
without_items = ["festival_lantern"]

[economy.items.fortune_cookie]
like = "flower_bouquet"
category = "sweets"
price_gold = 60
appeal = 3.0

[economy.business.bakery]
price_gold = 300
income_gold_per_day = 100

[[economy.tiers]]
level = 90
gold = 200
xp = 90

[population]
based_on = "default"

[population.archetypes.streamer]
like = "casual"
players = 60
rate_per_day = 3.0
"""


def extended() -> km.Scenario:
    """The same, call by call."""
    return (
        BASE.without_item("festival_lantern")
        .with_item("fortune_cookie", "flower_bouquet", category="sweets", price_gold=60, appeal=3.0)
        .with_business("bakery", price_gold=300, income_gold_per_day=100)
        .with_tier(level=90, gold=200, xp=90)
        .with_archetype("streamer", like="casual", share=0.1, rate_per_day=3.0)
    )


@pytest.fixture
def written(tmp_path: Path) -> km.Scenario:
    path = tmp_path / "more.toml"
    path.write_text(FILE, encoding="utf-8")
    return km.Scenario.load(path)


@pytest.fixture
def own() -> Iterator[None]:
    """Whatever a test registers is gone after it."""
    metrics, charts = dict(METRICS), dict(CHARTS)
    yield
    for table, before in ((METRICS, metrics), (CHARTS, charts)):
        for name in set(table) - set(before):
            del table[name]


def test_what_a_file_adds_is_what_calls_add(written: km.Scenario) -> None:
    called = extended()
    assert written.economy == called.economy
    assert called.economy.catalogue[-1].category == "sweets"
    assert len(called.economy.config.business) == len(BASE.economy.config.business) + 1
    assert len(called.economy.config.battle.tier_gold) == len(BASE.economy.config.battle.tier_gold) + 1
    for scenario in (written, called):
        assert scenario.players == 40
        assert scenario.population.cohorts[-1].label == "streamer"
        assert scenario.population.archetypes[-1].rate_per_day == 3.0
        assert scenario.population.reference_prices["fortune_cookie"] == 60
        assert scenario.population.appeal["fortune_cookie"] == 3.0
        assert scenario.findings() == ()


@pytest.mark.usefixtures("compiled_engine", "own")
def test_it_is_played_alike_by_both_engines_audited_and_reported(
    written: km.Scenario, tmp_path: Path
) -> None:
    @km.metric
    def casual_share(seen: km.Observations, first_day: int = 0) -> pl.LazyFrame:
        """What casual players hold of all gold that was ever booked."""
        assert first_day == 0
        gold = seen.ledger.filter(pl.col("currency") == "gold").join(seen.players, on="user_id")
        held = pl.col("amount").filter(pl.col("archetype") == "casual").sum()
        return gold.select(share=held / pl.col("amount").sum())

    @km.chart("casual_share")
    def casuals(frame: pl.DataFrame, ax: Axes) -> None:
        """What casual players hold, by run."""
        ax.bar(frame["replication"], frame["share"], label="share")

    run = km.simulate(written, replications=1, seed=5, engine="both", out=tmp_path / "run")
    assert run.sound
    bought = run.observations[0].ledger.filter(pl.col("kind") == "purchase").collect()
    assert "fortune_cookie" in set(bought["item_id"])
    assert "festival_lantern" not in set(bought["item_id"])
    opened = run.observations[0].ledger.filter(pl.col("kind") == "invest").collect()
    assert opened.height
    assert "streamer" in set(run.observations[0].players.collect()["archetype"])
    assert "sweets" in set(run.metric("engel_shares")["category"])
    assert 0 < run.metric("casual_share")["share"].item() < 1
    assert run.plot.casuals().get_title(loc="left") == "What casual players hold, by run"
    page = run.report().path.read_text(encoding="utf-8")
    assert "Measures of our own" in page
    assert "What casual players hold of all gold that was ever booked." in page
    assert 'id="own-chart-casuals"' in page


@pytest.mark.usefixtures("own")
def test_a_metric_of_ones_own_may_answer_a_number_and_is_replaced_by_its_next_version(tmp_path: Path) -> None:
    run = km.simulate(BASE.replace(days=1), replications=2, out=tmp_path)

    @km.metric
    def rows(seen: km.Observations) -> int:
        return seen.ledger.collect().height

    assert run.metric("rows")["rows"].to_list() == run.health()["ledger_rows"].to_list()

    def changed(seen: km.Observations) -> str:
        return str(seen)

    changed.__name__ = "rows"
    km.metric(changed)  # The cell is run again.

    with pytest.raises(MisuseError, match="metric rows answered str; answer a polars frame or a number"):
        run.metric("rows")


@pytest.mark.usefixtures("own")
def test_what_a_run_measured_is_kept_until_a_metric_comes(tmp_path: Path) -> None:
    run = km.simulate(km.Scenario.load("baseline", players=10, days=3), replications=1, out=tmp_path)
    before = run.report_data()
    narrow = km.Targets({"gini": (0, 0.01)})
    assert run.report_data(targets=narrow).frames is before.frames
    assert run.report_data(targets=narrow).targets == dict(narrow)
    assert run.headlines.equals(km.Run(tmp_path).headlines)

    @km.metric
    def rows(seen: km.Observations) -> int:
        return seen.ledger.collect().height

    assert run.report_data().frames["rows"]["rows"].to_list() == run.health()["ledger_rows"].to_list()


@pytest.mark.usefixtures("own")
def test_a_name_that_is_taken_or_a_metric_that_is_not_there_is_refused() -> None:
    def gini(_seen: km.Observations) -> float:
        return 0.0

    def supply(_frame: pl.DataFrame, _ax: Axes) -> None: ...

    with pytest.raises(
        MisuseError, match="gini is a metric of KoKoroMichi itself; give the function another"
    ):
        km.metric(gini)
    with pytest.raises(MisuseError, match="supply is a chart of KoKoroMichi itself"):
        km.chart("gini")(supply)
    with pytest.raises(MisuseError, match="no metric 'ginni' to draw; near it: gini"):
        km.chart("ginni")
    with pytest.raises(MisuseError, match="'<lambda>' is no name of a metric"):
        km.metric(lambda _seen: 0)


def test_a_new_faucet_is_refused_with_the_reason_and_the_way(tmp_path: Path) -> None:
    way = "a new faucet or sink is an act with a rule of its own, which is written in code"
    with pytest.raises(EconomyError, match=way):
        BASE.with_economy({"lottery.gold": 500})
    path = tmp_path / "more.toml"
    path.write_text('title = "T"\ndays = 2\n[economy.lottery]\ngold = 500\n')
    with pytest.raises(SetupError, match=f"economy.lottery = .*{way}"):
        km.Scenario.load(path)


def test_a_sale_is_one_call() -> None:
    sale = BASE.with_sale(categories=["chest"], percent=70, from_day=1, days=2)
    full = BASE.economy.config.store["treasure_chest"].price_gold
    assert [sale.economy_on(day).config.store["treasure_chest"].price_gold for day in range(4)] == [
        full, full * 7 // 10, full * 7 // 10, full,
    ]  # fmt: skip
    assert BASE.with_sale(categories="chest", percent=70, from_day=1, days=2).changes == sale.changes
    with pytest.raises(MisuseError, match="write 70 for 70 %"):
        BASE.with_sale(items=["treasure_chest"], percent=0.7, from_day=1)  # type: ignore[arg-type]  # The mistake itself.
    with pytest.raises(MisuseError, match="from_day is 99; use a whole number from 0 to 3"):
        BASE.with_sale(items=["treasure_chest"], percent=70, from_day=99)
    with pytest.raises(SetupError, match="names 'tresure_chest', which is not sold"):
        BASE.with_sale(items=["tresure_chest"], percent=70, from_day=1)


def test_numbers_of_numpy_are_numbers_of_what_is_added() -> None:
    numpy_price, price = np.int64(60), 60
    added = BASE.with_item("fortune_cookie", "flower_bouquet", price_gold=numpy_price)  # type: ignore[arg-type]  # np
    assert added == BASE.with_item("fortune_cookie", "flower_bouquet", price_gold=price)


def test_what_cannot_be_added_or_taken_says_why() -> None:
    with pytest.raises(EconomyError, match="is no item to take out; near it: treasure_chest"):
        BASE.without_item("tresure_chest")
    with pytest.raises(EconomyError, match="has level, gold; write level, gold, xp"):
        BASE.economy.with_tier({"level": 9, "gold": 9})
    with pytest.raises(MisuseError, match="share is None; use a number between 0 and 1"):
        BASE.with_archetype("streamer", like="casual")
    with pytest.raises(SetupError, match="near it: casual"):
        BASE.with_archetype("streamer", like="casul", share=0.1)
    with pytest.raises(MisuseError, match="leaves nobody but streamer: take a smaller one, or more players"):
        BASE.with_archetype("streamer", like="casual", share=0.999)
    assert BASE.with_archetype("casual", beta=2.0).population.archetypes[0].beta == 2.0
