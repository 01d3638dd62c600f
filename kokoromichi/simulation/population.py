"""Who plays: cohorts of archetypes, their presence in time, and what they remember of prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError, model_validator

from kokoromichi.core.errors import MisuseError
from kokoromichi.options import near, whole
from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.findings import Finding
from kokoromichi.rules.sections import ItemId
from kokoromichi.simulation.archetypes import ARCHETYPES, Archetype
from kokoromichi.simulation.demand import NONE
from kokoromichi.simulation.presence import session_thresholds
from kokoromichi.simulation.setup_files import Checked, SetupError, beside, find_file, read_toml
from kokoromichi.simulation.streams import MAX_PLAYERS

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from kokoromichi.rules.economy import Economy

Reference = Annotated[int, Field(strict=True, ge=1, le=MAX_BALANCE, json_schema_extra={"unit": "gold"})]
Appeal = Annotated[
    float, Field(strict=True, ge=-6, le=6, allow_inf_nan=False, json_schema_extra={"unit": "utils"})
]
Multiplier = Annotated[int, Field(strict=True, ge=1, le=1_000, json_schema_extra={"unit": "%"})]
Weight = Annotated[int, Field(strict=True, ge=0, le=1_000)]


class Cohort(Checked):
    """Players of one archetype; they have neighbouring numbers."""

    name: str = Field(default="", max_length=64, description="what charts call them; left out: the archetype")
    archetype: str = Field(description="a shipped archetype, or one that the population describes")
    players: int = Field(strict=True, ge=0, le=MAX_PLAYERS, description="how many, of the population's sum")
    ring_size: int = Field(
        default=0,
        strict=True,
        ge=0,
        le=1_000,
        description="accounts of one owner, the main among them; 0: no rings",
    )

    @property
    def label(self) -> str:
        """The name, or the archetype's where none was given."""
        return self.name or self.archetype


