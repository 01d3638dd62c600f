"""The laws of a sound economy: each finds the numbers that break it.

An economy that loads can be played; whether it should be is said here. The bot and ``economy check`` refuse
what breaks a law, a simulation reports it and goes on. Worth is always compared with the lowest price that a
scheduled sale may give, ``resale.lowest_price_percent`` of the list price.

The exchange needs no law but that a pack is neither free nor empty: gems buy pulls alone, and neither
characters nor shards nor gems are ever sold, so that every round trip brings back 0 gold.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.rules.catalogue import EFFECTS, folded
from kokoromichi.rules.findings import CATALOGUE_FILE, ECONOMY_FILE, WAIFUS_FILE, EconomyError, Finding
from kokoromichi.rules.pricing import percent_of, resale_gold
from kokoromichi.rules.sections import RARITIES
from kokoromichi.rules.use import SESSION_BATTLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kokoromichi.rules.economy import Economy, EconomyConfig

_PPM: Final = 1_000_000
_PERCENT: Final = 100
_PERMILLE: Final = 1_000
_TEN: Final = 10


def economy_findings(economy: Economy) -> tuple[Finding, ...]:
    """List what breaks a law; empty for a sound economy. The laws are those of ``LAWS``, in that order."""
    return tuple(finding for law in LAWS for finding in law(economy))


def check_economy(economy: Economy) -> None:
    """Refuse an economy that breaks a law.

    Raises:
        EconomyError: Lists every finding.
    """
    if findings := economy_findings(economy):
        raise EconomyError(findings)


def lowest_price_gold(config: EconomyConfig, item_id: str) -> int:
    """The lowest price, in gold, that a scheduled sale may ask for a unit of an item; rounded down."""
    return percent_of(config.store[item_id].price_gold, config.resale.lowest_price_percent)


def prices_below_lowest(economy: Economy, prices: Mapping[str, int]) -> Iterator[Finding]:
    """Prices for a while, an admin's or a scheduled one, that ask less than any sale may.

    Args:
        economy: With the list prices.
        prices: Gold of a unit by item id; items that the economy does not sell are passed over.
    """
    for item_id, price_gold in prices.items():
        if item_id in economy.config.store and price_gold < lowest_price_gold(economy.config, item_id):
            percent = economy.config.resale.lowest_price_percent
            text = f"is below {percent} % of the list price; raise it, or lower that percentage"
            yield _broken(f"store.{item_id}.price_gold", price_gold, "lowest_price", text)


def effect_worth_gold(config: EconomyConfig, effect: str, size: int) -> Fraction:
    """Compute the most gold that one use of an effect can bring, on average over its chances.

    Args:
        config: The numbers.
        effect: The effect's name; one that brings no gold, or is unknown, is worth 0.
        size: The effect's size, in its unit.

    Returns:
        Gold. A potion is worth the battles that it keeps from being fought tired, each at the best tier's
        gold; a charm its share of a day's cap; a chest its mean payout.
    """
    compute = _WORTHS.get(effect)
    return Fraction(0) if compute is None else compute(config, size)


def _heal_worth(config: EconomyConfig, size: int) -> Fraction:
    battle = config.battle
    if battle.hp_cost == 0:
        return Fraction(0)
    return Fraction(size, battle.hp_cost) * Fraction(battle.tired_permille, _PERMILLE) * max(battle.tier_gold)


def _win_worth(config: EconomyConfig, size: int) -> Fraction:
    return Fraction(min(size, _PERMILLE), _PERMILLE) * max(config.battle.tier_gold)


def _spared_worth(config: EconomyConfig, size: int) -> Fraction:
    spared_hp = SESSION_BATTLES * percent_of(config.battle.hp_cost, min(size, _PERCENT))
    return _heal_worth(config, spared_hp)


def _charm_worth(config: EconomyConfig, size: int) -> Fraction:
    return Fraction(percent_of(config.battle.daily_cap_gold, min(size, _PERCENT)))


def _chest_worth(config: EconomyConfig, size: int) -> Fraction:
    outcomes = zip(config.chest.payout_percent, config.chest.chance_percent, strict=True)
    return Fraction(sum(percent_of(size, payout) * chance for payout, chance in outcomes), _PERCENT)


_WORTHS: Final[dict[str, Callable[[EconomyConfig, int], Fraction]]] = {
    "heal_hp": _heal_worth,
    "win_permille": _win_worth,
    "half_hp_cost": _spared_worth,
    "gold_percent_day": _charm_worth,
    "chest_gold": _chest_worth,
}


def _broken(field: str, value: object, law: str, text: str) -> Finding:
    return Finding(ECONOMY_FILE, field, str(value), law, text)


def prices_above_zero(economy: Economy) -> Iterator[Finding]:
    """Nothing is given away: no list price is 0, and no item's lowest price rounds to 0."""
    config = economy.config
    prices = {
        "summon.price_gems": config.summon.price_gems,
        "summon.ten_price_gems": config.summon.ten_price_gems,
        "train.price_gold": config.train.price_gold,
        "exchange.price_gold": config.exchange.price_gold,
        **{f"business.{name}.price_gold": firm.price_gold for name, firm in config.business.items()},
        **{f"store.{item_id}.price_gold": item.price_gold for item_id, item in config.store.items()},
    }
    for field, price in prices.items():
        if price == 0:
            yield _broken(field, price, "price_above_zero", "is given away; write a price of at least 1")
    for item_id, item in config.store.items():
        if item.price_gold > 0 and lowest_price_gold(config, item_id) == 0:
            text = f"a sale at {config.resale.lowest_price_percent} % asks 0 gold; write a higher price"
            yield _broken(f"store.{item_id}.price_gold", item.price_gold, "price_above_zero", text)


