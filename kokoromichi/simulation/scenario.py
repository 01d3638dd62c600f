"""What is simulated: a population in an economy for so many days, with prices that may change on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    Field,
    InstanceOf,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from kokoromichi.rules.acts import act_name
from kokoromichi.rules.economy import Economy, load_config, load_economy
from kokoromichi.rules.economy_laws import prices_below_lowest
from kokoromichi.rules.findings import EconomyError, Finding
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.cards import scenario_card
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_list import SinkAct
from kokoromichi.simulation.setup_files import Checked, SetupError, beside, find_file, read_toml
from kokoromichi.simulation.story import StageName, story_with
from kokoromichi.simulation.streams import MAX_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

    from kokoromichi.rules.economy_paths import Factor
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.story import Stage

MONDAY = dt.date(2026, 1, 5)
"""Day 0 of the shipped scenarios."""


class PriceChange(Checked):
    """Prices of the store that differ for a while: a sale, or a rise. Two at once multiply."""

    items: tuple[str, ...] = Field(default=(), description="ids of items")
    categories: tuple[str, ...] = Field(default=(), description="categories of the catalogue")
    percent: int = Field(strict=True, ge=1, le=10_000, description="of the list price")
    from_day: int = Field(strict=True, ge=0, lt=MAX_DAYS, description="first day")
    days: int | None = Field(default=None, strict=True, ge=1, description="how many; left out: to the end")

    def applies_on(self, day: int) -> bool:
        """Whether the change is in force on a day."""
        return self.from_day <= day and (self.days is None or day < self.from_day + self.days)


class Scenario(Checked):
    """A population in an economy over a horizon. Frozen; every change makes a new one.

    Days count from ``start``, a Monday at midnight UTC.
    """

    name: str = Field(pattern=r"^[a-z0-9_]{1,64}$", description="the file's name")
    title: str = Field(min_length=1, max_length=160, description="one line for charts and reports")
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
        items = {item.id for item in self.economy.catalogue}
        categories = {item.category for item in self.economy.catalogue}
        for change in self.changes:
            if not change.items and not change.categories:
                message = f"the price change of day {change.from_day} names neither items nor categories"
                raise ValueError(message)
            if unknown := [*(set(change.items) - items), *(set(change.categories) - categories)]:
                odd = sorted(unknown)[0]
                message = f"the price change of day {change.from_day} names {odd!r}, which is not sold"
                raise ValueError(message)
        return self

    @classmethod
    def load(
        cls,
        name_or_path: str | Path,
        *,
        days: int | None = None,
        players: int | None = None,
        economy: Path | None = None,
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
        path = find_file("scenarios", name_or_path)
        tree = read_toml(path)
        file = str(path)
        size = _optional_int(tree.pop("players", None), file) if players is None else players
        population = tree.pop("population", "default")
        if not isinstance(population, str):
            raise SetupError.of(file, "population", population, "must be the name of a population, or a path")
        tree["name"] = path.stem
        section = _economy_section(tree.get("economy", {}), file)
        listed = read_economy(economy or _beside(path, section))
        # Players remember the prices before the scenario changes them, or its changes would move nothing.
        tree["population"] = Population.load(beside(path, population), players=size).remembering(listed)
        tree["economy"] = _changed(listed, section, file)
        tree["closed"] = _closed(tree.get("closed", []), file)
        if days is not None:
            tree["days"] = days
        return cls._validated(tree, file)

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

    def _repr_html_(self) -> str:
        return scenario_card(self)

    def replace(self, **changes: object) -> Self:
        """Change fields, validated.

        Raises:
            SetupError: A value is refused: field, value and cure.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return self._validated({**fields, **changes}, self.name)

    def with_economy(self, values: Mapping[str, object]) -> Self:
        """Set numbers of the economy, such as ``{"store.health_potion.price_gold": 120}``.

        Raises:
            EconomyError: A path is unknown, or a value is refused.
        """
        return self.replace(economy=self.economy.with_values(values))

    def with_item(self, item_id: str, like: str, *, appeal: float = 0.0, **numbers: int | None) -> Self:
        """Sell another item; players remember the price that it is first sold at.

        Args:
            item_id: Its id.
            like: The item whose words, use, effect and numbers it shares.
            appeal: Liking for it beyond its category, in utils.
            numbers: What differs, such as ``price_gold=60``: fields of ``StoreItem``.

        Raises:
            EconomyError: The id is taken, there is no item to be like, or a number is refused.
            SetupError: The appeal is refused.
        """
        liked = self.population.model_copy(update={"appeal": {**self.population.appeal, item_id: appeal}})
        return self.replace(economy=self.economy.with_item(item_id, like, **numbers), population=liked)

    def scaled(self, factors: Mapping[str, Factor]) -> Self:
        """Multiply numbers of the economy, such as ``{"daily.gold": 0.9}``; rounded half up.

        Raises:
            EconomyError: A path is unknown, or a product leaves its range.
        """
        return self.replace(economy=self.economy.scaled(factors))

    def with_population(self, population: Population | str | Path) -> Self:
        """Let others play: a population, the name of a shipped one, or a file; its size is kept.

        Raises:
            SetupError: There is none of this name, or the file is refused.
        """
        if not isinstance(population, Population):
            population = Population.load(population)
        return self.replace(population=population)

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
        return self.replace(stages={**self.stages, name: stage})

    def story(self) -> tuple[Stage, ...]:
        """The stages of a session."""
        return story_with(self.stages)

    def economy_on(self, day: int) -> Economy:
        """The economy in force on a day: the same object as long as nothing changes."""
        active = tuple(place for place, change in enumerate(self.changes) if change.applies_on(day))
        if not active:
            return self.economy
        if active not in self._economies:
            self._economies[active] = self.economy.with_values(self._prices(active))
        return self._economies[active]

    def _prices(self, active: tuple[int, ...]) -> dict[str, object]:
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

    def _price_days(self) -> list[int]:
        """The days within the horizon on which a price may differ from the day before."""
        starts = {change.from_day for change in self.changes}
        ends = {change.from_day + change.days for change in self.changes if change.days is not None}
        return sorted(day for day in starts | ends if day < self.days)

    def leave_base(self, archetype: Archetype) -> int:
        """An archetype's own chance to leave in this scenario, in 1 / 100,000 a day, rounded half up."""
        return (archetype.leave_chance * self.leave_percent + 50) // 100

    def findings(self) -> tuple[Finding, ...]:
        """What is likely a mistake: prices below the lowest promised, and items that nobody sells."""
        return (*self._too_cheap(), *self._unsold())

    def _too_cheap(self) -> Iterator[Finding]:
        """Scheduled prices below the lowest promised, each item's lowest on its first day."""
        worst: dict[str, tuple[int, int]] = {}
        for day in self._price_days():
            store = self.economy_on(day).config.store
            for item_id in self.economy.config.store:
                price_gold = store[item_id].price_gold
                if item_id not in worst or price_gold < worst[item_id][0]:
                    worst[item_id] = price_gold, day
        for item_id, (price_gold, day) in worst.items():
            field, value = f"changes.{item_id}", f"{price_gold} gold on day {day}"
            for found in prices_below_lowest(self.economy, {item_id: price_gold}):
                yield Finding(self.name, field, value, found.law, found.text)

    def _unsold(self) -> Iterator[Finding]:
        text = "is not sold in this economy and has no effect; take the line out or correct the item's id"
        tables = {"reference_prices": self.population.reference_prices, "appeal": self.population.appeal}
        for name, table in tables.items():
            for item_id, value in table.items():
                if item_id not in self.economy.config.store:
                    yield Finding(self.population.name, f"{name}.{item_id}", str(value), "item_is_sold", text)


