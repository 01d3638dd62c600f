"""The health of the shipped baseline, and what the other scenarios do to it in the campaign.

``tests/simulation/campaign.py`` says how to run the full campaign, ``docs/baseline.md`` what it showed.
"""

from __future__ import annotations

from statistics import median

import polars as pl
import pytest

import kokoromichi as km
from kokoromichi.analysis.statistics import paired_interval
from tests.simulation.campaign import Campaign, gold, headline

pytestmark = pytest.mark.slow

OPENING_GOLD = 10_000


@pytest.fixture(scope="module")
def baseline(campaign: Campaign) -> km.Run:
    return campaign.scenario("baseline")


@pytest.mark.parametrize("name", ["baseline", "no_sinks", "generous_daily", "alt_farm"])
def test_every_scenario_leaves_sound_ledgers(campaign: Campaign, name: str) -> None:
    run = campaign.scenario(name)
    assert run.sound, run.health()
    assert run.findings == ()


@pytest.mark.parametrize("name", ["whale_heavy", "sale_week"])
def test_scenarios_that_only_have_to_be_sound_are(campaign: Campaign, name: str) -> None:
    run = campaign.scenario(name, replications=campaign.size.sound_seeds)
    assert run.sound, run.health()
    assert run.findings == ()


def test_sinks_take_nearly_all_that_faucets_give(baseline: km.Run) -> None:
    for ratio in headline(baseline, "sink_faucet_ratio"):
        assert 0.85 <= ratio <= 1.05


def test_no_single_sink_takes_more_than_half(baseline: km.Run) -> None:
    shares = gold(baseline, "flows_total", "share", first_day=30).filter(pl.col("direction") == "sink")
    assert set(shares["kind"]) == {"purchase", "train", "exchange", "invest", "upkeep", "fee"}
    largest = shares.filter(pl.col("share") == pl.col("share").max().over("replication"))
    assert largest.filter(pl.col("share") > 0.5).is_empty(), largest


def test_the_median_of_every_archetype_stays_within_sight_of_the_opening(baseline: km.Run) -> None:
    medians = gold(baseline, "balance_percentiles", "p50").filter(pl.col("archetype") != "all")
    assert medians.height == 8 * baseline.manifest["replications"]
    out_of_sight = medians.filter(~pl.col("p50").is_between(0.2 * OPENING_GOLD, 20 * OPENING_GOLD))
    assert out_of_sight.is_empty(), out_of_sight


def test_a_casual_player_waits_a_week_or_two_for_a_treasure_chest(baseline: km.Run) -> None:
    waits = headline(baseline, "wait_days")
    assert 5 <= median(waits) <= 15, waits


def test_without_sinks_gold_piles_up(campaign: Campaign, baseline: km.Run) -> None:
    endless = campaign.scenario("no_sinks")
    assert set(headline(endless, "sink_faucet_ratio")) == {0.0}
    supplies = zip(headline(endless, "supply_gold"), headline(baseline, "supply_gold"), strict=True)
    for without, with_sinks in supplies:
        assert without > 4 * with_sinks


def test_a_generous_claim_moves_supply_and_wait(campaign: Campaign, baseline: km.Run) -> None:
    generous = campaign.scenario("generous_daily")
    supply = paired_interval(headline(baseline, "supply_gold"), headline(generous, "supply_gold"))
    assert supply.low > 0
    before, after = (headline(run, "mean_wait_days") for run in (baseline, generous))
    wait = paired_interval(before, after)
    assert wait.mean < 0


def test_a_farm_of_alt_accounts_shows_at_the_top(campaign: Campaign, baseline: km.Run) -> None:
    farm = campaign.scenario("alt_farm")
    assert min(headline(farm, "top_10_share")) > 0.7
    assert max(headline(baseline, "top_10_share")) < 0.7


def test_a_year_with_little_leaving_stays_sound(campaign: Campaign) -> None:
    """What ninety days hide: businesses that repay themselves, and gold that piles up with their owners."""
    scenario = km.Scenario.load("baseline", players=campaign.size.year_players, days=365)
    year = campaign.played("year", scenario.replace(leave_percent=30), 1)
    assert year.sound, year.health()
    assert 0.85 <= headline(year, "sink_faucet_ratio")[0] <= 1.05
    medians = gold(year, "balance_percentiles", "p50")
    investors = medians.filter(pl.col("archetype") == "investor")["p50"].item()
    assert investors <= 20 * OPENING_GOLD
    # The last quarter piles up less than a tenth of what enters.
    flow = year.metric("net_flow").tail(90).select(pl.col("net_gold", "faucets_gold").sum())
    net_gold, faucets_gold = flow.row(0)
    assert net_gold < 0.1 * faucets_gold
