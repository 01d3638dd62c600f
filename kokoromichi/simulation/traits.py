"""The numbers of an archetype that the story reads, as a row of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.scenario import Scenario

FIGHTS: Final = 0
COMFORT_PERMILLE: Final = 1
SLOTS: Final = 2
RESERVE_GOLD: Final = 3
GOAL_PERCENT: Final = 4
GOAL_BUSINESS: Final = 5
TRANSFER_PERMILLE: Final = 6
GIFT_PERMILLE: Final = 7
RING_TRANSFER_GOLD: Final = 8
LEAVE_CHANCE: Final = 9
RETURN_CHANCE: Final = 10


def traits(scenario: Scenario, archetype: Archetype) -> list[int]:
    """The numbers of an archetype, by the places above."""
    return [
        archetype.fights,
        archetype.comfort_permille,
        archetype.slots,
        archetype.reserve_gold,
        archetype.goal_percent,
        int(archetype.goal_business),
        archetype.transfer_permille,
        archetype.gift_permille,
        archetype.ring_transfer_gold,
        scenario.leave_base(archetype),
        archetype.return_chance,
    ]
