"""The parts of a battle: hit points that come back with time, the chance to win, and what a fight pays."""

from __future__ import annotations

from typing import Final

from kokoromichi.core.models import HOUR_US, NEVER, SECOND_US
from kokoromichi.rules.codes import BALANCE_CAP, COOLING_DOWN, DAILY_CAP, MAX_BALANCE, OK
from kokoromichi.rules.moments import is_ahead
from kokoromichi.rules.pricing import percent_of

PERMILLE: Final = 1000


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
        part of a point is lost however often this is asked. A time ahead of the present counts as that.
    """
    if hp_at_us == NEVER or hp >= hp_full:
        return hp_full, now_us
    if now_us <= hp_at_us or hp_regen_per_h < 1:
        return hp, min(hp_at_us, now_us)
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


def ready_us(now_us: int, battle_at_us: int, cooldown_s: int) -> int:
    """Say when the next battle may begin.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        battle_at_us: The last battle; NEVER before the first.
        cooldown_s: Least time between two battles, in seconds.

    Returns:
        Microseconds since the epoch; NEVER before the first battle, and where that is ahead of the clock.
    """
    if battle_at_us == NEVER or is_ahead(now_us, battle_at_us):
        return NEVER
    return battle_at_us + cooldown_s * SECOND_US


def may_fight(
    now_us: int,
    battle_at_us: int,
    cooldown_s: int,
    left_gold: int,
    prize: int,
    gold: int,
) -> int:
    """Decide whether a battle may begin.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        battle_at_us: The last battle; NEVER before the first.
        cooldown_s: Least time between two battles, in seconds.
        left_gold: What the day's cap leaves.
        prize: What a victory would pay.
        gold: Balance, in gold.

    Returns:
        OK, COOLING_DOWN, DAILY_CAP or BALANCE_CAP. None depends on the draw, so that a refusal cannot be used
        to fight on with a better one.
    """
    if now_us < ready_us(now_us, battle_at_us, cooldown_s):
        return COOLING_DOWN
    if left_gold < 1:
        return DAILY_CAP
    if prize > 0 and prize > MAX_BALANCE - gold:
        return BALANCE_CAP
    return OK
