"""The sections of the economy: every number a designer may turn, with its unit and its range.

No field has a default, because a number of the economy stands in one place, ``data/economy.toml``. The
exceptions are the keys of a store item that are left out where there is nothing to say. Every
act reads a few of these numbers, so the sections are dataclasses with slots: to read a pydantic model costs
three times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from kokoromichi.rules.codes import MAX_BALANCE

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Rarity = Literal["N", "R", "SR", "SSR", "UR", "LR", "Mythic"]
RARITIES: Final[tuple[Rarity, ...]] = get_args(Rarity)
"""From the most common to the rarest."""

ItemId = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


def _number(unit: str, most: int, *, least: int = 0) -> FieldInfo:
    number: FieldInfo = Field(strict=True, ge=least, le=most, json_schema_extra={"unit": unit})
    return number


Gold = Annotated[int, _number("gold", MAX_BALANCE)]
Gems = Annotated[int, _number("gems", MAX_BALANCE)]
Seconds = Annotated[int, _number("s", 31_536_000)]
Hours = Annotated[int, _number("h", 8_760)]
Days = Annotated[int, _number("days", 365)]
Percent = Annotated[int, _number("%", 100)]
Ratio = Annotated[int, _number("%", 1_000)]
Permille = Annotated[int, _number("permille", 1_000)]
Ppm = Annotated[int, _number("ppm", 1_000_000)]
Xp = Annotated[int, _number("XP", 1_000_000_000)]
Hp = Annotated[int, _number("HP", 1_000_000)]
Level = Annotated[int, _number("level", 1_000_000, least=1)]
Units = Annotated[int, _number("units", 1_000_000_000)]
Pulls = Annotated[int, _number("pulls", 1_000_000, least=1)]
Shards = Annotated[int, _number("shards", 1_000_000)]
EffectSize = Annotated[int, _number("see the effect", MAX_BALANCE)]


def _by_rarity(numbers: Mapping[Rarity, int]) -> Mapping[Rarity, int]:
    if missing := [rarity for rarity in RARITIES if rarity not in numbers]:
        message = f"says nothing of {', '.join(missing)}; write a number for each rarity"
        raise ValueError(message)
    # The order is part of a draw's meaning, so it is never that of the file.
    return {rarity: numbers[rarity] for rarity in RARITIES}


OddsByRarity = Annotated[Mapping[Rarity, Ppm], AfterValidator(_by_rarity)]
ShardsByRarity = Annotated[Mapping[Rarity, Shards], AfterValidator(_by_rarity)]


KNOWN_KEYS_ONLY: Final = ConfigDict(extra="forbid")


def _same_length(**tables: tuple[int, ...]) -> None:
    lengths = {name: len(table) for name, table in tables.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        message = f"tables that belong together must have one length, at least 1, but have: {told}"
        raise ValueError(message)


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Opening:
    """What a new player starts with."""

    gold: Gold = Field(description="gold of a new player, booked as `opening`")
    gems: Gems = Field(description="gems of a new player, booked as `opening`")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Daily:
    """The daily claim: one entry a day of the streak's cycle."""

    gold: tuple[Gold, ...] = Field(description="gold of a claim, by day of the cycle")
    gems: tuple[Gems, ...] = Field(description="gems of a claim, by day of the cycle")
    streak_window_h: Annotated[int, _number("h", 8_760, least=1)] = Field(
        description="a claim within this time of the last one keeps the streak"
    )

    def __post_init__(self) -> None:
        """Refuse a cycle whose gold and gems have different lengths."""
        _same_length(gold=self.gold, gems=self.gems)


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Battle:
    """Battles: what bounds them, who wins, and what a tier pays."""

    cooldown_s: Seconds = Field(description="least time between two battles of a player")
    daily_cap_gold: Gold = Field(description="most gold from battles in a UTC day")
    hp_cost: Hp = Field(description="what a battle takes")
    hp_full: Hp = Field(description="the most a player has")
    hp_regen_per_h: Hp = Field(description="what comes back in an hour")
    win_base_permille: Permille = Field(description="chance to win against one's own level")
    win_slope_permille: Permille = Field(description="what each level of advantage adds to it")
    win_min_permille: Permille = Field(description="the least chance")
    win_max_permille: Permille = Field(description="the best chance")
    tired_permille: Permille = Field(description="what is taken off below the HP that a battle costs")
    loss_xp_percent: Percent = Field(description="share of the tier's XP that a lost battle gives")
    tier_level: tuple[Level, ...] = Field(description="level of the opponent, by tier")
    tier_gold: tuple[Gold, ...] = Field(description="gold of a won battle, by tier")
    tier_xp: tuple[Xp, ...] = Field(description="XP of a won battle, by tier")
    xp_per_level: Annotated[int, _number("XP", 1_000_000_000, least=1)] = Field(
        description="times the level: the XP that the next level needs"
    )

    def __post_init__(self) -> None:
        """Refuse tiers of which a number is missing."""
        _same_length(tier_level=self.tier_level, tier_gold=self.tier_gold, tier_xp=self.tier_xp)


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Resale:
    """What an item brings when it is sold back."""

    percent: Ratio = Field(description="of the smaller of the price and what was paid, for a unit sold back")
    lowest_price_percent: Percent = Field(
        description="of the list price: the lowest price that a scheduled sale or an admin may set"
    )


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Chest:
    """What a chest pays, as shares of its configured worth."""

    payout_percent: tuple[Ratio, ...] = Field(description="of the worth, by outcome")
    chance_percent: tuple[Percent, ...] = Field(description="chance of the outcome; the sum is 100")

    def __post_init__(self) -> None:
        """Refuse an outcome without a chance, or a chance without an outcome."""
        _same_length(payout_percent=self.payout_percent, chance_percent=self.chance_percent)


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Business:
    """A business; a player may own one of each."""

    price_gold: Gold = Field(description="what it costs to open")
    income_gold_per_day: Gold = Field(description="what it earns in a day, before upkeep")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Income:
    """How businesses are collected."""

    max_hours: Hours = Field(description="the most hours that accrue between two collections")
    upkeep_percent: Percent = Field(description="of what is collected, burned with it")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Summon:
    """Pulls for gems."""

    price_gems: Gems = Field(description="one pull")
    ten_price_gems: Gems = Field(description="ten pulls at once")
    odds_ppm: OddsByRarity = Field(description="chance of the rarity in a pull; the sum is 1,000,000")
    pity_pulls: Pulls = Field(description="the pull that is guaranteed when none before it was good enough")
    pity_rarity: Rarity = Field(description="what is good enough: this rarity or better")
    shards: ShardsByRarity = Field(description="shards for a duplicate, by rarity")


