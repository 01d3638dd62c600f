from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.rules.economy import (
    RARITIES,
    Economy,
    EconomyConfig,
    EconomyError,
    Finding,
    load_economy,
)

SHIPPED: Final = load_economy(Path(__file__).parents[2] / "data")
CONFIG: Final = SHIPPED.config
POTION: Final = "store.health_potion.price_gold"


def only_finding(error: pytest.ExceptionInfo[EconomyError]) -> Finding:
    (finding,) = error.value.findings
    return finding


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (CONFIG.opening.gold, 10_000),
        (CONFIG.opening.gems, 100),
        (CONFIG.daily.gold, (1000, 1200, 1500, 2000, 2500, 3000, 5000, 1500, 1800, 2200)),
        (CONFIG.daily.gems, (10, 12, 15, 20, 25, 30, 50, 18, 22, 28)),
        (CONFIG.daily.streak_window_h, 48),
        (CONFIG.battle.cooldown_s, 60),
        (CONFIG.battle.daily_cap_gold, 5_000),
        (CONFIG.battle.tier_level, (1, 4, 8, 13, 19, 26, 34)),
        (CONFIG.battle.tier_gold, (30, 45, 60, 80, 105, 130, 160)),
        (CONFIG.battle.tier_xp, (8, 11, 14, 18, 23, 28, 34)),
        (CONFIG.resale.percent, 40),
        (CONFIG.resale.lowest_price_percent, 70),
        (CONFIG.chest.payout_percent, (20, 40, 80, 150, 300)),
        (CONFIG.chest.chance_percent, (55, 30, 11, 3, 1)),
        (CONFIG.business["guild_hall"].price_gold, 100_000),
        (CONFIG.business["spa"].income_gold_per_day, 2_000),
        (CONFIG.income.max_hours, 72),
        (CONFIG.income.upkeep_percent, 50),
        (CONFIG.summon.price_gems, 50),
        (CONFIG.summon.ten_price_gems, 450),
        (tuple(CONFIG.summon.odds_ppm.values()), (604_000, 250_000, 100_000, 30_000, 10_000, 5_000, 1_000)),
        (CONFIG.summon.pity_pulls, 60),
        (CONFIG.summon.pity_rarity, "SSR"),
        (CONFIG.train.price_gold, 100),
        (CONFIG.train.growth_percent, 10),
        (CONFIG.train.xp, 25),
        (CONFIG.exchange.gems, 100),
        (CONFIG.exchange.price_gold, 4_000),
        (CONFIG.transfer.fee_percent, 5),
        (CONFIG.transfer.daily_cap_gold, 20_000),
        (CONFIG.store["phoenix_feather"].stock, 40),
        (CONFIG.store["mana_potion"].limit, None),
    ],
)
def test_the_shipped_numbers_are_those_of_the_design(number: object, value: object) -> None:
    assert number == value


def test_the_opening_knows_every_currency() -> None:
    assert {field.name for field in fields(CONFIG.opening)} == set(CURRENCIES)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.5, "1.5"),
        (120.0, "120.0"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "true"),
        ("120", "'120'"),
        (None, "nothing"),
        ([120], "[120]"),
    ],
)
def test_what_is_no_whole_number_is_refused_with_file_field_and_value(value: object, written: str) -> None:
    with pytest.raises(EconomyError, match=r"economy\.toml: store\.health_potion\.price_gold = ") as error:
        CONFIG.with_values({POTION: value})
    finding = only_finding(error)
    assert (finding.file, finding.field, finding.value) == ("economy.toml", POTION, written)
    assert finding.law == "whole_number"


@pytest.mark.parametrize(
    ("field", "value", "cure"),
    [
        (POTION, -1, "must be at least 0"),
        (POTION, 2**53, "must be at most 9007199254740991"),
        ("transfer.fee_percent", 101, "must be at most 100"),
        ("daily.streak_window_h", 0, "must be at least 1"),
        ("store.lucky_charm.stock", -5, "must be at least 0"),
        ("daily.gold.3", -7, "must be at least 0"),
        ("summon.odds_ppm.SSR", 1_000_001, "must be at most 1000000"),
    ],
)
def test_a_number_out_of_its_range_is_refused(field: str, value: int, cure: str) -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.with_values({field: value})
    assert only_finding(error) == Finding("economy.toml", field, str(value), "in_range", cure)


