"""What the store sells and whom a pull may find: words and effects, no prices."""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from kokoromichi.rules.sections import ItemId, Rarity

Category = Literal["potion", "scroll", "charm", "chest", "gift", "collectible"]

Use = Literal["battle", "session", "day", "training", "summon", "kept"]
"""When an item is consumed: in a battle, once a session, for 24 hours, with a training, with a ten-pull, never."""

Element = Literal["fire", "water", "wind", "earth", "light", "shadow"]


class Effect(NamedTuple):
    """A number that a rule reads while the item works.

    Attributes:
        name: The code in the catalogue's ``effect``.
        use: When an item with this effect is consumed.
        unit: The unit of the item's ``effect_size``; empty where the effect has no size.
        text: What the effect does.
    """

    name: str
    use: Use
    unit: str
    text: str


EFFECTS: Final[dict[str, Effect]] = {
    effect.name: effect
    for effect in (
        Effect("heal_hp", "battle", "HP", "restores HP before a battle"),
        Effect("win_permille", "battle", "permille", "raises the chance to win one battle"),
        Effect("half_hp_cost", "session", "% of the HP cost", "spares HP in the battles of the session"),
        Effect(
            "full_loss_xp_once", "battle", "% of the XP", "XP of a lost battle, instead of the share it pays"
        ),
        Effect("double_train_xp", "training", "% of the XP", "XP of one training session, instead of 100 %"),
        Effect("grant_xp", "session", "XP", "grants XP"),
        Effect(
            "gold_percent_day", "day", "% of the gold", "adds to battle gold for 24 h, under the daily cap"
        ),
        Effect(
            "full_loss_xp_day",
            "day",
            "% of the XP",
            "XP of lost battles for 24 h, instead of the share they pay",
        ),
        Effect("pity_count", "summon", "pulls", "advances the pity count"),
        Effect("chest_gold", "session", "gold", "worth of the chest: it pays a drawn share of this"),
        Effect("affection_xp", "session", "XP", "grants XP for the affection"),
        Effect("none", "kept", "", "is kept for its beauty"),
    )
}
"""Every effect that a catalogue may name."""


class _Sheet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CatalogueItem(_Sheet):
    """The words of one item; its numbers are ``economy.store[id]``."""

    id: ItemId = Field(description="the item's id in the store, the ledger and the inventories")
    name: str = Field(min_length=1, max_length=60, description="what players read")
    description: str = Field(min_length=1, max_length=200, description="one or two sentences")
    category: Category = Field(description="the shelf it stands on")
    use: Use = Field(description="when it is consumed")
    effect: str = Field(description="a name in EFFECTS; another name is a finding and does nothing")


BaseStat = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class WaifuSheet(_Sheet):
    """One character whom a pull may find."""

    id: ItemId = Field(description="the character's id in collections")
    name: str = Field(min_length=1, max_length=60, description="what players read")
    mythology: str = Field(min_length=1, max_length=40, description="the stories that she comes from")
    element: Element = Field(description="her element")
    rarity: Rarity = Field(description="how rare she is in a pull")
    description: str = Field(min_length=1, max_length=240, description="one or two sentences")
    base_hp: BaseStat = Field(description="HP at level 1")
    base_atk: BaseStat = Field(description="attack at level 1")
    base_def: BaseStat = Field(description="defence at level 1")
