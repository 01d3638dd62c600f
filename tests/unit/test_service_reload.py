"""The economy in force: swapped whole, written into the history, and read out of tables made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import ECONOMY_HISTORY_SCHEMA
from kokoromichi.rules.codes import NO_LIMIT
from kokoromichi.rules.economy import RARITIES
from kokoromichi.rules.use import GOLD_PERCENT_DAY, HEAL_HP
from kokoromichi.services.bundle import Services
from kokoromichi.services.live_economy import LiveEconomy, Offer
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import DAY_S, ECONOMY, World

if TYPE_CHECKING:
    from kokoromichi.core.models import UserProfile

DEARER = ECONOMY.with_values(
    {
        "store.ema_plaque.price_gold": 3_000,
        "store.ema_plaque.limit": 1,
        "train.price_gold": 500,
        "daily.gold": [7],
        "daily.gems": [3],
        "battle.tier_gold": [11] * 7,
        "transfer.fee_percent": 50,
        "summon.price_gems": 60,
        "opening.gold": 1,
    }
)


async def test_after_a_reload_every_service_reads_the_new_numbers() -> None:
    world = await World.open()
    for name in ("ada", "bo"):
        await world.player(name)
    await world.services.reload(DEARER)
    services = world.services
    assert (await services.store.purchase("ada", "ema_plaque")).cost_gold == 3_000
    with pytest.raises(RefusedError, match="Limit 1, you own 1"):
        await services.store.purchase("ada", "ema_plaque")
    assert (await services.progress.train("ada")).cost_gold == 500
    claimed = await services.daily.claim("ada")
    assert (claimed.reward_gold, claimed.reward_gems) == (7, 3)
    assert (await services.battle.fight("ada", 1, draw=0)).payout_gold == 11
    assert (await services.bank.transfer("ada", "bo", 100)).fee_gold == 50
    assert (await services.summon.summon("ada", draws=[0, 0])).cost_gems == 60
    assert (await services.executor.open_account("zoe")).gold == 1
    shown = {item.item_id: item for item in await services.store.view_store()}
    assert (shown["ema_plaque"].price_gold, shown["ema_plaque"].limit) == (3_000, 1)


async def test_an_act_is_decided_by_one_economy() -> None:
    """A reload in the middle of an act: it has the old numbers or the new ones, and never some of each."""
    world = await World.open()
    await world.player("ada")

    class Reloading(PassingProvider):
        async def profile(self, user_id: str) -> UserProfile | None:
            services.executor.live = LiveEconomy(DEARER)
            return await super().profile(user_id)

    services = Services(Reloading(world.provider), ECONOMY, world.clock)
    receipt = await services.store.purchase("ada", "ema_plaque")
    assert (receipt.cost_gold, receipt.gold) == (3_000, 7_000)


async def test_each_economy_in_force_is_written_into_the_history() -> None:
    world = await World.open()
    world.clock.advance(DAY_S)
    await world.services.reload(DEARER)
    assert isinstance(world.provider, MemoryProvider)
    seen = world.provider.observations("economy_history")
    history = pl.DataFrame(seen, ECONOMY_HISTORY_SCHEMA)
    assert history.height == len(seen)
    assert history["economy_hash"].unique(maintain_order=True).to_list() == [ECONOMY.hash, DEARER.hash]
    assert history["effective_from"].unique(maintain_order=True).to_list() == [
        moment_of(NOON_US),
        moment_of(NOON_US + DAY_S * 1_000_000),
    ]
    first = history.filter(pl.col("economy_hash") == ECONOMY.hash)
    assert first.filter(measure="opening_gold").rows() == [
        (ECONOMY.hash, moment_of(NOON_US), "opening_gold", "gold", None, 10_000)
    ]
    assert first.filter(measure="odds_ppm")["key"].to_list() == list(RARITIES)
    assert first.filter(measure="odds_ppm")["value"].sum() == 1_000_000
    stock = dict(first.filter(measure="initial_stock").select("key", "value").iter_rows())
    assert (stock["lucky_charm"], stock["health_potion"]) == (5, -1)
    prices = first.filter(measure="price_gold")
    assert prices["key"].to_list() == list(ECONOMY.config.store)
    assert prices.row(0) == (ECONOMY.hash, moment_of(NOON_US), "price_gold", "health_potion", "potion", 100)
    assert first.filter(measure="target_units").height == 23


def test_offers_are_made_of_words_and_numbers() -> None:
    live = LiveEconomy(ECONOMY)
    assert live.offers["lucky_charm"] == Offer(
        1_500, 1_500, 3, "stock.lucky_charm", "gold_percent_day", GOLD_PERCENT_DAY, 10
    )
    assert live.offers["health_potion"] == Offer(100, 100, NO_LIMIT, None, "heal_hp", HEAL_HP, 50)
    assert list(live.offers) == [item.id for item in ECONOMY.catalogue]
    assert live.item_of["grant_xp"] == "experience_scroll"  # The first of the two.
    assert live.effect_size("grant_xp") == 300
    assert live.effect_size("no_such_effect") == 0
    assert len(live.characters) == live.pool.starts[-1] == len(ECONOMY.waifus)
    assert live.pool.thresholds[-1] == 2**32
