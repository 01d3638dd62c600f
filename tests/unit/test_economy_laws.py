from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.economy import Economy, EconomyError, load_economy
from kokoromichi.rules.economy_laws import (
    LAWS,
    check_economy,
    economy_findings,
    effect_worth_gold,
    lowest_price_gold,
)
from kokoromichi.rules.pricing import resale_gold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHIPPED: Final = load_economy(Path(__file__).parents[2] / "data")


def with_words(item_id: str, **words: str) -> Economy:
    catalogue = tuple(
        item.model_copy(update=words) if item.id == item_id else item for item in SHIPPED.catalogue
    )
    return Economy(SHIPPED.config, catalogue, SHIPPED.waifus)


def test_the_shipped_economy_breaks_no_law() -> None:
    assert economy_findings(SHIPPED) == ()
    check_economy(SHIPPED)


BROKEN: Final[list[tuple[Mapping[str, object], str, str, str]]] = [
    # What is changed; then field, value and law of the one finding.
    ({"store.phoenix_feather.price_gold": 0}, "store.phoenix_feather.price_gold", "0", "price_above_zero"),
    ({"store.phoenix_feather.price_gold": 1}, "store.phoenix_feather.price_gold", "1", "price_above_zero"),
    ({"business.cafe.price_gold": 0}, "business.cafe.price_gold", "0", "price_above_zero"),
    ({"train.price_gold": 0}, "train.price_gold", "0", "price_above_zero"),
    ({"exchange.price_gold": 0}, "exchange.price_gold", "0", "price_above_zero"),
    ({"summon.ten_price_gems": 0}, "summon.ten_price_gems", "0", "price_above_zero"),
    ({"exchange.gems": 0}, "exchange.gems", "0", "pack_holds_gems"),
    ({"resale.percent": 70}, "resale.percent", "70", "resale_below_price"),
    ({"resale.percent": 120}, "resale.percent", "120", "resale_below_price"),
    ({"resale.percent": 69, "store.ema_plaque.price_gold": 5},
     "store.ema_plaque.price_gold", "5", "resale_below_price"),
    ({"resale.percent": 69, "store.ema_plaque.price_gold": 2},
     "store.ema_plaque.price_gold", "2", "resale_below_price"),
    ({"store.treasure_chest.effect_size": 8_908},
     "store.treasure_chest.price_gold", "5000", "chest_below_price"),
    ({"store.wooden_chest.price_gold": 505}, "store.wooden_chest.price_gold", "505", "chest_below_price"),
    ({"store.health_potion.price_gold": 86}, "store.health_potion.price_gold", "86", "effect_below_price"),
    ({"store.mana_potion.price_gold": 35}, "store.mana_potion.price_gold", "35", "effect_below_price"),
    ({"store.stamina_drink.price_gold": 206}, "store.stamina_drink.price_gold", "206", "effect_below_price"),
    ({"store.lucky_charm.effect_size": 21}, "store.lucky_charm.price_gold", "1500", "effect_below_price"),
    ({"store.health_potion.effect_size": 0}, "store.health_potion.effect_size", "0", "effect_has_size"),
    ({"store.revive_scroll.effect_size": 101}, "store.revive_scroll.effect_size", "101", "effect_in_range"),
    ({"store.ema_plaque.effect_size": 1}, "store.ema_plaque.effect_size", "1", "effect_in_range"),
    ({"summon.odds_ppm.N": 603_999}, "summon.odds_ppm", "999999", "chances_are_whole"),
    ({"chest.chance_percent.0": 56}, "chest.chance_percent", "101", "chances_are_whole"),
    ({"summon.ten_price_gems": 501}, "summon.ten_price_gems", "501", "ten_pulls_cheaper"),
    ({"summon.pity_rarity": "Mythic", "summon.odds_ppm.Mythic": 0, "summon.odds_ppm.N": 605_000},
     "summon.pity_rarity", "Mythic", "pity_has_odds"),
    ({"redeem.shards.SSR": 20}, "redeem.shards.SSR", "20", "choosing_is_dear"),
    ({"store.kitsune_mask.limit": 0}, "store.kitsune_mask.limit", "0", "limit_above_zero"),
    ({"store.lucky_charm.stock": 0}, "store.lucky_charm.stock", "0", "stock_above_zero"),
    ({"store.lucky_charm.stock": None}, "store.lucky_charm.restock_units", "80", "restock_has_stock"),
    ({"battle.win_min_permille": 951}, "battle.win_min_permille", "951", "chances_in_order"),
    ({"battle.hp_cost": 101}, "battle.hp_cost", "101", "rested_can_fight"),
    ({"battle.tier_level.2": 4}, "battle.tier_level", "[1, 4, 4, 13, 19, 26, 34]", "tiers_rise"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "field", "value", "law"), BROKEN)
