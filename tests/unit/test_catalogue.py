from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args

import pytest

from kokoromichi.rules.catalogue import EFFECTS, CatalogueItem, Element, Sheet, Use
from kokoromichi.rules.economy import RARITIES, load_economy

SHIPPED: Final = load_economy(Path(__file__).parents[2] / "data")
SHEETS: Final[tuple[Sheet, ...]] = (*SHIPPED.catalogue, *SHIPPED.waifus)

ORDER: Final = [
    *("health_potion", "mana_potion", "stamina_drink"),
    *("revive_scroll", "training_manual", "experience_scroll", "wisdom_tome"),
    *("lucky_charm", "guardian_amulet", "summoner_bell"),
    *("wooden_chest", "treasure_chest", "celestial_chest"),
    *("flower_bouquet", "chocolate_box", "jade_hairpin", "silk_kimono"),
    *("ema_plaque", "festival_lantern", "kitsune_mask", "ukiyoe_print", "dragon_statue", "phoenix_feather"),
]

CATEGORIES: Final = {"potion": 3, "scroll": 4, "charm": 3, "chest": 3, "gift": 4, "collectible": 6}


def test_the_items_stand_in_the_order_of_the_design() -> None:
    assert [item.id for item in SHIPPED.catalogue] == ORDER


def test_every_category_and_every_use_is_sold() -> None:
    assert Counter(item.category for item in SHIPPED.catalogue) == CATEGORIES
    assert {item.use for item in SHIPPED.catalogue} == set(get_args(Use))


def test_every_effect_is_used_and_named_by_its_key() -> None:
    assert {item.effect for item in SHIPPED.catalogue} == set(EFFECTS)
    assert all(effect.name == name for name, effect in EFFECTS.items())


@pytest.mark.parametrize("item", SHIPPED.catalogue, ids=lambda item: item.id)
def test_only_what_is_kept_has_neither_target_nor_effect(item: CatalogueItem) -> None:
    numbers = SHIPPED.config.store[item.id]
    assert (numbers.target_units == 0) == (item.use == "kept")
    assert (numbers.effect_size == 0) == (item.use == "kept")


def test_there_are_characters_enough() -> None:
    counts = Counter(waifu.rarity for waifu in SHIPPED.waifus)
    assert len(SHIPPED.waifus) >= 56
    assert list(counts) == list(RARITIES)
    assert all(counts[rarity] >= 6 for rarity in RARITIES[:5])
    assert all(counts[rarity] >= 3 for rarity in RARITIES[5:])


def test_characters_come_from_many_stories_and_all_elements() -> None:
    assert len({waifu.mythology for waifu in SHIPPED.waifus}) >= 30
    assert {waifu.element for waifu in SHIPPED.waifus} == set(get_args(Element))


def test_no_name_or_text_stands_twice() -> None:
    assert len({sheet.name for sheet in SHEETS}) == len(SHEETS)
    assert len({sheet.description for sheet in SHEETS}) == len(SHEETS)


def test_texts_are_whole_sentences_without_markup() -> None:
    for sheet in SHEETS:
        assert re.fullmatch(r"[A-Z][^*_`<>@]*[.?!]", sheet.description), sheet.id


def test_the_rarer_the_stronger() -> None:
    strengths: dict[str, list[int]] = {rarity: [] for rarity in RARITIES}
    for waifu in SHIPPED.waifus:
        strengths[waifu.rarity].append(waifu.base_hp + waifu.base_atk + waifu.base_def)
    ladder = [strengths[rarity] for rarity in RARITIES]
    assert all(max(weaker) < min(stronger) for weaker, stronger in pairwise(ladder))
