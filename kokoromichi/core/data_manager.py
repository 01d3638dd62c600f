"""The first KoKoroMichi's read calls: a read-only door to the local mirror, never a second truth.

While the database is away, what only reads may answer from the mirror that ``sync_remote_to_local`` keeps;
every answer carries its age. Nothing here writes, creates a player or decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from kokoromichi.core.clock import Clock, SystemClock
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import SECOND_US
from kokoromichi.core.provider_manager import get_provider

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document

T = TypeVar("T")

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Aged(Generic[T]):
    """An answer of the mirror.

    Attributes:
        value: What was asked for.
        as_of_us: Up to when the mirror is known to hold everything, in microseconds since the epoch.
        age_s: How long ago that was, in seconds.
    """

    value: T
    as_of_us: int
    age_s: int

    @property
    def told(self) -> str:
        """The mark that a reader sees, such as ``as of 4 minutes ago``."""
        for unit_s, unit in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
            count = self.age_s // unit_s
            if count:
                return f"as of {count:,} {unit}{'s' if count > 1 else ''} ago"
        return "as of less than a minute ago"


class DataManager:
    """Reads the mirror of a remote provider, whether or not its server can be reached.

    It manages nothing: the name is the first KoKoroMichi's, whose callers go on with it.
    The mirror is the very object that the provider writes to when it follows: one process holds the folder.

    Args:
        provider: Whose mirror; the process's own provider when left out.
        clock: What tells the age.
    """

    def __init__(self, provider: DataProvider | None = None, clock: Clock | None = None) -> None:
        self._provider = provider
        self._clock = clock or SystemClock()

    async def mirror(self) -> Aged[DataProvider]:
        """The mirror, open: every reading call of a provider answers, every writing one is refused.

        Raises:
            MisuseError: The provider has no local folder.
            StorageError: The folder cannot be opened, or is no mirror that was ever whole.
        """
        provider = self._provider or get_provider()
        mirror = provider.beside
        if mirror is None:
            message = f"the provider {provider.name!r} has no mirror: only a remote one has, at MIRROR_DIR"
            raise MisuseError(message)
        await mirror.open()
        if mirror.mirror_of is None or not mirror.mirrored_us:
            message = (
                f"there is no mirror of {provider.name} yet: set MIRROR_DIR to a folder of its own; it is "
                f"filled while {provider.name} can be reached"
            )
            raise StorageError(message)
        age_us = max(0, self._clock.now_us() - mirror.mirrored_us)
        return Aged(mirror, mirror.mirrored_us, age_us // SECOND_US)

    async def get_user_data(self, user_id: str | int) -> Aged[Document | None]:
        """A player as a document of the caller's own, or None: nobody is created by being looked at."""
        mirror = await self.mirror()
        return Aged(await mirror.value.get_user(user_id), mirror.as_of_us, mirror.age_s)

    async def get_game_data(self, section: str) -> Aged[Document | None]:
        """A section's document, or None."""
        mirror = await self.mirror()
        return Aged(await mirror.value.get_game_data(section), mirror.as_of_us, mirror.age_s)

    async def get_users_count(self) -> Aged[int]:
        """How many players there are."""
        mirror = await self.mirror()
        return Aged(len(await mirror.value.user_ids()), mirror.as_of_us, mirror.age_s)


data_manager: Final = DataManager()
"""Over the process's own provider, which it asks for with the first call."""
