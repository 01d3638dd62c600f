"""Buys what is kept for its beauty, then turns to gems."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="collector",
    rate_per_day=1.1,
    fights=2,
    comfort_permille=600,
    slots=3,
    beta=1.0,
    omega=0.9,
    reserve_gold=800,
    goal_percent=40,
    leave_chance=300,
    return_chance=400,
    transfer_permille=10,
    gift_permille=10,
    asc_potion=-4.2,
    asc_scroll=-4.6,
    asc_charm=-4.4,
    asc_chest=-3.6,
    asc_gift=-3.4,
    asc_collectible=-1.8,
    asc_train=-0.6,
    asc_gems=0.2,
    asc_business=-4.0,
)
