"""One user of an existing installation, made one of what its stores say: the larger of each number."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from kokoromichi.core.clock import moment_of
from kokoromichi.core.models import NEVER, PROFILE_FIELDS
from kokoromichi.core.reference.users import NUMBERS
from kokoromichi.core.reference.values import (
    ImportFinding,
    Raw,
    item_key,
    larger,
    moment_us,
    shown,
    storable,
    storable_text,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from kokoromichi.core.models import FieldValue
    from kokoromichi.core.reference.users import Character, FindingCallback, StoredUser

_BUSINESSES: Final = frozenset({"cafe", "dojo", "shop", "guild_hall", "spa"})
_KNOWN: Final = frozenset(
    {
        "achievements",
        "active_auctions",
        "arena_stats",
        "battle_stats",
        "boss_battle_stats",
        "claimed_waifus",
        "consecutive_daily_claims",
        "crafting_level",
        "crafting_stats",
        "crafting_xp",
        "created_at",
        "dream_events",
        "dreams_experienced",
        "event_participation",
        "fan_club_activity_points",
        "fan_club_memberships",
        "gaming_stats",
        "guild_id",
        "guild_joined_at",
        "guild_role",
        "investments",
        "last_active",
        "last_daily_claim",
        "last_daily_quest",
        "last_dream",
        "lore_books_read",
        "mishap_history",
        "permanent_bonuses",
        "pets",
        "pvp_stats",
        "quests",
        "quests_completed",
        "relic_inventory",
        "settings",
        "summon_stats",
        "total_daily_claims",
        "unlocked_lore_books",
        "user_id",
        "version",
        "waifu_stats",
    }
)
"""Fields that an installation writes; others are somebody's own, and kept as well."""
_XP_PER_LEVEL: Final = 1_000
_IMPORTED: Final = "imported"
"""Where fields are kept whose names have a meaning of their own in a profile."""


@dataclass(frozen=True, slots=True)
class ReferenceUser:
    """A user as the import takes it.

    Attributes:
        stores: Per store, what it said.
        items: Units by item id, ascending.
        characters: Characters, duplicates counted.
        claim_raw: The last daily claim as it stands, or None.
        fields: Values for the fields of ``UserProfile`` that a change may set.
        unknown: Every other field, kept.
    """

    user_id: str
    name: str
    gold: int
    gems: int
    level: int
    xp: int
    items: dict[str, int]
    characters: int
    streak: int
    claim_raw: Raw
    claim_us: int
    stores: tuple[StoredUser, ...]
    fields: dict[str, FieldValue]
    unknown: dict[str, Raw]

    @property
    def gold_differs(self) -> bool:
        """Whether the stores disagree about the gold."""
        return len({stored.numbers["gold"] for stored in self.stores}) > 1

    def document(self, ledger_lines: int, ledger_cost: int) -> dict[str, Raw]:
        """What was chosen, and what each store said."""
        stores: dict[str, Raw] = {
            stored.store: {
                "gold": stored.numbers["gold"],
                "gems": stored.numbers["gems"],
                "characters": stored.character_count,
            }
            for stored in self.stores
        }
        utc = None if self.claim_us == NEVER else moment_of(self.claim_us)
        return {
            "gold": self.gold,
            "gems": self.gems,
            "level": self.level,
            "xp": self.xp,
            "items": {**self.items},
            "characters": self.characters,
            "streak": self.streak,
            "last_daily_claim_raw": self.claim_raw,
            "last_daily_claim_utc": None if utc is None else f"{utc:%Y-%m-%dT%H:%M:%S.%f}Z",
            "stores": stores,
            "gold_differs": self.gold_differs,
            "import_row": {"gold": self.gold, "gems": self.gems},
            "ledger_purchases": {"lines": ledger_lines, "cost": ledger_cost},
            "name": self.name or None,
        }


def unite(
    user_id: str, stores: Sequence[StoredUser], zone: tzinfo, on_finding: FindingCallback
) -> ReferenceUser:
    """One user of what each store says: the larger of each number and item, never the sum."""
    numbers = {name: max(stored.numbers[name] for stored in stores) for name in NUMBERS}
    items = {
        key: max(stored.items[key] for stored in stores)
        for key in sorted({key for stored in stores for key in stored.items})
    }
    for name in NUMBERS:
        _tell_difference(user_id, name, [stored.numbers[name] for stored in stores], on_finding)
    for key in items:
        _tell_difference(user_id, f"inventory.{key}", [stored.items[key] for stored in stores], on_finding)
    claimed = max(stores, key=lambda stored: stored.claim_us)  # The first of equals: users.json.
    sheets = _united_characters(stores)
    rest: dict[str, Raw] = {}
    for stored in stores:
        rest = larger(rest, stored.rest)  # type: ignore[assignment] # Both are objects.
    if claimed.claim_raw is not None:
        rest["last_daily_claim"] = claimed.claim_raw
    if sheets:
        rest["claimed_waifus"] = list(sheets)
    unknown = _kept(user_id, rest, on_finding)
    level = max(numbers["level"], 1)
    _tell_oddities(user_id, level, numbers["xp"], rest, on_finding)
    name = next((stored.name for stored in stores if stored.name), "")
    fields = _fields(stores, rest, sheets, zone)
    fields |= {"name": name, "level": level, "xp": numbers["xp"], "streak": claimed.streak}
    fields |= {"best_streak": claimed.streak, "last_claim_us": claimed.claim_us}
    return ReferenceUser(
        user_id=user_id,
        name=name,
        gold=numbers["gold"],
        gems=numbers["gems"],
        level=level,
        xp=numbers["xp"],
        items=items,
        characters=len(sheets),
        streak=claimed.streak,
        claim_raw=claimed.claim_raw,
        claim_us=claimed.claim_us,
        stores=tuple(stores),
        fields=fields,
        unknown=unknown,
    )


