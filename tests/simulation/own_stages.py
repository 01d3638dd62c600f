"""Stages of one's own, as a designer writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.simulation.player_state import DAY, GOLD, ITEM, STEP, UNITS
from kokoromichi.simulation.story import DO_BUY, hand_on

if TYPE_CHECKING:
    from kokoromichi.simulation.story import Scene, State

LAST_TAME_DAY = 3


def buy_cheapest(state: State, scene: Scene) -> int:
    """Buy one unit of what costs least, once a session; names an item that there is not from day 4 on."""
    if state[STEP]:
        return hand_on(state)
    state[STEP] = 1
    cheapest = 0
    for item in range(len(scene.held)):
        if scene.tables.prices[item] < scene.tables.prices[cheapest]:
            cheapest = item
    if scene.tables.prices[cheapest] > state[GOLD]:
        return hand_on(state)
    state[ITEM], state[UNITS] = cheapest, 1
    if state[DAY] > LAST_TAME_DAY:
        state[ITEM] = len(scene.held)
    return DO_BUY


def buy_nothing(state: State, _scene: Scene) -> int:
    """Walk on."""
    return hand_on(state)


def make_a_list(state: State, scene: Scene) -> int:
    """What compiled code does not do."""
    state[ITEM] = len([units for units in scene.held if units])
    return hand_on(state)
