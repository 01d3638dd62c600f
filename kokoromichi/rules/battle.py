"""Battles: hit points that come back with time, the chance to win, and what a fight pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.codes import BALANCE_CAP, COOLING_DOWN, DAILY_CAP, MAX_BALANCE, OK, TIER_UNKNOWN
from kokoromichi.rules.daily import counted_today, day_of
from kokoromichi.rules.pricing import percent_of

if TYPE_CHECKING:
    from kokoromichi.rules.sections import Battle

PERMILLE: Final = 1000


class Fighter(NamedTuple):
    """What a battle reads of a player: a flat tuple of integers.

    Attributes:
        gold: Balance, in gold.
        level: Level, at least 1.
        hp: Hit points at ``hp_at_us``.
        hp_at_us: When ``hp`` was computed; NEVER for a player who has not fought: all points.
        last_battle_us: The last battle; NEVER before the first.
        earned_day: The UTC day that ``earned_gold`` belongs to.
        earned_gold: Battle gold of that day.
        potions: Health potions held.
        scrolls: Revive scrolls held.
    """

    gold: int
    level: int
    hp: int
    hp_at_us: int
    last_battle_us: int
    earned_day: int
    earned_gold: int
    potions: int
    scrolls: int


class Aids(NamedTuple):
    """What changes the numbers of one battle: effects that run, and the sizes that the economy gives them.

    Attributes:
        potion_hp: Hit points of a health potion, should one be drunk.
        mana_permille: Added to the chance by a mana potion taken for this battle; 0 without.
        charm_percent: Added to the gold by a lucky charm that runs; 0 without.
        hp_cut_percent: Taken off the hit points a battle costs by a stamina drink that runs; 0 without.
        amulet: 1 while a guardian amulet runs (a loss gives full XP), else 0.
    """

    potion_hp: int
    mana_permille: int
    charm_percent: int
    hp_cut_percent: int
    amulet: int


class Fight(NamedTuple):
    """What a battle came to; on a refusal everything is as before, and counts are 0.

    Attributes:
        code: OK, COOLING_DOWN, DAILY_CAP or BALANCE_CAP.
        won: 1 when won, else 0.
        gold: Balance afterwards.
        payout_gold: Gold won, 0 on a loss.
        xp: XP gained (``progress.add_xp`` turns it into levels).
        hp: Hit points afterwards.
        hp_at_us: When they were computed.
        earned_day: The UTC day of ``earned_gold``.
        earned_gold: Battle gold of that day, this payout included.
        drunk: Health potions drunk, 0 or 1.
        scrolls_spent: Revive scrolls consumed, 0 or 1.
        tired: 1 when fought without the hit points it costs, else 0.
        chance_permille: The chance to win that the draw was held against.
    """

    code: int
    won: int
    gold: int
    payout_gold: int
    xp: int
    hp: int
    hp_at_us: int
    earned_day: int
    earned_gold: int
    drunk: int
    scrolls_spent: int
    tired: int
    chance_permille: int


def find_tier(tier: int, tiers: int) -> int:
    """Check the number of an opponent's tier.

    Args:
        tier: The tier's index, from 0.
        tiers: Tiers there are.

    Returns:
        OK or TIER_UNKNOWN.
    """
    if 0 <= tier < tiers:
        return OK
    return TIER_UNKNOWN


def regenerated_hp(now_us: int, hp: int, hp_at_us: int, hp_full: int, hp_regen_per_h: int) -> tuple[int, int]:
    """Compute the hit points that came back with time.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        hp: Hit points at ``hp_at_us``.
        hp_at_us: When they were computed; NEVER for all points.
        hp_full: Most hit points.
        hp_regen_per_h: Points an hour, 0 to 1,000,000.

    Returns:
        Hit points now, and the time they are computed for: the moment the last whole point came, so that no
        part of a point is lost however often this is asked. A clock that went backwards changes nothing.
    """
    if hp_at_us == NEVER or hp >= hp_full:
        return hp_full, now_us
    if now_us <= hp_at_us or hp_regen_per_h < 1:
        return hp, hp_at_us
    elapsed_us = now_us - hp_at_us
    gained = elapsed_us // HOUR_US * hp_regen_per_h + elapsed_us % HOUR_US * hp_regen_per_h // HOUR_US
    if gained >= hp_full - hp:
        return hp_full, now_us
    return hp + gained, hp_at_us + (gained * HOUR_US + hp_regen_per_h - 1) // hp_regen_per_h


def battle_cost_hp(hp_cost: int, hp_cut_percent: int) -> int:
    """Compute the hit points that a battle costs.

    Args:
        hp_cost: The full cost.
        hp_cut_percent: What a stamina drink takes off, 0 to 100.

    Returns:
        The cost, rounded up.
    """
    return hp_cost - percent_of(hp_cost, hp_cut_percent)


def spend_hp(hp: int, cost_hp: int, hp_full: int, potions: int, potion_hp: int) -> tuple[int, int, int]:
    """Take a battle's hit points, with at most one potion where they do not suffice.

    Args:
        hp: Hit points before.
        cost_hp: What the battle costs.
        hp_full: Most hit points.
        potions: Health potions held.
        potion_hp: Hit points of one.

    Returns:
        Hit points afterwards, at least 0; potions drunk, 0 or 1; 1 when tired (the points did not suffice
        even so), else 0.
    """
    drunk = 0
    if hp < cost_hp and potions > 0:
        drunk = 1
        hp = max(hp, min(hp + potion_hp, hp_full))
    if hp < cost_hp:
        return 0, drunk, 1
    return hp - cost_hp, drunk, 0


def win_permille(
    level: int,
    tier_level: int,
    win_base_permille: int,
    win_slope_permille: int,
    win_min_permille: int,
    win_max_permille: int,
) -> int:
    """Compute the chance to win of a rested player without potions.

    Args:
        level: The player's level.
        tier_level: The opponent's level.
        win_base_permille: Chance at equal levels.
        win_slope_permille: Chance that each level above adds.
        win_min_permille: Least chance.
        win_max_permille: Most chance.

    Returns:
        Chance in permille, between least and most.
    """
    chance = win_base_permille + win_slope_permille * (level - tier_level)
    return max(win_min_permille, min(chance, win_max_permille))


def prize_gold(tier_gold: int, charm_percent: int, left_gold: int) -> int:
    """Compute what a victory pays.

    Args:
        tier_gold: Gold of the opponent's tier.
        charm_percent: What a lucky charm adds, in percent, rounded down.
        left_gold: What the day's cap leaves, at least 0.

    Returns:
        Gold; the rest of the cap where that is less.
    """
    return min(tier_gold + percent_of(tier_gold, charm_percent), left_gold)


def loss_xp(tier_xp: int, loss_xp_percent: int, amulet: int, scrolls: int) -> tuple[int, int]:
    """Compute what a lost battle teaches.

    Args:
        tier_xp: XP of the opponent's tier.
        loss_xp_percent: Share of it that a loss gives, 0 to 100.
        amulet: 1 while a guardian amulet runs, else 0.
        scrolls: Revive scrolls held.

    Returns:
        XP, and revive scrolls consumed: one gives the full XP, and none is spent under an amulet.
    """
    if amulet > 0:
        return tier_xp, 0
    if scrolls > 0:
        return tier_xp, 1
    return percent_of(tier_xp, loss_xp_percent), 0


def may_fight(
    now_us: int,
    last_battle_us: int,
    cooldown_s: int,
    left_gold: int,
    prize: int,
    gold: int,
) -> int:
    """Decide whether a battle may begin.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        last_battle_us: The last battle; NEVER before the first.
        cooldown_s: Least time between two battles, in seconds.
        left_gold: What the day's cap leaves.
        prize: What a victory would pay.
        gold: Balance, in gold.

    Returns:
        OK, COOLING_DOWN, DAILY_CAP or BALANCE_CAP. None depends on the draw, so that a refusal cannot be used
        to fight on with a better one.
    """
    if last_battle_us != NEVER and now_us < last_battle_us + cooldown_s * SECOND_US:
        return COOLING_DOWN
    if left_gold < 1:
        return DAILY_CAP
    if prize > 0 and prize > MAX_BALANCE - gold:
        return BALANCE_CAP
    return OK


def fight(
    now_us: int,
    draw: int,
    fighter: Fighter,
    aids: Aids,
    tier_level: int,
    tier_gold: int,
    tier_xp: int,
    terms: Battle,
) -> Fight:
    """Fight one battle.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        draw: A draw of 32 bits; the battle is won when it falls into the lower part given by the chance.
        fighter: The player.
        aids: Effects that run and sizes of effects.
        tier_level: The opponent's level.
        tier_gold: Gold of a victory.
        tier_xp: XP of a victory.
        terms: The economy's numbers.

    Returns:
        The outcome. A potion and a scroll are consumed by themselves where they are held and needed; the
        caller books them as uses in the same transaction, and stores ``now_us`` as the last battle.
    """
    day = day_of(now_us)
    earned_gold = counted_today(day, fighter.earned_day, fighter.earned_gold)
    left_gold = terms.daily_cap_gold - earned_gold
    prize = prize_gold(tier_gold, aids.charm_percent, left_gold)
    code = may_fight(now_us, fighter.last_battle_us, terms.cooldown_s, left_gold, prize, fighter.gold)
    if code != OK:
        hp, hp_at_us, day, earned_gold = fighter.hp, fighter.hp_at_us, fighter.earned_day, fighter.earned_gold
        return Fight(code, 0, fighter.gold, 0, 0, hp, hp_at_us, day, earned_gold, 0, 0, 0, 0)
    hp, hp_at_us = regenerated_hp(now_us, fighter.hp, fighter.hp_at_us, terms.hp_full, terms.hp_regen_per_h)
    cost_hp = battle_cost_hp(terms.hp_cost, aids.hp_cut_percent)
    hp, drunk, tired = spend_hp(hp, cost_hp, terms.hp_full, fighter.potions, aids.potion_hp)
    rested_permille = win_permille(
        fighter.level,
        tier_level,
        terms.win_base_permille,
        terms.win_slope_permille,
        terms.win_min_permille,
        terms.win_max_permille,
    )
    permille = max(0, min(rested_permille + aids.mana_permille - tired * terms.tired_permille, PERMILLE))
    won, payout_gold, scrolls_spent = 1, prize, 0
    xp = tier_xp
    if (draw * PERMILLE) >> 32 >= permille:
        won, payout_gold = 0, 0
        xp, scrolls_spent = loss_xp(tier_xp, terms.loss_xp_percent, aids.amulet, fighter.scrolls)
    gold, earned_gold = fighter.gold + payout_gold, earned_gold + payout_gold
    day = max(day, fighter.earned_day)
    return Fight(
        OK, won, gold, payout_gold, xp, hp, hp_at_us, day, earned_gold, drunk, scrolls_spent, tired, permille
    )
