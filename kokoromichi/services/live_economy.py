"""The economy as services read it: tables made once per configuration, swapped whole at a reload."""

from __future__ import annotations

from itertools import accumulate, chain
from typing import Final

import msgspec

from kokoromichi.core.clock import moment_of
from kokoromichi.core.counters import stock_counter
from kokoromichi.rules.acts import HEALTH_POTION, MANA_POTION, REVIVE_SCROLL
from kokoromichi.rules.catalogue import EFFECTS
from kokoromichi.rules.codes import MAX_BALANCE, NO_LIMIT
from kokoromichi.rules.economy import RARITIES, CatalogueItem, Economy
from kokoromichi.rules.fight import Aids
from kokoromichi.rules.summon import Pool, rarity_thresholds
from kokoromichi.rules.use import NO_EFFECT, UseTerms

_WHOLE_PERCENT: Final = 100


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One item as it is sold and used.

    Attributes:
        price_gold: Price of one unit, as shown and as charged.
        list_price_gold: The price of the economy's file, which an admin's may differ from for a while.
        limit: Most units a player may hold; ``NO_LIMIT`` where there is none.
        stock_counter: The counter of its limited stock, or None.
        effect: The effect's name.
        effect_number: What rules call it; ``NO_EFFECT`` where the catalogue's is unknown.
        effect_size: In the effect's unit.
    """

    price_gold: int
    list_price_gold: int
    limit: int
    stock_counter: str | None
    effect: str
    effect_number: int
    effect_size: int


RETIRED_OFFER: Final = Offer(MAX_BALANCE, 0, NO_LIMIT, None, "none", NO_EFFECT, 0)
"""An item that players hold and no catalogue names any more. It has no price, so that what was paid for it is
its worth, and nothing where nobody knows that."""


class LiveEconomy:
    """One economy, ready to be read by rules; frozen once made.

    Args:
        economy: With the prices in force.
        listed: With the list prices; the same where it is left out.

    Attributes:
        economy: What it was made of.
        config: Its numbers.
        offers: What is sold, by item id, in catalogue order.
        catalogue: The catalogue's entry by item id.
        item_of: The first item with an effect, by the effect's name.
        use_terms: What effects read of it.
        manual_percent: Share of its XP that a training session gives after a manual was used; all of it where
            the manual is retired since.
        aids: What the economy's items do in a battle.
        pool: What a summon reads: prices, odds, and the characters by their numbers.
        characters: The characters by number, the most common first.
        character_ids: Their ids.
        redeem_shards: What a character of one's choice costs, in shards, by its id; 0: it is not offered.
        income_of: What a business earns, in gold a day, by its id.
    """

    def __init__(self, economy: Economy, listed: Economy | None = None) -> None:
        self.economy = economy
        self.config = economy.config
        self.catalogue: dict[str, CatalogueItem] = {item.id: item for item in economy.catalogue}
        list_prices = (listed or economy).config.store
        self.offers: dict[str, Offer] = {
            item.id: Offer(
                numbers.price_gold,
                list_prices[item.id].price_gold,
                NO_LIMIT if numbers.limit is None else numbers.limit,
                None if numbers.stock is None else stock_counter(item.id),
                item.effect,
                effect.number if (effect := EFFECTS.get(item.effect)) else NO_EFFECT,
                numbers.effect_size,
            )
            for item in economy.catalogue
            if (numbers := self.config.store.get(item.id)) is not None
        }
        self.item_of = {offer.effect: item_id for item_id, offer in reversed(self.offers.items())}
        self.use_terms = UseTerms(
            self.config.battle.hp_full,
            self.config.battle.hp_regen_per_h,
            self.config.battle.xp_per_level,
            self.config.summon.pity_pulls,
            self.config.chest.payout_percent,
            self.config.chest.chance_percent,
        )
        self.manual_percent = self.effect_size("double_train_xp") or _WHOLE_PERCENT
        self.aids = Aids(
            self.effect_size(HEALTH_POTION),
            self.effect_size(MANA_POTION),
            self.effect_size("gold_percent_day"),
            self.effect_size("half_hp_cost"),
            *(self._list_price_gold(effect) for effect in (HEALTH_POTION, MANA_POTION, REVIVE_SCROLL)),
        )
        self.income_of = {
            business_id: business.income_gold_per_day
            for business_id, business in self.config.business.items()
        }
        by_rarity = [[waifu for waifu in economy.waifus if waifu.rarity == rarity] for rarity in RARITIES]
        self.characters = tuple(chain.from_iterable(by_rarity))
        self.redeem_shards = {
            character.id: self.config.redeem.shards[character.rarity] for character in self.characters
        }
        self.character_ids = tuple(character.id for character in self.characters)
        pulls = self.config.summon
        self.pool = Pool(
            pulls.price_gems,
            pulls.ten_price_gems,
            pulls.pity_pulls,
            RARITIES.index(pulls.pity_rarity),
            rarity_thresholds([pulls.odds_ppm[rarity] for rarity in RARITIES]),
            tuple(accumulate(map(len, by_rarity), initial=0)),
            tuple(pulls.shards[rarity] for rarity in RARITIES),
        )

    def effect_size(self, effect: str) -> int:
        """The size of an effect, by the item that has it; 0 where no item does."""
        item_id = self.item_of.get(effect)
        return 0 if item_id is None else self.offers[item_id].effect_size

    def _list_price_gold(self, effect: str) -> int:
        """The list price of the item that has an effect; 0 where no item does."""
        item_id = self.item_of.get(effect)
        return 0 if item_id is None else self.offers[item_id].list_price_gold

    def history_rows(self, at_us: int) -> list[dict[str, object]]:
        """The numbers in force from ``at_us`` on, as rows of ``ECONOMY_HISTORY_SCHEMA``."""
        numbers: list[tuple[str, str, str | None, int]] = [
            ("opening_gold", "gold", None, self.config.opening.gold),
            *(("odds_ppm", rarity, None, self.config.summon.odds_ppm[rarity]) for rarity in RARITIES),
        ]
        for place, (item_id, item) in enumerate(self.config.store.items()):
            category = self.catalogue[item_id].category
            numbers += [
                ("price_gold", item_id, category, item.price_gold),
                ("initial_stock", item_id, category, -1 if item.stock is None else item.stock),
                ("target_units", item_id, category, item.target_units),
                ("catalogue_place", item_id, category, place),
            ]
        return [
            {
                "economy_hash": self.economy.hash,
                "effective_from": moment_of(at_us),
                "measure": measure,
                "key": key,
                "category": category,
                "value": value,
            }
            for measure, key, category, value in numbers
        ]
