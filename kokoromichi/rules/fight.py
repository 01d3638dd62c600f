"""One battle, whole: what it reads of a player, how it is decided, and all that is so afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.rules.battle import (
    PERMILLE,
    battle_cost_hp,
    loss_xp,
    may_fight,
    prize_gold,
    regenerated_hp,
    spend_hp,
    win_permille,
)
from kokoromichi.rules.codes import NOT_OWNED, OK, TIER_UNKNOWN
from kokoromichi.rules.daily import counted_today, counting_day
from kokoromichi.rules.holding import paid_left_gold
from kokoromichi.rules.moments import is_running
from kokoromichi.rules.progress import add_xp
from kokoromichi.rules.use import CHARM_US

if TYPE_CHECKING:
    from kokoromichi.rules.sections import Battle


class Fighter(NamedTuple):
    """What a battle reads of a player: a flat tuple of integers, named as they are stored.

    Attributes:
        gold: Balance, in gold.
        level: Level, at least 1.
        xp: XP within that level.
        hp: Hit points at ``hp_at_us``.
        hp_at_us: When ``hp`` was computed; NEVER for a player who has not fought: all points.
        battle_at_us: The last battle; NEVER before the first.
        battle_day: The UTC day that ``battle_gold_today`` belongs to.
        battle_gold_today: Battle gold of that day.
        battles_won: Battles won.
        battles_lost: Battles lost.
        luck_until_us: A lucky charm runs until then.
        guard_until_us: A guardian amulet runs until then.
        stamina_battles: Battles left that cost fewer hit points.
        auto_use: 1 where health potions and revive scrolls are taken by themselves, else 0.
        potions: Health potions held.
        potions_paid_gold: Paid for them; ``UNKNOWN_PAID_GOLD`` where nobody knows.
        manas: Mana potions held.
        manas_paid_gold: Paid for them, likewise.
        scrolls: Revive scrolls held.
        scrolls_paid_gold: Paid for them, likewise.
    """

    gold: int
    level: int
    xp: int
    hp: int
    hp_at_us: int
    battle_at_us: int
    battle_day: int
    battle_gold_today: int
    battles_won: int
    battles_lost: int
    luck_until_us: int
    guard_until_us: int
    stamina_battles: int
    auto_use: int
    potions: int
    potions_paid_gold: int
    manas: int
    manas_paid_gold: int
    scrolls: int
    scrolls_paid_gold: int


class Aids(NamedTuple):
    """What the economy's items do in a battle: sizes of effects, and list prices of what is consumed.

    Attributes:
        potion_hp: Hit points of a health potion.
        mana_permille: Added to the chance by a mana potion.
        charm_percent: Added to the gold while a lucky charm runs.
        stamina_percent: Taken off the hit points a battle costs after a stamina drink.
        potion_gold: List price of a health potion.
        mana_gold: List price of a mana potion.
        scroll_gold: List price of a revive scroll.
    """

    potion_hp: int
    mana_permille: int
    charm_percent: int
    stamina_percent: int
    potion_gold: int
    mana_gold: int
    scroll_gold: int


class Fight(NamedTuple):
    """What a battle came to; on a refusal everything is as before, and what it took and gave is 0.

    Attributes:
        code: OK, TIER_UNKNOWN, NOT_OWNED (no mana potion), COOLING_DOWN, DAILY_CAP or BALANCE_CAP.
        gold: Balance afterwards; what follows to ``scrolls_paid_gold`` is named as in ``Fighter``.
        won: 1 when won, else 0.
        tired: 1 when fought without the hit points it costs, else 0.
        chance_permille: The chance to win that the draw was held against.
        xp_gained: XP gained.
        moved_gold: Gold won, 0 on a loss.
        moved_potions: Health potions that moved: -1 when one was drunk, else 0.
        moved_manas: Mana potions, likewise.
        moved_scrolls: Revive scrolls, likewise.
    """

    code: int
    gold: int
    level: int
    xp: int
    hp: int
    hp_at_us: int
    battle_at_us: int
    battle_day: int
    battle_gold_today: int
    battles_won: int
    battles_lost: int
    stamina_battles: int
    potions: int
    potions_paid_gold: int
    manas: int
    manas_paid_gold: int
    scrolls: int
    scrolls_paid_gold: int
    won: int
    tired: int
    chance_permille: int
    xp_gained: int
    moved_gold: int
    moved_potions: int
    moved_manas: int
    moved_scrolls: int


def unfought(code: int, fighter: Fighter) -> Fight:
    """A battle that was refused.

    Args:
        code: Why.
        fighter: The player.

    Returns:
        Everything as it was.
    """
    return Fight(
        code,
        *fighter[:10],
        fighter.stamina_battles,
        *fighter[14:],
        *(0, 0, 0, 0, 0, 0, 0, 0),
    )


def fight(
    now_us: int, draw: int, tier: int, mana_potions: int, fighter: Fighter, aids: Aids, terms: Battle
) -> Fight:
    """Fight one battle.

    A health potion and a revive scroll are consumed where they are held and needed; ``auto_use`` declines.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        draw: A draw of 32 bits; the battle is won when it falls into the lower part given by the chance.
        tier: The opponent's tier, from 1; any integer of 64 bits.
        mana_potions: 1 to take a mana potion for this battle, else 0.
        fighter: The player.
        aids: What the economy's items do.
        terms: The economy's numbers.

    Returns:
        The battle.
    """
    if not 0 < tier <= len(terms.tier_level):
        return unfought(TIER_UNKNOWN, fighter)
    if mana_potions > fighter.manas:
        return unfought(NOT_OWNED, fighter)
    earned_gold = counted_today(now_us, fighter.battle_day, fighter.battle_gold_today)
    left_gold = terms.daily_cap_gold - earned_gold
    prize = offered_gold(now_us, tier - 1, fighter.luck_until_us, left_gold, aids, terms)
    code = may_fight(now_us, fighter.battle_at_us, terms.cooldown_s, left_gold, prize, fighter.gold)
    if code != OK:
        return unfought(code, fighter)
    return outcome(now_us, draw, tier - 1, mana_potions, fighter, aids, terms, earned_gold, prize)


def offered_gold(
    now_us: int, place: int, luck_until_us: int, left_gold: int, aids: Aids, terms: Battle
) -> int:
    """Compute what a victory pays now.

    Args:
        now_us: The present, in microseconds since the epoch, UTC.
        place: The opponent's tier, from 0.
        luck_until_us: A lucky charm runs until then.
        left_gold: What the day's cap leaves; below 0 nothing.
        aids: What the economy's items do.
        terms: The economy's numbers.

    Returns:
        Gold.
    """
    charm_percent = aids.charm_percent if is_running(now_us, luck_until_us, CHARM_US) else 0
    return prize_gold(terms.tier_gold[place], charm_percent, max(0, left_gold))


def chance_permille(level: int, tier_level: int, added_permille: int, terms: Battle) -> int:
    """Compute the chance to win as it is drawn for.

    Args:
        level: The player's level.
        tier_level: The opponent's level.
        added_permille: What a potion adds, less what tiredness takes off.
        terms: The economy's numbers.

    Returns:
        Chance in permille, 0 to 1,000.
    """
    rested_permille = win_permille(
        level,
        tier_level,
        terms.win_base_permille,
        terms.win_slope_permille,
        terms.win_min_permille,
        terms.win_max_permille,
    )
    return max(0, min(rested_permille + added_permille, PERMILLE))


def outcome(
    now_us: int,
    draw: int,
    place: int,
    mana_potions: int,
    fighter: Fighter,
    aids: Aids,
    terms: Battle,
    earned_gold: int,
    prize: int,
) -> Fight:
    """Fight a battle that may begin, as ``fight`` says.

    ``place`` is the opponent's tier from 0, ``earned_gold`` the day's battle gold before it, and ``prize``
    what a victory pays; a mana potion that is taken is held.
    """
    potions, scrolls = (fighter.potions, fighter.scrolls) if fighter.auto_use > 0 else (0, 0)
    hp, hp_at_us = regenerated_hp(now_us, fighter.hp, fighter.hp_at_us, terms.hp_full, terms.hp_regen_per_h)
    cost_hp = battle_cost_hp(terms.hp_cost, aids.stamina_percent if fighter.stamina_battles > 0 else 0)
    hp, drunk, tired = spend_hp(hp, cost_hp, terms.hp_full, potions, aids.potion_hp)
    added_permille = mana_potions * aids.mana_permille - tired * terms.tired_permille
    permille = chance_permille(fighter.level, terms.tier_level[place], added_permille, terms)
    won, read = 1, 0
    gained = terms.tier_xp[place]
    if (draw * PERMILLE) >> 32 >= permille:
        won, prize = 0, 0
        amulet = 1 if is_running(now_us, fighter.guard_until_us, CHARM_US) else 0
        gained, read = loss_xp(gained, terms.loss_xp_percent, amulet, scrolls)
    level, xp = add_xp(fighter.level, fighter.xp, gained, terms.xp_per_level)
    return Fight(
        OK,
        fighter.gold + prize,
        level,
        xp,
        hp,
        hp_at_us,
        now_us,
        counting_day(now_us, fighter.battle_day),
        earned_gold + prize,
        fighter.battles_won + won,
        fighter.battles_lost + 1 - won,
        max(0, fighter.stamina_battles - 1),
        fighter.potions - drunk,
        paid_left_gold(fighter.potions, fighter.potions_paid_gold, aids.potion_gold, drunk),
        fighter.manas - mana_potions,
        paid_left_gold(fighter.manas, fighter.manas_paid_gold, aids.mana_gold, mana_potions),
        fighter.scrolls - read,
        paid_left_gold(fighter.scrolls, fighter.scrolls_paid_gold, aids.scroll_gold, read),
        won,
        tired,
        permille,
        gained,
        prize,
        -drunk,
        -mana_potions,
        -read,
    )
