"""Data folders of the local provider as tests have them: opened, looked at, and told what they refuse."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.contract.stored import NOON_US, change, money, user, with_counter, with_player

if TYPE_CHECKING:
    from pathlib import Path

    import apsw

DATABASE: Final = "kokoromichi.sqlite3"
SLOW_S: Final = 3_600.0


def over(folder: Path, debounce_s: float = SLOW_S, clock: ManualClock | None = None) -> LocalJSONProvider:
    """A provider whose copy is written when it is closed, or so often."""
    return LocalJSONProvider(folder, debounce_s, clock=clock or ManualClock(NOON_US))


def image(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, but for the index of the WAL, which SQLite keeps for whoever reads."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


async def fill(folder: Path) -> Path:
    """A closed folder: ada was written twice, bo once; a counter, a section and a request."""
    async with over(folder) as local:
        await with_counter(local, "plain.x", 5)
        await with_player(local, "ada", gold=100, x=2)
        await local.save_game_data("events", {"days": 3})
    async with over(folder) as local:
        spend = change(
            user("ada", 1, money(-30, 70, "fee"), fields={"level": 3}), request_id="r-1", digest="d"
        )
        await local.apply(spend)
        await with_player(local, "bo", gold=50)
    return folder


async def refusal(folder: Path) -> str:
    """What opening says, when it changes nothing."""
    before = image(folder)
    with pytest.raises(StorageError) as error:
        await over(folder).open()
    assert image(folder) == before
    return str(error.value)


def kill(local: LocalJSONProvider) -> None:
    """End a provider as kill -9 does: nothing is closed, and the folder is let go of."""
    store, background = local._life.store, local._life.background  # noqa: SLF001 - no door leads there
    assert store is not None
    assert background is not None
    background._running.cancel()  # noqa: SLF001 - likewise
    store.commits.queue.put(None)
    store.writer.join()
    store.reading.close()
    store.writer.base.close()  # It never checkpoints by itself.
    store.lock.release()


class Disk:
    """A connection whose commits wait until they are let through, or fail as they are told."""

    def __init__(self, base: apsw.Connection) -> None:
        self._base = base
        self.gate = threading.Event()
        self.gate.set()
        self.failure: type[Exception] | None = None

    @classmethod
    def under(cls, local: LocalJSONProvider) -> Disk:
        """Put one under an open provider."""
        store = local._life.store  # noqa: SLF001 - no door leads there
        assert store is not None
        disk = cls(store.writer.base)
        store.writer.base = disk  # type: ignore[assignment] # It is one, as far as it is used.
        return disk

    def execute(self, statement: str, *arguments: Any) -> Any:
        """Run a statement; COMMIT waits or fails, and is rolled back as SQLite does."""
        if statement == "COMMIT":
            assert self.gate.wait(30)
            if self.failure is not None:
                self._base.execute("ROLLBACK")
                raise self.failure("as the disk says")
        return self._base.execute(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)
