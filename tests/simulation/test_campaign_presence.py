"""Prices move who stays, and nothing else that a draw decides in the campaign.

``tests/simulation/campaign.py`` says how to run the full campaign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

import kokoromichi as km
from kokoromichi.analysis.statistics import paired_interval
from tests.simulation.campaign import Campaign, there_at_the_end

if TYPE_CHECKING:
    from kokoromichi.analysis.observations import Observations

pytestmark = pytest.mark.slow


def test_prices_four_times_as_high_leave_fewer_players(campaign: Campaign) -> None:
    base = campaign.scenario("baseline")
    dear = km.Scenario.load("baseline", players=campaign.size.players).scaled({"store.*.price_gold": 4})
    run = campaign.played("dear", dear)
    assert run.sound
    difference = paired_interval(there_at_the_end(base), there_at_the_end(run))
    assert difference.high < 0, difference


@pytest.fixture(scope="module")
def thrifty(campaign: Campaign) -> tuple[km.Run, km.Run]:
    """A run, and the same players when nobody buys anything.

    Every battle has even odds, whatever the level and the potions, so that its outcome is its draw.
    """
    even = {
        "battle.win_slope_permille": 0,
        "battle.win_min_permille": 500,
        "battle.win_max_permille": 500,
        "battle.tired_permille": 0,
        "store.mana_potion.effect_size": 0,
    }
    base = km.Scenario.load("baseline", players=campaign.size.players, days=60).with_economy(even)
    closed = frozenset({"buy", "train", "exchange", "invest", "summon"})
    replications = min(campaign.size.seeds, 3)
    return (
        campaign.played("even", base, replications),
        campaign.played("even_thrifty", base.replace(closed=closed), replications),
    )


def until_they_part(observations: Observations, parted: pl.DataFrame) -> pl.LazyFrame:
    """The activity of each player up to the first day after which the two runs differ in who is away."""
    days = observations.activity.with_columns(day=pl.col("at").dt.date())
    joined = days.join(parted.lazy(), on="user_id", how="left")
    return joined.filter(pl.col("parted").is_null() | (pl.col("day") <= pl.col("parted")))


def partings(mine: Observations, theirs: Observations) -> pl.DataFrame:
    """user_id and the first day on which one of the runs has a leaving or return that the other has not."""
    turns = [
        observations.activity.filter(pl.col("act").is_in(["leave", "return"]))
        .select("user_id", "act", day=pl.col("at").dt.date())
        .collect()
        for observations in (mine, theirs)
    ]
    keys = ["user_id", "act", "day"]
    lonely = pl.concat(
        [turns[0].join(turns[1], on=keys, how="anti"), turns[1].join(turns[0], on=keys, how="anti")]
    )
    return lonely.group_by("user_id").agg(parted=pl.col("day").min())


def test_who_never_buys_comes_and_fights_as_before(thrifty: tuple[km.Run, km.Run]) -> None:
    """Sessions, their hours, and the battles' draws stand at addresses: an unused draw shifts nothing."""
    for mine, theirs in zip(thrifty[0].observations, thrifty[1].observations, strict=True):
        parted = partings(mine, theirs)
        stories = []
        for observations in (mine, theirs):
            same = until_they_part(observations, parted)
            sessions = same.filter(pl.col("act") == "session").select("user_id", "at").sort("user_id", "at")
            fights = same.filter(pl.col("act") == "battle").sort("user_id", "at", maintain_order=True)
            # Items that are used before the battles shift their seconds, and nothing else.
            fights = fights.select("user_id", "day", "code", "outcome")
            stories.append((sessions.collect(), fights.collect()))
        assert stories[0][0].equals(stories[1][0])
        assert stories[0][1].equals(stories[1][1])
        assert stories[0][0].height > 1_000
        outcomes = stories[0][1]["outcome"].value_counts()
        assert set(outcomes["outcome"]) == {"won", "lost"}


def test_who_never_buys_has_bought_nothing(thrifty: tuple[km.Run, km.Run]) -> None:
    bought, nothing = (
        run.metric("flows_total").filter(pl.col("direction") == "sink")["kind"].unique().to_list()
        for run in thrifty
    )
    assert set(bought) >= {"purchase", "train", "exchange", "invest", "summon"}
    assert set(nothing) <= {"fee"}