def test_every_mistake_is_listed_at_once() -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.with_values({POTION: 1.5, "opening.gems": -1})
    assert [finding.field for finding in error.value.findings] == ["opening.gems", POTION]
    assert len(str(error.value).splitlines()) == 2


def test_a_missing_number_is_named() -> None:
    tree = CONFIG.tree()
    tree["opening"] = {"gold": 5}
    with pytest.raises(EconomyError) as error:
        EconomyConfig.from_tree(tree)
    finding = Finding("economy.toml", "opening.gems", "nothing", "complete", "is missing; write it")
    assert only_finding(error) == finding


@pytest.mark.parametrize("field", ["sell_gold", "gems_to_gold"])
def test_no_number_can_open_the_way_from_gems_back_to_gold(field: str) -> None:
    tree = CONFIG.tree()
    tree["exchange"] = {"gems": 100, "price_gold": 4000, field: 3999}
    with pytest.raises(EconomyError) as error:
        EconomyConfig.from_tree(tree)
    finding = only_finding(error)
    assert (finding.field, finding.value, finding.law) == (f"exchange.{field}", "3999", "known_field")


@pytest.mark.parametrize(
    ("values", "field", "law"),
    [
        ({"daily.gems": [1, 2, 3]}, "daily", "fits_together"),
        ({"daily.gold": [], "daily.gems": []}, "daily", "fits_together"),
        ({"battle.tier_xp": [1]}, "battle", "fits_together"),
        ({"chest.chance_percent": [100]}, "chest", "fits_together"),
        ({"store.ema_plaque.restock_units": 1}, "store.ema_plaque", "fits_together"),
        ({"summon.odds_ppm": {"N": 1_000_000}}, "summon.odds_ppm", "fits_together"),
        ({"summon.odds_ppm": {"Q": 1}}, "summon.odds_ppm.Q", "right_shape"),
        ({"summon.pity_rarity": "Q"}, "summon.pity_rarity", "right_shape"),
        ({"daily.gold": 7}, "daily.gold", "right_shape"),
        ({"store": {"../evil": {"price_gold": 1}}}, "store.../evil", "right_shape"),
    ],
)
def test_what_cannot_be_played_is_refused(values: dict[str, object], field: str, law: str) -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.with_values(values)
    finding = only_finding(error)
    assert (finding.file, finding.field, finding.law) == ("economy.toml", field, law)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.with_values({POTION: "9" * 5_000})
    assert len(str(error.value)) < 300


def test_nothing_of_a_configuration_can_be_set() -> None:
    with pytest.raises(FrozenInstanceError):
        CONFIG.opening.gold = 5  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        CONFIG.opening = CONFIG.opening  # type: ignore[misc]


def test_odds_follow_the_rarities_whatever_the_order_of_the_file() -> None:
    odds = {rarity: CONFIG.summon.odds_ppm[rarity] for rarity in reversed(RARITIES)}
    assert tuple(CONFIG.with_values({"summon.odds_ppm": odds}).summon.odds_ppm) == RARITIES


def test_the_hash_names_the_numbers() -> None:
    assert CONFIG.hash == CONFIG.with_values({}).hash == SHIPPED.hash
    assert len(CONFIG.hash) == 16
    assert int(CONFIG.hash, 16) >= 0
    assert CONFIG.hash != CONFIG.with_values({POTION: 101}).hash
    store = dict(reversed(CONFIG.tree()["store"].items()))  # type: ignore[attr-defined]
    assert CONFIG.with_values({"store": store}).hash == CONFIG.hash


def test_a_copy_never_carries_the_hash_of_the_old_numbers() -> None:
    assert CONFIG.hash
    poorer = replace(CONFIG, opening=CONFIG.with_values({"opening.gold": 1}).opening)
    assert poorer.opening.gold == 1
    assert poorer.hash != CONFIG.hash
    assert replace(CONFIG) == CONFIG


