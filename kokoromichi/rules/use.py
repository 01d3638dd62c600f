"""What using an item does: one decision for every effect, by the effect's number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import HOUR_US, NEVER
from kokoromichi.rules.battle import regenerated_hp
from kokoromichi.rules.codes import (
    ALREADY_ACTIVE,
    BAD_QUANTITY,
    BALANCE_CAP,
    MAX_BALANCE,
    NOT_OWNED,
    NOT_USABLE,
    OK,
)
from kokoromichi.rules.draws import below
from kokoromichi.rules.holding import paid_left_gold
from kokoromichi.rules.moments import is_running
from kokoromichi.rules.pricing import capped_product, percent_of
from kokoromichi.rules.progress import add_xp
from kokoromichi.rules.summon import ring_bell

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_EFFECT: Final = 0
HEAL_HP: Final = 1
WIN_PERMILLE: Final = 2
HALF_HP_COST: Final = 3
FULL_LOSS_XP_ONCE: Final = 4
DOUBLE_TRAIN_XP: Final = 5
GRANT_XP: Final = 6
GOLD_PERCENT_DAY: Final = 7
FULL_LOSS_XP_DAY: Final = 8
PITY_COUNT: Final = 9
CHEST_GOLD: Final = 10
AFFECTION_XP: Final = 11

DAY_H: Final = 24
"""How long a charm works, in hours."""

CHARM_US: Final = DAY_H * HOUR_US
"""The same in microseconds."""

SESSION_BATTLES: Final = 12
"""The most battles that one session, and so one stamina drink, covers. Where the drink lasts longer, health
potions pay for themselves while it runs, and the law on its worth says too little."""

MOST_AT_ONCE: Final = 100
"""The most units of one use: a chest takes a draw for each."""


class Body(NamedTuple):
    """What effects read and change of a player, as ``UserProfile`` calls it."""

    level: int
    xp: int
    affection: int
    hp: int
    hp_at_us: int
    luck_until_us: int
    guard_until_us: int
    stamina_battles: int
    double_train: int
    pity: int


class UseTerms(NamedTuple):
    """What the economy says of effects.

    Attributes:
        hp_full: Most hit points.
        hp_regen_per_h: Points that come back in an hour.
        xp_per_level: The next level takes this times the level, in XP.
        pity_pulls: The pull of a dry run that is guaranteed.
        payout_percent: The shares of its worth that a chest may hold.
        chance_percent: The chance of each.
    """

    hp_full: int
    hp_regen_per_h: int
    xp_per_level: int
    pity_pulls: int
    payout_percent: Sequence[int]
    chance_percent: Sequence[int]


class Used(NamedTuple):
    """What a use came to; on a refusal everything is as before, and nothing moves.

    Attributes:
        code: What the rule says.
        gold: Balance afterwards, in gold.
        owned: Units held afterwards.
        paid_gold: What was paid for them, in gold, or UNKNOWN_PAID_GOLD.
        reward_gold: What a chest held, in gold.
        moved_units: Units consumed: below 0. As many as help, which may be fewer than were offered.
        amount: What they gave, in the effect's unit.
        until_us: When a lasting effect ends, else NEVER.

    The others are those of ``Body``, afterwards.
    """

    code: int
    gold: int
    owned: int
    paid_gold: int
    reward_gold: int
    moved_units: int
    amount: int
    until_us: int
    level: int
    xp: int
    affection: int
    hp: int
    hp_at_us: int
    luck_until_us: int
    guard_until_us: int
    stamina_battles: int
    double_train: int
    pity: int


def use(
    now_us: int,
    draws: Sequence[int],
    effect: int,
    size: int,
    quantity: int,
    gold: int,
    owned: int,
    paid_gold: int,
    list_price_gold: int,
    body: Body,
    terms: UseTerms,
) -> Used:
    """Decide one use of some units of an item.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        draws: 32 bits for each unit, at least one; only a chest reads them.
        effect: The effect's number; of another number nothing is used.
        size: The size of one unit's effect, in its unit, 0 to ``MAX_BALANCE``.
        quantity: Units offered, any integer of 64 bits, as many as there are draws.
        gold: Balance before, in gold.
        owned: Units held before.
        paid_gold: What was paid for them, in gold, or UNKNOWN_PAID_GOLD.
        list_price_gold: List price of one unit, in gold, at least 0.
        body: What an effect may change.
        terms: What the economy says.

    Returns:
        OK, NOT_OWNED, NOT_USABLE, BAD_QUANTITY (beyond ``MOST_AT_ONCE``, or more than 1 of what does not add
        up), ALREADY_ACTIVE or BALANCE_CAP.
    """
    code = OK
    if quantity < 1 or quantity > MOST_AT_ONCE:
        code = BAD_QUANTITY
    elif quantity > owned:
        code = NOT_OWNED
    if code != OK:
        return Used(code, gold, owned, paid_gold, 0, 0, 0, NEVER, *body[:])
    code, units, amount, reward_gold, until_us, after = take_effect(
        now_us, draws, effect, size, quantity, gold, body, terms
    )
    if code != OK:
        return Used(code, gold, owned, paid_gold, 0, 0, 0, NEVER, *body[:])  # Compiled, plain tuples spread.
    gold, held = gold + reward_gold, owned - units
    paid_gold = paid_left_gold(owned, paid_gold, list_price_gold, units)
    return Used(OK, gold, held, paid_gold, reward_gold, -units, amount, until_us, *after[:])


def take_effect(
    now_us: int,
    draws: Sequence[int],
    effect: int,
    size: int,
    quantity: int,
    gold: int,
    body: Body,
    terms: UseTerms,
) -> tuple[int, int, int, int, int, Body]:
    """Let some units of one effect work; see ``use``.

    Returns:
        A code; units consumed; what they gave, in the effect's unit; gold to pay; when a lasting effect ends,
        or NEVER; and a body, which counts where the code is OK.
    """
    code, units, amount, reward_gold, until_us = OK, quantity, size, 0, NEVER
    level, xp, affection, hp, hp_at_us, luck_us, guard_us, stamina, double, pity = body
    if effect == CHEST_GOLD:
        code, reward_gold = open_chests(draws, quantity, size, gold, terms)
        amount = reward_gold
    elif effect in (GRANT_XP, AFFECTION_XP):
        amount = capped_product(quantity, size)
        level, xp = add_xp(level, xp, amount, terms.xp_per_level)
        if effect == AFFECTION_XP and amount > MAX_BALANCE - affection:
            code = BALANCE_CAP
        elif effect == AFFECTION_XP:
            affection += amount
    elif effect == HEAL_HP:
        hp, hp_at_us = regenerated_hp(now_us, hp, hp_at_us, terms.hp_full, terms.hp_regen_per_h)
        units = units_that_help(quantity, size, terms.hp_full - hp)
        amount = min(capped_product(units, size), terms.hp_full - hp)
        hp += amount
        code = OK if amount > 0 else ALREADY_ACTIVE
    elif effect == PITY_COUNT:
        rung = ring_bell(pity, terms.pity_pulls, capped_product(quantity, size))
        amount = rung - pity
        units = units_that_help(quantity, size, amount)
        pity = rung
        code = OK if amount > 0 else ALREADY_ACTIVE
    else:
        code, until_us, luck_us, guard_us, stamina, double = start(
            now_us, effect, quantity, luck_us, guard_us, stamina, double
        )
    after = Body(level, xp, affection, hp, hp_at_us, luck_us, guard_us, stamina, double, pity)
    return code, units, amount, reward_gold, until_us, after


def units_that_help(quantity: int, size: int, room: int) -> int:
    """Count the units that fill a room up.

    Args:
        quantity: Units offered, at least 1.
        size: What one of them fills, at least 0.
        room: What there is to fill, at least 0.

    Returns:
        Units, 0 to ``quantity``: none where nothing is filled.
    """
    if size < 1:
        return 0
    return min(quantity, (room + size - 1) // size)


def open_chests(
    draws: Sequence[int], quantity: int, worth_gold: int, gold: int, terms: UseTerms
) -> tuple[int, int]:
    """Open chests, each by its own draw.

    Args:
        draws: 32 bits for each chest.
        quantity: Chests, at most as many as there are draws.
        worth_gold: The worth of one, in gold, at most ``MAX_BALANCE``.
        gold: Balance before, in gold.
        terms: What the economy says.

    Returns:
        OK or BALANCE_CAP, and the gold of all of them; 0 unless the code is OK.
    """
    reward_gold = 0
    for number in range(quantity):
        found_gold = payout(draws[number], worth_gold, terms.payout_percent, terms.chance_percent)
        if found_gold > MAX_BALANCE - gold - reward_gold:
            return BALANCE_CAP, 0
        reward_gold += found_gold
    return OK, reward_gold


def start(
    now_us: int, effect: int, quantity: int, luck_us: int, guard_us: int, stamina: int, double: int
) -> tuple[int, int, int, int, int, int]:
    """Start an effect that runs for a while, once: while it runs it is neither lengthened nor renewed.

    A stamina drink is worth what it spares in the battles of one session: another one fills these up again.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        effect: The effect's number.
        quantity: Units offered, at least 1.
        luck_us: When a charm's luck ends; see ``is_running``.
        guard_us: When an amulet's guard ends.
        stamina: Battles left that cost fewer hit points.
        double: 1 when the next training session gives double XP.

    Returns:
        OK, NOT_USABLE, BAD_QUANTITY (more than one) or ALREADY_ACTIVE; when it ends, or NEVER; and the last
        four as they are then.
    """
    runs = 0
    until_us = NEVER
    if effect == GOLD_PERCENT_DAY:
        runs = 1 if is_running(now_us, luck_us, CHARM_US) else 0
        luck_us = until_us = now_us + CHARM_US
    elif effect == FULL_LOSS_XP_DAY:
        runs = 1 if is_running(now_us, guard_us, CHARM_US) else 0
        guard_us = until_us = now_us + CHARM_US
    elif effect == HALF_HP_COST:
        runs = 1 if stamina >= SESSION_BATTLES else 0
        stamina = SESSION_BATTLES
    elif effect == DOUBLE_TRAIN_XP:
        runs = double
        double = 1
    else:
        return NOT_USABLE, NEVER, luck_us, guard_us, stamina, double
    code = BAD_QUANTITY if quantity > 1 else ALREADY_ACTIVE if runs else OK
    return code, until_us, luck_us, guard_us, stamina, double


def payout(draw: int, worth_gold: int, payout_percent: Sequence[int], chance_percent: Sequence[int]) -> int:
    """Open one chest: a share of its configured worth, never of a price, or a sale would pay for itself.

    Args:
        draw: A draw of 32 bits.
        worth_gold: The chest's configured worth, in gold, at most ``MAX_BALANCE``.
        payout_percent: The shares of it that a chest may hold, each 0 to 1,000.
        chance_percent: The chance of each, of the same length; they sum to 100.

    Returns:
        Gold, rounded down; what the chances leave over goes to the last share.
    """
    roll = below(draw, 100)
    row = 0
    while row < len(payout_percent) - 1 and roll >= chance_percent[row]:
        roll -= chance_percent[row]
        row += 1
    return percent_of(worth_gold, payout_percent[row])
