"""The story of a session: what a player does next, as a table of stages, each a small function of integers.

A stage reads and writes a player's row (``player_state``), reads what they hold, the session's draws, the
traits of their archetype, the price list and what all players share, and names the next act, or ``NOTHING``
when it has handed on. An engine carries the act out, writes its code into the row, lets ``pause_s`` pass,
shows the player's numbers as they are then, and asks again. No engine decides anything, and the story
carries nothing out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from kokoromichi.rules.codes import OK, TOO_POOR
from kokoromichi.rules.daily import counted_today
from kokoromichi.rules.economy import RARITIES
from kokoromichi.rules.moments import is_running
from kokoromichi.rules.pricing import train_cost_gold
from kokoromichi.rules.use import CHARM_US
from kokoromichi.simulation.decisions import (
    choose_tier,
    draw_receiver,
    first_held,
    gift_item,
    item_to_sell,
    items_to_use,
    ring_transfer_gold,
    takes_mana,
    transfer_gold,
    wants_collecting,
    wants_ten_pull,
)
from kokoromichi.simulation.demand import (
    BUSINESS,
    GEMS,
    NONE,
    SAVE,
    TRAIN,
    UNLIMITED_STOCK,
    Buyer,
    PriceList,
    choose,
    draw_goal,
    draw_wish,
    goal_price_gold,
    goal_stands,
    hold_gold,
    next_business,
    trainings_wanted,
    units_wanted,
    weigh,
)
from kokoromichi.simulation.player_state import (
    AMOUNT_GOLD,
    ARCHETYPE,
    ARRIVAL_DAY,
    AWAY,
    BEST_TIER,
    BUSINESSES,
    CODE,
    DAY,
    DOUBLE_TRAIN,
    DRAW,
    GOAL,
    GOAL_DAY,
    GOLD,
    GUARD_UNTIL_US,
    HOLD_GOLD,
    INCOME_SINCE_US,
    ITEM,
    LAST_CLAIM_US,
    LEFT,
    LEVEL,
    LUCK_UNTIL_US,
    MAIN,
    MANA,
    NOVEL_DAY,
    NOW_US,
    NUMBER,
    OTHER,
    OUTCOME,
    PLAYER,
    RESULT,
    SENT_DAY,
    SENT_GOLD_TODAY,
    SLOT,
    STAGE,
    STEP,
    STREAK,
    TIER,
    UNITS,
    WANT_DAY,
)
from kokoromichi.simulation.player_state import GEMS as GEMS_HELD
from kokoromichi.simulation.presence import happens, leave_chance, streak_lapsed
from kokoromichi.simulation.streams import (
    SESSION_BATTLES,
    SESSION_CHOICES,
    SESSION_DRAWS,
    SESSION_GIFT,
    SESSION_GIFT_RECEIVER,
    SESSION_GOAL,
    SESSION_PULLS,
    SESSION_RECEIVER,
    SESSION_SELL,
    SESSION_TRANSFER,
    SESSION_WISH,
    draw,
)
from kokoromichi.simulation.traits import (
    COMFORT_PERMILLE,
    FIGHTS,
    GIFT_PERMILLE,
    GOAL_BUSINESS,
    GOAL_PERCENT,
    LEAVE_CHANCE,
    RESERVE_GOLD,
    RETURN_CHANCE,
    RING_TRANSFER_GOLD,
    SLOTS,
    TRANSFER_PERMILLE,
)

ACT_GAP_S: Final = 5
"""What passes between two acts of a session, in seconds."""
BATTLE_GAP_S: Final = 61
GOOD_RARITY: Final = RARITIES.index("SSR")
"""The rarity from which on a pull is something new."""

NOTHING, DO_CLAIM, DO_COLLECT, DO_USE, DO_BATTLE, NOTE_CHOICE, DO_BUY, DO_TRAIN, DO_EXCHANGE, DO_INVEST = (
    range(10)
)
NOTE_WISH, DO_SUMMON, DO_SELL, DO_TRANSFER, DO_GIFT, END, LEAVE, RETURN, SESSION = range(10, 19)
_NAMED: Final = {
    NOTHING: "",
    DO_CLAIM: "claim",
    DO_COLLECT: "collect",
    DO_USE: "use",
    DO_BATTLE: "battle",
    NOTE_CHOICE: "choice",
    DO_BUY: "buy",
    DO_TRAIN: "train",
    DO_EXCHANGE: "exchange",
    DO_INVEST: "invest",
    NOTE_WISH: "wish",
    DO_SUMMON: "summon",
    DO_SELL: "sell",
    DO_TRANSFER: "transfer",
    DO_GIFT: "gift",
    END: "end",
    LEAVE: "leave",
    RETURN: "return",
    SESSION: "session",
}
ACT_NAMES: Final = tuple(_NAMED[act] for act in range(len(_NAMED)))
"""Name of each act, by its number, as the activity stream has it."""

State: TypeAlias = list[int]


class Shared(NamedTuple):
    """What all players share while one economy is in force.

    Attributes:
        present: 1 while a player has an account and is not away, by player.
        stock: Units left as the players know it, by item; ``UNLIMITED_STOCK`` where there is no end.
        once_held: [player, item]: 1 once a copy was held.
        to_use: [player, item]: what is used in this session, in its order.
        sums: Scratch of the choices.
        scratch: As long as the catalogue.
        use_slots: Slot of the session's draw that an item's use reads; ``NONE``: it has a stream of its own.
        use_keys: Key of each item's own stream.
        tier_levels: Level of each tier's opponent.
        mana_item: The item that adds to the chance of a battle, or ``NONE``.
        win_base_permille: With the next three, what ``win_permille`` reads.
        win_slope_permille: See above.
        win_min_permille: See above.
        win_max_permille: See above.
        train_price_gold: Of a training session at level 1.
        train_growth_percent: What each further level adds.
        ten_price_gems: Price of a ten-pull.
        transfer_cap_gold: The most that a player may send in a day.
        pulls_closed: 1 where the scenario sells no pulls.
        streak_window_h: Hours within which a claim continues a streak.
    """

    present: list[int]
    stock: list[int]
    once_held: list[int]
    to_use: list[int]
    sums: list[int]
    scratch: list[int]
    use_slots: Sequence[int]
    use_keys: Sequence[int]
    tier_levels: Sequence[int]
    mana_item: int
    win_base_permille: int
    win_slope_permille: int
    win_min_permille: int
    win_max_permille: int
    train_price_gold: int
    train_growth_percent: int
    ten_price_gems: int
    transfer_cap_gold: int
    pulls_closed: int
    streak_window_h: int


class Scene(NamedTuple):
    """What a stage reads besides the player's row.

    Attributes:
        held: Units that the player holds of each item.
        owned: 1 for each business that the player owns, in the order of the economy.
        draws: The session's block of ``SESSION_DRAWS`` draws.
        traits: Numbers of the archetype, by the places of ``traits``.
        tables: The price list in force.
        shared: What all players share.
    """

    held: Sequence[int]
    owned: Sequence[int]
    draws: Sequence[int]
    traits: Sequence[int]
    tables: PriceList
    shared: Shared


Stage: TypeAlias = Callable[[State, Scene], int]
"""Answers the next act, or ``NOTHING``."""


def go_to(state: State, stage: int) -> int:
    """Let another stage go on from its first step."""
    state[STAGE] = stage
    state[STEP] = 0
    return NOTHING


def hand_on(state: State) -> int:
    """Let the stage that follows in a session go on: how a stage ends, and how one of one's own does."""
    return go_to(state, FOLLOWING[state[STAGE]])