def test_a_copy_is_validated() -> None:
    with pytest.raises(ValidationError):
        replace(CONFIG, opening={"gold": 1.5, "gems": 1})  # type: ignore[arg-type] # What is refused.


def test_an_economy_travels_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(SHIPPED)) == SHIPPED  # noqa: S301 - written one call earlier.
    assert copy.deepcopy(CONFIG).hash == CONFIG.hash
    error = EconomyError((Finding("f", "a.b", "1", "law", "text"),))
    assert pickle.loads(pickle.dumps(error)).findings == error.findings  # noqa: S301 - written here.


def test_a_star_stands_for_every_key() -> None:
    dear = CONFIG.with_values({"store.*.price_gold": 777, "business.*.price_gold": 5, "daily.gems.*": 3})
    assert {item.price_gold for item in dear.store.values()} == {777}
    assert {firm.price_gold for firm in dear.business.values()} == {5}
    assert dear.daily.gems == (3,) * 10


def test_a_later_path_wins() -> None:
    changed = CONFIG.with_values({"store.*.price_gold": 777, POTION: 120})
    assert changed.store["health_potion"].price_gold == 120
    assert changed.store["mana_potion"].price_gold == 777


def test_a_notebooks_integers_are_integers() -> None:
    changed = CONFIG.with_values(
        {POTION: np.int64(120), "daily.gold": np.arange(10, 20).tolist(), "daily.gems": (1,) * 10}
    )
    assert changed.store["health_potion"].price_gold == 120
    assert changed.daily.gold[9] == 19
    with pytest.raises(EconomyError, match="whole number"):
        CONFIG.with_values({POTION: np.float64(120)})


def test_a_limit_can_be_set_and_lifted() -> None:
    changed = CONFIG.with_values({"store.health_potion.limit": 3, "store.revive_scroll.limit": None})
    assert changed.store["health_potion"].limit == 3
    assert changed.store["revive_scroll"].limit is None


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("potoin", "near it: store.health_potion.price_gold"),
        ("lotery.gold", "opening.gold; a new faucet or sink is an act"),
        ("store.health_potion.price", POTION),
        ("store.helth_potion.price_gold", POTION),
        ("store.*.price_gems", "store.*.price_gold"),
        ("daily.glod", "daily.gold"),
        ("daily.gold.99", "daily.gold"),
        ("daily.gold.0.1", "daily.gold"),
        ("zzz", "opening, daily"),
        ("", "opening, daily"),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest(path: str, near: str) -> None:
    for change in (CONFIG.with_values, CONFIG.scaled):
        with pytest.raises(EconomyError) as error:
            change({path: 1})
        finding = only_finding(error)
        assert (finding.field, finding.law) == (path, "known_path")
        assert near in finding.text


def test_scaling_takes_numbers_lists_and_sections() -> None:
    scaled = CONFIG.scaled({"daily.gold": 0.9, "train.price_gold": 2, "summon.shards": Fraction(1, 2)})
    assert scaled.daily.gold == (900, 1080, 1350, 1800, 2250, 2700, 4500, 1350, 1620, 1980)
    assert scaled.train.price_gold == 200
    assert list(scaled.summon.shards.values()) == [1, 1, 3, 10, 25, 50, 150]


@pytest.mark.parametrize(
    ("factor", "scaled"),
    [(1.005, 101), (Decimal("1.005"), 101), (0.005, 1), (0.0049, 0), (0, 0), (np.float64(1.115), 112)],
)
def test_scaling_rounds_the_written_decimal_half_up(factor: float, scaled: int) -> None:
    assert CONFIG.scaled({POTION: factor}).store["health_potion"].price_gold == scaled


def test_what_is_unlimited_stays_so_when_scaled() -> None:
    scaled = CONFIG.scaled({"store.*.stock": 0.5, "store.*.limit": 2})
    assert scaled.store["health_potion"].stock is None
    assert scaled.store["health_potion"].limit is None
    assert scaled.store["lucky_charm"].stock == 125
    assert scaled.store["lucky_charm"].limit == 6


@pytest.mark.parametrize("factor", [-1, -0.5, float("nan"), float("inf"), True, "2", None])
def test_what_is_no_factor_is_refused(factor: float) -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.scaled({"daily.gold": factor})
    assert (only_finding(error).field, only_finding(error).law) == ("daily.gold", "right_factor")


