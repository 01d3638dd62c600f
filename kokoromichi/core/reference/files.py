"""The files of an existing installation: which are read, which stand in, which are reported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import ID_PATTERN
from kokoromichi.core.reference.values import ImportFinding, Raw, Unreadable, parse_json, shown, storable_text
from kokoromichi.core.validation import RESERVED_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kokoromichi.core.reference.users import FindingCallback

USER_ID: Final = re.compile("[0-9]{17,20}")
"""What a player's id may be, whole."""

_SECTIONS: Final = frozenset(
    {
        "contest_system",
        "guilds",
        "lore_achievements",
        "npc_names",
        "pets_companions",
        "random_events",
        "relics",
        "seasonal_events",
        "social_events",
    }
)
_BACKUP: Final = re.compile(r"(?P<file>.+\.json)\.(?P<second>[0-9]{1,18})\.bak\.json")
_READ: Final = "read"
_REPORT: Final = "ignore and report"
_STANDS_IN: Final = "read: stands in for the broken file"
_TRUNCATED: Final = "truncated"


class FileNote(NamedTuple):
    """What is done with a file, whose ``path`` is relative to its folder."""

    path: str
    status: str
    action: str


@dataclass(slots=True)
class Folder:
    """One data folder, read.

    Attributes:
        label: Put before each path of a second folder; empty for the first.
        users_json: Users of ``users.json`` by their text ids, or None where there is no such file.
        user_files: Readable users of ``users/`` by id, each with the path that was read.
        sections: Game data by section.
        pending: What ``pending_transactions.json`` holds, or None.
        ledgers: The ledger files.
        notes: What is done with each file, by path.
        refused: Why, by the file and, in ``users.json``, the user.
    """

    root: Path
    label: str
    on_finding: FindingCallback
    users_json: dict[str, Raw] | None = None
    user_files: dict[str, tuple[str, dict[str, Raw]]] = field(default_factory=dict)
    sections: dict[str, Raw] = field(default_factory=dict)
    pending: Raw = None
    ledgers: list[Path] = field(default_factory=list)
    notes: dict[str, FileNote] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def note(self, path: Path, status: str, action: str) -> None:
        """Write down what is done with a file."""
        name = self.name(path)
        self.notes[name] = FileNote(name, status, action)

    def name(self, path: Path) -> str:
        """A file's path in the report."""
        return storable_text(self.label + path.relative_to(self.root).as_posix())


OUR_DATABASE: Final = "kokoromichi.sqlite3"
"""The local provider's database."""

OUR_SEAL: Final = "kokoromichi_seal"
"""What stands in every file of the local provider's readable copy."""

_OUR_MARK: Final = f'"{OUR_SEAL}"'.encode()
_OUR_ROW: Final = b'{"entry_id":"'


def is_own(folder: Path) -> bool:
    """Whether the local provider has written a folder; somebody else's ``journal`` folder shows nothing."""
    return (folder / OUR_DATABASE).exists() or is_former(folder) or has_our_copy(folder)


def is_former(folder: Path) -> bool:
    """Whether a folder holds the journal of a version before the database."""
    journal = folder / "journal"
    return (journal / "checkpoint.json").exists() or any(journal.glob("*.journal"))


def has_our_copy(folder: Path) -> bool:
    """Whether the local provider has written files of players, sections, counters or books in a folder."""
    sealed = chain(*((folder / inner).glob("*.json") for inner in ("users", "sections")))
    if any(_OUR_MARK in path.read_bytes() for path in (*sealed, folder / "counters.json") if path.is_file()):
        return True
    return any(_starts_with(path, _OUR_ROW) for path in (folder / "ledgers").glob("*.log") if path.is_file())


def _starts_with(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def is_installation(folder: Path) -> bool:
    """Whether a folder holds the data of an existing installation, which ``kokoromichi migrate`` reads.

    A folder with a journal is this package's own, whatever else lies in it; a lock alone makes none.
    """
    if is_own(folder):
        return False
    named = ("users.json", "users.json.backup", "pending_transactions.json", "server_config.json")
    return any((folder / name).is_file() for name in named) or any((folder / "users").glob("*.json"))


def read_folder(root: Path, label: str, on_finding: FindingCallback) -> Folder:
    """Read a data folder; nothing is written, not even a lock.

    Raises:
        StorageError: ``users.json`` and its backup are both unreadable, or a file cannot be opened.
    """
    folder = Folder(root, label, on_finding)
    try:
        files = sorted(_walk(folder, root, frozenset()))
        _read_users_json(folder)
        for path in files:
            if folder.name(path) not in folder.notes:
                _read_file(folder, path)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}; nothing was changed: let this account read the folder"
        raise StorageError(message) from error
    return folder


