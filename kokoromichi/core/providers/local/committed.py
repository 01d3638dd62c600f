"""What is committed, as the writer sees it: the newest row, counters, players at hand, codes of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from kokoromichi.core.errors import RequestMismatchError, StorageError
from kokoromichi.core.models import ANSWERS_KEPT_DAYS, DAY_US, Receipt
from kokoromichi.core.providers.local.cache import ProfileCache
from kokoromichi.core.providers.local.documents import decode_profile
from kokoromichi.core.providers.local.schema import rows_of, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from kokoromichi.core.models import UserProfile
    from kokoromichi.core.providers.local.groups import Group

SPENT: Final = "spent"
"""The digest of a request id that only the ledger knows: it was used, and nobody knows for what."""

_MOST_ACTIVE: Final = 200_000
FIND_REQUEST: Final = "SELECT digest, answer, at_us FROM requests WHERE request_id = ?"
_FIND_REQUESTS: Final = """
SELECT request_id, digest, answer, at_us FROM requests WHERE request_id IN (SELECT value FROM json_each(?))
"""


class Codes(dict[str, int]):
    """The codes of a table of names by name; new ones are given out before they are stored."""

    def __init__(self, base: apsw.Connection, table: str) -> None:
        super().__init__()
        self._base = base
        self._table = table
        self.reread()

    def reread(self) -> None:
        """Forget everything, and go on behind what is stored."""
        self.clear()
        self._fresh: list[tuple[int, str]] = []  # Given out, and not written yet.
        self._written: list[tuple[int, str]] = []  # Written, and not committed yet.
        self._last: int = scalar(self._base, f"SELECT coalesce(max(code), 0) FROM {self._table}")

    def __missing__(self, name: str) -> int:
        """The code of a name that was not asked for before, which is given one where it has none."""
        row = self._base.execute(f"SELECT code FROM {self._table} WHERE name = ?", (name,)).fetchone()
        if row is None:
            self._last += 1
            self._fresh.append((self._last, name))
        self[name] = self._last if row is None else int(row[0])
        return self[name]

    def write(self, base: apsw.Connection) -> None:
        """Store the new ones, inside of the transaction that uses them; once, however often it is called."""
        if self._fresh:
            base.executemany(f"INSERT INTO {self._table} VALUES (?, ?)", self._fresh)
            self._written += self._fresh
            self._fresh = []

    def keep(self) -> None:
        """The transaction was committed."""
        self._written = []

    def forget(self) -> None:
        """The transaction was not committed: the new ones are given out anew."""
        lost = self._written + self._fresh
        for _code, name in lost:
            del self[name]
        self._last -= len(lost)
        self._written, self._fresh = [], []


class Committed:
    """The state that the next change is held against.

    Attributes:
        entry: The newest ledger row.
        counters: Every counter.
        active: Players who are known to be counted on a day, as pairs of day and player.
    """

    def __init__(self, base: apsw.Connection, cache_s: float) -> None:
        self._base = base
        self._held = ProfileCache(cache_s)
        self.players = Codes(base, "players")
        self.names = Codes(base, "names")
        self.active: set[tuple[int, int]] = set()
        self._read()

    def _read(self) -> None:
        self.entry: int = scalar(self._base, "SELECT coalesce(max(entry), 0) FROM ledger")
        self.counters: dict[str, int] = dict(rows_of(self._base, "SELECT name, value FROM counters"))

    def reread(self) -> None:
        """Take everything anew: more than a group has changed it."""
        self._held.clear()
        self.active.clear()
        self.players.reread()
        self.names.reread()
        self._read()

    def profile(self, user_id: str) -> UserProfile | None:
        """A player, or None."""
        found = self._held.get(user_id)
        if found is None:
            row = self._base.execute("SELECT document FROM users WHERE user_id = ?", (user_id,)).fetchone()
            if row is None:
                return None
            found = decode_profile(row[0])
            self._held.put((found,))
        return found

    def requests(self, request_ids: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """The rows of those request ids that are used; see ``recalled``."""
        asked = msgspec.json.encode(request_ids).decode()
        return {row[0]: row[1:] for row in rows_of(self._base, _FIND_REQUESTS, (asked,))}

    def take(self, group: Group) -> None:
        """A group is durable."""
        self.entry = group.entry
        self.counters.update(group.counters)
        self._held.put(group.users.values())
        self._held.sweep()
        if len(self.active) > _MOST_ACTIVE:
            self.active.clear()
        self.active |= group.active

    def write_codes(self, base: apsw.Connection) -> None:
        """Store the codes that were given out, whoever asked for them, in the transaction that uses them."""
        self.players.write(base)
        self.names.write(base)

    def keep_codes(self) -> None:
        """The transaction is committed, and so are the codes."""
        self.players.keep()
        self.names.keep()

    def forget(self) -> None:
        """The transaction was not committed."""
        self.players.forget()
        self.names.forget()


def recalled(found: tuple[Any, ...] | None, request_id: str, digest: str, now_us: int) -> Receipt | None:
    """What a row of ``requests`` answers to an act that is asked now; None where there is none.

    Raises:
        RequestMismatchError: The id was used for another act, or so long ago that nobody knows the answer.
        StorageError: Nobody can read the answer any more.
    """
    if found is None:
        return None
    stored, answer, at_us = found
    if stored != packed(digest) or answer is None or now_us - at_us > ANSWERS_KEPT_DAYS * DAY_US:
        raise RequestMismatchError(request_id)
    try:
        return Receipt.decoded(answer)
    except msgspec.DecodeError as unreadable:
        message = f"the answer of request {request_id} cannot be read: {unreadable}; take a fresh id"
        raise StorageError(message) from unreadable


def packed(digest: str) -> bytes | str:
    """A digest as it is stored: its usual 32 hex digits in 16 bytes."""
    try:
        short = bytes.fromhex(digest)
    except ValueError:
        return digest
    return short if short.hex() == digest else digest


def unpacked(digest: bytes | str) -> str:
    """A stored digest as it was asked."""
    return digest if isinstance(digest, str) else digest.hex()
