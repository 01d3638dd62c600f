"""Prices move what players buy: paired runs that differ in one price, in the campaign.

A price is raised by a fifth, stock is unlimited, and the runs of a pair share every draw. The small size
holds the intervals per item and the signs per archetype; the full one (``tests/simulation/campaign.py``) the
intervals per archetype too, and elasticities of 1 to 3 by spending. Alt accounts buy so little that only the
full size shows anything of them.
"""

from __future__ import annotations

import polars as pl
import pytest

from kokoromichi.analysis.statistics import paired_interval
from kokoromichi.simulation.archetypes import ARCHETYPES
from tests.simulation.campaign import FULL_PAIRS, FULL_PLAYERS, Campaign, log_ratio

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sold(campaign: Campaign) -> pl.DataFrame:
    """archetype, item_id, replication; units and gold before, dear_units with the item's price raised."""
    parts = []
    keys = ["archetype", "item_id"]
    base = campaign.base_units()
    for item in campaign.items:
        for number, (before, after) in enumerate(zip(base, campaign.raised_units(item), strict=True)):
            mine = before.filter(pl.col("item_id") == item)
            dear = after.filter(pl.col("item_id") == item).select(*keys, dear_units="units")
            both = mine.join(dear, on=keys, how="full", coalesce=True).fill_null(0)
            parts.append(both.with_columns(replication=pl.lit(number)))
    return pl.concat(parts)


def paired_units(sold: pl.DataFrame) -> tuple[list[int], list[int]]:
    """Units before and after in each replication, summed over what is left of the frame."""
    sums = sold.group_by("replication").agg(pl.col("units", "dear_units").sum()).sort("replication")
    return sums["units"].to_list(), sums["dear_units"].to_list()


def full_pairs(campaign: Campaign) -> bool:
    """Whether the paired runs are of the full size."""
    return campaign.size.pair_players >= FULL_PLAYERS and campaign.size.pairs >= FULL_PAIRS


def full_size(campaign: Campaign, archetype: str) -> bool:
    """Whether the sizes are held as well; a small campaign says nothing of alt accounts."""
    full = full_pairs(campaign)
    if archetype == "alt_farmer" and not full:
        pytest.skip("alt accounts buy too little for a small campaign")
    return full


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_dearer_item_sells_less_to_every_archetype(
    campaign: Campaign, sold: pl.DataFrame, archetype: str
) -> None:
    full = full_size(campaign, archetype)
    difference = paired_interval(*paired_units(sold.filter(pl.col("archetype") == archetype)))
    assert (difference.high if full else difference.mean) < 0, difference


def test_every_item_sells_less_when_it_is_dearer(campaign: Campaign, sold: pl.DataFrame) -> None:
    for item in campaign.items:
        difference = paired_interval(*paired_units(sold.filter(pl.col("item_id") == item)))
        assert difference.high < 0, (item, difference)


def test_no_archetype_buys_more_of_an_item_that_is_dearer(campaign: Campaign, sold: pl.DataFrame) -> None:
    """Each item and archetype by itself, from ten units a run on, in the mean; nearly each beyond chance.

    Fifteen whales buy so few plaques that thirty pairs do not show it beyond chance for them.
    """
    least_units = 10 if full_pairs(campaign) else 30
    differences = {}
    for key, mine in sold.group_by("item_id", "archetype", maintain_order=True):
        units, dear_units = paired_units(mine)
        if sum(units) >= least_units * campaign.size.pairs:
            differences[key] = paired_interval(units, dear_units)
    assert len(differences) > len(campaign.items)
    assert {key: found for key, found in differences.items() if found.mean >= 0} == {}
    if full_pairs(campaign):
        beyond_chance = sum(found.high < 0 for found in differences.values())
        assert beyond_chance >= 0.95 * len(differences)


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_the_elasticity_by_spending_is_one_to_three(
    campaign: Campaign, sold: pl.DataFrame, archetype: str
) -> None:
    by_item = sold.filter(pl.col("archetype") == archetype).group_by("item_id")
    mine = by_item.agg(pl.col("units", "dear_units", "gold").sum())
    mine = mine.filter(pl.col("units") > 0, pl.col("dear_units") > 0)
    weighted = sum(
        row["gold"] * log_ratio(row["dear_units"], row["units"]) for row in mine.iter_rows(named=True)
    )
    elasticity = weighted / mine["gold"].sum()
    least, most = (-3.0, -1.0) if full_size(campaign, archetype) else (-6.0, 0.0)
    assert least <= elasticity <= most, mine
