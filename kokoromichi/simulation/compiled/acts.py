"""Each act upon arrays: the rule that the service calls, the rows of the same table, what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.rules.codes import OK, OUT_OF_STOCK, UNKNOWN_PLAYER
from kokoromichi.rules.daily import claim
from kokoromichi.rules.exchange import gems_for_gold
from kokoromichi.rules.fight import Fighter, fight
from kokoromichi.rules.progress import collect, invest, train
from kokoromichi.rules.purchase import ANY_PRICE, gift, purchase, sell
from kokoromichi.rules.summon import TEN_PULLS, Summoner, summon
from kokoromichi.rules.transfer import send
from kokoromichi.rules.use import FULL_LOSS_XP_ONCE, HEAL_HP, WIN_PERMILLE, Body, use
from kokoromichi.simulation.compiled.booking import booking
from kokoromichi.simulation.compiled.columns import NO
from kokoromichi.simulation.player_state import (
    AFFECTION,
    AMOUNT_GOLD,
    BATTLE_AT_US,
    BATTLE_DAY,
    BATTLE_GOLD_TODAY,
    BATTLES_LOST,
    BATTLES_WON,
    BEST_STREAK,
    BUSINESSES,
    DAY,
    DOUBLE_TRAIN,
    DRAW,
    GEMS,
    GOLD,
    GUARD_UNTIL_US,
    HP,
    HP_AT_US,
    INCOME_SINCE_US,
    ITEM,
    JOINED,
    LAST_CLAIM_US,
    LEVEL,
    LUCK_UNTIL_US,
    MANA,
    NOW_US,
    OTHER,
    PITY,
    PLAYER,
    PULLS,
    RESULT,
    SENT_DAY,
    SENT_GOLD_TODAY,
    SHARDS,
    STAMINA_BATTLES,
    STREAK,
    TIER,
    UNITS,
    XP,
)
from kokoromichi.simulation.story import (
    DO_BATTLE,
    DO_BUY,
    DO_CLAIM,
    DO_COLLECT,
    DO_EXCHANGE,
    DO_INVEST,
    DO_SELL,
    DO_SUMMON,
    DO_TRAIN,
    DO_TRANSFER,
    DO_USE,
)
from kokoromichi.simulation.streams import SESSION_PULLS, draw

if TYPE_CHECKING:
    from kokoromichi.simulation.compiled.columns import Columns, IntArray
    from kokoromichi.simulation.compiled.tables import Players, Terms

ONE: Final = 1

# Each writes the rows of an act, and into the player's row what its answer says of the places ``STORED``.
book_battle = booking("battle")
book_buy = booking("buy")
book_claim = booking("claim")
book_collect = booking("collect")
book_exchange = booking("exchange")
book_gift = booking("gift")
book_invest = booking("invest")
book_sell = booking("sell")
book_summon = booking("summon")
book_train = booking("train")
book_transfer = booking("transfer")
book_use = booking("use")


def carry_out(act: int, state: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Carry one act out; its code. The first act of a player opens the account, in the same transaction."""
    is_new = not state[JOINED]
    if is_new:
        state[GOLD], state[GEMS] = terms.opening_gold, terms.opening_gems
    code = decided(act, state, players, terms, columns)  # Called in one place, since it is compiled into it.
    if is_new and code != OK:
        state[GOLD], state[GEMS] = 0, 0
    return code


