"""What can be read of a store: of a provider as it stands, of a snapshot as it stood at one moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from contextlib import nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeAlias

import polars as pl

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import MOST_INT, DailyTotal
from kokoromichi.core.schemas import LEDGER_SCHEMA, OBSERVED_SCHEMAS
from kokoromichi.core.validation import checked_id, digits_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from kokoromichi.core.bulk_load import StoredResponse
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import LedgerEntry, UserProfile

_MOST_ROWS: Final = 1_000
_KEYS: Final = ("day", "kind", "currency")
_Key: TypeAlias = "tuple[int, str, str | None]"
_NOTHING: Final = (0, 0, 0)
_ISO: Final = "%Y-%m-%dT%H:%M:%S%.fZ"
_AMOUNT: Final = pl.col("amount").fill_null(0).cast(pl.Int128)


class Wanted(NamedTuple):
    """Which rows of the ledger a page has; None is any."""

    book: str | None
    user_id: str | None
    kind: str | None
    before: str | None


class Reader(ABC):
    """Reads a store.

    Each call of a provider answers what stands when it is asked, so that two calls may be of two moments.
    All calls of what ``DataProvider.snapshot`` gives are of one.

    Attributes:
        name: The provider's key in ``PROVIDERS``.
    """

    name: ClassVar[str]

    def snapshot(self) -> AbstractAsyncContextManager[Reader]:
        """All of one moment: what is read of one already is that itself."""
        return nullcontext(self)

    @abstractmethod
    async def profile(self, user_id: str) -> UserProfile | None:
        """The committed state of a player, or None if there is no such player."""

    @abstractmethod
    async def user_ids(self) -> list[str]:
        """Every player's id, ascending."""

    async def profiles(self) -> AsyncIterator[UserProfile]:
        """The committed state of every player, by id."""
        for user_id in await self.user_ids():
            profile = await self.profile(user_id)
            if profile is not None:
                yield profile

    async def versions(self) -> dict[str, int]:
        """Every player's version by id, ascending: what tells who has changed."""
        return {profile.user_id: profile.version async for profile in self.profiles()}

    @abstractmethod
    async def balances(self) -> list[tuple[str, int]]:
        """Every player's id and gold in one read: the richest first, ties by id."""

    @abstractmethod
    async def counters(self) -> dict[str, int]:
        """Every counter by name, ascending."""

    async def read_ledger(
        self,
        *,
        book: str | None = None,
        user_id: str | int | None = None,
        kind: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[LedgerEntry]:
        """A page of ledger rows, newest first.

        Args:
            book: Only this book.
            user_id: Only this player's rows.
            kind: Only this kind.
            before: Only rows older than this ``entry_id``: the last one of the page before.
            limit: Rows of a page, 1 to 1,000.

        Raises:
            MisuseError: The player's id is malformed, or ``before`` is no entry id.
        """
        owner = None if user_id is None else checked_id(digits_of(user_id), "user id")
        return await self._page(Wanted(book, owner, kind, before), max(1, min(limit, _MOST_ROWS)))

    @abstractmethod
    async def _page(self, wanted: Wanted, rows: int) -> list[LedgerEntry]:
        """The newest of the wanted rows, so many at most."""

    @abstractmethod
    def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        """The ledger, oldest first, in frames of ``LEDGER_SCHEMA`` of bounded size.

        Args:
            user_ids: Only the rows of these players, ``system`` among them or not; all rows when left out.
        """

    @abstractmethod
    async def ledger_rows(self) -> int:
        """How many rows the ledger has."""

    @abstractmethod
    def observation_frames(self, stream: Stream) -> AsyncIterator[pl.DataFrame]:
        """What was observed, oldest first, in frames of ``OBSERVED_SCHEMAS`` of bounded size.

        Rows that the bot still buffers are not among them.
        """

    async def daily_totals(self, since_day: int = 0) -> list[DailyTotal]:
        """What each kind has moved on each UTC day since the epoch, ascending; from a day on."""
        return totals_of([frame async for frame in self.ledger_frames()], since_day)

    async def active_players(self, since_day: int = 0) -> dict[int, int]:
        """How many players have moved something on each UTC day, ascending."""
        return active_of([frame async for frame in self.ledger_frames()], since_day)

    @abstractmethod
    async def get_game_data(self, section: str) -> Document | None:
        """A section's document, a copy of its own, or None."""

    async def sections(self) -> list[str]:
        """Every stored section's name, ascending; what a copy reads."""
        raise no_copy(self.name, "sections")

    def stored_responses(self) -> AsyncIterator[StoredResponse]:
        """Every request id of a caller with its receipt, in any order; what a copy reads."""
        raise no_copy(self.name, "stored_responses")


def no_copy(name: str, call: str) -> MisuseError:
    """What a provider raises that copies do not know."""
    return MisuseError(f"{call}: the provider {name!r} takes no part in copies")


def observed_frame(
    stream: Stream, rows: Sequence[Mapping[str, object]], stored: pl.DataType | None = None
) -> pl.DataFrame:
    """Rows of a stream as they were handed to ``append_observations``, as a frame of its schema.

    Args:
        stream: Which one.
        rows: A mapping each; what one lacks is null.
        stored: What holds their moment: String (ISO 8601, UTC) or Int64 (microseconds since the epoch); None
            where it is a ``datetime``.
    """
    schema = OBSERVED_SCHEMAS[stream]
    (moment,) = (name for name, kind in schema.items() if isinstance(kind, pl.Datetime))
    frame = pl.DataFrame(rows, {**schema, moment: stored or schema[moment]}, orient="row")
    if stored == pl.String:
        return frame.with_columns(pl.col(moment).str.to_datetime(_ISO, time_unit="us", time_zone="UTC"))
    return frame.cast({moment: schema[moment]})


class Totals:
    """Daily totals by day, kind and currency.

    Args:
        totals: What it begins with.
    """

    def __init__(self, totals: Iterable[DailyTotal] = ()) -> None:
        self._sums: dict[_Key, tuple[int, int, int]] = {}
        self.add(totals)

    def add(self, totals: Iterable[DailyTotal]) -> None:
        """Add more, each sum of money at most ``MOST_INT``."""
        for one in totals:
            key = one.day, one.kind, one.currency
            rows, gained, lost = self._sums.get(key, _NOTHING)
            money = min(gained + one.gained, MOST_INT), min(lost + one.lost, MOST_INT)
            self._sums[key] = rows + one.rows, *money

    def sorted(self) -> list[DailyTotal]:
        """One a day, kind and currency, ascending."""
        return [DailyTotal(*key, *self._sums[key]) for key in sorted(self._sums, key=_order)]

    def less(self, others: Iterable[DailyTotal]) -> list[DailyTotal]:
        """What these have more than others, ascending; numbers are below 0 where the others have more."""
        theirs = {(one.day, one.kind, one.currency): one for one in others}
        found = []
        for key in sorted({*self._sums, *theirs}, key=_order):
            rows, gained, lost = self._sums.get(key, _NOTHING)
            other = theirs.get(key, DailyTotal(*key, *_NOTHING))
            if (rows, gained, lost) != (other.rows, other.gained, other.lost):
                found.append(DailyTotal(*key, rows - other.rows, gained - other.gained, lost - other.lost))
        return found


def _order(key: _Key) -> tuple[int, str, str]:
    day, kind, currency = key
    return day, kind, currency or ""


def totals_of(frames: Iterable[pl.DataFrame], since_day: int) -> list[DailyTotal]:
    """What each kind has moved on each day, ascending."""
    summed = (
        _with_day(frames, since_day)
        .group_by(_KEYS)
        .agg(
            pl.len().alias("rows"),
            _AMOUNT.clip(lower_bound=0).sum().alias("gained"),
            _AMOUNT.clip(upper_bound=0).sum().alias("lost"),
        )
        .sort(_KEYS, nulls_last=False)
    )
    return [
        DailyTotal(day, kind, currency, rows, min(gained, MOST_INT), min(-lost, MOST_INT))
        for day, kind, currency, rows, gained, lost in summed.iter_rows()
    ]


def active_of(frames: Iterable[pl.DataFrame], since_day: int) -> dict[int, int]:
    """How many players have moved something on each day, ascending."""
    players = _with_day(frames, since_day).filter(pl.col("user_id") != SYSTEM)
    return dict(players.group_by("day").agg(pl.col("user_id").n_unique()).sort("day").iter_rows())


class ActiveDays:
    """How many players have moved something on each day, of rows that come oldest first.

    It is as large as players are many: of each, the newest day is enough, unless a clock was set back.

    Args:
        last: The newest day of each player that is counted already.

    Attributes:
        last: The same, with the rows that were added.
        players: By day, without those whom a clock that was set back has brought there.
        late: These: day and player, once each. They may have been counted before.
    """

    def __init__(self, last: Mapping[str, int] = MappingProxyType({})) -> None:
        self.last = dict(last)
        self.players: Counter[int] = Counter()
        self.late: set[tuple[int, str]] = set()

    def add(self, rows: pl.DataFrame) -> None:
        """Count the next rows."""
        players = _with_day([rows], 0).filter(pl.col("user_id") != SYSTEM)
        for user_id, day in players.select("user_id", "day").unique(maintain_order=True).iter_rows():
            newest = self.last.get(user_id, -1)
            if day > newest:
                self.last[user_id] = day
                self.players[day] += 1
            elif day < newest:
                self.late.add((day, user_id))

    def lacking_in(self, stored: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """What stored numbers lack, by day; below 0 where they have more."""
        late = Counter(day for day, _ in self.late)
        for day in sorted({*self.players, *late, *stored}):
            least, found = self.players[day], stored.get(day, 0)
            right = min(max(found, least), least + late[day])
            if found != right:
                yield day, right - found


def _with_day(frames: Iterable[pl.DataFrame], since_day: int) -> pl.DataFrame:
    rows = pl.concat([LEDGER_SCHEMA.to_frame(), *frames])
    day = pl.col("at").dt.timestamp("us") // DAY_US
    return rows.with_columns(day.alias("day")).filter(pl.col("day") >= since_day)
