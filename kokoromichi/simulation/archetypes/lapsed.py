"""Half gone: leaves easily and comes back as easily."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="lapsed",
    rate_per_day=0.9,
    fights=3,
    comfort_permille=600,
    slots=2,
    beta=1.5,
    omega=0.9,
    reserve_gold=500,
    goal_percent=0,
    leave_chance=2_500,
    return_chance=3_000,
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
    asc_business=-4.5,
)