def _not_offered() -> dict[Rarity, int]:
    return dict.fromkeys(RARITIES, 0)


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Redeem:
    """A character of one's choice for shards; an economy without this section offers none."""

    shards: ShardsByRarity = Field(
        default_factory=_not_offered,
        description="shards for a character that is chosen, by rarity; 0: not offered",
    )


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Train:
    """Training sessions."""

    price_gold: Gold = Field(description="a session at level 1")
    growth_percent: Ratio = Field(description="of the price at level 1, added with each level")
    xp: Xp = Field(description="XP of a session")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Exchange:
    """The pack of gems for gold; gems are never taken back."""

    gems: Gems = Field(description="gems in a pack")
    price_gold: Gold = Field(description="price of a pack")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class Transfer:
    """Gold from player to player."""

    fee_percent: Percent = Field(description="of the gold sent, burned")
    daily_cap_gold: Gold = Field(description="most gold that a player may send in a UTC day")


@dataclass(frozen=True, slots=True, config=KNOWN_KEYS_ONLY)
class StoreItem:
    """The numbers of one item; its words stand in the catalogue.

    A key that is left out: ``limit`` and ``stock`` unlimited; no restock; no target; no effect.
    """

    price_gold: Gold = Field(description="list price of a unit")
    limit: Units | None = Field(
        default=None, description="most units that a player may hold; left out: no limit"
    )
    stock: Units | None = Field(default=None, description="units for all at the start; left out: unlimited")
    restock_units: Units = Field(
        default=0, description="units added at a restock, never above the first stock"
    )
    restock_days: Days = Field(default=0, description="days between two restocks")
    target_units: Units = Field(
        default=0, description="units that a synthetic player likes to have; 0: kept items"
    )
    effect_size: EffectSize = Field(default=0, description="size of the item's effect, in the effect's unit")

    def __post_init__(self) -> None:
        """Refuse a restock that never comes."""
        if self.restock_units > 0 and self.restock_days == 0:
            message = f"restock_units is {self.restock_units}, but restock_days is 0; write at least 1"
            raise ValueError(message)
