"""A whole database as one sound file, while others play."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import apsw

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.providers.local.errors import storage_error
from kokoromichi.core.providers.local.schema import readable, scalar

if TYPE_CHECKING:
    from pathlib import Path

_PAGES_A_STEP: Final = 4_096


def back_up_file(path: Path, target: Path) -> None:
    """Write what a database holds at this moment to a new file; see ``back_up``.

    Raises:
        StorageError: The disk says no, or what was written is not sound.
    """
    try:
        with closing(readable(path)) as base:
            base.execute("BEGIN; SELECT 1 FROM meta").fetchall()  # Else each commit would start it anew.
            back_up(base, target)
    except (OSError, apsw.Error) as failure:
        raise storage_error(target, failure) from failure


def back_up(base: apsw.Connection, target: Path) -> None:
    """Write what a connection sees to a new file, and verify it; blocks.

    Raises:
        MisuseError: There is a file already.
        StorageError: What was written is not sound.
    """
    if target.exists():
        message = f"{target} is there already, and no backup is overwritten: name a new file"
        raise MisuseError(message)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(0o600)  # It names every player.
    with closing(apsw.Connection(str(unfinished))) as copy:
        with copy.backup("main", base, "main") as running:
            while not running.done:
                running.step(_PAGES_A_STEP)
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # One file, with nothing beside it.
        copy.execute(
            "DELETE FROM meta WHERE name IN ('in_use', 'life', 'life_before') OR name LIKE 'copied.%'"
        )
        found = scalar(copy, "PRAGMA integrity_check(1)")
    if found != "ok":
        unfinished.unlink()
        message = f"the backup {target} is not sound: {found}. Nothing was kept: check the disk"
        raise StorageError(message)
    unfinished.replace(target)
