"""From what lies on the disk to what was acknowledged: exactly that, or a refusal that says what to do."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.errors import StorageError
from kokoromichi.core.models import ID_PATTERN, UserProfile
from kokoromichi.core.providers.local.files import put
from kokoromichi.core.providers.local.folder import CHECKPOINT, journal_folder
from kokoromichi.core.providers.local.frames import (
    DamagedError,
    Frame,
    Request,
    line_of,
    payload_of,
    read_frames,
)
from kokoromichi.core.providers.local.snapshots import Key, Sealed, Snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.providers.local.files import Files
    from kokoromichi.core.providers.local.journal import Journal

_LOG: Final = logging.getLogger(__name__)

ADOPT: Final = "run `kokoromichi audit --adopt` to book the difference"


class Checkpoint(msgspec.Struct):
    """What everything stood at when all of it was on the disk.

    Attributes:
        sequence: The newest frame that is in it.
        last_us: Time of the newest entry id; ``rows`` is the number of rows.
        books: Bytes of each book's file that it vouches for.
        requests_file: The file of requests, and the bytes of it that it vouches for.
        users: The newest frame of each player; ``sections`` likewise.
        store: What tells the transactions of this folder from those of any other.
        mirror: The store that this one mirrors, or nothing; ``mirrored_us`` when it was last followed whole.
    """

    sequence: int = 0
    last_us: int = 0
    rows: int = 0
    books: dict[str, int] = {}
    requests_file: str = "requests.log"
    requests_bytes: int = 0
    counters: dict[str, int] = {}
    users: dict[str, int] = {}
    sections: dict[str, int] = {}
    store: str = ""
    mirror: str = ""
    mirrored_us: int = 0


_CHECKPOINTS: Final = msgspec.json.Decoder(Checkpoint)


class Found(msgspec.Struct):
    """What opening found.

    Attributes:
        users: The newest frame of each known player's file, and of ``sections`` likewise.
        gold: The balance in each known player's file.
        repaired: Files that are to be written anew, with the backup that stands in; None is the journal.
        foreign: Files that another hand changed or made, and what is the matter.
    """

    checkpoint: Checkpoint
    frames: list[Frame]
    requests: dict[str, Request]
    users: dict[str, int]
    gold: dict[str, int]
    sections: dict[str, Sealed]
    repaired: dict[Key, Sealed | None]
    foreign: dict[Key, str]
    torn_bytes: int


def write_checkpoint(files: Files, folder: Path, checkpoint: Checkpoint, number: int) -> None:
    """Make a checkpoint the one that counts; blocks."""
    put(files, journal_folder(folder) / CHECKPOINT, line_of(checkpoint), number)
    files.sync_folder(journal_folder(folder))


def read_checkpoint(files: Files, folder: Path) -> Checkpoint | None:
    """The checkpoint that counts, or None in a fresh folder; blocks.

    Raises:
        StorageError: It is damaged or gone.
    """
    path = journal_folder(folder) / CHECKPOINT
    if files.signature(path) is None:
        if any(name.endswith(".journal") for name in files.names(journal_folder(folder))):
            message = f"{path} is missing beside its journal: put back the whole folder from your own copy"
            raise StorageError(message)
        return None
    payload = payload_of(files.read(path).removesuffix(b"\n"))
    if payload is None:
        message = (
            f"{path} is damaged: put back the whole folder {folder} from your own copy; nothing was changed"
        )
        raise StorageError(message)
    return _CHECKPOINTS.decode(payload)


def recover(files: Files, folder: Path, journal: Journal, snapshots: Snapshots) -> Found:
    """Read everything, and cut what nobody vouches for; blocks.

    Raises:
        StorageError: Something that was acknowledged cannot be read.
        OSError: The disk says no.
    """
    sweep(files, folder)
    checkpoint = read_checkpoint(files, folder)
    if checkpoint is None:
        checkpoint = Checkpoint(store=secrets.token_hex(4))
        for above in (folder.absolute().parent, folder, folder / "backups"):
            files.sync_folder(above)
        write_checkpoint(files, folder, checkpoint, 0)
    segments = journal.segments()
    try:
        content = b"".join(map(files.read, segments))
        frames, torn_bytes = read_frames(content, checkpoint.sequence)
    except DamagedError as damaged:
        message = (
            f"the journal in {journal_folder(folder)} is damaged: {damaged}. Nothing was changed: put back "
            "the whole folder from your own copy"
        )
        raise StorageError(message) from damaged
    if torn_bytes:
        _LOG.warning(
            "%s: cut %d bytes that a dying process left unfinished, and nobody was promised",
            segments[-1],
            torn_bytes,
        )
    last = checkpoint.sequence + len(frames)
    found = Found(checkpoint, frames, {}, {}, {}, {}, {}, {}, torn_bytes)
    _read_users(snapshots, files, folder, found, last)
    _read_sections(snapshots, found, last)
    _cut_ledgers(files, folder, checkpoint)
    found.requests = _read_requests(files, folder, checkpoint)
    return found


def sweep(files: Files, folder: Path) -> None:
    """Remove what interrupted writes left beside its target; blocks."""
    inners = (folder / inner for inner in ("users", "ledgers", "observations"))
    for inner in (folder, *inners, journal_folder(folder)):
        for name in files.names(inner):
            if name.startswith(".") and name.endswith(".tmp"):
                files.remove(inner / name)


def _read_users(snapshots: Snapshots, files: Files, folder: Path, found: Found, last: int) -> None:
    in_journal = {user.user_id for frame in found.frames for user in frame.users}
    on_disk = {name.removesuffix(".json") for name in files.names(folder / "users") if name.endswith(".json")}
    strange = sorted(name for name in on_disk if not ID_PATTERN.fullmatch(name))
    if strange:
        _LOG.warning("%s: no player's file, left alone: %s", folder / "users", ", ".join(strange))
    for user_id in sorted((on_disk - set(strange)) | found.checkpoint.users.keys() | in_journal):
        key = Key("user", user_id)
        vouched = found.checkpoint.users.get(user_id, 0)
        sealed = _usable(snapshots, key, found, vouched, last, known=bool(vouched) or user_id in in_journal)
        if sealed is not None and sealed.sound and key not in found.foreign:
            try:
                found.gold[user_id] = profile_of(sealed).gold
            except ValueError:
                found.foreign[key] = "holds no valid player"
        if key not in found.foreign:
            found.users[user_id] = 0 if sealed is None else sealed.sequence


def _read_sections(snapshots: Snapshots, found: Found, last: int) -> None:
    in_journal = {name for frame in found.frames for name in frame.sections}
    for name in sorted(found.checkpoint.sections.keys() | in_journal):
        key = Key("section", name)
        vouched = found.checkpoint.sections.get(name, 0)
        sealed = _usable(snapshots, key, found, vouched, last, known=True)
        if sealed is not None and key not in found.foreign:
            found.sections[name] = sealed


def _usable(
    snapshots: Snapshots, key: Key, found: Found, vouched: int, last: int, *, known: bool
) -> Sealed | None:
    """A file's content where it may be built upon, noting in ``found`` what is the matter with it.

    ``vouched`` is the frame that it holds at least, 0 where it need not be there; ``last`` the newest frame
    of the journal, which it cannot be ahead of; ``known`` whether journal or checkpoint know of it.
    """
    sealed = snapshots.read(key)
    if sealed is not None and sealed.sound and sealed.sequence > last:
        message = (
            f"{snapshots.path(key)} knows of change {sealed.sequence}, but the journal ends at {last}: it "
            "has lost what was acknowledged. Nothing was changed: put back the whole folder from your copy"
        )
        raise StorageError(message)
    if not known:
        found.foreign[key] = "was put there by another hand"
    elif sealed is None:
        if vouched or snapshots.exists(key):
            sealed = _from_backup(snapshots, key, found, vouched, last)
    elif not sealed.sound or sealed.sequence < vouched:
        found.foreign[key] = "was edited externally"
    return sealed


def _from_backup(snapshots: Snapshots, key: Key, found: Found, vouched: int, last: int) -> Sealed | None:
    backup = snapshots.newest_backup(key)
    path = snapshots.path(key)
    if backup is None or not vouched <= backup.sequence <= last:
        if not vouched:  # All of it is in the journal.
            found.repaired[key] = None
            return None
        message = (
            f"{path} cannot be read, and no backup in {snapshots.backup_folder(key.kind)} holds its last "
            "state. Nothing was changed: put the file back from your own copy, or put the best backup in its "
            f"place and {ADOPT}"
        )
        raise StorageError(message)
    _LOG.warning("%s cannot be read: its backup of change %d stands in", path, backup.sequence)
    found.repaired[key] = backup
    return backup


def profile_of(sealed: Sealed) -> UserProfile:
    """The player in a file.

    Raises:
        ValueError: It holds none.
    """
    profile = UserProfile.of_document(msgspec.json.decode(sealed.document))
    if profile.user_id != sealed.name:
        message = f"it is of player {profile.user_id}"
        raise ValueError(message)
    return profile


def _cut_ledgers(files: Files, folder: Path, checkpoint: Checkpoint) -> None:
    """Cut each book back to what the checkpoint vouches for: the journal brings the rest again."""
    names = {name.removesuffix(".log") for name in files.names(folder / "ledgers") if name.endswith(".log")}
    for book in sorted(names | checkpoint.books.keys()):
        _cut(files, folder / "ledgers" / f"{book}.log", checkpoint.books.get(book, 0))


def _cut(files: Files, path: Path, size: int) -> None:
    signature = files.signature(path)
    there = 0 if signature is None else signature[1]
    if there < size:
        message = (
            f"{path} is shorter than the {size} bytes that were on the disk: put back the whole folder from "
            "your own copy; nothing was changed"
        )
        raise StorageError(message)
    if there > size:
        handle = files.append(path)
        try:
            files.truncate(handle, size)
            files.sync(handle)
        finally:
            files.close(handle)


def _read_requests(files: Files, folder: Path, checkpoint: Checkpoint) -> dict[str, Request]:
    path = journal_folder(folder) / checkpoint.requests_file
    _cut(files, path, checkpoint.requests_bytes)
    if not checkpoint.requests_bytes:
        return {}
    found = {}
    decode = msgspec.json.Decoder(Request).decode
    for number, line in enumerate(files.read(path).split(b"\n")[:-1], 1):
        payload = payload_of(line)
        if payload is None:
            message = f"{path} is damaged at line {number}: put back the whole folder from your own copy"
            raise StorageError(message)
        request = decode(payload)
        found[request.request_id] = request
    return found