def packs_hold_gems(economy: Economy) -> Iterator[Finding]:
    """The exchange sells something."""
    if economy.config.exchange.gems == 0:
        yield _broken("exchange.gems", 0, "pack_holds_gems", "sells an empty pack; write at least 1")


def resale_below_price(economy: Economy) -> Iterator[Finding]:
    """An item sold back brings less than it costs in the deepest sale."""
    config, resale = economy.config, economy.config.resale
    if resale.percent >= resale.lowest_price_percent:
        text = f"pays no less than a sale asks ({resale.lowest_price_percent} %); write a smaller share"
        yield _broken("resale.percent", resale.percent, "resale_below_price", text)
        return
    for item_id, item in config.store.items():
        lowest, paid = lowest_price_gold(config, item_id), resale_gold(item.price_gold, resale.percent)
        if 0 < lowest <= paid:
            text = f"is sold at {lowest} gold and bought back at {paid} gold; write a higher price"
            yield _broken(f"store.{item_id}.price_gold", item.price_gold, "resale_below_price", text)


def effects_below_price(economy: Economy) -> Iterator[Finding]:
    """No effect, a chest's payout among them, brings as much gold as its item costs in the deepest sale."""
    for item in economy.catalogue:
        numbers = economy.config.store[item.id]
        worth = effect_worth_gold(economy.config, item.effect, numbers.effect_size)
        lowest = lowest_price_gold(economy.config, item.id)
        if worth > 0 and worth >= lowest:
            text = (
                f"a sale asks {lowest} gold for what brings {float(worth):,.1f} gold ({item.effect} of "
                f"{numbers.effect_size}); write a higher price or a smaller effect_size"
            )
            law = "chest_below_price" if item.effect == "chest_gold" else "effect_below_price"
            yield _broken(f"store.{item.id}.price_gold", numbers.price_gold, law, text)


def effects_are_known(economy: Economy) -> Iterator[Finding]:
    """Every item names an effect that exists, is used when that effect works, and gives it a size."""
    for item in economy.catalogue:
        effect = EFFECTS.get(item.effect)
        if effect is None:
            text = f"is no effect; write one of {', '.join(EFFECTS)}"
            yield Finding(CATALOGUE_FILE, f"{item.id}.effect", item.effect, "known_effect", text)
            continue
        if item.use != effect.use:
            text = f"is not when {effect.name} works; write {effect.use}"
            yield Finding(CATALOGUE_FILE, f"{item.id}.use", item.use, "use_fits_effect", text)
        size = economy.config.store[item.id].effect_size
        if effect.unit and size == 0:
            text = f"makes {effect.name} do nothing; write a size in {effect.unit}"
            yield _broken(f"store.{item.id}.effect_size", size, "effect_has_size", text)
        if size > effect.most:
            text = f"is beyond what {effect.name} can do; write at most {effect.most}"
            yield _broken(f"store.{item.id}.effect_size", size, "effect_in_range", text)


def chances_are_whole(economy: Economy) -> Iterator[Finding]:
    """Odds sum to 1,000,000 ppm, a chest's chances to 100 %."""
    odds, chances = sum(economy.config.summon.odds_ppm.values()), sum(economy.config.chest.chance_percent)
    if odds != _PPM:
        yield _broken("summon.odds_ppm", odds, "chances_are_whole", f"is the sum; it must be {_PPM}")
    if chances != _PERCENT:
        yield _broken(
            "chest.chance_percent", chances, "chances_are_whole", f"is the sum; it must be {_PERCENT}"
        )