def _walk(folder: Folder, inner: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Every file, those behind links among them; a link to nothing or in a circle is written down."""
    above |= {inner.resolve()}
    for path in inner.iterdir():
        if path.is_file():
            yield path
        elif path.is_dir() and path.resolve() not in above:
            yield from _walk(folder, path, above)
        else:
            folder.note(path, "no file", _REPORT)
            folder.on_finding(ImportFinding("no_file", folder.name(path), "", "", "ignored"))


def _read_users_json(folder: Folder) -> None:
    path, backup = folder.root / "users.json", folder.root / "users.json.backup"
    if not (path.exists() or path.is_symlink() or backup.is_file()):
        return
    live = _object(folder, path) if path.is_file() else None
    if live is not None:
        folder.users_json = live
        folder.note(path, "ok", _READ)
        if backup.is_file():
            status = _TRUNCATED if _object(folder, backup) is None else "ok"
            folder.note(backup, status, "ignore: one write older than users.json")
        return
    spare = _object(folder, backup) if backup.is_file() else None
    if spare is None:
        backed = "and so is its backup" if backup.is_file() else "and there is no backup beside it"
        message = (
            f"{path} is cut or damaged, {backed}: nothing was changed. "
            "Put a whole copy of users.json in its place and migrate again"
        )
        raise StorageError(message)
    folder.users_json = spare
    folder.note(backup, "ok", _STANDS_IN)
    if path.is_file():
        folder.note(path, _TRUNCATED, "users.json.backup, one write older")
    folder.on_finding(ImportFinding("users_json_from_backup", folder.name(path), "", "", folder.name(backup)))


def _read_file(folder: Folder, path: Path) -> None:
    parent, name = path.relative_to(folder.root).parent.as_posix(), path.name
    if path.suffix == ".tmp":
        folder.note(path, "ok" if _parsed(folder, path) else _TRUNCATED, _REPORT)
    elif parent == "users" and path.suffix == ".json":
        _read_user_file(folder, path)
    elif parent == "backups" and _BACKUP.fullmatch(name):
        _note_backup(folder, path)
    elif parent == "ledgers" and path.suffix == ".log":
        folder.ledgers.append(path)  # Noted when its lines are read.
    elif name == "pending_transactions.json" and parent == ".":
        if (parsed := _parsed(folder, path)) is not None:
            folder.pending = parsed[0]
        action = "record, apply nothing; same tx_id twice is one"
        folder.note(path, "ok" if parsed else _TRUNCATED, action if parsed else _REPORT)
    elif (section := _section_of(parent, path)) is not None:
        _read_section(folder, path, *section)
    else:
        folder.note(path, "unknown", _REPORT)


def _section_of(parent: str, path: Path) -> tuple[str, str] | None:
    """The section that a file is, and what is done with it."""
    stem = path.stem
    if path.suffix != ".json":
        return None
    if parent == "." and stem in ("store_catalog", "server_config"):
        return stem, _READ
    if parent == "." and stem == "game_data":
        return stem, "keep as it is"
    if parent == "." and stem in _SECTIONS:
        return stem, "keep; not player data"
    if parent == "relics" and ID_PATTERN.fullmatch(f"relics_{stem}"):
        return f"relics_{stem}", "keep; not player data"
    return None


def _read_section(folder: Folder, path: Path, section: str, action: str) -> None:
    parsed = _parsed(folder, path)
    if parsed is None:
        folder.note(path, _TRUNCATED, "newest readable backup, else none")
        parsed = next(((value,) for value in _stand_ins(folder, path)), None)
    else:
        folder.note(path, "ok", action)
    if parsed is not None:
        name = f"imported_{section}" if section in RESERVED_SECTIONS else section
        folder.sections[name] = parsed[0] if isinstance(parsed[0], dict) else {"content": parsed[0]}


def _read_user_file(folder: Folder, path: Path) -> None:
    name = folder.name(path)
    if not USER_ID.fullmatch(path.stem):
        well_formed = ID_PATTERN.fullmatch(path.stem) is not None
        folder.refused[name] = "bad_user_id" if well_formed else "bad_file_name"
        folder.note(path, "bad_name", "refuse and report")
        return
    parsed = _parsed(folder, path)
    if parsed is not None and isinstance(parsed[0], dict):
        folder.user_files[path.stem] = name, parsed[0]
        folder.note(path, "ok", _READ)
        return
    if parsed is not None:
        folder.refused[name] = "not_an_object"
    folder.note(
        path, _TRUNCATED if parsed is None else "not an object", "newest readable backup, else other store"
    )
    for value in _stand_ins(folder, path):
        if isinstance(value, dict):
            folder.user_files[path.stem] = name, value
            return
    folder.on_finding(
        ImportFinding("user_file_unreadable", name, "", "", "the other store, if it has the user")
    )


def _stand_ins(folder: Folder, path: Path) -> Iterator[Raw]:
    """What the readable backups of a broken file hold, newest first; the one that was asked for is noted."""
    found = [
        (int(match["second"]), backup)
        for backup in (folder.root / "backups").glob("*.bak.json")
        if (match := _BACKUP.fullmatch(backup.name)) and match["file"] == path.name and backup.is_file()
    ]
    for _second, backup in sorted(found, reverse=True):
        parsed = _parsed(folder, backup)
        if parsed is None:
            folder.note(backup, _TRUNCATED, _REPORT)
            continue
        folder.note(backup, "ok", _STANDS_IN)
        folder.on_finding(
            ImportFinding("restored_from_backup", folder.name(path), "", "", folder.name(backup))
        )
        yield parsed[0]


def _note_backup(folder: Folder, path: Path) -> None:
    match = _BACKUP.fullmatch(path.name)
    live = match["file"] if match else ""
    status = "ok" if _parsed(folder, path) else _TRUNCATED
    places = (folder.root / "users" / live, folder.root / live)
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        folder.note(path, status, "ignore: there is no live file")
    elif _parsed(folder, file) is not None:
        folder.note(path, status, "ignore: live file is readable")
    else:
        folder.note(path, status, "ignore: a newer backup is readable" if status == "ok" else _REPORT)


def _object(folder: Folder, path: Path) -> dict[str, Raw] | None:
    parsed = _parsed(folder, path)
    return parsed[0] if parsed is not None and isinstance(parsed[0], dict) else None


def _parsed(folder: Folder, path: Path) -> tuple[Raw] | None:
    """The JSON of a file in a tuple, or None where it is unreadable; oddities are told once per file."""
    try:
        value, odd = parse_json(path.read_bytes())
    except Unreadable as broken:
        folder.on_finding(ImportFinding("unreadable_file", folder.name(path), "", shown(str(broken)), ""))
        return None
    for code in odd:
        folder.on_finding(ImportFinding(code, folder.name(path), "", "", "accepted"))
    return (value,)