def test_each_law_finds_what_breaks_it_and_nothing_else(
    values: Mapping[str, object], field: str, value: str, law: str
) -> None:
    broken = SHIPPED.with_values(values)
    (finding,) = economy_findings(broken)
    assert (finding.file, finding.field, finding.value, finding.law) == ("economy.toml", field, value, law)
    with pytest.raises(EconomyError) as error:
        check_economy(broken)
    assert error.value.findings == (finding,)
    assert str(error.value).startswith(f"economy.toml: {field} = {value}: ")


@pytest.mark.parametrize(
    "values",
    [
        {"store.phoenix_feather.price_gold": 2},
        {"resale.percent": 69},
        {"store.treasure_chest.effect_size": 8_907},
        {"store.wooden_chest.price_gold": 506},
        {"store.health_potion.price_gold": 88},
        {"store.mana_potion.price_gold": 36},
        {"store.stamina_drink.price_gold": 208},
        {"store.lucky_charm.effect_size": 20},
        {"summon.ten_price_gems": 500},
        {"store.lucky_charm.restock_units": 0},
        {"redeem.shards.SSR": 21, "redeem.shards.N": 0},
        {"battle.win_min_permille": 950},
        {"exchange.gems": 1, "train.price_gold": 1},
        {"store.lucky_charm.stock": 1, "store.lucky_charm.limit": 1},
        {"battle.hp_cost": 100, "store.health_potion.effect_size": 100},
    ],
)
def test_a_number_just_inside_a_law_is_sound(values: Mapping[str, object]) -> None:
    assert economy_findings(SHIPPED.with_values(values)) == ()


def test_the_price_of_a_pull_is_above_zero() -> None:
    laws = [finding.law for finding in economy_findings(SHIPPED.with_values({"summon.price_gems": 0}))]
    assert laws == ["price_above_zero", "ten_pulls_cheaper"]


def test_a_finding_says_what_it_compared() -> None:
    (dear,) = economy_findings(SHIPPED.with_values({"summon.ten_price_gems": 501}))
    assert dear.text == "is dearer than ten single pulls (500 gems)"
    (rich,) = economy_findings(SHIPPED.with_values({"store.wooden_chest.price_gold": 500}))
    assert rich.text.startswith("a sale asks 350 gold for what brings 353.7 gold (chest_gold of 900)")


def test_an_unknown_effect_is_found() -> None:
    (finding,) = economy_findings(with_words("lucky_charm", effect="mint_gold"))
    assert finding.file == "store_catalog.json"
    assert (finding.field, finding.value, finding.law) == ("lucky_charm.effect", "mint_gold", "known_effect")
    assert "gold_percent_day" in finding.text


def test_a_use_at_which_the_effect_does_not_work_is_found() -> None:
    (finding,) = economy_findings(with_words("lucky_charm", use="kept"))
    assert finding.file == "store_catalog.json"
    assert (finding.field, finding.value, finding.law) == ("lucky_charm.use", "kept", "use_fits_effect")


def test_every_finding_is_listed() -> None:
    broken = SHIPPED.with_values(
        {"exchange.gems": 0, "resale.percent": 99, "store.wooden_chest.price_gold": 1}
    )
    laws = {finding.law for finding in economy_findings(broken)}
    assert laws == {"pack_holds_gems", "resale_below_price", "price_above_zero", "chest_below_price"}
    with pytest.raises(EconomyError) as error:
        check_economy(broken)
    assert len(str(error.value).splitlines()) == len(error.value.findings) == 4


