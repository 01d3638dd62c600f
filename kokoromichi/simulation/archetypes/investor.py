"""Puts gold into businesses first and collects."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="investor",
    rate_per_day=1.1,
    fights=2,
    comfort_permille=700,
    slots=2,
    beta=1.6,
    omega=0.8,
    reserve_gold=2_500,
    goal_percent=80,
    goal_business=True,
    leave_chance=250,
    return_chance=400,
    transfer_permille=5,
    gift_permille=5,
    asc_potion=-3.6,
    asc_scroll=-3.8,
    asc_charm=-4.2,
    asc_chest=-3.6,
    asc_gift=-4.2,
    asc_collectible=-4.2,
    asc_train=0.2,
    asc_gems=-1.4,
    asc_business=0.5,
)