def test_a_word_cannot_be_scaled() -> None:
    with pytest.raises(EconomyError) as error:
        CONFIG.scaled({"summon": 2})
    assert (only_finding(error).field, only_finding(error).law) == ("summon.pity_rarity", "has_number")


def test_a_product_out_of_its_range_is_refused() -> None:
    with pytest.raises(EconomyError, match=r"transfer\.fee_percent = 500: must be at most 100"):
        CONFIG.scaled({"transfer.fee_percent": 100})


@given(percent=st.integers(0, 1_000))
def test_scaling_is_the_exact_product_rounded_half_up(percent: int) -> None:
    scaled = CONFIG.scaled({"store.*.price_gold": percent / 100})
    for item_id, item in CONFIG.store.items():
        assert scaled.store[item_id].price_gold == (item.price_gold * percent + 50) // 100


@given(prices=st.dictionaries(st.sampled_from(sorted(CONFIG.store)), st.integers(0, 2**53 - 1)))
def test_set_values_stand_and_nothing_else_moves(prices: dict[str, int]) -> None:
    changed = CONFIG.with_values({f"store.{item_id}.price_gold": price for item_id, price in prices.items()})
    for item_id, item in CONFIG.store.items():
        expected = replace(item, price_gold=prices.get(item_id, item.price_gold))
        assert changed.store[item_id] == expected
    back = {f"store.{item_id}.price_gold": CONFIG.store[item_id].price_gold for item_id in prices}
    assert changed.with_values(back).hash == CONFIG.hash
    assert EconomyConfig.from_tree(changed.tree()) == changed


def test_an_economy_keeps_its_words_and_the_catalogues_order() -> None:
    store = dict(reversed(CONFIG.tree()["store"].items()))  # type: ignore[attr-defined]
    economy = Economy(CONFIG.with_values({"store": store}), SHIPPED.catalogue, SHIPPED.waifus)
    assert list(economy.config.store) == [item.id for item in SHIPPED.catalogue]
    changed = economy.with_values({POTION: 120}).scaled({"opening.gold": 2})
    assert changed.config.store["health_potion"].price_gold == 120
    assert changed.config.opening.gold == 20_000
    assert changed.catalogue is SHIPPED.catalogue
    assert changed.hash != economy.hash == SHIPPED.hash


def test_an_item_with_numbers_and_no_words_is_refused() -> None:
    with pytest.raises(EconomyError) as error:
        Economy(CONFIG, SHIPPED.catalogue[1:], SHIPPED.waifus)
    finding = only_finding(error)
    assert (finding.file, finding.field, finding.value) == ("economy.toml", "store.health_potion", "100 gold")


def test_an_item_with_words_and_no_numbers_is_refused() -> None:
    store = {item_id: item for item_id, item in CONFIG.store.items() if item_id != "silk_kimono"}
    with pytest.raises(EconomyError) as error:
        Economy(replace(CONFIG, store=store), SHIPPED.catalogue, SHIPPED.waifus)
    finding = only_finding(error)
    assert (finding.file, finding.field, finding.value) == (
        "store_catalog.json",
        "silk_kimono",
        "Silk Kimono",
    )


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(EconomyError) as error:
        Economy(CONFIG, (*SHIPPED.catalogue, SHIPPED.catalogue[0]), (*SHIPPED.waifus, SHIPPED.waifus[0]))
    places = [(finding.file, finding.field, finding.law) for finding in error.value.findings]
    assert places == [
        ("store_catalog.json", "health_potion.id", "unique_id"),
        ("waifus.json", "echo.id", "unique_id"),
    ]


def test_a_rarity_without_a_character_is_refused() -> None:
    waifus = tuple(waifu for waifu in SHIPPED.waifus if waifu.rarity != "LR")
    with pytest.raises(EconomyError) as error:
        Economy(CONFIG, SHIPPED.catalogue, waifus)
    finding = only_finding(error)
    assert (finding.file, finding.field, finding.value) == ("waifus.json", "rarity", "LR")