def pulls_are_fair(economy: Economy) -> Iterator[Finding]:
    """Ten pulls cost no more than ten times one, and what pity promises has a chance."""
    summon = economy.config.summon
    if summon.ten_price_gems > _TEN * summon.price_gems:
        text = f"is dearer than ten single pulls ({_TEN * summon.price_gems} gems)"
        yield _broken("summon.ten_price_gems", summon.ten_price_gems, "ten_pulls_cheaper", text)
    good_enough = RARITIES[RARITIES.index(summon.pity_rarity) :]
    if not any(summon.odds_ppm[rarity] for rarity in good_enough):
        text = f"has no chance, nor has a better one ({', '.join(good_enough)}); give one odds"
        yield _broken("summon.pity_rarity", summon.pity_rarity, "pity_has_odds", text)


def names_are_told_apart(economy: Economy) -> Iterator[Finding]:
    """No two items or characters have one name, no one the id of another, and no item is a currency."""
    for item_id in CURRENCIES:
        if item_id in economy.config.store:
            text = "is a currency; call the item otherwise"
            yield Finding(CATALOGUE_FILE, f"{item_id}.id", item_id, "names_are_told_apart", text)
    for file, sheets in ((CATALOGUE_FILE, economy.catalogue), (WAIFUS_FILE, economy.waifus)):
        called = Counter(word for sheet in sheets for word in {folded(sheet.id), folded(sheet.name)})
        for sheet in sheets:
            if called[folded(sheet.name)] > 1:
                text = "is the name or id of another as well; give each its own"
                yield Finding(file, f"{sheet.id}.name", sheet.name, "names_are_told_apart", text)


def choosing_is_dear(economy: Economy) -> Iterator[Finding]:
    """A character of one's choice costs more shards than a duplicate gives, where it is offered."""
    given = economy.config.summon.shards
    for rarity, shards in economy.config.redeem.shards.items():
        if 0 < shards <= given[rarity]:
            text = f"is no more than a duplicate gives ({given[rarity]} shards); raise it, or write 0"
            yield _broken(f"redeem.shards.{rarity}", shards, "choosing_is_dear", text)


def stock_can_sell(economy: Economy) -> Iterator[Finding]:
    """An item can be bought: its limit and its stock hold a unit, and a restock has a stock to fill."""
    for item_id, item in economy.config.store.items():
        field = f"store.{item_id}"
        if item.limit == 0:
            text = "lets nobody hold one; write at least 1, or leave the key out for no limit"
            yield _broken(f"{field}.limit", 0, "limit_above_zero", text)
        if item.stock == 0:
            text = (
                "never sells, as a restock fills to the first stock; write at least 1, or leave the key out"
            )
            yield _broken(f"{field}.stock", 0, "stock_above_zero", text)
        if item.stock is None and item.restock_units > 0:
            text = "has no stock to fill; write one, or leave the restock out"
            yield _broken(f"{field}.restock_units", item.restock_units, "restock_has_stock", text)


def battles_are_sane(economy: Economy) -> Iterator[Finding]:
    """The least chance is not above the best, a rested player can fight, and tiers rise."""
    battle = economy.config.battle
    if battle.win_min_permille > battle.win_max_permille:
        text = f"is above win_max_permille ({battle.win_max_permille})"
        yield _broken("battle.win_min_permille", battle.win_min_permille, "chances_in_order", text)
    if battle.hp_cost > battle.hp_full:
        text = f"is more than a rested player has ({battle.hp_full} HP)"
        yield _broken("battle.hp_cost", battle.hp_cost, "rested_can_fight", text)
    if any(lower >= higher for lower, higher in pairwise(battle.tier_level)):
        text = "must rise from tier to tier"
        yield _broken("battle.tier_level", list(battle.tier_level), "tiers_rise", text)


LAWS: Final[tuple[Callable[[Economy], Iterator[Finding]], ...]] = (
    prices_above_zero,
    packs_hold_gems,
    resale_below_price,
    effects_below_price,
    effects_are_known,
    chances_are_whole,
    pulls_are_fair,
    names_are_told_apart,
    choosing_is_dear,
    stock_can_sell,
    battles_are_sane,
)
"""Every law; a new one is a function and a line here."""
