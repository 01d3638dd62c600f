"""Looks in most days, fights a little, buys what is at hand; the many."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="casual",
    rate_per_day=0.8,
    fights=3,
    comfort_permille=600,
    slots=2,
    beta=1.4,
    omega=0.9,
    reserve_gold=500,
    goal_percent=0,
    leave_chance=500,
    return_chance=400,
    transfer_permille=10,
    gift_permille=10,
    asc_potion=-3.4,
    asc_scroll=-4.2,
    asc_charm=-4.6,
    asc_chest=-3.8,
    asc_gift=-3.8,
    asc_collectible=-4.4,
    asc_train=0.6,
    asc_gems=-1.4,
    asc_business=-3.6,
)
