"""A script that claims the daily gold on many accounts and gathers it on one."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="alt_farmer",
    rate_per_day=1.0,
    scripted_percent=96,
    fights=0,
    comfort_permille=600,
    slots=1,
    beta=1.6,
    omega=0.5,
    reserve_gold=3_000,
    goal_percent=80,
    leave_chance=100,
    return_chance=1_000,
    transfer_permille=0,
    gift_permille=0,
    ring_transfer_gold=4_000,
    asc_potion=-4.6,
    asc_scroll=-4.2,
    asc_charm=-4.6,
    asc_chest=-2.6,
    asc_gift=-4.6,
    asc_collectible=-3.4,
    asc_train=-0.2,
    asc_gems=-0.6,
    asc_business=-2.0,
)