class Population(Checked):
    """Who plays.

    Reference prices are frozen here: were they read from an economy anew, no change of price would matter.
    """

    name: str = Field(description="the file's name")
    title: str = Field(min_length=1, max_length=120, description="one line for charts and reports")
    at_once_percent: int = Field(strict=True, ge=0, le=100, description="share that is there on day 0")
    late_days: int = Field(strict=True, ge=0, le=365, description="the others arrive on days 1 to this one")
    activity_percent: tuple[Multiplier, ...] = Field(
        min_length=1, description="multipliers of the session rate; each player draws one, equal chances"
    )
    week_percent: tuple[Multiplier, ...] = Field(
        min_length=7, max_length=7, description="multipliers of the session rate, Monday first"
    )
    hour_weights: tuple[Weight, ...] = Field(
        min_length=24, max_length=24, description="how likely a session starts in the hour, from midnight UTC"
    )
    reference_train_gold: Reference = Field(description="cost of the first training session")
    reference_pack_gold: Reference = Field(description="price of a pack of gems")
    reference_payback_days: int = Field(
        strict=True, ge=1, le=3_650, description="days after which an ordinary business has repaid"
    )
    reference_prices: Mapping[ItemId, Reference] = Field(
        default={}, description="price of an item that players remember; left out: the list price on day 0"
    )
    appeal: Mapping[ItemId, Appeal] = Field(
        default={}, description="liking for an item beyond its category; left out: 0"
    )
    cohorts: tuple[Cohort, ...] = Field(min_length=1, description="in the order of the players' numbers")
    archetypes: tuple[Archetype, ...] = Field(
        min_length=1,
        description="in the order of the tables; a file gives only what differs from the shipped one",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not any(self.hour_weights):
            message = "hour_weights are all 0; at least one hour needs a weight"
            raise ValueError(message)
        labels = [cohort.label for cohort in self.cohorts]
        if twin := next((label for label in labels if labels.count(label) > 1), None):
            message = f"two cohorts are called {twin!r}; give each its own name"
            raise ValueError(message)
        if self.players > MAX_PLAYERS:
            message = f"the cohorts hold {self.players} players, more than {MAX_PLAYERS}"
            raise ValueError(message)
        for cohort in self.cohorts:
            self._check_rings(cohort)
        return self

    def _check_rings(self, cohort: Cohort) -> None:
        sends = self.archetype_of(cohort).ring_transfer_gold > 0
        if sends and cohort.ring_size <= 1:
            message = f"cohort {cohort.label!r} sends gold to a main; write its ring_size, at least 2"
            raise ValueError(message)
        if cohort.ring_size and not sends:
            message = f"cohort {cohort.label!r} has a ring_size, but its archetype has no ring_transfer_gold"
            raise ValueError(message)

    @classmethod
    def load(cls, name_or_path: str | Path, players: int | None = None) -> Self:
        """Read a population.

        Args:
            name_or_path: Name of a shipped one, or the path of a ``.toml`` file.
            players: How many to scale it to; as many as the file says when left out.

        Raises:
            SetupError: There is none of this name, or the file is refused: file, field, value and cure.
        """
        path = find_file("populations", name_or_path)
        return cls.described(read_toml(path), path, players)

    @classmethod
    def described(cls, tree: Mapping[str, object], file: Path, players: int | None = None) -> Self:
        """Take what a file says, be it only what differs from the population that it is ``based_on``.

        Args:
            tree: What the file holds.
            file: Where it stands: it names the population, and what it is based on may lie beside it.
            players: As in ``load``.

        Raises:
            SetupError: A value is refused: file, field, value and cure.
        """
        fields = dict(tree)
        if (base := fields.pop("based_on", None)) is not None:
            fields = _merged(_base(base, file), fields)
        population = cls.from_tree(_with_own_cohorts(fields), file=str(file), name=file.stem)
        return population if players is None else population.scaled(players)

    @classmethod
    def from_tree(cls, tree: Mapping[str, object], *, file: str, name: str) -> Self:
        """Validate nested plain values.

        Args:
            tree: What the TOML file holds; ``archetypes`` has a table of changed numbers by archetype.
            file: Named in errors.
            name: The population's name.

        Raises:
            SetupError: A value is refused: file, field, value and cure.
        """
        archetypes = _archetypes(tree, file)
        return cls._validated({**tree, "name": name, "archetypes": archetypes}, file)

    @classmethod
    def _validated(cls, fields: Mapping[str, object], file: str) -> Self:
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            known = (*cls.model_fields, *Cohort.model_fields)
            raise SetupError.from_validation(error, file, known) from None

    @property
    def players(self) -> int:
        """How many players there are."""
        return sum(cohort.players for cohort in self.cohorts)

    def __repr__(self) -> str:
        """What it is called and how large it is."""
        return f"Population({self.name!r}, {self.players:,} players in {len(self.cohorts)} cohorts)"

    def archetype_of(self, cohort: Cohort) -> Archetype:
        """The archetype of a cohort, with the numbers that this population gives it."""
        return next(archetype for archetype in self.archetypes if archetype.name == cohort.archetype)

    def remembering(self, economy: Economy) -> Self:
        """Give every item that the population has no reference price for its list price in an economy."""
        unknown = {
            item_id: max(1, item.price_gold)
            for item_id, item in economy.config.store.items()
            if item_id not in self.reference_prices
        }
        if not unknown:
            return self
        return self.model_copy(update={"reference_prices": {**self.reference_prices, **unknown}})

    def liking(self, appeal: Mapping[str, object]) -> Self:
        """Give items a liking beyond their category's, in utils.

        Raises:
            SetupError: A number is refused.
        """
        fields = {field: getattr(self, field) for field in type(self).model_fields}
        return self._validated({**fields, "appeal": {**self.appeal, **appeal}}, self.name)

    def without_item(self, item_id: str) -> Self:
        """Forget an item."""
        tables = {"reference_prices": self.reference_prices, "appeal": self.appeal}
        kept = {name: {key: table[key] for key in table if key != item_id} for name, table in tables.items()}
        return self.model_copy(update=kept)

    def scaled(self, players: int) -> Self:
        """Change the number of players and keep the shares, by largest remainders.

        Raises:
            SetupError: There would be less than one player, or more than the streams have addresses for.
        """
        players = _size(players, self.name)
        if self.players == 0:
            raise SetupError.of(self.name, "players", 0, "is nobody to take shares of; give a cohort players")
        parts = [divmod(cohort.players * players, self.players) for cohort in self.cohorts]
        counts = [whole for whole, _ in parts]
        by_remainder = sorted(range(len(parts)), key=lambda place: -parts[place][1])
        for place in by_remainder[: players - sum(counts)]:
            counts[place] += 1
        cohorts = tuple(
            cohort.model_copy(update={"players": count})
            for cohort, count in zip(self.cohorts, counts, strict=True)
        )
        return self.model_copy(update={"cohorts": cohorts})

    def with_archetype(self, name: str, changes: Mapping[str, object]) -> Self:
        """Change numbers of one archetype.

        Args:
            name: The archetype.
            changes: New value by field, such as ``{"beta": 1.2}``.

        Raises:
            SetupError: There is no such archetype here, or a value is refused.
        """
        known = [archetype.name for archetype in self.archetypes]
        if name not in known:
            text = f"is no archetype of this population; {near(name, known)}"
            raise SetupError.of(self.name, "archetypes", name, text)
        changed = tuple(
            _changed(archetype, changes, self.name) if archetype.name == name else archetype
            for archetype in self.archetypes
        )
        return self.model_copy(update={"archetypes": changed})

    def with_cohort(self, name: str, like: str, players: int, changes: Mapping[str, object]) -> Self:
        """Add players of an archetype of their own.

        Args:
            name: What the archetype and its cohort are called.
            like: The archetype that it is like: one of this population, or a shipped one.
            players: How many they are.
            changes: What differs, by field, such as ``{"rate_per_day": 3.0}``.

        Raises:
            SetupError: The name is taken, there is no such archetype, or a value is refused.
        """
        known = {archetype.name: archetype for archetype in self.archetypes}
        if name in known:
            raise SetupError.of(self.name, "archetypes", name, "is taken; choose another name")
        model = known.get(like) or _shipped(like, self.name, f"archetypes.{name}.like")
        archetype = _changed(model.model_copy(update={"name": name}), changes, self.name)
        fields = {field: getattr(self, field) for field in type(self).model_fields}
        cohorts = (*self.cohorts, {"archetype": name, "players": players})
        return self._validated(
            {**fields, "archetypes": (*self.archetypes, archetype), "cohorts": cohorts}, self.name
        )

    def session_thresholds(self) -> list[int]:
        """The table of ``presence.session_thresholds`` of its archetypes, in their order."""
        return session_thresholds(
            [archetype.rate_per_day for archetype in self.archetypes],
            [archetype.scripted_percent for archetype in self.archetypes],
            self.activity_percent,
            self.week_percent,
        )

    def roster(self) -> Roster:
        """Give every player a number, an archetype and, in a ring, a main.

        Numbers run through the cohorts in their order, so blocks of ten hold mostly like players. A ring is
        ``ring_size`` neighbours, its main the first; what is left over makes a smaller ring, and a single one
        left over joins the last ring.
        """
        names = [archetype.name for archetype in self.archetypes]
        archetypes: list[int] = []
        cohorts: list[int] = []
        mains: list[int] = []
        for place, cohort in enumerate(self.cohorts):
            first = len(archetypes)
            archetypes += [names.index(cohort.archetype)] * cohort.players
            cohorts += [place] * cohort.players
            mains += _mains(first, cohort.players, cohort.ring_size)
        return Roster(tuple(archetypes), tuple(cohorts), tuple(mains))


@dataclass(frozen=True, slots=True)
class Roster:
    """The players by number.

    Attributes:
        archetype: Place in ``Population.archetypes``.
        cohort: Place in ``Population.cohorts``.
        main: Number of the ring's main; ``NONE`` for a main itself and for who is in no ring.
    """

    archetype: tuple[int, ...]
    cohort: tuple[int, ...]
    main: tuple[int, ...]


def user_id(player: int) -> str:
    """The user id of a player's number: ``p00000``."""
    return f"p{player:05d}"


def _size(players: object, file: str) -> int:
    try:
        return whole("players", players, 1, MAX_PLAYERS)
    except MisuseError:
        text = f"must be a whole number, 1 to {MAX_PLAYERS}"
        raise SetupError.of(file, "players", players, text) from None


def _mains(first: int, players: int, ring_size: int) -> list[int]:
    if ring_size == 0:
        return [NONE] * players
    rings = players // ring_size + (1 if players % ring_size > 1 else 0)
    mains = [first + min(i // ring_size, max(rings - 1, 0)) * ring_size for i in range(players)]
    return [NONE if main == first + i else main for i, main in enumerate(mains)]


def _base(name: object, file: Path) -> dict[str, object]:
    """What the file does not say itself; one level, so that a reader has two files to read at most."""
    if not isinstance(name, str):
        raise SetupError.of(str(file), "based_on", name, "must be the name of a population, or a path")
    tree = read_toml(find_file("populations", beside(file, name)))
    if "based_on" in tree:
        raise SetupError.of(str(file), "based_on", name, "is itself based on another; name that one")
    return tree


def _merged(base: Mapping[str, object], tree: Mapping[str, object]) -> dict[str, object]:
    """The base with what the file says: tables key by key, all else whole."""
    merged = {**base, **tree}
    for key, table in tree.items():
        below = base.get(key)
        if isinstance(table, dict) and isinstance(below, dict):
            merged[key] = _merged(below, table)
    return merged


def _with_own_cohorts(tree: dict[str, object]) -> dict[str, object]:
    """Archetypes that say how many players they have get a cohort behind those that are listed."""
    archetypes, cohorts = tree.get("archetypes", {}), tree.get("cohorts", [])
    if not isinstance(archetypes, dict) or not isinstance(cohorts, list):
        return tree
    own = {
        name: numbers
        for name, numbers in archetypes.items()
        if isinstance(numbers, dict) and "players" in numbers
    }
    more = [{"archetype": name, "players": numbers["players"]} for name, numbers in own.items()]
    plain = {
        name: {key: numbers[key] for key in numbers if key != "players"} for name, numbers in own.items()
    }
    return {**tree, "archetypes": {**archetypes, **plain}, "cohorts": [*cohorts, *more]} if own else tree


def _archetypes(tree: Mapping[str, object], file: str) -> tuple[Archetype, ...]:
    """The archetypes that the cohorts name, with the file's changes: the shipped ones, then its own."""
    cohorts = tree.get("cohorts")
    changes = tree.get("archetypes", {})
    named = (
        [cohort.get("archetype") for cohort in cohorts if isinstance(cohort, dict)]
        if isinstance(cohorts, list)
        else []
    )
    if not isinstance(changes, dict):
        raise SetupError.of(
            file, "archetypes", changes, "must be tables of changed numbers, [archetypes.casual]"
        )
    models = {name: _model(name, changes.get(name), file) for name in dict.fromkeys((*named, *changes))}
    for name in changes:
        if name not in named:
            raise SetupError.of(file, "archetypes", name, "has changed numbers, but no cohort is of it")
    return tuple(
        _changed(models[name], changes.get(name, {}), file)
        for name in dict.fromkeys((*ARCHETYPES, *models))
        if name in models
    )


def _model(name: object, changes: object, file: str) -> Archetype:
    """What an archetype's changes begin with: the shipped one of its name, or the one that it is ``like``."""
    if isinstance(changes, Mapping) and "like" in changes:
        model = _shipped(changes["like"], file, f"archetypes.{name}.like")
        return model.model_copy(update={"name": name})
    return _shipped(name, file, "cohorts.archetype" if changes is None else "archetypes")


def _shipped(name: object, file: str, field: str) -> Archetype:
    if not isinstance(name, str) or name not in ARCHETYPES:
        text = (
            f'is no archetype; {near(name, ARCHETYPES)}; like = "casual" in [archetypes.{name}] makes it one'
        )
        raise SetupError.of(file, field, name, text)
    return ARCHETYPES[name]


def _changed(archetype: Archetype, changes: object, file: str) -> Archetype:
    if not isinstance(changes, Mapping):
        raise SetupError.of(
            file, f"archetypes.{archetype.name}", changes, "must be a table of changed numbers"
        )
    try:
        numbers = {field: number for field, number in changes.items() if field != "like"}
        return Archetype.model_validate({**archetype.model_dump(), **numbers, "name": archetype.name})
    except ValidationError as error:
        found = SetupError.from_validation(error, file, Archetype.model_fields).findings
        prefix = f"archetypes.{archetype.name}."
        raise SetupError(Finding(f.file, prefix + f.field, f.value, f.law, f.text) for f in found) from None