def see_something_new(state: State) -> None:
    """Remember that there was something new today."""
    state[NOVEL_DAY] = state[DAY]


def pause_s(act: int, code: int) -> int:
    """Seconds until a player's next act: a battle that was refused and a mere thought take no time."""
    if act == DO_BATTLE:
        return BATTLE_GAP_S if code == OK else 0
    return 0 if act in (NOTE_CHOICE, NOTE_WISH) else ACT_GAP_S


def claim(state: State, scene: Scene) -> int:
    """Claim, in the first session of a day."""
    if state[STEP]:
        scene.shared.present[state[PLAYER]] = 1
        return hand_on(state)
    if state[NUMBER]:
        return hand_on(state)
    state[STEP] = 1
    return DO_CLAIM


def collect(state: State, _scene: Scene) -> int:
    """Collect income that is old enough."""
    if state[STEP] or not wants_collecting(state[BUSINESSES], state[NOW_US] - state[INCOME_SINCE_US]):
        return hand_on(state)
    state[STEP] = 1
    return DO_COLLECT


def use(state: State, scene: Scene) -> int:
    """Use what was chosen when the session began, one thing after the other."""
    mine = state[PLAYER] * len(scene.held)
    if state[STEP] == 0:
        now_us = state[NOW_US]
        lucky = is_running(now_us, state[LUCK_UNTIL_US], CHARM_US)
        running = 1 if lucky or is_running(now_us, state[GUARD_UNTIL_US], CHARM_US) else 0
        chosen = scene.shared.scratch
        state[LEFT] = items_to_use(
            chosen,
            scene.held,
            scene.tables.session_items,
            scene.tables.day_items,
            running,
            scene.traits[FIGHTS],
        )
        for place in range(state[LEFT]):
            scene.shared.to_use[mine + place] = chosen[place]
    if state[STEP] == state[LEFT]:
        return hand_on(state)
    state[ITEM] = scene.shared.to_use[mine + state[STEP]]
    state[DRAW] = draw_of_use(state, scene)
    state[STEP] += 1
    return DO_USE


