"""What players decide besides spending: integers and flat sequences in, integers out.

Flags of the catalogue (which items are used in a session, which are charms ...) are flat lists of 0 and 1 in
catalogue order; see ``PriceList``. Draws are 32 bits; their addresses are named in ``streams``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import HOUR_US
from kokoromichi.rules.battle import win_permille
from kokoromichi.rules.draws import below
from kokoromichi.simulation.demand import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

SELL_PERMILLE: Final = 30
"""Chance a session that a player clears one surplus unit out."""
BROKE_GOLD: Final = 300
"""Below this balance a player sells whatever there is."""
TRANSFER_PERCENT: Final = 5
"""Share of the balance that a transfer sends."""
COLLECT_AFTER_US: Final = 20 * HOUR_US
"""Age of an income from which on it is worth the way."""
CHARM_FIGHTS: Final = 4
"""Fights a session from which on a charm pays."""
BLOCK: Final = 10
"""Players who know one another: numbers with the same tens."""


def choose_tier(
    level: int,
    comfort_permille: int,
    tier_levels: Sequence[int],
    base: int,
    slope: int,
    least: int,
    most: int,
) -> int:
    """Choose the opponent: the highest tier whose chance to win is at least the comfort.

    Args:
        level: The player's level.
        comfort_permille: Least chance to win that the player likes.
        tier_levels: Level of each tier's opponent, ascending.
        base: Chance to win at equal levels, in permille.
        slope: What one level of difference is worth, in permille.
        least: Lowest chance to win, in permille.
        most: Highest chance to win, in permille.

    Returns:
        Number of the tier from 0; 0 also where no tier is comfortable, since standing still helps nobody.
    """
    tier = len(tier_levels) - 1
    while tier > 0 and win_permille(level, tier_levels[tier], base, slope, least, most) < comfort_permille:
        tier -= 1
    return tier


def first_held(held: Sequence[int], flags: Sequence[int]) -> int:
    """The first item in catalogue order that is held and flagged, or ``NONE``."""
    for item in range(len(held)):
        if flags[item] and held[item] > 0:
            return item
    return NONE


def items_to_use(
    used: list[int],
    held: Sequence[int],
    session_items: Sequence[int],
    charms: Sequence[int],
    charm_running: int,
    fights: int,
) -> int:
    """Decide what is used at the start of a session: one of each once-a-session item, and a charm.

    Args:
        used: Receives the items in catalogue order, the charm last; as long as the catalogue.
        held: Units that the player holds of each item.
        session_items: Flags of the items that are used once a session, chests among them.
        charms: Flags of the items that last a day.
        charm_running: 1 while any charm still works.
        fights: Battles that the archetype fights in a session; a charm needs ``CHARM_FIGHTS``.

    Returns:
        How many places of ``used`` were filled.
    """
    count = 0
    for item in range(len(held)):
        if session_items[item] and held[item] > 0:
            used[count] = item
            count += 1
    if not charm_running and fights >= CHARM_FIGHTS:
        charm = first_held(held, charms)
        if charm != NONE:
            used[count] = charm
            count += 1
    return count


def takes_mana(battle: int, mana_held: int) -> int:
    """Whether a mana potion is drunk for this battle of the session: 1 for the first one if held, else 0."""
    return 1 if battle == 0 and mana_held > 0 else 0


def wants_ten_pull(gems: int, ten_price_gems: int) -> int:
    """Whether a session ends in a ten-pull: 1 when the gems suffice, else 0."""
    return 1 if gems >= ten_price_gems else 0


def wants_collecting(businesses: int, since_us: int) -> int:
    """Whether income is collected.

    Args:
        businesses: How many businesses the player owns.
        since_us: Microseconds since the oldest uncollected income began to accrue.

    Returns:
        1 when there is a business and its income is at least ``COLLECT_AFTER_US`` old, else 0.
    """
    return 1 if businesses > 0 and since_us >= COLLECT_AFTER_US else 0


def surplus_item(held: Sequence[int], targets: Sequence[int], kept: Sequence[int]) -> int:
    """The first item in catalogue order of which a unit is too much, or ``NONE``.

    Args:
        held: Units that the player holds of each item.
        targets: Units that a player likes to have at hand, of each consumable.
        kept: 1 for each collectible, of which the second copy is too much.
    """
    for item in range(len(held)):
        enough = 1 if kept[item] else targets[item]
        if held[item] > enough:
            return item
    return NONE


def item_to_sell(
    number: int, gold: int, held: Sequence[int], targets: Sequence[int], kept: Sequence[int]
) -> int:
    """Decide which item goes back to the store, one unit of it.

    Args:
        number: Draw ``SESSION_SELL``.
        gold: Balance, in gold.
        held: Units that the player holds of each item.
        targets: Units that a player likes to have at hand, of each consumable.
        kept: 1 for each collectible.

    Returns:
        A surplus item with ``SELL_PERMILLE``, or when below ``BROKE_GOLD``; any item when broke without a
        surplus; else ``NONE``.
    """
    broke = gold < BROKE_GOLD
    if not broke and (number * 1_000 >> 32) >= SELL_PERMILLE:
        return NONE
    item = surplus_item(held, targets, kept)
    if item == NONE and broke:
        for any_item in range(len(held)):
            if held[any_item] > 0:
                return any_item
    return item


def transfer_gold(number: int, permille: int, gold: int, room_gold: int) -> int:
    """Decide how much gold a player sends to a friend.

    Args:
        number: Draw ``SESSION_TRANSFER``.
        permille: Chance a session.
        gold: Balance, in gold.
        room_gold: What the daily cap still allows, in gold.

    Returns:
        ``TRANSFER_PERCENT`` of the balance, within the cap; 0 for no transfer.
    """
    if (number * 1_000 >> 32) >= permille:
        return 0
    return max(0, min(gold * TRANSFER_PERCENT // 100, room_gold))


def ring_transfer_gold(from_gold: int, reserve_gold: int, gold: int, room_gold: int) -> int:
    """Decide how much gold an alt account sends to its ring's main.

    Args:
        from_gold: Least worthwhile transfer; 0 for archetypes that belong to no ring.
        reserve_gold: What stays on the alt account.
        gold: Balance, in gold.
        room_gold: What the daily cap still allows, in gold.

    Returns:
        All above the reserve, within the cap, once that is worthwhile; else 0.
    """
    if from_gold == 0 or gold - reserve_gold < from_gold:
        return 0
    return max(0, min(gold - reserve_gold, room_gold))


def gift_item(
    number: int, permille: int, held: Sequence[int], targets: Sequence[int], kept: Sequence[int]
) -> int:
    """Decide which item, one unit of it, a player gives to a friend.

    Args:
        number: Draw ``SESSION_GIFT``.
        permille: Chance a session.
        held: Units that the player holds of each item.
        targets: Units that a player likes to have at hand, of each consumable.
        kept: 1 for each collectible.

    Returns:
        A surplus item, or ``NONE``.
    """
    if (number * 1_000 >> 32) >= permille:
        return NONE
    return surplus_item(held, targets, kept)


def draw_receiver(number: int, sender: int, present: Sequence[int]) -> int:
    """Draw a friend: another present player of the same block of ten.

    Args:
        number: Draw ``SESSION_RECEIVER`` or ``SESSION_GIFT_RECEIVER``.
        sender: Number of the player who sends.
        present: 1 for each player who has arrived and is not away, by player number.

    Returns:
        A player's number, or ``NONE`` when the sender is alone.
    """
    first = sender - sender % BLOCK
    last = min(first + BLOCK, len(present))
    friends = 0
    for player in range(first, last):
        if present[player] and player != sender:
            friends += 1
    left = below(number, friends)
    for player in range(first, last):
        if present[player] and player != sender:
            if left == 0:
                return player
            left -= 1
    return NONE
