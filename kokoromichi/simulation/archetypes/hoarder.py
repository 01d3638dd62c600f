"""Sets gold aside for one dear thing and waits for it; watches prices closely."""

from __future__ import annotations

from typing import Final

from kokoromichi.simulation.archetypes._parameters import Archetype

PARAMETERS: Final = Archetype(
    name="hoarder",
    rate_per_day=1.0,
    fights=2,
    comfort_permille=700,
    slots=2,
    beta=1.9,
    omega=0.8,
    reserve_gold=2_500,
    goal_percent=80,
    goal_business=True,
    leave_chance=300,
    return_chance=400,
    transfer_permille=2,
    gift_permille=2,
    asc_potion=-3.4,
    asc_scroll=-3.8,
    asc_charm=-4.2,
    asc_chest=-2.8,
    asc_gift=-4.4,
    asc_collectible=-3.0,
    asc_train=0.2,
    asc_gems=-1.2,
    asc_business=-3.0,
)