@pytest.mark.parametrize(
    ("item_id", "worth", "lowest"),
    [
        # By hand: 2.5 battles x 0.15 x 160; 0.15 x 160; 6 battles likewise; a tenth of the cap; 39.3 % of it.
        ("health_potion", Fraction(60), 70),
        ("mana_potion", Fraction(24), 105),
        ("stamina_drink", Fraction(144), 175),
        ("lucky_charm", Fraction(500), 1_050),
        ("wooden_chest", Fraction(35_370, 100), 630),
        ("treasure_chest", Fraction(1_965), 3_500),
        ("celestial_chest", Fraction(7_074), 12_600),
        ("wisdom_tome", Fraction(0), 2_450),
        ("summoner_bell", Fraction(0), 1_750),
    ],
)
def test_worth_and_lowest_price_are_those_of_the_design(item_id: str, worth: Fraction, lowest: int) -> None:
    effect = next(item.effect for item in SHIPPED.catalogue if item.id == item_id)
    size = SHIPPED.config.store[item_id].effect_size
    assert effect_worth_gold(SHIPPED.config, effect, size) == worth
    assert lowest_price_gold(SHIPPED.config, item_id) == lowest


def test_a_potion_is_worth_nothing_where_battles_cost_no_hp() -> None:
    assert effect_worth_gold(SHIPPED.with_values({"battle.hp_cost": 0}).config, "heal_hp", 50) == 0


@given(price=st.integers(0, 5_000), percent=st.integers(0, 110), lowest=st.integers(0, 100))
def test_no_sound_price_can_be_bought_low_and_sold_back_at_a_gain(
    price: int, percent: int, lowest: int
) -> None:
    economy = SHIPPED.with_values(
        {
            "store.ema_plaque.price_gold": price,
            "resale.percent": percent,
            "resale.lowest_price_percent": lowest,
        }
    )
    fields = {finding.field for finding in economy_findings(economy)}
    if not fields & {"resale.percent", "store.ema_plaque.price_gold"}:
        assert resale_gold(price, percent) < lowest_price_gold(economy.config, "ema_plaque")


@given(
    worth=st.integers(1, 100_000),
    price=st.integers(1, 100_000),
    payouts=st.lists(st.integers(0, 1_000), min_size=3, max_size=3),
)
def test_no_sound_chest_pays_its_price_on_average(worth: int, price: int, payouts: list[int]) -> None:
    economy = SHIPPED.with_values(
        {
            "store.wooden_chest.effect_size": worth,
            "store.wooden_chest.price_gold": price,
            "chest.payout_percent": payouts,
            "chest.chance_percent": [50, 30, 20],
        }
    )
    opened = (
        [worth * payouts[0] // 100] * 5 + [worth * payouts[1] // 100] * 3 + [worth * payouts[2] // 100] * 2
    )
    found = any(
        (finding.field, finding.law) == ("store.wooden_chest.price_gold", "chest_below_price")
        for finding in economy_findings(economy)
    )
    assert found == (sum(opened) > 0 and sum(opened) >= 10 * (price * 70 // 100))


def test_every_law_says_what_it_is() -> None:
    assert len({law.__name__ for law in LAWS}) == len(LAWS)
    assert all(law.__doc__ and law.__doc__.endswith(".") for law in LAWS)


@pytest.mark.parametrize("alike", [str.upper, lambda name: name.replace(" ", " - ")])
def test_no_two_have_one_name(alike: Callable[[str], str]) -> None:
    first, second, *_ = SHIPPED.catalogue
    findings = economy_findings(with_words(second.id, name=alike(first.name)))
    assert [(one.field, one.law) for one in findings] == [
        (f"{first.id}.name", "names_are_told_apart"),
        (f"{second.id}.name", "names_are_told_apart"),
    ]


def test_nothing_has_the_id_of_another_for_its_name() -> None:
    first, second, *_ = SHIPPED.catalogue
    renamed = with_words(first.id, name="Something Else")
    catalogue = [
        one.model_copy(update={"name": first.id}) if one.id == second.id else one for one in renamed.catalogue
    ]
    (finding,) = economy_findings(replace(renamed, catalogue=tuple(catalogue)))
    assert (finding.field, finding.law) == (f"{second.id}.name", "names_are_told_apart")


def test_no_item_is_called_like_a_currency() -> None:
    (finding,) = economy_findings(SHIPPED.with_item("gold", like="health_potion"))
    assert (finding.field, finding.text) == ("gold.id", "is a currency; call the item otherwise")
