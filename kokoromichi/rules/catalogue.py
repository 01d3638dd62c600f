"""What the store sells and whom a pull may find: words and effects, no prices."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.rules.sections import ItemId, Rarity
from kokoromichi.rules.use import (
    AFFECTION_XP,
    CHEST_GOLD,
    DOUBLE_TRAIN_XP,
    FULL_LOSS_XP_DAY,
    FULL_LOSS_XP_ONCE,
    GOLD_PERCENT_DAY,
    GRANT_XP,
    HALF_HP_COST,
    HEAL_HP,
    NO_EFFECT,
    PITY_COUNT,
    WIN_PERMILLE,
)

Category = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]

Use = Literal["battle", "session", "day", "training", "summon", "kept"]
"""When an item is consumed: in a battle, once a session, for 24 h, with training, with a ten-pull, never."""

Element = Literal["fire", "water", "wind", "earth", "light", "shadow"]


@lru_cache(1_024)
def folded(name: str) -> str:
    """A name as it is compared: without case, hyphens and blanks."""
    return "_".join(name.casefold().replace("-", " ").split())


class Effect(NamedTuple):
    """A number that a rule reads while the item works.

    Attributes:
        name: The code in the catalogue's ``effect``.
        number: What rules call it.
        use: When an item with this effect is consumed.
        unit: The unit of the item's ``effect_size``; empty where the effect has no size.
        most: The largest size that makes sense, in that unit.
        text: What the effect does.
    """

    name: str
    number: int
    use: Use
    unit: str
    most: int
    text: str


EFFECTS: Final[dict[str, Effect]] = {
    effect.name: effect
    for effect in (
        Effect("heal_hp", HEAL_HP, "battle", "HP", 1_000_000, "restores HP before a battle"),
        Effect(
            "win_permille", WIN_PERMILLE, "battle", "permille", 1_000, "adds to the chance to win one battle"
        ),
        Effect(
            "half_hp_cost",
            HALF_HP_COST,
            "session",
            "%",
            100,
            "of the HP cost, spared in the session's battles",
        ),
        Effect(
            "full_loss_xp_once",
            FULL_LOSS_XP_ONCE,
            "battle",
            "%",
            100,
            "of the tier's XP, for one lost battle",
        ),
        Effect(
            "double_train_xp", DOUBLE_TRAIN_XP, "training", "%", 1_000, "of the XP of one training session"
        ),
        Effect("grant_xp", GRANT_XP, "session", "XP", 1_000_000_000, "granted"),
        Effect(
            "gold_percent_day",
            GOLD_PERCENT_DAY,
            "day",
            "%",
            1_000,
            "more battle gold for 24 h, under the daily cap",
        ),
        Effect(
            "full_loss_xp_day",
            FULL_LOSS_XP_DAY,
            "day",
            "%",
            100,
            "of the tier's XP, for battles lost within 24 h",
        ),
        Effect("pity_count", PITY_COUNT, "summon", "pulls", 1_000_000, "added to the pity count"),
        Effect(
            "chest_gold", CHEST_GOLD, "session", "gold", MAX_BALANCE, "of worth: a drawn share of it is paid"
        ),
        Effect("affection_xp", AFFECTION_XP, "session", "XP", 1_000_000_000, "granted for the affection"),
        Effect("none", NO_EFFECT, "kept", "", 0, "kept for its beauty"),
    )
}
"""Every effect that a catalogue may name."""


class Sheet(BaseModel):
    """The words that an item and a character have alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ItemId = Field(description="names it in the ledger, in inventories and in collections")
    name: str = Field(min_length=1, max_length=60, description="what players read")
    description: str = Field(min_length=1, max_length=240, description="one or two sentences")


class CatalogueItem(Sheet):
    """The words of one item; its numbers are ``economy.store[id]``."""

    category: Category = Field(description="the shelf it stands on")
    use: Use = Field(description="when it is consumed")
    effect: str = Field(description="a name in EFFECTS; another name is a finding and does nothing")


BaseStat = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class WaifuSheet(Sheet):
    """One character whom a pull may find."""

    mythology: str = Field(min_length=1, max_length=40, description="the stories that she comes from")
    element: Element = Field(description="her element")
    rarity: Rarity = Field(description="how rare she is in a pull")
    base_hp: BaseStat = Field(description="HP at level 1")
    base_atk: BaseStat = Field(description="attack at level 1")
    base_def: BaseStat = Field(description="defence at level 1")


CATALOGUE: Final[TypeAdapter[tuple[CatalogueItem, ...]]] = TypeAdapter(tuple[CatalogueItem, ...])
"""The shape of ``store_catalog.json``."""

WAIFUS: Final[TypeAdapter[tuple[WaifuSheet, ...]]] = TypeAdapter(tuple[WaifuSheet, ...])
"""The shape of ``waifus.json``."""
