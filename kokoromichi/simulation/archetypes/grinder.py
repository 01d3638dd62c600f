"""Lives in the arena: many sessions, many fights, gold into training and potions."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="grinder",
    rate_per_day=2.2,
    fights=5,
    comfort_permille=500,
    slots=3,
    beta=1.3,
    omega=0.9,
    reserve_gold=1_500,
    goal_percent=0,
    leave_chance=250,
    return_chance=400,
    transfer_permille=5,
    gift_permille=5,
    asc_potion=-3.7,
    asc_scroll=-4.1,
    asc_charm=-4.9,
    asc_chest=-4.9,
    asc_gift=-5.9,
    asc_collectible=-5.9,
    asc_train=0.5,
    asc_gems=-1.9,
    asc_business=-2.8,
)
