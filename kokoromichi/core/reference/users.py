"""One user of an existing installation, as one of its stores has it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from kokoromichi.core.models import MOST_INT, NEVER
from kokoromichi.core.reference.values import (
    ImportFinding,
    Raw,
    item_key,
    moment_us,
    shown,
    storable_text,
    whole_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

FindingCallback: TypeAlias = "Callable[[ImportFinding], None]"

NUMBERS: Final = ("gold", "gems", "level", "xp", "hp")
"""Numbers of which the larger of all stores counts."""

TAKEN: Final = frozenset({"name", "inventory", "claimed_waifus", *NUMBERS})
"""Fields that become fields of a profile; all others are kept as they are."""
_LEVEL_MOST: Final = 2**31 - 1

Character: TypeAlias = "dict[str, Raw]"


@dataclass(slots=True)
class StoredUser:
    """A user as one store has it.

    Attributes:
        store: The store's name.
        where: The file and the user within it, for the report.
        numbers: gold, gems, level, xp and hp; 0 where missing or unusable.
        items: Units by item id, auctions that are still open returned.
        characters: Character sheets by (name, moment), which is all that tells them apart.
        claim_us: The last daily claim in microseconds since the epoch, or NEVER; ``claim_raw`` as it stands.
        rest: Every other field.
        present: The names of all its fields.
    """

    store: str
    where: str
    name: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    items: Counter[str] = field(default_factory=Counter)
    characters: dict[tuple[str, str], list[Character]] = field(default_factory=lambda: defaultdict(list))
    claim_raw: Raw = None
    claim_us: int = NEVER
    streak: int = 0
    rest: dict[str, Raw] = field(default_factory=dict)
    present: frozenset[str] = frozenset()

    @property
    def character_count(self) -> int:
        """Characters, duplicates counted."""
        return sum(len(sheets) for sheets in self.characters.values())


def read_user(
    user: StoredUser, user_id: str, raw: Mapping[str, Raw], zone: tzinfo, on_finding: FindingCallback
) -> StoredUser:
    """Fill ``user`` with one user object, by the rules of each field; what is odd is told."""
    where = user.where
    for name in NUMBERS:
        user.numbers[name] = _number(raw, name, where, on_finding)
    if user.numbers["level"] > _LEVEL_MOST:
        on_finding(ImportFinding("too_large_number", where, "level", shown(raw["level"]), "0"))
        user.numbers["level"] = 0
    user.streak = _number(raw, "consecutive_daily_claims", where, on_finding)
    name_raw = raw.get("name")
    if isinstance(name_raw, str):
        user.name = storable_text(name_raw)
    elif name_raw is not None:
        on_finding(ImportFinding("unusable_name", where, "name", shown(name_raw), ""))
    user.claim_raw = raw.get("last_daily_claim")
    user.claim_us = moment_us(user.claim_raw, zone)
    if user.claim_raw is not None and user.claim_us == NEVER:
        on_finding(ImportFinding("unreadable_time", where, "last_daily_claim", shown(user.claim_raw), "none"))
    _read_items(user, raw, on_finding)
    _read_characters(user, raw.get("claimed_waifus"), on_finding)
    user.present = frozenset(raw)
    user.rest = {key: value for key, value in raw.items() if key not in TAKEN}
    if raw.get("user_id", user_id) != user_id:
        on_finding(
            ImportFinding("other_user_id_inside", where, "user_id", shown(raw["user_id"]), "the outer one")
        )
    return user


def _number(raw: Mapping[str, Raw], name: str, where: str, on_finding: FindingCallback) -> int:
    if name not in raw:
        return 0
    number, odd = whole_number(raw[name])
    if odd:
        on_finding(ImportFinding(odd, where, name, shown(raw[name]), str(number)))
    if number < 0:
        on_finding(ImportFinding("negative_number", where, name, shown(raw[name]), "0"))
    return max(number, 0)


def _read_items(user: StoredUser, raw: Mapping[str, Raw], on_finding: FindingCallback) -> None:
    inventory = raw.get("inventory")
    if isinstance(inventory, dict):
        for name, units in inventory.items():
            if name == "relics" and isinstance(units, dict):
                on_finding(
                    ImportFinding("nested_relics", user.where, "inventory.relics", shown(units), "flattened")
                )
                for relic, count in units.items():
                    _add_item(user, relic, count, on_finding)
            else:
                _add_item(user, name, units, on_finding)
    elif inventory is not None:
        on_finding(ImportFinding("unusable_inventory", user.where, "inventory", shown(inventory), "empty"))
    auctions = raw.get("active_auctions")
    entries = (
        auctions.values() if isinstance(auctions, dict) else auctions if isinstance(auctions, list) else ()
    )
    for entry in entries:
        if isinstance(entry, dict) and entry.get("status") == "active":
            if isinstance(item := entry.get("item_name"), str):
                on_finding(ImportFinding("auction_returned", user.where, "active_auctions", item, "1 unit"))
                _add_item(user, item, 1, on_finding, seen_twice=False)
            else:
                on_finding(
                    ImportFinding("unusable_auction", user.where, "active_auctions", shown(entry), "nothing")
                )


def _add_item(
    user: StoredUser, name: str, raw: Raw, on_finding: FindingCallback, *, seen_twice: bool = True
) -> None:
    units, odd = whole_number(raw)
    where, place = user.where, f"inventory.{storable_text(name)}"
    if odd:
        on_finding(ImportFinding(odd, where, place, shown(raw), str(max(units, 0))))
    if units <= 0:
        on_finding(ImportFinding("dropped_quantity", where, place, shown(raw), "dropped"))
        return
    key = item_key(name)
    if seen_twice and key in user.items:
        on_finding(ImportFinding("names_added_up", where, place, shown(raw), key))
    if user.items[key] + units > MOST_INT:
        on_finding(ImportFinding("too_large_number", where, place, shown(raw), str(MOST_INT)))
    user.items[key] = min(user.items[key] + units, MOST_INT)


def _read_characters(user: StoredUser, raw: Raw, on_finding: FindingCallback) -> None:
    if not isinstance(raw, list):
        if raw is not None:
            on_finding(ImportFinding("unusable_characters", user.where, "claimed_waifus", shown(raw), "none"))
        return
    for sheet in raw:
        if isinstance(sheet, dict):
            moment = sheet.get("summoned_at") or sheet.get("obtained_at")
            user.characters[shown(sheet.get("name")), shown(moment)].append(sheet)
        else:
            on_finding(
                ImportFinding("unusable_character", user.where, "claimed_waifus", shown(sheet), "none")
            )