def _optional_int(value: object, file: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise SetupError.of(file, "players", value, "must be a whole number")


def _closed(value: object, file: str) -> frozenset[object]:
    if not isinstance(value, list) or not all(isinstance(act, str) for act in value):
        raise SetupError.of(file, "closed", value, 'must be a list of acts, such as ["buy", "train"]')
    return frozenset(map(act_name, value))


def _economy_section(section: object, file: str) -> dict[str, object]:
    if not isinstance(section, dict) or set(section) - {"file", "values", "scaled"}:
        raise SetupError.of(file, "economy", section, "must be a table of file, values and scaled")
    if not all(isinstance(section.get(key, {}), dict) for key in ("values", "scaled")):
        raise SetupError.of(
            file, "economy", section, "must have tables of numbers by path as values and scaled"
        )
    if not isinstance(section.get("file", ""), str):
        raise SetupError.of(file, "economy.file", section["file"], "must be a path")
    return section


def _beside(scenario: Path, section: Mapping[str, object]) -> Path | None:
    return scenario.parent / str(section["file"]) if "file" in section else None


def _changed(economy: Economy, section: Mapping[str, Any], file: str) -> Economy:
    """An economy with what a scenario changes in it."""
    try:
        return economy.with_values(section.get("values", {})).scaled(section.get("scaled", {}))
    except EconomyError as error:
        raise EconomyError(
            Finding(file, f"economy: {found.field}", found.value, found.law, found.text)
            for found in error.findings
        ) from None


def read_economy(path: Path | None) -> Economy:
    """Read an economy.

    Args:
        path: A folder of the three files; a TOML file of numbers, which keeps the shipped words; None for the
            shipped economy.

    Raises:
        EconomyError: A file is missing or refused: file, field, value and cure.
    """
    if path is None:
        return load_economy(shipped_folder("data"))
    if path.is_dir():
        return load_economy(path)
    words = load_economy(shipped_folder("data"))
    return Economy(load_config(path), words.catalogue, words.waifus)