def decided(act: int, state: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Let the rule of an act decide, and book and keep what it answers; its code."""
    player = state[PLAYER]
    held, paid_gold = players.held[player], players.paid_gold[player]
    if act == DO_BATTLE:
        return do_battle(state, held, paid_gold, terms, columns)
    if act == DO_BUY:
        return do_buy(state, held, paid_gold, terms, columns)
    if act == DO_CLAIM:
        return do_claim(state, terms, columns)
    if act == DO_USE:
        return do_use(state, held, paid_gold, players.use_draws, terms, columns)
    if act == DO_TRAIN:
        return do_train(state, terms, columns)
    if act == DO_COLLECT:
        return do_collect(state, players, terms, columns)
    if act == DO_SUMMON:
        return do_summon(state, players, terms, columns)
    if act == DO_EXCHANGE:
        return do_exchange(state, terms, columns)
    if act == DO_INVEST:
        return do_invest(state, players, terms, columns)
    if act == DO_SELL:
        return do_sell(state, held, paid_gold, terms, columns)
    other = players.rows[state[OTHER]]
    if not other[JOINED]:
        return UNKNOWN_PLAYER
    if act == DO_TRANSFER:
        return do_transfer(state, other, terms, columns)
    return do_gift(state, other, players, terms, columns)


def do_claim(state: IntArray, terms: Terms, columns: Columns) -> int:
    """Claim the daily reward."""
    claimed = claim(
        state[NOW_US],
        state[LAST_CLAIM_US],
        state[STREAK],
        state[BEST_STREAK],
        state[GOLD],
        state[GEMS],
        terms.daily_gold,
        terms.daily_gems,
        terms.streak_window_h,
    )
    if claimed.code == OK:
        book_claim(columns, state, state, claimed, NO, terms.item_of)
    return claimed.code


def do_buy(state: IntArray, held: IntArray, paid_gold: IntArray, terms: Terms, columns: Columns) -> int:
    """Buy units of an item; the stock is looked at last, as a store does when it commits."""
    item = state[ITEM]
    bought = purchase(
        state[GOLD],
        held[item],
        paid_gold[item],
        terms.price_gold[item],
        terms.list_price_gold[item],
        state[UNITS],
        terms.limits[item],
        ANY_PRICE,
    )
    if bought.code != OK:
        return bought.code
    if terms.is_stocked[item]:
        if terms.stock[item] < bought.moved_units:
            return OUT_OF_STOCK
        terms.stock[item] -= bought.moved_units
    book_buy(columns, state, state, bought, item, terms.item_of)
    held[item], paid_gold[item] = bought.owned, bought.paid_gold
    return OK


def do_sell(state: IntArray, held: IntArray, paid_gold: IntArray, terms: Terms, columns: Columns) -> int:
    """Sell one unit of an item back."""
    item = state[ITEM]
    sold = sell(
        state[GOLD],
        held[item],
        paid_gold[item],
        terms.price_gold[item],
        terms.list_price_gold[item],
        ONE,
        terms.resale_percent,
    )
    if sold.code == OK:
        book_sell(columns, state, state, sold, item, terms.item_of)
        held[item], paid_gold[item] = sold.owned, sold.paid_gold
    return sold.code


def do_use(
    state: IntArray, held: IntArray, paid_gold: IntArray, draws: IntArray, terms: Terms, columns: Columns
) -> int:
    """Use one unit of an item."""
    item = state[ITEM]
    draws[0] = state[DRAW]
    body = Body(
        state[LEVEL],
        state[XP],
        state[AFFECTION],
        state[HP],
        state[HP_AT_US],
        state[LUCK_UNTIL_US],
        state[GUARD_UNTIL_US],
        state[STAMINA_BATTLES],
        state[DOUBLE_TRAIN],
        state[PITY],
    )
    used = use(
        state[NOW_US],
        draws,
        terms.effects[item],
        terms.effect_sizes[item],
        ONE,
        state[GOLD],
        held[item],
        paid_gold[item],
        terms.list_price_gold[item],
        body,
        terms.use,
    )
    if used.code == OK:
        book_use(columns, state, state, used, item, terms.item_of)
        held[item], paid_gold[item] = used.owned, used.paid_gold
    return used.code


def units_of(item: int, units: IntArray) -> int:
    """What stands for an item; 0 where the economy has none."""
    return 0 if item == NO else units[item]


def do_battle(state: IntArray, held: IntArray, paid_gold: IntArray, terms: Terms, columns: Columns) -> int:
    """Fight one battle."""
    potion, mana = terms.item_of[HEAL_HP], terms.item_of[WIN_PERMILLE]
    scroll = terms.item_of[FULL_LOSS_XP_ONCE]
    fighter = Fighter(
        state[GOLD],
        state[LEVEL],
        state[XP],
        state[HP],
        state[HP_AT_US],
        state[BATTLE_AT_US],
        state[BATTLE_DAY],
        state[BATTLE_GOLD_TODAY],
        state[BATTLES_WON],
        state[BATTLES_LOST],
        state[LUCK_UNTIL_US],
        state[GUARD_UNTIL_US],
        state[STAMINA_BATTLES],
        ONE,  # Nobody declines what a battle consumes by itself.
        units_of(potion, held),
        units_of(potion, paid_gold),
        units_of(mana, held),
        units_of(mana, paid_gold),
        units_of(scroll, held),
        units_of(scroll, paid_gold),
    )
    fought = fight(
        state[NOW_US], state[DRAW], state[TIER] + 1, state[MANA], fighter, terms.aids, terms.battle
    )
    state[RESULT] = fought.won
    if fought.code != OK:
        return fought.code
    book_battle(columns, state, state, fought, NO, terms.item_of)
    keep(potion, fought.potions, fought.potions_paid_gold, held, paid_gold)
    keep(mana, fought.manas, fought.manas_paid_gold, held, paid_gold)
    keep(scroll, fought.scrolls, fought.scrolls_paid_gold, held, paid_gold)
    return OK


def keep(item: int, owned: int, left_gold: int, held: IntArray, paid_gold: IntArray) -> None:
    """What a holding is after a battle that may have consumed of it."""
    if item != NO:
        held[item], paid_gold[item] = owned, left_gold


def do_train(state: IntArray, terms: Terms, columns: Columns) -> int:
    """Train once."""
    trained = train(
        state[GOLD],
        state[LEVEL],
        state[XP],
        state[DOUBLE_TRAIN],
        terms.train_price_gold,
        terms.train_growth_percent,
        terms.train_xp,
        terms.manual_percent,
        terms.xp_per_level,
    )
    if trained.code == OK:
        book_train(columns, state, state, trained, NO, terms.item_of)
    return trained.code


def do_exchange(state: IntArray, terms: Terms, columns: Columns) -> int:
    """Buy one pack of gems."""
    exchanged = gems_for_gold(state[GOLD], state[GEMS], terms.pack_price_gold, terms.pack_gems, ONE)
    if exchanged.code == OK:
        book_exchange(columns, state, state, exchanged, NO, terms.item_of)
    return exchanged.code


def do_invest(state: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Buy a business."""
    player, business = state[PLAYER], state[ITEM]
    owned, since_us = players.owned[player], players.since_us[player]
    invested = invest(state[NOW_US], state[GOLD], terms.business_price_gold[business], owned[business])
    if invested.code != OK:
        return invested.code
    book_invest(columns, state, state, invested, NO, terms.item_of)
    owned[business], since_us[business] = 1, invested.since_us
    state[BUSINESSES] += 1
    state[INCOME_SINCE_US] = oldest_us(owned, since_us)
    return OK


def do_collect(state: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Collect what all businesses of a player have earned."""
    player = state[PLAYER]
    owned, since_us = players.owned[player], players.since_us[player]
    count = 0
    for business in range(len(owned)):
        if owned[business]:
            players.collect_since_us[count] = since_us[business]
            players.collect_income_gold[count] = terms.income_gold_per_day[business]
            count += 1
    collected = collect(
        state[NOW_US],
        state[GOLD],
        players.collect_since_us[:count],
        players.collect_income_gold[:count],
        players.collect_until_us[:count],
        terms.max_hours,
        terms.upkeep_percent,
    )
    if collected.code != OK:
        return collected.code
    book_collect(columns, state, state, collected, NO, terms.item_of)
    count = 0
    for business in range(len(owned)):
        if owned[business]:
            since_us[business] = players.collect_until_us[count]
            count += 1
    state[INCOME_SINCE_US] = oldest_us(owned, since_us)
    return OK


def oldest_us(owned: IntArray, since_us: IntArray) -> int:
    """Since when the oldest income has not been collected; NO without a business."""
    oldest = NO
    for business in range(len(owned)):
        if owned[business] and (oldest == NO or since_us[business] < oldest):
            oldest = since_us[business]
    return oldest


def do_summon(state: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Pull ten times; the story is told the best rarity."""
    player = state[PLAYER]
    for place in range(TEN_PULLS):
        players.pull_draws[place] = players.draws[player][SESSION_PULLS + place]
        players.pull_draws[TEN_PULLS + place] = draw(
            terms.characters_key, player, state[DAY], state[DRAW] + place
        )
    summoner = Summoner(state[GEMS], state[PITY], state[PULLS], state[SHARDS])
    summoned = summon(
        TEN_PULLS,
        players.pull_draws,
        summoner,
        players.copies[player],
        players.found,
        players.first,
        terms.pool,
    )
    if summoned.code != OK:
        return summoned.code
    book_summon(columns, state, state, summoned, NO, terms.item_of)
    best = 0
    for place in range(TEN_PULLS):
        while players.found[place] >= terms.pool.starts[best + 1]:
            best += 1
    state[RESULT] = best
    return OK


def do_transfer(state: IntArray, other: IntArray, terms: Terms, columns: Columns) -> int:
    """Send gold to another player."""
    sent = send(
        state[NOW_US],
        state[GOLD],
        other[GOLD],
        state[AMOUNT_GOLD],
        state[SENT_DAY],
        state[SENT_GOLD_TODAY],
        terms.fee_percent,
        terms.transfer_cap_gold,
    )
    if sent.code == OK:
        book_transfer(columns, state, other, sent, NO, terms.item_of)
        other[GOLD] = sent.receiver_gold
    return sent.code


def do_gift(state: IntArray, other: IntArray, players: Players, terms: Terms, columns: Columns) -> int:
    """Give one unit of an item to another player."""
    giver, receiver, item = state[PLAYER], other[PLAYER], state[ITEM]
    given = gift(
        players.held[giver][item],
        players.paid_gold[giver][item],
        players.held[receiver][item],
        players.paid_gold[receiver][item],
        terms.list_price_gold[item],
        ONE,
        terms.limits[item],
    )
    if given.code == OK:
        book_gift(columns, state, other, given, item, terms.item_of)
        players.held[giver][item], players.paid_gold[giver][item] = given.owned, given.paid_gold
        players.held[receiver][item] = given.received
        players.paid_gold[receiver][item] = given.received_paid_gold
    return given.code