def draw_of_use(state: State, scene: Scene) -> int:
    """What a chest reads; other items are given one as well, lest their use roll one without a seed."""
    slot = scene.shared.use_slots[state[ITEM]]
    if slot != NONE:
        return scene.draws[slot]
    return draw(scene.shared.use_keys[state[ITEM]], state[PLAYER], state[DAY], state[NUMBER])


def fight(state: State, scene: Scene) -> int:
    """Fight as often as the archetype likes, until a battle is refused."""
    if state[STEP] and state[CODE] != OK:
        return hand_on(state)
    if state[STEP] and state[TIER] > state[BEST_TIER]:
        state[BEST_TIER] = state[TIER]
        see_something_new(state)
    if state[STEP] == scene.traits[FIGHTS]:
        return hand_on(state)
    state[TIER] = choose_tier(
        state[LEVEL],
        scene.traits[COMFORT_PERMILLE],
        scene.shared.tier_levels,
        scene.shared.win_base_permille,
        scene.shared.win_slope_permille,
        scene.shared.win_min_permille,
        scene.shared.win_max_permille,
    )
    state[MANA] = takes_mana(
        state[STEP], 0 if scene.shared.mana_item == NONE else scene.held[scene.shared.mana_item]
    )
    state[DRAW] = scene.draws[SESSION_BATTLES + state[STEP]]
    state[STEP] += 1
    return DO_BATTLE


def spend(state: State, scene: Scene) -> int:
    """Set a goal where none stands, then choose; each step below is a part of this stage."""
    if scene.traits[GOAL_PERCENT]:
        business = next_business(scene.tables.business_prices, scene.owned)
        age_days = state[DAY] - state[GOAL_DAY]
        if not goal_stands(scene.tables, state[GOAL], age_days, scene.held, business):
            buyer = Buyer(state[ARCHETYPE], state[GOLD], 0, 0, business)
            state[GOAL] = draw_goal(
                scene.draws[SESSION_GOAL],
                scene.shared.sums,
                scene.tables,
                buyer,
                scene.held,
                scene.traits[GOAL_BUSINESS],
            )
            state[GOAL_DAY] = state[DAY]
    state[SLOT] = 0
    return go_to(state, CHOOSING)


