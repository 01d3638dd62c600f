"""The archetypes: behaviours that are numbers with units and ranges, all of them, and no code.

Those that are shipped stand in ``archetypes.toml`` beside this module; a population may change their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from kokoromichi.simulation.setup_files import Checked, read_toml

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

CATEGORIES: Final = ("potion", "scroll", "charm", "chest", "gift", "collectible")
"""The categories that every archetype says its liking for."""


def _number(unit: str, least: float, most: float) -> FieldInfo:
    number: FieldInfo = Field(
        strict=True, ge=least, le=most, allow_inf_nan=False, json_schema_extra={"unit": unit}
    )
    return number


def _count(unit: str, least: int, most: int) -> FieldInfo:
    number: FieldInfo = Field(strict=True, ge=least, le=most, json_schema_extra={"unit": unit})
    return number


Liking = Annotated[float, _number("utils", -12.0, 6.0)]
Percent = Annotated[int, _count("%", 0, 100)]
Permille = Annotated[int, _count("permille a session", 0, 1_000)]
Chance = Annotated[int, _count("1 / 100,000 a day", 0, 100_000)]


class Archetype(Checked):
    """A behaviour. The ranges are what a population file or a sweep may use."""

    name: str = Field(pattern=r"^[a-z0-9_]{1,64}$", description="its table in archetypes.toml")
    rate_per_day: Annotated[float, _number("sessions a day", 0.3, 4.0)] = Field(
        description="mean sessions of a day"
    )
    scripted_percent: Percent = Field(
        default=0, description="share of days with exactly one session; 0: sessions come by Poisson"
    )
    fights: Annotated[int, _count("battles a session", 0, 12)] = Field(description="battles of a session")
    comfort_permille: Annotated[int, _count("permille", 300, 900)] = Field(
        description="least chance to win that the player likes"
    )
    slots: Annotated[int, _count("choices a session", 1, 4)] = Field(description="spend choices of a session")
    beta: Annotated[float, _number("utils per log price", 0.3, 3.0)] = Field(description="price sensitivity")
    omega: Annotated[float, _number("utils per log purse", 0.0, 2.0)] = Field(
        description="what a fuller purse adds to every purchase"
    )
    reserve_gold: Annotated[int, _count("gold", 0, 10_000)] = Field(
        description="balance that no choice touches"
    )
    goal_percent: Percent = Field(description="share of the goal's price that is set aside; 0: no goals")
    goal_business: bool = Field(
        default=False, strict=True, description="whether the next business may be a goal"
    )
    leave_chance: Chance = Field(description="chance to leave on a settled, content day")
    return_chance: Chance = Field(description="chance to come back on a day away")
    transfer_permille: Permille = Field(description="chance to send gold to a friend")
    gift_permille: Permille = Field(description="chance to give a surplus item to a friend")
    ring_transfer_gold: Annotated[int, _count("gold", 0, 1_000_000)] = Field(
        default=0,
        description="gold above the reserve from which on all of it goes to the ring's main; 0: no ring",
    )
    asc_potion: Liking = Field(description="liking for potions")
    asc_scroll: Liking = Field(description="liking for scrolls")
    asc_charm: Liking = Field(description="liking for charms")
    asc_chest: Liking = Field(description="liking for chests")
    asc_gift: Liking = Field(description="liking for gifts")
    asc_collectible: Liking = Field(description="liking for collectibles")
    asc_train: Liking = Field(description="liking for training")
    asc_gems: Liking = Field(description="liking for packs of gems")
    asc_business: Liking = Field(description="liking for businesses")

    likings: Mapping[str, Liking] = Field(
        default={}, description="liking for further categories; one that is left out: the mean of the six"
    )

    def liking(self, category: str) -> float:
        """The alternative-specific constant of a category, in utils."""
        if category in self.likings:
            return self.likings[category]
        if category in CATEGORIES:
            return self._asc(category)
        return fmean(self._asc(known) for known in CATEGORIES)

    def _asc(self, category: str) -> float:
        liking: float = getattr(self, f"asc_{category}")
        return liking


ARCHETYPES: Final = {
    name: Archetype.model_validate({"name": name, **numbers})  # type: ignore[dict-item] # Tables, by the test.
    for name, numbers in read_toml(Path(__file__).with_suffix(".toml")).items()
}
"""The shipped archetypes by name, in the order of charts."""
