"""The data of an existing installation as a source: users with the chosen values, and a report of everything.

The source is never written. Its history explains no balance, so that the target books one ``import`` row per
user, currency and item; ``copying.import_installation`` does that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ID_PATTERN
from kokoromichi.core.reference.books import (
    PURCHASES,
    OldLedger,
    Pending,
    costs_by_user,
    read_ledger_file,
    read_pending,
    user_of,
)
from kokoromichi.core.reference.files import USER_ID, FileNote, Folder, is_installation, is_own, read_folder
from kokoromichi.core.reference.union import ReferenceUser, unite
from kokoromichi.core.reference.users import StoredUser, read_user
from kokoromichi.core.reference.values import ImportFinding, Raw, shown, storable

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

__all__ = ["ImportFinding", "Installation", "is_installation", "is_own", "read_installation"]

_LINES_A_SECTION: Final = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Installation:
    """What a data folder, or two, says.

    Attributes:
        label: Where it came from, for the reason of the import rows.
        users: By id, ascending.
        sections: Game data to keep, old ledgers and pending purchases among them.
        refused: What is not taken, and why.
        files: What was done with each file, ascending.
        findings: Everything that was not taken as it stands.
    """

    label: str
    users: dict[str, ReferenceUser]
    sections: dict[str, dict[str, Raw]]
    refused: dict[str, str]
    ledgers: dict[str, OldLedger]
    pending: Pending
    files: tuple[FileNote, ...]
    findings: tuple[ImportFinding, ...]

    def report(self) -> dict[str, Raw]:
        """Totals, users, refusals, ledgers, pending purchases, files and findings as one JSON document."""
        lines, costs = costs_by_user(self.ledgers.get(PURCHASES))
        users = self.users.values()
        totals: dict[str, Raw] = {
            "users": len(users),
            "gold": sum(user.gold for user in users),
            "gems": sum(user.gems for user in users),
            "item_units": sum(sum(user.items.values()) for user in users),
            "characters": sum(user.characters for user in users),
            "refused": len(self.refused),
            "gold_differs": sum(user.gold_differs for user in users),
        }
        return {
            "source": self.label,
            "totals": totals,
            "refused": {**self.refused},
            "ledger": {book: ledger.document(self.users) for book, ledger in self.ledgers.items()},
            "pending": self.pending.document(),
            "files": [{**note._asdict()} for note in self.files],
            "users": {
                user_id: user.document(lines[user_id], costs[user_id]) for user_id, user in self.users.items()
            },
            "findings": [{**finding._asdict()} for finding in self.findings],
        }


def read_installation(folder: Path, second: Path | None = None, time_zone: str = "UTC") -> Installation:
    """Read the data folder of an existing installation, and a second one where its stores lie apart.

    Args:
        folder: The data folder; it is only read.
        second: The other store's folder.
        time_zone: Where its naive times were written, as in ``Europe/Berlin``.

    Raises:
        MisuseError: There is no such zone or folder, or one holds no installation's data but our own.
        StorageError: ``users.json`` and its backup are both unreadable, or a file cannot be opened.
    """
    named = [folder] if second is None else [folder, second]
    for place in named:
        if not place.is_dir():
            raise MisuseError(f"{place} is no folder: name the data folder of the installation")
        if second is not None and is_own(place):
            message = f"{place} is a folder of KoKoroMichi's own: migrate it by itself, without a second one"
            raise MisuseError(message)
    if not any(
        (place / name).exists() for place in named for name in ("users.json", "users.json.backup", "users")
    ):
        inner = folder / "data"
        hint = f"; {inner} does" if is_installation(inner) else ""
        message = f"{folder} holds no users.json and no users/: it is no installation's data folder{hint}"
        raise MisuseError(message)
    findings: dict[ImportFinding, None] = {}  # A file may be looked at twice; what is odd in it is told once.
    zone = _zone(time_zone)
    try:
        folders = [read_folder(folder, "", findings.setdefault)]
        if second is not None and second.resolve() != folder.resolve():
            folders.append(read_folder(second, "second/", findings.setdefault))
        return _Reading(folders, zone, findings).installation()
    except RecursionError:
        message = f"a file in {folder} is nested too deeply to be copied: nothing was changed. Take it out"
        raise StorageError(message) from None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"there is no time zone {name!r}; names are like UTC or Europe/Berlin"
        raise MisuseError(message) from None


class _Reading:
    """The folders on their way to one installation."""

    def __init__(self, folders: list[Folder], zone: tzinfo, findings: dict[ImportFinding, None]) -> None:
        self._folders = folders
        self._zone = zone
        self._findings = findings
        self._refused = {name: why for folder in folders for name, why in folder.refused.items()}

    def _tell(self, finding: ImportFinding) -> None:
        self._findings.setdefault(finding)

    def installation(self) -> Installation:
        """Unite the stores, then read what lies beside them."""
        users = {}
        for user_id, stores in sorted(self._stores().items()):
            try:
                users[user_id] = unite(user_id, stores, self._zone, self._tell)
            except RecursionError:  # noqa: PERF203 - it names the user
                self._refused |= dict.fromkeys((stored.where for stored in stores), "nested_too_deeply")
        for folder in self._folders:
            self._refuse_lost(folder, users)
        ledgers = self._ledgers()
        raw = [folder.pending for folder in self._folders if isinstance(folder.pending, list)]
        pending = read_pending([entry for entries in raw for entry in entries] if raw else None, self._tell)
        notes = [note for folder in self._folders for note in folder.notes.values()]
        return Installation(
            label="+".join(folder.root.resolve().name or "data" for folder in self._folders),
            users=users,
            sections=self._sections(ledgers, pending, users),
            refused=dict(sorted(self._refused.items())),
            ledgers=ledgers,
            pending=pending,
            files=tuple(sorted(notes)),
            findings=tuple(self._findings),
        )

    def _stores(self) -> dict[str, list[StoredUser]]:
        """Users by id, as each store has them: the stores of ``users.json`` first."""
        found: defaultdict[str, list[StoredUser]] = defaultdict(list)
        for folder in self._folders:
            for user_id, raw in (folder.users_json or {}).items():
                where = f"{folder.label}users.json:{shown(user_id)}"
                if not USER_ID.fullmatch(user_id):
                    self._refused[where] = "bad_user_id"
                elif not isinstance(raw, dict):
                    self._refused[where] = "not_an_object"
                else:
                    stored = StoredUser(_unused("legacy", found[user_id]), where)
                    found[user_id].append(read_user(stored, user_id, raw, self._zone, self._tell))
        for folder in self._folders:
            for user_id, (where, values) in sorted(folder.user_files.items()):
                stored = StoredUser(_unused("provider", found[user_id]), where)
                found[user_id].append(read_user(stored, user_id, values, self._zone, self._tell))
        return found

    def _refuse_lost(self, folder: Folder, users: dict[str, ReferenceUser]) -> None:
        """Name the users whose only file is broken: they are not taken, and not passed over in silence."""
        for note in folder.notes.values():
            name = note.path.removeprefix(folder.label)
            if name.startswith("users/") and note.status == "truncated" and name.endswith(".json"):
                user_id = name.removeprefix("users/").removesuffix(".json")
                if user_id not in users:
                    self._refused[note.path] = "unreadable"

    def _ledgers(self) -> dict[str, OldLedger]:
        found: dict[str, OldLedger] = {}
        for folder in self._folders:
            for path in folder.ledgers:
                ledger = read_ledger_file(path, folder.name(path), self._tell)
                action = "read" if ledger.status == "ok" else "read whole lines, report the rest"
                folder.note(path, ledger.status, action)
                book = shown(path.stem)
                found[book if book not in found else shown(folder.label + book)] = ledger
        return found

    def _sections(
        self, ledgers: dict[str, OldLedger], pending: Pending, users: dict[str, ReferenceUser]
    ) -> dict[str, dict[str, Raw]]:
        sections: dict[str, Raw] = {}
        for folder in self._folders[::-1]:  # The first folder's sections win.
            sections |= folder.sections
        if pending.distinct:
            sections["imported_pending_transactions"] = {"entries": list(pending.distinct)}
        for number, (book, ledger) in enumerate(ledgers.items()):
            named = f"imported_ledger_{book}"
            name = named if ID_PATTERN.fullmatch(f"{named}_0000") else f"imported_ledger_no{number}"
            for first in range(0, len(ledger.good), _LINES_A_SECTION):
                part = ledger.good[first : first + _LINES_A_SECTION]
                own = [line for line in part if user_of(line) in users]
                apart = [line for line in part if user_of(line) not in users]
                for line in apart:
                    self._tell(ImportFinding("line_of_unknown_user", book, "", shown(line), "kept apart"))
                sections[f"{name}_{first // _LINES_A_SECTION:04d}"] = {
                    "book": book,
                    "lines": [*own],
                    "lines_of_unknown_users": [*apart],
                }
        return {name: self._storable(name, section) for name, section in sorted(sections.items())}

    def _storable(self, name: str, section: Raw) -> dict[str, Raw]:
        def changed(was: str, became: str) -> None:
            self._tell(ImportFinding("unstorable_value", name, "", was, became))

        kept = storable(section, changed)
        return kept if isinstance(kept, dict) else {"content": kept}


def _unused(store: str, stores: list[StoredUser]) -> str:
    """The store's name; of a second one of its sort, where both folders have the user."""
    return store if all(stored.store != store for stored in stores) else f"second {store}"