def choose_slot(state: State, scene: Scene) -> int:
    """Reach the goal where the purse allows it, else choose; each slot has its draw, read or not."""
    if state[SLOT] == scene.traits[SLOTS]:
        return go_to(state, WISHING)
    slot, goal = state[SLOT], state[GOAL]
    state[SLOT] += 1
    business = next_business(scene.tables.business_prices, scene.owned)
    if goal == BUSINESS and business == NONE:
        goal = NONE  # A choice has bought the last one meanwhile.
    goal_gold = goal_price_gold(scene.tables, goal, business)
    if may_reach(state, goal, goal_gold + scene.traits[RESERVE_GOLD], scene.shared):
        go_to(state, REACHED)
        return name_purchase(state, goal, business, 1)
    state[HOLD_GOLD] = hold_gold(scene.traits[RESERVE_GOLD], scene.traits[GOAL_PERCENT], goal_gold)
    cost_gold = training_gold(state, scene.shared)
    buyer = Buyer(state[ARCHETYPE], state[GOLD], state[HOLD_GOLD], cost_gold, business)
    weigh(scene.shared.sums, scene.tables, buyer, scene.held, scene.shared.stock)
    state[OUTCOME] = choose(scene.draws[SESSION_CHOICES + slot], scene.shared.sums)
    go_to(state, TAKING)
    return NOTE_CHOICE


def may_reach(state: State, goal: int, needed_gold: int, shared: Shared) -> bool:
    """Whether a goal can be bought: the purse holds it beside the reserve, and it is in stock."""
    if goal == NONE or state[GOLD] < needed_gold:
        return False
    return goal == BUSINESS or shared.stock[goal] != 0


def training_gold(state: State, shared: Shared) -> int:
    """Cost of the next training session, in gold."""
    return train_cost_gold(state[LEVEL], shared.train_price_gold, shared.train_growth_percent)


def name_purchase(state: State, what: int, business: int, units: int) -> int:
    """Name the purchase of a business or of an item."""
    state[ITEM] = what
    if what == BUSINESS:
        state[ITEM] = business
        return DO_INVEST
    state[UNITS] = units
    return DO_BUY


def take(state: State, scene: Scene) -> int:
    """Do what was chosen."""
    outcome = state[OUTCOME]
    if outcome == SAVE:
        return go_to(state, CHOOSING)
    if outcome == TRAIN:
        cost_gold = training_gold(state, scene.shared)
        state[LEFT] = trainings_wanted(cost_gold, state[GOLD], scene.traits[RESERVE_GOLD])
        return go_to(state, TRAINING)
    if outcome == GEMS:
        go_to(state, CHOOSING)
        return DO_EXCHANGE
    go_to(state, TAKEN)
    if outcome == BUSINESS:
        return name_purchase(state, BUSINESS, next_business(scene.tables.business_prices, scene.owned), 1)
    units = units_wanted(
        scene.tables,
        outcome,
        scene.held[outcome],
        scene.shared.stock[outcome],
        state[GOLD],
        scene.traits[RESERVE_GOLD],
    )
    return name_purchase(state, outcome, NONE, units)


def taken(state: State, scene: Scene) -> int:
    """Take note of what was bought."""
    if state[CODE] == OK:
        note_bought(state, state[OUTCOME], len(scene.held), scene.tables, scene.shared)
    return go_to(state, CHOOSING)


def reached(state: State, scene: Scene) -> int:
    """Take note of a goal that was reached."""
    if state[CODE] == OK:
        note_bought(state, state[GOAL], len(scene.held), scene.tables, scene.shared)
        state[GOAL] = NONE
        see_something_new(state)
    return go_to(state, CHOOSING)


def note_bought(state: State, what: int, items: int, tables: PriceList, shared: Shared) -> None:
    """A business is something new, and so is the first copy of what one keeps; the shelf is emptier."""
    if what == BUSINESS:
        see_something_new(state)
        return
    if shared.stock[what] != UNLIMITED_STOCK:
        shared.stock[what] -= state[UNITS]
    mine = state[PLAYER] * items + what
    if tables.kept[what] and not shared.once_held[mine]:
        shared.once_held[mine] = 1
        see_something_new(state)


