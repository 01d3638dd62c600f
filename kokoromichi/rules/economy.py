"""The economy: every number a designer may turn, read from its files and refused where it makes no sense."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from kokoromichi.options import near, plain
from kokoromichi.rules.catalogue import CATALOGUE, WAIFUS, CatalogueItem, WaifuSheet
from kokoromichi.rules.economy_files import read_sheets, read_toml, repeated_ids
from kokoromichi.rules.economy_paths import Factor, Tree, edit, plain_tree, times, to
from kokoromichi.rules.findings import (
    CATALOGUE_FILE,
    ECONOMY_FILE,
    WAIFUS_FILE,
    EconomyError,
    Finding,
    from_validation,
    shown,
)
from kokoromichi.rules.sections import (
    KNOWN_KEYS_ONLY,
    RARITIES,
    Battle,
    Business,
    Chest,
    Daily,
    Exchange,
    Income,
    ItemId,
    Opening,
    Rarity,
    Redeem,
    Resale,
    StoreItem,
    Summon,
    Train,
    Transfer,
)

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = [
    "RARITIES",
    "Battle",
    "Business",
    "CatalogueItem",
    "Chest",
    "Daily",
    "Economy",
    "EconomyConfig",
    "EconomyError",
    "Exchange",
    "Finding",
    "Income",
    "Opening",
    "Rarity",
    "Redeem",
    "Resale",
    "StoreItem",
    "Summon",
    "Train",
    "Transfer",
    "WaifuSheet",
    "load_config",
    "load_economy",
]


@checked_dataclass(frozen=True, config=KNOWN_KEYS_ONLY)
class EconomyConfig:
    """Every number of the economy; frozen, validated, equal numbers have equal hashes."""

    opening: Opening = Field(description="what a new player starts with")
    daily: Daily = Field(description="the daily claim")
    battle: Battle = Field(description="battles")
    resale: Resale = Field(description="selling items back")
    chest: Chest = Field(description="what chests pay")
    business: Mapping[ItemId, Business] = Field(description="businesses by id")
    income: Income = Field(description="collecting from businesses")
    summon: Summon = Field(description="pulls for gems")
    train: Train = Field(description="training sessions")
    exchange: Exchange = Field(description="gems for gold, one way")
    transfer: Transfer = Field(description="gold from player to player")
    store: Mapping[ItemId, StoreItem] = Field(description="the items of the store by id")
    redeem: Redeem = Field(default_factory=Redeem, description="characters for shards")

    @staticmethod
    def from_tree(tree: Mapping[str, object], *, file: str = ECONOMY_FILE) -> EconomyConfig:
        """Validate nested plain values.

        Args:
            tree: Sections by name, as TOML and JSON give them.
            file: Named in errors.

        Raises:
            EconomyError: Says file, field, value and cure of everything that is wrong.
        """
        try:
            return CONFIG.validate_python(tree)
        except ValidationError as error:
            raise from_validation(error, file) from None

    @cached_property
    def hash(self) -> str:
        """16 hex digits over the canonical JSON: sorted keys, no blanks, UTF-8."""
        canonical = json.dumps(self.tree(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def tree(self) -> Tree:
        """Copy the numbers into nested dicts and lists, ready to be edited."""
        tree: Tree = CONFIG.dump_python(self, mode="json")
        return tree

    def with_values(self, values: Mapping[str, object]) -> EconomyConfig:
        """Set numbers.

        Args:
            values: New value by path, such as ``{"store.lucky_charm.price_gold": 120, "daily.gold.0": 900}``;
                ``*`` stands for every key. Applied in order, so that a later path wins.

        Returns:
            A new, validated configuration.

        Raises:
            EconomyError: A path is unknown, or a value breaks its type or range.
        """
        tree = self.tree()
        for path, value in values.items():
            edit(tree, path, to(value))
        return self.from_tree(tree)

    def scaled(self, factors: Mapping[str, Factor]) -> EconomyConfig:
        """Multiply numbers; each is rounded half up to an integer.

        Args:
            factors: Factor (at least 0) by path, such as ``{"daily.gold": 0.9, "store.*.price_gold": 1.2}``;
                lists and sections are scaled number by number. Applied in order, each on what the last left.

        Returns:
            A new, validated configuration.

        Raises:
            EconomyError: A path is unknown, a factor is none, or a product leaves its range.
        """
        tree = self.tree()
        for path, factor in factors.items():
            edit(tree, path, times(factor))
        return self.from_tree(tree)


CONFIG: Final[TypeAdapter[EconomyConfig]] = TypeAdapter(EconomyConfig)
"""The shape of ``economy.toml``."""

_TIER: Final = ("level", "gold", "xp")
_BOTH: Final = "words_and_numbers"


@dataclass(frozen=True)
class Economy:
    """An economy with its words: numbers, store catalogue and characters.

    Attributes:
        config: The numbers; ``config.store`` stands in the catalogue's order.
        catalogue: The items of the store, in the order that every per-item array follows.
        waifus: The characters, in the order of their file.
    """

    config: EconomyConfig
    catalogue: tuple[CatalogueItem, ...]
    waifus: tuple[WaifuSheet, ...]

    def __post_init__(self) -> None:
        """Bring the store into the catalogue's order.

        Raises:
            EconomyError: An item has numbers and no words or words and no numbers, an id stands twice, or a
                rarity has no character, so that a pull could find nobody.
        """
        findings = (
            *repeated_ids(self.catalogue, CATALOGUE_FILE),
            *repeated_ids(self.waifus, WAIFUS_FILE),
            *self._wordless(),
            *self._numberless(),
            *self._nobody(),
        )
        if findings:
            raise EconomyError(findings)
        store = {item.id: self.config.store[item.id] for item in self.catalogue}
        if list(store) != list(self.config.store):
            object.__setattr__(self, "config", replace(self.config, store=store))

    def __repr__(self) -> str:
        """How large it is; ``economy.config`` has its numbers."""
        return f"Economy({len(self.catalogue)} items, {len(self.waifus)} characters, hash {self.hash})"

    def _wordless(self) -> Iterator[Finding]:
        described = {item.id for item in self.catalogue}
        text = f"has numbers and no words; describe it in {CATALOGUE_FILE} or take it out"
        for item_id, item in self.config.store.items():
            if item_id not in described:
                yield Finding(ECONOMY_FILE, f"store.{item_id}", f"{item.price_gold} gold", _BOTH, text)

    def _numberless(self) -> Iterator[Finding]:
        for item in self.catalogue:
            if item.id not in self.config.store:
                text = f"has words and no numbers; add [store.{item.id}] to {ECONOMY_FILE} or take it out"
                yield Finding(CATALOGUE_FILE, item.id, item.name, _BOTH, text)

    def _nobody(self) -> Iterator[Finding]:
        for rarity in RARITIES:
            if all(waifu.rarity != rarity for waifu in self.waifus):
                text = "has no character; add one, for a pull may find this rarity"
                yield Finding(WAIFUS_FILE, "rarity", rarity, "rarity_has_character", text)

    @property
    def hash(self) -> str:
        """The hash of the numbers, ``config.hash``."""
        return self.config.hash

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Set numbers, as ``EconomyConfig.with_values`` does; words stay."""
        return replace(self, config=self.config.with_values(values))

    def scaled(self, factors: Mapping[str, Factor]) -> Self:
        """Multiply numbers, as ``EconomyConfig.scaled`` does; words stay."""
        return replace(self, config=self.config.scaled(factors))

    def with_item(
        self, item_id: str, like: str, *, category: str | None = None, **numbers: int | None
    ) -> Self:
        """Add an item at the end of the catalogue.

        Args:
            item_id: Its id, which its name is made of.
            like: The item whose words, use, effect and numbers it shares.
            category: The shelf it stands on, be it a new one; that of the item it is like when left out.
            numbers: What differs: fields of ``StoreItem``.

        Raises:
            EconomyError: The id is taken, there is no item to be like, or a number is refused.
        """
        model = self._item(like, item_id, "is no item to be like")
        own = {"id": item_id, "name": item_id.replace("_", " ").capitalize()}
        words = model.model_dump() | own | ({"category": category} if category else {})
        tree = self.config.tree()
        store = cast("dict[str, dict[str, object]]", tree["store"])
        tree["store"] = {**store, item_id: {**store[like], **cast("Tree", plain_tree(numbers))}}
        config = EconomyConfig.from_tree(tree)
        try:
            catalogue = (*self.catalogue, *CATALOGUE.validate_python([words]))
        except ValidationError as error:
            raise from_validation(error, CATALOGUE_FILE, {0: item_id}) from None
        return replace(self, config=config, catalogue=catalogue)

    def without_item(self, item_id: str) -> Self:
        """Sell an item no more; what players hold of it stays theirs.

        Raises:
            EconomyError: There is no such item.
        """
        self._item(item_id, item_id, "is no item to take out")
        store = {kept: numbers for kept, numbers in self.config.store.items() if kept != item_id}
        catalogue = tuple(item for item in self.catalogue if item.id != item_id)
        return replace(self, config=replace(self.config, store=store), catalogue=catalogue)

    def with_business(self, business_id: str, numbers: Mapping[str, object]) -> Self:
        """Add a business, or change one.

        Args:
            business_id: Its id.
            numbers: ``price_gold`` to open it, and ``income_gold_per_day`` before upkeep.

        Raises:
            EconomyError: The id or a number is refused.
        """
        tree = self.config.tree()
        tree["business"] = {**cast("Tree", tree["business"]), business_id: plain_tree(numbers)}
        return replace(self, config=EconomyConfig.from_tree(tree))

    def with_tier(self, numbers: Mapping[str, object]) -> Self:
        """Add a tier of battles above the others.

        Args:
            numbers: ``level`` of the opponent, and what a won battle pays: ``gold`` and ``xp``.

        Raises:
            EconomyError: A number is missing, unknown or refused.
        """
        if set(numbers) != set(_TIER):
            text = f"has {', '.join(numbers) or 'no numbers'}; write {', '.join(_TIER)}"
            raise EconomyError((Finding(ECONOMY_FILE, "battle.tier", shown(numbers), "complete", text),))
        tree = self.config.tree()
        battle = cast("dict[str, list[object]]", tree["battle"])
        for name in _TIER:
            battle[f"tier_{name}"].append(plain(numbers[name]))
        return replace(self, config=EconomyConfig.from_tree(tree))

    def _item(self, item_id: str, field: str, wrong: str) -> CatalogueItem:
        found = next((item for item in self.catalogue if item.id == item_id), None)
        if found is None:
            text = f"{wrong}; {near(item_id, (item.id for item in self.catalogue))}"
            raise EconomyError((Finding(CATALOGUE_FILE, field, shown(item_id), _BOTH, text),))
        return found


def load_config(path: str | Path) -> EconomyConfig:
    """Read and validate the numbers alone.

    Args:
        path: A TOML file in the form of ``data/economy.toml``.

    Raises:
        EconomyError: The file is missing, is no TOML, or a number is refused: file, field, value and cure.
    """
    return EconomyConfig.from_tree(read_toml(Path(path)), file=str(path))


def load_economy(folder: str | Path) -> Economy:
    """Read an economy: ``economy.toml``, ``store_catalog.json`` and ``waifus.json`` of a folder.

    What makes no sense is refused here. What makes sense and is unwise (arbitrage, odds that do not sum to 1,
    an unknown effect) loads: ``economy_laws.economy_findings`` lists it, and ``check_economy`` refuses it.

    Raises:
        EconomyError: A file is missing or unreadable, or a value is refused: file, field, value and cure.
    """
    folder = Path(folder)
    return Economy(
        load_config(folder / ECONOMY_FILE),
        read_sheets(folder / CATALOGUE_FILE, CATALOGUE),
        read_sheets(folder / WAIFUS_FILE, WAIFUS),
    )
