"""Prices of the store that differ for a while."""

from __future__ import annotations

from pydantic import Field

from kokoromichi.simulation.setup_files import Checked
from kokoromichi.simulation.streams import MAX_DAYS


class PriceChange(Checked):
    """A sale, or a rise. Two at once multiply."""

    items: tuple[str, ...] = Field(default=(), description="ids of items")
    categories: tuple[str, ...] = Field(default=(), description="categories of the catalogue")
    percent: int = Field(strict=True, ge=1, le=10_000, description="of the list price")
    from_day: int = Field(strict=True, ge=0, lt=MAX_DAYS, description="first day")
    days: int | None = Field(default=None, strict=True, ge=1, description="how many; left out: to the end")

    def applies_on(self, day: int) -> bool:
        """Whether the change is in force on a day."""
        return self.from_day <= day and (self.days is None or day < self.from_day + self.days)

    def __str__(self) -> str:
        """What it does, in a few words."""
        what = ", ".join((*self.items, *self.categories))
        end = "to the end" if self.days is None else f"for {self.days} days"
        return f"{what} at {self.percent} % from day {self.from_day} {end}"