def train(state: State, scene: Scene) -> int:
    """Train as often as was chosen, each time with a manual where one is held."""
    if state[LEFT] == 0:
        return go_to(state, CHOOSING)
    manual = first_held(scene.held, scene.tables.training_items)
    if state[STEP] == 0 and manual != NONE and not state[DOUBLE_TRAIN]:
        state[STEP], state[ITEM], state[DRAW] = 1, manual, 0
        return DO_USE
    state[STEP] = 0
    state[LEFT] -= 1
    return DO_TRAIN


def wish(state: State, scene: Scene) -> int:
    """Wish for something, and remember a day on which that was affordable."""
    if state[STEP]:
        return hand_on(state)
    state[STEP] = 1
    wished = draw_wish(
        scene.draws[SESSION_WISH], scene.shared.sums, scene.tables, state[ARCHETYPE], scene.held
    )
    state[CODE] = OK if wished == NONE or scene.tables.prices[wished] <= state[GOLD] else TOO_POOR
    if state[CODE] == OK:
        state[WANT_DAY] = state[DAY]
    state[OUTCOME] = wished
    return NOTE_WISH


def summon(state: State, scene: Scene) -> int:
    """Pull ten times where the gems suffice, with a bell where one is held."""
    if state[STEP] == 0:
        if scene.shared.pulls_closed or not wants_ten_pull(state[GEMS_HELD], scene.shared.ten_price_gems):
            return hand_on(state)
        state[STEP] = 1
        bell = first_held(scene.held, scene.tables.summon_items)
        if bell != NONE:
            state[ITEM], state[DRAW] = bell, 0
            return DO_USE
    if state[STEP] == 1:
        state[STEP] = 2
        state[DRAW] = state[NUMBER] * SESSION_DRAWS + SESSION_PULLS
        return DO_SUMMON
    if state[CODE] == OK and state[RESULT] >= GOOD_RARITY:
        see_something_new(state)
    return hand_on(state)


def sell(state: State, scene: Scene) -> int:
    """Clear out what is too much."""
    if state[STEP]:
        return hand_on(state)
    state[STEP] = 1
    state[ITEM] = item_to_sell(
        scene.draws[SESSION_SELL], state[GOLD], scene.held, scene.tables.targets, scene.tables.kept
    )
    return hand_on(state) if state[ITEM] == NONE else DO_SELL


def share(state: State, scene: Scene) -> int:
    """Send gold to the ring's main or to a friend; without that, perhaps give a friend an item."""
    if state[STEP]:
        return END
    state[STEP] = 1
    room_gold = scene.shared.transfer_cap_gold - sent_today_gold(state)
    if state[MAIN] != NONE and scene.shared.present[state[MAIN]]:
        state[AMOUNT_GOLD] = ring_transfer_gold(
            scene.traits[RING_TRANSFER_GOLD], scene.traits[RESERVE_GOLD], state[GOLD], room_gold
        )
        state[OTHER] = state[MAIN]
        return DO_TRANSFER if state[AMOUNT_GOLD] else END
    state[AMOUNT_GOLD] = transfer_gold(
        scene.draws[SESSION_TRANSFER], scene.traits[TRANSFER_PERMILLE], state[GOLD], room_gold
    )
    if state[AMOUNT_GOLD]:
        state[OTHER] = draw_receiver(scene.draws[SESSION_RECEIVER], state[PLAYER], scene.shared.present)
        return DO_TRANSFER if state[OTHER] != NONE else END
    state[ITEM] = gift_item(
        scene.draws[SESSION_GIFT],
        scene.traits[GIFT_PERMILLE],
        scene.held,
        scene.tables.targets,
        scene.tables.kept,
    )
    if state[ITEM] == NONE:
        return END
    state[OTHER] = draw_receiver(scene.draws[SESSION_GIFT_RECEIVER], state[PLAYER], scene.shared.present)
    return DO_GIFT if state[OTHER] != NONE else END


def sent_today_gold(state: State) -> int:
    """Gold that a player has sent on this UTC day."""
    return counted_today(state[NOW_US], state[SENT_DAY], state[SENT_GOLD_TODAY])


