"""What compiled code reads and writes beside the columns: players as arrays, an economy as flat numbers."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.rules.catalogue import EFFECTS
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.sections import Battle
from kokoromichi.rules.summon import TEN_PULLS
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.simulation import player_state, streams
from kokoromichi.simulation.compiled.columns import NO
from kokoromichi.simulation.streams import MAX_SESSIONS, SESSION_DRAWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.rules.economy import Economy
    from kokoromichi.rules.fight import Aids
    from kokoromichi.rules.summon import Pool
    from kokoromichi.rules.use import UseTerms
    from kokoromichi.simulation.compiled.columns import IntArray
    from kokoromichi.simulation.compiled.draws import Key

BattleTerms = namedtuple("BattleTerms", [field.name for field in fields(Battle)])  # type: ignore[misc] # numba takes no dataclass, but reads a tuple's names.


class Players(NamedTuple):
    """The players as arrays, by number, and scratch that one act at a time uses.

    Attributes:
        rows: [player, place of ``player_state``].
        held: [player, item]: units.
        paid_gold: [player, item]: what was paid for them.
        owned: [player, business]: 1 where it is owned.
        since_us: [player, business]: since when it earns.
        copies: [player, character]: what a player has of each.
        draws: [player, slot]: the draws of the session that is open.
        activities: Place of each player's activity multiplier.
        collect_since_us: Scratch of a collection, as the next two.
        collect_income_gold: See above.
        collect_until_us: See above.
        pull_draws: Scratch of a summon, as the next two.
        found: See above.
        first: See above.
        use_draws: Scratch of a use.
        start_s: Scratch of a day's schedule, as the next two.
        hour_draws: See above.
        start_draws: See above.
    """

    rows: IntArray
    held: IntArray
    paid_gold: IntArray
    owned: IntArray
    since_us: IntArray
    copies: IntArray
    draws: IntArray
    activities: IntArray
    collect_since_us: IntArray
    collect_income_gold: IntArray
    collect_until_us: IntArray
    pull_draws: IntArray
    found: IntArray
    first: IntArray
    use_draws: IntArray
    start_s: IntArray
    hour_draws: IntArray
    start_draws: IntArray


class Terms(NamedTuple):
    """An economy's numbers as the acts read them; items, businesses and effects by their numbers.

    Attributes:
        item_of: The first item with each effect, by the effect's number; ``NO`` where there is none.
        stock: Units left in the store; counts where ``is_stocked``.
        characters_key: Key of the stream that chooses a pull's character.
    """

    opening_gold: int
    opening_gems: int
    daily_gold: IntArray
    daily_gems: IntArray
    streak_window_h: int
    battle: Any
    aids: Aids
    use: UseTerms
    item_of: IntArray
    effects: IntArray
    effect_sizes: IntArray
    price_gold: IntArray
    list_price_gold: IntArray
    limits: IntArray
    is_stocked: IntArray
    stock: IntArray
    resale_percent: int
    train_price_gold: int
    train_growth_percent: int
    train_xp: int
    xp_per_level: int
    manual_percent: int
    business_price_gold: IntArray
    income_gold_per_day: IntArray
    max_hours: int
    upkeep_percent: int
    pool: Pool
    characters_key: Key
    pack_price_gold: int
    pack_gems: int
    fee_percent: int
    transfer_cap_gold: int


def array(values: Iterable[int]) -> IntArray:
    """Integers of 64 bits."""
    return np.array(list(values), dtype=np.int64)


def flat(numbers: Any) -> Any:
    """A named tuple with its sequences as arrays, and its numbers as they are."""
    return type(numbers)._make(
        value if isinstance(value, (int, np.integer)) else array(value) for value in numbers
    )


def new_players(
    states: list[list[int]], activities: list[int], items: int, businesses: int, characters: int
) -> Players:
    """Players who have not played yet.

    Args:
        states: Their rows as the story begins with them.
        activities: Place of each player's activity multiplier.
        items: Items of the economy.
        businesses: Businesses of the economy.
        characters: Characters of the economy.
    """
    players = len(states)
    rows = np.zeros((players, player_state.ROW_SIZE), np.int64)
    new = UserProfile(user_id="new")
    for name, place in vars(player_state).items():
        if name.isupper() and hasattr(new, name.lower()) and name != "BUSINESSES":
            rows[:, place] = getattr(new, name.lower())
    rows[:, : player_state.STATE_SIZE] = states
    return Players(
        rows,
        np.zeros((players, items), np.int64),
        np.full((players, items), UNKNOWN_PAID_GOLD, np.int64),
        np.zeros((players, businesses), np.int64),
        np.full((players, businesses), NEVER, np.int64),
        np.zeros((players, characters), np.int8),
        np.zeros((players, SESSION_DRAWS), np.int64),
        array(activities),
        np.zeros(businesses, np.int64),
        np.zeros(businesses, np.int64),
        np.zeros(businesses, np.int64),
        np.zeros(2 * TEN_PULLS, np.int64),
        np.zeros(TEN_PULLS, np.int64),
        np.zeros(TEN_PULLS, np.int64),
        np.zeros(1, np.int64),
        np.zeros(MAX_SESSIONS, np.int64),
        np.zeros(MAX_SESSIONS, np.int64),
        np.zeros(MAX_SESSIONS * SESSION_DRAWS, np.int64),
    )


def terms_of(economy: Economy, seed: int, stock: IntArray) -> Terms:
    """The numbers of an economy.

    Args:
        economy: In force.
        seed: Seed of the replication.
        stock: Units left in the store, by item: shared by all economies of a run.
    """
    live, config = LiveEconomy(economy), economy.config
    places = {item_id: place for place, item_id in enumerate(live.offers)}
    offers = live.offers.values()
    return Terms(
        opening_gold=config.opening.gold,
        opening_gems=config.opening.gems,
        daily_gold=array(config.daily.gold),
        daily_gems=array(config.daily.gems),
        streak_window_h=config.daily.streak_window_h,
        battle=flat(BattleTerms(*(getattr(config.battle, field.name) for field in fields(Battle)))),
        aids=live.aids,
        use=flat(live.use_terms),
        item_of=array(
            places.get(live.item_of.get(effect.name, ""), NO)
            for effect in sorted(EFFECTS.values(), key=lambda effect: effect.number)
        ),
        effects=array(offer.effect_number for offer in offers),
        effect_sizes=array(offer.effect_size for offer in offers),
        price_gold=array(offer.price_gold for offer in offers),
        list_price_gold=array(offer.list_price_gold for offer in offers),
        limits=array(offer.limit for offer in offers),
        is_stocked=array(int(offer.stock_counter is not None) for offer in offers),
        stock=stock,
        resale_percent=config.resale.percent,
        train_price_gold=config.train.price_gold,
        train_growth_percent=config.train.growth_percent,
        train_xp=config.train.xp,
        xp_per_level=config.battle.xp_per_level,
        manual_percent=live.manual_percent,
        business_price_gold=array(business.price_gold for business in config.business.values()),
        income_gold_per_day=array(business.income_gold_per_day for business in config.business.values()),
        max_hours=config.income.max_hours,
        upkeep_percent=config.income.upkeep_percent,
        pool=flat(live.pool),
        characters_key=np.uint64(streams.stream_key(seed, streams.CHARACTERS)),
        pack_price_gold=config.exchange.price_gold,
        pack_gems=config.exchange.gems,
        fee_percent=config.transfer.fee_percent,
        transfer_cap_gold=config.transfer.daily_cap_gold,
    )
