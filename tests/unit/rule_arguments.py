"""What each rule promises to take, up to the ends of int64: what every test of all rules draws from."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from kokoromichi.core.counters import RETIRED_US
from kokoromichi.core.models import DAY_US, NEVER
from kokoromichi.rules import (
    battle,
    collection,
    daily,
    draws,
    exchange,
    fight,
    grant,
    holding,
    moments,
    pricing,
    progress,
    purchase,
    stock,
    summon,
    transfer,
    use,
)
from kokoromichi.rules.codes import MAX_BALANCE, NO_LIMIT
from kokoromichi.rules.sections import Battle

if TYPE_CHECKING:
    from collections.abc import Callable

    Rule = Callable[..., object]

MAX_INT64 = 2**63 - 1
ODDS_PPM = (604_000, 250_000, 100_000, 30_000, 10_000, 5_000, 1_000)
TABLE = summon.rarity_thresholds(ODDS_PPM)

ANY = st.one_of(
    st.integers(-60, 60),
    st.sampled_from([-MAX_INT64 - 1, 10**18, MAX_BALANCE, MAX_BALANCE + 1, MAX_INT64]),
    st.integers(-MAX_INT64 - 1, MAX_INT64),
)
CAPPED = st.one_of(
    st.integers(0, 50_000), st.integers(MAX_BALANCE - 300, MAX_BALANCE), st.integers(0, MAX_BALANCE)
)
BALANCE = st.one_of(CAPPED, st.sampled_from([MAX_BALANCE + 1, MAX_INT64]), st.integers(0, MAX_INT64))
LIMIT = st.one_of(st.integers(0, 30), st.just(NO_LIMIT))
PERCENT = st.integers(0, 100)
TIME = st.one_of(st.integers(10**15, 10**15 + 10**11), st.integers(0, 4 * 10**15))
LAST = st.one_of(st.just(NEVER), TIME)
HOURS = st.integers(0, 8_760)
DRAW = st.one_of(st.sampled_from([0, 2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))
LEVEL = st.one_of(st.integers(1, 60), st.integers(1, MAX_BALANCE))
XP = st.integers(0, 10**9)
HP = st.one_of(st.integers(0, 120), st.integers(0, 10**6))
PERMILLE = st.integers(0, 1_000)
SMALL = st.integers(0, 10**6)
FLAG = st.integers(0, 1)
DAY = st.one_of(st.integers(-1, 50_000), TIME.map(lambda at_us: at_us // DAY_US))
CYCLE = st.tuples(CAPPED, CAPPED, CAPPED)
TIER = st.one_of(st.integers(1, 3), ANY)
PAID = st.just(holding.UNKNOWN_PAID_GOLD) | BALANCE
HOLDING = (st.just(0) | CAPPED, PAID)
FIGHTER = st.builds(
    fight.Fighter,
    *(BALANCE, LEVEL, XP, HP, LAST, LAST, DAY),
    *(CAPPED, CAPPED, CAPPED, LAST, LAST, CAPPED, FLAG),
    *(*HOLDING, *HOLDING, *HOLDING),
)
AIDS = st.builds(fight.Aids, CAPPED, CAPPED, CAPPED, PERCENT, CAPPED, CAPPED, CAPPED)
Terms = namedtuple("Terms", [field.name for field in fields(Battle)])  # type: ignore[misc] # numba takes no dataclass, and reads the same names of a tuple.
TERMS = st.builds(
    Terms,
    st.integers(0, 10**7),
    CAPPED,
    *(HP, HP, HP),
    *(PERMILLE, PERMILLE, PERMILLE, PERMILLE, PERMILLE),
    PERCENT,
    *(st.tuples(LEVEL, LEVEL, LEVEL), CYCLE, st.tuples(XP, XP, XP)),
    st.integers(1, 10**9),
)
TRANSFER = (TIME, BALANCE, BALANCE, ANY, DAY, CAPPED, PERCENT, CAPPED)
PULLS = st.one_of(ANY, st.sampled_from([1, 10]))
SUMMONER = st.builds(summon.Summoner, BALANCE, SMALL, CAPPED, BALANCE)
STARTS = (0, 3, 5, 6, 7, 8, 9, 10)
POOL = st.builds(
    summon.Pool,
    *(CAPPED, CAPPED, st.integers(1, 10**6), st.integers(0, 6), st.just(TABLE), st.just(STARTS)),
    st.tuples(*[CAPPED] * 7),
)


def row(values: st.SearchStrategy[int], length: int) -> st.SearchStrategy[object]:
    """What a rule writes into: numba takes an array, and no list."""
    return st.lists(values, min_size=length, max_size=length).map(lambda row: np.array(row, dtype=np.int64))


HELD = st.integers(1, MAX_INT64) | st.integers(1, 30)
PRICE = st.integers(1, 5) | st.integers(1, 300) | st.just(150) | ANY
EXPECTED = st.sampled_from([*[purchase.ANY_PRICE] * 9, 150]) | ANY
COUNTER = st.just(stock.UNLIMITED) | st.integers(0, 30) | CAPPED
SINCE = LAST | st.just(0) | TIME.map(lambda since_us: since_us + RETIRED_US)
QUANTITY = st.integers(1, 5) | st.integers(1, 300) | ANY
DRAWS = DRAW.map(lambda draw: tuple((draw + unit * 0x9E3779B9) % 2**32 for unit in range(use.MOST_AT_ONCE)))
EFFECT = st.integers(-1, use.AFFECTION_XP + 1)
BODY = st.builds(
    use.Body, LEVEL, XP, CAPPED, HP, LAST, LAST, LAST, st.integers(0, use.SESSION_BATTLES), FLAG, SMALL
)
USE_TERMS = st.builds(
    use.UseTerms,
    HP,
    HP,
    st.integers(1, 10**9),
    st.integers(1, 10**6),
    st.just((20, 40, 80, 150, 300)),
    st.just((55, 30, 11, 3, 1)),
)

ARGUMENTS: dict[Rule, tuple[st.SearchStrategy[object], ...]] = {
    battle.battle_cost_hp: (HP, PERCENT),
    battle.loss_xp: (XP, PERCENT, FLAG, CAPPED),
    battle.may_fight: (TIME, LAST, st.integers(0, 10**7), ANY, CAPPED, BALANCE),
    battle.prize_gold: (CAPPED, CAPPED, CAPPED),
    battle.ready_us: (TIME, LAST, st.integers(0, 10**7)),
    battle.regenerated_hp: (TIME, HP, LAST, HP, HP),
    battle.spend_hp: (HP, HP, HP, CAPPED, CAPPED),
    battle.win_permille: (LEVEL, LEVEL, PERMILLE, PERMILLE, PERMILLE, PERMILLE),
    use.payout: (DRAW, CAPPED, st.just((20, 40, 80, 150, 300)), st.just((55, 30, 11, 3, 1))),
    collection.choose_favorite: (FLAG, BALANCE),
    collection.redeem: (BALANCE, st.just(0) | BALANCE, ANY),
    daily.claim: (TIME, LAST, CAPPED, CAPPED, BALANCE, BALANCE, CYCLE, CYCLE, HOURS),
    daily.counted_today: (TIME, DAY, BALANCE),
    daily.counting_day: (TIME, DAY),
    daily.day_of: (TIME,),
    daily.next_claim_us: (TIME, LAST),
    daily.streak_at: (TIME, LAST, CAPPED, HOURS),
    daily.streak_ends_us: (LAST, HOURS),
    draws.below: (DRAW, st.integers(1, 2**46)),
    exchange.gems_for_gold: (BALANCE, BALANCE, ANY, ANY, ANY),
    fight.chance_permille: (LEVEL, LEVEL, st.integers(-1_000, MAX_BALANCE), TERMS),
    fight.outcome: (TIME, DRAW, st.integers(0, 2), st.just(0), FIGHTER, AIDS, TERMS, CAPPED, st.just(0)),
    fight.offered_gold: (TIME, st.integers(0, 2), LAST, st.integers(-1_000, MAX_BALANCE), AIDS, TERMS),
    fight.fight: (TIME, DRAW, TIER, FLAG, FIGHTER, AIDS, TERMS),
    fight.unfought: (st.integers(1, 30), FIGHTER),
    grant.grant_item: (BALANCE, PAID, BALANCE, ANY, LIMIT),
    grant.grant_money: (BALANCE, ANY),
    grant.is_opening_due: (BALANCE, FLAG),
    grant.open_account: (BALANCE, BALANCE, CAPPED, CAPPED),
    grant.reset_item: (BALANCE,),
    grant.reset_money: (BALANCE, BALANCE, CAPPED, CAPPED),
    holding.known_paid_gold: (BALANCE, PAID, BALANCE),
    holding.paid_left_gold: (HELD, PAID, BALANCE, BALANCE),
    holding.paid_with: (BALANCE, CAPPED),
    holding.share_gold: (HELD, BALANCE, BALANCE),
    moments.clear_clocks: (
        TIME,
        st.builds(moments.Clocks, LAST, LAST, DAY, CAPPED, DAY, CAPPED, LAST, LAST, LAST),
        st.integers(0, 10**12),
    ),
    moments.held_back_us: (TIME, LAST),
    moments.is_ahead: (TIME, LAST),
    moments.is_running: (TIME, LAST, st.integers(0, 10**12)),
    moments.next_us: (TIME, LAST),
    pricing.capped_product: (BALANCE, BALANCE),
    pricing.fee_gold: (BALANCE, PERCENT),
    pricing.percent_of: (CAPPED, CAPPED),
    pricing.percent_up: (CAPPED, CAPPED),
    pricing.resale_gold: (CAPPED, CAPPED),
    pricing.train_cost_gold: (LEVEL, CAPPED, PERMILLE),
    progress.add_xp: (LEVEL, CAPPED, ANY, st.integers(1, 10**9)),
    progress.accrued: (TIME, TIME, CAPPED, HOURS, PERCENT),
    progress.collect: (
        *(TIME, BALANCE, st.tuples(TIME, TIME, TIME), CYCLE, row(st.just(0), 3)),
        *(HOURS, PERCENT),
    ),
    progress.earning_since_us: (TIME, LAST),
    progress.full_us: (TIME, LAST, HOURS),
    progress.invest: (TIME, BALANCE, ANY, FLAG),
    progress.train: (
        *(BALANCE, LEVEL, CAPPED, FLAG, CAPPED),
        *(PERMILLE, XP, CAPPED, st.integers(1, 10**9)),
    ),
    progress.waiting_gold: (TIME, LAST, CAPPED, HOURS, PERCENT),
    purchase.gift: (BALANCE, PAID, BALANCE, PAID, BALANCE, QUANTITY, LIMIT),
    purchase.purchase: (BALANCE, BALANCE, PAID, PRICE, BALANCE, QUANTITY, LIMIT, EXPECTED),
    purchase.sell: (BALANCE, BALANCE, PAID, CAPPED, BALANCE, QUANTITY, CAPPED),
    stock.restock: (TIME, FLAG, COUNTER, COUNTER, SINCE, DAY, COUNTER, CAPPED, st.integers(0, 400)),
    stock.set_stock: (BALANCE, ANY),
    summon.character_of: (DRAW, st.integers(1, 2**46)),
    summon.guaranteed_rarity: (st.integers(0, TABLE[2] - 1), st.just(3), st.just(TABLE)),
    summon.keep_or_shard: (FLAG, BALANCE, CAPPED),
    summon.left_pulls: (SMALL, st.integers(1, 10**6)),
    summon.pay_pulls: (BALANCE, PULLS, CAPPED, CAPPED),
    summon.pull: (DRAW, SMALL, st.integers(1, 10**6), st.integers(0, 6), st.just(TABLE)),
    summon.rarity_of: (DRAW, st.just(TABLE)),
    summon.ring_bell: (SMALL, st.integers(1, 10**6), CAPPED),
    summon.summon: (
        *(PULLS, st.tuples(*[DRAW] * 20), SUMMONER),
        *(row(BALANCE, STARTS[-1]), row(st.just(0), 10), row(st.just(0), 10), POOL),
    ),
    transfer.send: TRANSFER,
    transfer.send_share: TRANSFER,
    transfer.share_of: (BALANCE, ANY),
    use.open_chests: (DRAWS, st.integers(1, use.MOST_AT_ONCE), CAPPED, BALANCE, USE_TERMS),
    use.start: (TIME, EFFECT, st.integers(1, MAX_INT64), LAST, LAST, CAPPED, FLAG),
    use.take_effect: (
        TIME,
        DRAWS,
        EFFECT,
        CAPPED,
        st.integers(1, use.MOST_AT_ONCE),
        BALANCE,
        BODY,
        USE_TERMS,
    ),
    use.units_that_help: (st.integers(1, MAX_INT64), CAPPED, CAPPED),
    use.use: (TIME, DRAWS, EFFECT, CAPPED, QUANTITY, BALANCE, BALANCE, PAID, BALANCE, BODY, USE_TERMS),
}
"""What each rule promises to take: balances up to int64 (an import may), any quantity and amount."""
