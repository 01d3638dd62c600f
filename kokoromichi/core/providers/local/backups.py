"""Former states of files, by name and moment: the newest few, then one a day."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.clock import DAY_US, moment_of, us_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kokoromichi.core.clock import Clock

_STAMP: Final = "%Y%m%dT%H%M%S%fZ"
_NAME: Final = re.compile(r"([0-9A-Za-z_-]{1,64})\.(\d{8}T\d{12})Z\.json")


class Retention(NamedTuple):
    """Which backups stay.

    Attributes:
        newest: The newest so many of a file.
        days: Of each of so many days before today the day's last one.
    """

    newest: int = 5
    days: int = 30


class Backups:
    """The backups in one folder; every call blocks."""

    def __init__(self, folder: Path, clock: Clock, retention: Retention) -> None:
        self._folder = folder
        self._clock = clock
        self._retention = retention
        self._stamps: dict[str, list[int]] | None = None

    def _of(self, name: str) -> list[int]:
        """The moments of a file's backups, oldest first, in microseconds."""
        if self._stamps is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._stamps = {}
            for found in sorted(path.name for path in self._folder.iterdir()):
                if (parts := _NAME.fullmatch(found)) is not None:
                    self._stamps.setdefault(parts[1], []).append(_us_of_stamp(parts[2]))
        return self._stamps.setdefault(name, [])

    def path(self, name: str, at_us: int) -> Path:
        """Where the backup of a moment is."""
        return self._folder / f"{name}.{stamp_of(at_us)}.json"

    def newest(self, name: str) -> Path | None:
        """The newest backup of a file, or None."""
        stamps = self._of(name)
        return self.path(name, stamps[-1]) if stamps else None

    def all_of(self, name: str) -> list[Path]:
        """Every backup of a file, newest first."""
        return [self.path(name, at_us) for at_us in reversed(self._of(name))]

    def keep(self, name: str, content: bytes) -> None:
        """Keep a content, and let go of what is neither among the newest nor a day's last."""
        stamps = self._of(name)
        at_us = max(self._clock.now_us(), stamps[-1] + 1 if stamps else 0)
        self.path(name, at_us).write_bytes(content)
        stamps.append(at_us)
        for gone_us in superfluous(stamps, self._retention, at_us):
            self.path(name, gone_us).unlink(missing_ok=True)
            stamps.remove(gone_us)

    def set_aside(self, path: Path, why: str) -> Path:
        """Move a file that cannot be used here, named by moment and reason."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / f"{path.stem}.{stamp_of(self._clock.now_us())}.{why}"
        return path.replace(target)

    def forget(self, name: str) -> None:
        """Remove every backup of a file, and what was set aside of it."""
        for path in self._folder.glob(f"{name}.*"):
            path.unlink(missing_ok=True)
        self._of(name).clear()

    def forget_all(self) -> None:
        """Read anew what is there: the folder was edited externally."""
        self._stamps = None


def stamp_of(at_us: int) -> str:
    """A moment as it stands in a backup's name, UTC."""
    return moment_of(at_us).strftime(_STAMP)


def _us_of_stamp(stamp: str) -> int:
    return us_of(datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%S%f%z"))


def superfluous(stamps: Sequence[int], retention: Retention, now_us: int) -> list[int]:
    """Which of these moments, oldest first, need no backup any more."""
    older = stamps[: -retention.newest] if retention.newest else stamps
    last_of_day = {at_us // DAY_US: at_us for at_us in older}
    newest_days = {at_us // DAY_US for at_us in stamps[len(older) :]}
    oldest_us = now_us - retention.days * DAY_US
    return [
        at_us
        for at_us in older
        if at_us < oldest_us or last_of_day[at_us // DAY_US] != at_us or at_us // DAY_US in newest_days
    ]
