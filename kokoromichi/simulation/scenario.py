"""What is simulated: a population in an economy for so many days, with prices that may change on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, InstanceOf, PrivateAttr, ValidationError, field_validator, model_validator

from kokoromichi.core.errors import MisuseError
from kokoromichi.options import between, whole
from kokoromichi.options import percent as percent_of
from kokoromichi.rules.economy import Economy
from kokoromichi.simulation.cards import scenario_card
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_change import PriceChange, names
from kokoromichi.simulation.price_list import SinkAct
from kokoromichi.simulation.scenario_file import read_scenario
from kokoromichi.simulation.scenario_findings import scenario_findings
from kokoromichi.simulation.setup_files import Checked, SetupError
from kokoromichi.simulation.story import StageName, story_with
from kokoromichi.simulation.streams import MAX_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from kokoromichi.rules.economy_paths import Factor
    from kokoromichi.rules.findings import Finding
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.story import Stage

MONDAY = dt.date(2026, 1, 5)
"""Day 0 of the shipped scenarios."""

_LONGEST_TITLE: Final = 160  # Characters.


class Scenario(Checked):
    """A population in an economy over a horizon. Frozen; every change makes a new one.

    Days count from ``start``, a Monday at midnight UTC.
    """

    name: str = Field(pattern=r"^[a-z0-9_]{1,64}$", description="the file's name")
    title: str = Field(min_length=1, max_length=_LONGEST_TITLE, description="one line for charts and reports")
    population: Population = Field(description="who plays")
    economy: InstanceOf[Economy] = Field(description="the numbers on a day without scheduled change")
    days: int = Field(strict=True, ge=1, lt=MAX_DAYS, description="horizon")
    start: dt.date = Field(default=MONDAY, description="day 0, a Monday")
    leave_percent: Annotated[int, Field(strict=True, ge=0, le=1_000)] = Field(
        default=100, description="of each archetype's own chance to leave"
    )
    closed: frozenset[SinkAct] = Field(default=frozenset(), description="acts that nobody does")
    changes: tuple[PriceChange, ...] = Field(default=(), description="scheduled changes of store prices")
    stages: Mapping[StageName, Callable[..., int]] = Field(
        default_factory=dict, exclude=True, description="stages of a session of one's own, by name"
    )

    _economies: dict[tuple[int, ...], Economy] = PrivateAttr(default_factory=dict)

    @field_validator("start")
    @classmethod
    def _starts_on_monday(cls, start: dt.date) -> dt.date:
        if start.weekday() != 0:
            message = f"is a {start:%A}; the weekly pattern needs a Monday, such as {MONDAY}"
            raise ValueError(message)
        return start

    @model_validator(mode="before")
    @classmethod
    def _knows_what_is_sold(cls, fields: dict[str, object]) -> dict[str, object]:
        population, economy = fields.get("population"), fields.get("economy")
        if isinstance(population, Population) and isinstance(economy, Economy):
            return {**fields, "population": population.remembering(economy)}
        return fields

    @model_validator(mode="after")
    def _names_what_is_sold(self) -> Self:
        for change in self.changes:
            change.require_sold(self.economy.catalogue)
        return self

    @classmethod
    def load(
        cls,
        name_or_path: str | Path,
        *,
        days: int | None = None,
        players: int | None = None,
        economy: str | Path | None = None,
    ) -> Self:
        """Read a scenario.

        Args:
            name_or_path: Name of a shipped one, or the path of a ``.toml`` file.
            days: Horizon; the file's when left out.
            players: Size of the population, shares kept; the population's own when left out.
            economy: A folder with an economy, or a TOML file of its numbers, instead of the scenario's.

        Raises:
            SetupError: There is none of this name, or a file is refused: file, field, value and cure.
            EconomyError: The economy is refused.
        """
        file, tree = read_scenario(name_or_path, players=players, economy=economy)
        return cls._validated(tree if days is None else {**tree, "days": days}, file)

    @classmethod
    def _validated(cls, tree: Mapping[str, object], file: str) -> Self:
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            known = (*cls.model_fields, *PriceChange.model_fields)
            raise SetupError.from_validation(error, file, known) from None

    @property
    def players(self) -> int:
        """How many players there are."""
        return self.population.players

    def __repr__(self) -> str:
        """What it is called and how large it is; ``print(scenario.model_dump())`` has everything."""
        return f"Scenario({self.name!r}, {self.players:,} players, {self.days:,} days)"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return scenario_card(self)

    def replace(self, **changes: object) -> Self:
        """Change fields, validated.

        Raises:
            SetupError: A value is refused: field, value and cure.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return self._validated({**fields, **changes}, self.name)

    def _changed(self, said: Iterable[str], **fields: object) -> Self:
        """Change fields, and let the title say what was changed."""
        title = ", ".join((self.title, *said))
        short = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
        return self.replace(**fields, title=short)

    def with_economy(self, values: Mapping[str, object]) -> Self:
        """Set numbers of the economy, such as ``{"store.health_potion.price_gold": 120}``.

        Raises:
            EconomyError: A path is unknown, or a value is refused.
        """
        said = (f"{path} = {value}" for path, value in values.items())
        return self._changed(said, economy=self.economy.with_values(values))

    def with_item(
        self,
        item_id: str,
        like: str,
        *,
        category: str | None = None,
        appeal: float = 0.0,
        **numbers: int | None,
    ) -> Self:
        """Sell another item; players remember the price that it is first sold at.

        Args:
            item_id: Its id.
            like: The item whose words, use, effect and numbers it shares.
            category: The shelf it stands on, be it a new one; that of the item it is like when left out.
            appeal: Liking for it beyond its category, in utils.
            numbers: What differs, such as ``price_gold=60``: fields of ``StoreItem``.

        Raises:
            EconomyError: The id is taken, there is no item to be like, or a number is refused.
            SetupError: The appeal is refused.
        """
        economy = self.economy.with_item(item_id, like, category=category, **numbers)
        population = self.population.liking({item_id: appeal})
        return self._changed([f"with {item_id}"], economy=economy, population=population)

    def without_item(self, item_id: str) -> Self:
        """Sell an item no more.

        Raises:
            EconomyError: There is no such item.
            SetupError: A scheduled change of prices names it.
        """
        economy = self.economy.without_item(item_id)
        population = self.population.without_item(item_id)
        return self._changed([f"without {item_id}"], economy=economy, population=population)

    def with_business(self, business_id: str, *, price_gold: int, income_gold_per_day: int) -> Self:
        """Add a business, or change one: see ``Economy.with_business``."""
        numbers = {"price_gold": price_gold, "income_gold_per_day": income_gold_per_day}
        return self._changed(
            [f"with {business_id}"], economy=self.economy.with_business(business_id, numbers)
        )

    def with_tier(self, *, level: int, gold: int, xp: int) -> Self:
        """Add a tier of battles above the others: see ``Economy.with_tier``."""
        economy = self.economy.with_tier({"level": level, "gold": gold, "xp": xp})
        return self._changed([f"with a tier of level {level}"], economy=economy)

    def with_archetype(
        self, name: str, *, like: str | None = None, share: float | None = None, **changes: object
    ) -> Self:
        """Change numbers of an archetype, or let players of a new one in.

        Args:
            name: The archetype.
            like: The archetype that a new one is like; left out: ``name`` plays already, and is changed.
            share: Of all players, the new ones', between 0 and 1; the number of all stays.
            changes: What differs, such as ``rate_per_day=3.0``: fields of ``Archetype``.

        Raises:
            SetupError: There is no such archetype, the name is taken, or a number is refused.
            MisuseError: A new one has no share.
        """
        if like is None:
            said = (f"{name}'s {number} = {value}" for number, value in changes.items())
            return self._changed(said, population=self.population.with_archetype(name, changes))
        players = max(1, round(between("share", share, 0, 1) * self.players))
        if players >= self.players:
            raise MisuseError(
                f"share is {share!r}, which of {self.players} players leaves nobody but {name}: "
                "take a smaller one, or more players"
            )
        others = self.population.scaled(self.players - players)
        population = others.with_cohort(name, like, players, changes)
        return self._changed([f"with {players:,} {name}"], population=population)

    def with_sale(
        self,
        *,
        percent: int,
        from_day: int,
        days: int | None = None,
        items: Sequence[str] | str = (),
        categories: Sequence[str] | str = (),
    ) -> Self:
        """Let prices of the store differ for a while.

        Args:
            percent: Of the list price: 70 is a sale, 120 a rise.
            from_day: First day, counted from 0.
            days: How many; left out: to the end.
            items: Ids of items, or of one.
            categories: Categories of the catalogue, or one.

        Raises:
            MisuseError: A number is none.
            SetupError: Nothing is named, or something that is not sold.
        """
        change = PriceChange(
            items=names(items),
            categories=names(categories),
            percent=percent_of("percent", percent),
            from_day=whole("from_day", from_day, 0, self.days - 1),
            days=None if days is None else whole("days", days, 1, MAX_DAYS),
        )
        return self._changed([str(change)], changes=(*self.changes, change))

    def scaled(self, factors: Mapping[str, Factor]) -> Self:
        """Multiply numbers of the economy, such as ``{"daily.gold": 0.9}``; rounded half up.

        Raises:
            EconomyError: A path is unknown, or a product leaves its range.
        """
        said = (f"{path} × {factor}" for path, factor in factors.items())
        return self._changed(said, economy=self.economy.scaled(factors))

    def with_population(self, population: Population | str | Path) -> Self:
        """Let others play: a population, the name of a shipped one, or a file; its size is kept.

        Raises:
            SetupError: There is none of this name, or the file is refused.
        """
        if not isinstance(population, Population):
            population = Population.load(population)
        return self._changed([f"played by {population.name}"], population=population)

    def with_stage(self, name: StageName, stage: Stage) -> Self:
        """Let a policy of one's own take the place of a stage of every session.

        Args:
            name: ``spend`` is all of setting a goal, choosing and buying.
            stage: Takes a player's row of integers (``player_state``) and a ``Scene``, and answers the next
                act, or ``hand_on(state)``. The faithful engine runs it as it is; the compiled one, where
                numba can compile it: integers, arrays and functions alone.

        Raises:
            SetupError: There is no such stage.
        """
        return self._changed([f"{name} of one's own"], stages={**self.stages, name: stage})

    def story(self) -> tuple[Stage, ...]:
        """The stages of a session."""
        return story_with(self.stages)

    def economy_on(self, day: int) -> Economy:
        """The economy in force on a day: the same object as long as nothing changes."""
        active = tuple(place for place, change in enumerate(self.changes) if change.applies_on(day))
        if not active:
            return self.economy
        if active not in self._economies:
            self._economies[active] = self.economy.with_values(self.prices_under(active))
        return self._economies[active]

    def prices_under(self, active: tuple[int, ...]) -> dict[str, object]:
        """The prices that differ from the list under some of the changes, by their path in the economy."""
        prices: dict[str, object] = {}
        for item in self.economy.catalogue:
            list_gold = price_gold = self.economy.config.store[item.id].price_gold
            for place in active:
                change = self.changes[place]
                if item.id in change.items or item.category in change.categories:
                    price_gold = max(1, (price_gold * change.percent + 50) // 100)
            if price_gold != list_gold:
                prices[f"store.{item.id}.price_gold"] = price_gold
        return prices

    def price_days(self) -> list[int]:
        """The days within the horizon on which a price may differ from the day before."""
        starts = {change.from_day for change in self.changes}
        ends = {change.from_day + change.days for change in self.changes if change.days is not None}
        return sorted(day for day in starts | ends if day < self.days)

    def leave_base(self, archetype: Archetype) -> int:
        """An archetype's own chance to leave in this scenario, in 1 / 100,000 a day, rounded half up."""
        return (archetype.leave_chance * self.leave_percent + 50) // 100

    def findings(self) -> tuple[Finding, ...]:
        """What is likely a mistake: prices too low, items that nobody sells, changes without effect."""
        return tuple(scenario_findings(self))


def require_scenario(asked_by: str, value: object) -> None:
    """Refuse what is no scenario, such as the name of one.

    Raises:
        MisuseError: It is none; the error says how it is loaded.
    """
    if not isinstance(value, Scenario):
        named = repr(value) if isinstance(value, str) else '"baseline"'
        raise MisuseError(f"{asked_by} is given {value!r:.60}; give it a scenario: km.Scenario.load({named})")