StageName: TypeAlias = Literal["claim", "collect", "use", "fight", "spend", "wish", "summon", "sell", "share"]
CLAIMING, COLLECTING, USING, FIGHTING, SPENDING, CHOOSING, TAKING, TAKEN, REACHED, TRAINING = range(10)
WISHING, SUMMONING, SELLING, SHARING = range(10, 14)


class _Shipped(NamedTuple):
    """A stage: its number, what it does, what it hands on to, and what one's own is named to replace it."""

    number: int
    stage: Stage
    following: int
    name: StageName | None = None


_SHIPPED: Final = sorted(
    (
        _Shipped(CLAIMING, claim, COLLECTING, "claim"),
        _Shipped(COLLECTING, collect, USING, "collect"),
        _Shipped(USING, use, FIGHTING, "use"),
        _Shipped(FIGHTING, fight, SPENDING, "fight"),
        _Shipped(SPENDING, spend, WISHING, "spend"),  # One's own stands for all to ``TRAINING``.
        _Shipped(CHOOSING, choose_slot, WISHING),
        _Shipped(TAKING, take, WISHING),
        _Shipped(TAKEN, taken, WISHING),
        _Shipped(REACHED, reached, WISHING),
        _Shipped(TRAINING, train, WISHING),
        _Shipped(WISHING, wish, SUMMONING, "wish"),
        _Shipped(SUMMONING, summon, SELLING, "summon"),
        _Shipped(SELLING, sell, SHARING, "sell"),
        _Shipped(SHARING, share, SHARING, "share"),  # It ends the session itself.
    )
)
STAGES: Final[tuple[Stage, ...]] = tuple(shipped.stage for shipped in _SHIPPED)
"""The shipped stages, by their numbers."""
FOLLOWING: Final = tuple(shipped.following for shipped in _SHIPPED)
"""What a stage hands on to, by its number."""
STAGE_NAMES: Final = {shipped.name: shipped.number for shipped in _SHIPPED if shipped.name}
"""The stages of a session in their order, by the names under which one's own replaces them."""


def story_with(own: Mapping[StageName, Stage]) -> tuple[Stage, ...]:
    """The stages, those of one's own in the place of the shipped ones that they are named as.

    A stage of one's own names acts as these do, and ends with ``hand_on``.
    """
    if not own:
        return STAGES
    stages = list(STAGES)
    for name, stage in own.items():
        stages[STAGE_NAMES[name]] = stage
    return tuple(stages)


def next_act(stages: Sequence[Stage], state: State, scene: Scene) -> int:
    """What the player does next."""
    act = NOTHING
    while act == NOTHING:
        act = stages[state[STAGE]](state, scene)
    return act


def begin_session(state: State, day: int, number: int) -> None:
    """A session starts with its first stage."""
    state[DAY], state[NUMBER] = day, number
    go_to(state, CLAIMING)


def end_day(
    state: State, day: int, day_end_us: int, number: int, traits: Sequence[int], shared: Shared
) -> int:
    """Whether a player leaves or comes back as the day ends.

    Args:
        state: The player's row.
        day: Day since the scenario's start.
        day_end_us: First microsecond of the next day.
        number: Draw ``DAY_LEAVE_OR_RETURN``.
        traits: Numbers of the archetype.
        shared: What all players share.

    Returns:
        ``LEAVE``, ``RETURN`` or ``NOTHING``.
    """
    if state[AWAY]:
        if not happens(number, traits[RETURN_CHANCE]):
            return NOTHING
        state[AWAY] = 0
        shared.present[state[PLAYER]] = 1
        state[WANT_DAY] = state[NOVEL_DAY] = day + 1
        return RETURN
    lapsed = streak_lapsed(state[STREAK], state[LAST_CLAIM_US], day_end_us, shared.streak_window_h)
    age_days = day - state[ARRIVAL_DAY]
    chance = leave_chance(traits[LEAVE_CHANCE], age_days, day, state[WANT_DAY], state[NOVEL_DAY], lapsed)
    if not happens(number, chance):
        return NOTHING
    state[AWAY] = 1
    shared.present[state[PLAYER]] = 0
    return LEAVE
