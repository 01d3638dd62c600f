"""Prices of the store that differ for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kokoromichi.options import near
from kokoromichi.simulation.setup_files import Checked
from kokoromichi.simulation.streams import MAX_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kokoromichi.rules.catalogue import CatalogueItem


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

    def require_sold(self, catalogue: Iterable[CatalogueItem]) -> None:
        """Check that it names something, and nothing that a catalogue lacks.

        Raises:
            ValueError: It names nothing, or what is not sold; the nearest are named.
        """
        start = f"the price change of day {self.from_day} names"
        if not self.items and not self.categories:
            raise ValueError(f"{start} neither items nor categories")
        sold = [(item.id, item.category) for item in catalogue]
        for named, known in zip((self.items, self.categories), zip(*sold, strict=True), strict=True):
            if odd := next((name for name in named if name not in known), None):
                raise ValueError(f"{start} {odd!r}, which is not sold; {near(odd, known)}")

    def __str__(self) -> str:
        """What it does, in a few words."""
        what = ", ".join((*self.items, *self.categories))
        end = "to the end" if self.days is None else f"for {self.days} days"
        return f"{what} at {self.percent} % from day {self.from_day} {end}"


def names(given: Sequence[str] | str) -> tuple[str, ...]:
    """Some names, or a single one."""
    return (given,) if isinstance(given, str) else tuple(given)