def _tell_difference(user_id: str, name: str, values: Sequence[int], on_finding: FindingCallback) -> None:
    if len(set(values)) > 1:
        on_finding(
            ImportFinding("stores_differ", user_id, name, " / ".join(map(str, values)), str(max(values)))
        )


def _united_characters(stores: Sequence[StoredUser]) -> list[Character]:
    """The sheets of the store that has more of a character; of equals the larger numbers."""
    keys = dict.fromkeys(key for stored in stores for key in stored.characters)
    sheets: list[Character] = []
    for key in keys:
        lists = [stored.characters.get(key, []) for stored in stores]
        for place in zip_longest(*lists):
            united: Raw = {}
            for sheet in place:
                united = united if sheet is None else larger(united, sheet)
            sheets.append(united)  # type: ignore[arg-type] # Sheets are objects, and so is their union.
    return sheets


def _kept(user_id: str, rest: dict[str, Raw], on_finding: FindingCallback) -> dict[str, Raw]:
    """Every field that no field of a profile stands for; namesakes of such fields one level deeper."""
    own = PROFILE_FIELDS | {"unknown", _IMPORTED}
    namesakes = {name: value for name, value in rest.items() if name in own and name != "user_id"}
    kept: dict[str, Raw] = {name: value for name, value in rest.items() if name not in own}
    if namesakes:
        kept[_IMPORTED] = namesakes
    result: dict[str, Raw] = {}
    for name, value in kept.items():

        def changed(was: str, became: str, name: str = name) -> None:
            on_finding(ImportFinding("unstorable_value", user_id, name, was, became))

        stored = storable({name: value}, changed)
        result |= stored if isinstance(stored, dict) else {}
    return result


def _fields(
    stores: Sequence[StoredUser], rest: dict[str, Raw], sheets: list[Character], zone: tzinfo
) -> dict[str, FieldValue]:
    collection: dict[str, int] = {}
    for sheet in sheets:
        name = sheet.get("name")
        waifu_id = item_key(name) if isinstance(name, str) else "unnamed"
        collection[waifu_id] = collection.get(waifu_id, 0) + 1
    fields: dict[str, FieldValue] = {
        "collection": dict(sorted(collection.items())),
        "businesses": _businesses(stores, zone),
        "battles_won": _within(rest, "battle_stats", "battles_won"),
        "battles_lost": _within(rest, "battle_stats", "battles_lost"),
        "pulls": _within(rest, "summon_stats", "total_summons"),
    }
    if any("hp" in stored.present for stored in stores):
        fields["hp"] = max(stored.numbers["hp"] for stored in stores)
    return fields


def _within(rest: dict[str, Raw], outer: str, inner: str) -> int:
    values = rest.get(outer)
    return max(whole_number(values.get(inner, 0))[0], 0) if isinstance(values, dict) else 0


def _businesses(stores: Sequence[StoredUser], zone: tzinfo) -> dict[str, int]:
    """When each business was last collected, the later of all stores: income is not paid twice."""
    found: dict[str, int] = {}
    for stored in stores:
        investments = stored.rest.get("investments")
        for business_id, business in investments.items() if isinstance(investments, dict) else ():
            if business_id in _BUSINESSES and isinstance(business, dict):
                collected = moment_us(business.get("last_collected"), zone)
                bought = moment_us(business.get("purchased_at"), zone)
                found[business_id] = max(found.get(business_id, NEVER), collected, bought)
    return dict(sorted(found.items()))


def _tell_oddities(
    user_id: str, level: int, xp: int, rest: dict[str, Raw], on_finding: FindingCallback
) -> None:
    if rest.get("guild_id") is not None:
        on_finding(
            ImportFinding(
                "guild_exists_nowhere", user_id, "guild_id", shown(rest["guild_id"]), "kept as text"
            )
        )
    for name in sorted(rest.keys() - _KNOWN):
        on_finding(ImportFinding("unknown_field", user_id, storable_text(name), shown(rest[name]), "kept"))
    reached = _XP_PER_LEVEL * level * (level - 1) // 2
    if not reached <= xp < reached + _XP_PER_LEVEL * level:
        on_finding(ImportFinding("level_and_xp_disagree", user_id, "level", f"{level} / {xp}", "both kept"))
