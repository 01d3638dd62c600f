"""Comes often and spends readily: price hardly matters."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="whale",
    rate_per_day=2.2,
    fights=4,
    comfort_permille=550,
    slots=3,
    beta=0.6,
    omega=1.0,
    reserve_gold=3_000,
    goal_percent=0,
    leave_chance=200,
    return_chance=500,
    transfer_permille=30,
    gift_permille=30,
    asc_potion=-4.9,
    asc_scroll=-5.1,
    asc_charm=-4.7,
    asc_chest=-4.1,
    asc_gift=-4.5,
    asc_collectible=-4.3,
    asc_train=-0.9,
    asc_gems=-0.9,
    asc_business=-3.0,
)
