"""What waits for the writer, and what the changes of one transaction come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.counters import counters_after
from kokoromichi.core.documents import check_unknown
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.kinds import KINDS, SYSTEM
from kokoromichi.core.models import MOST_INT
from kokoromichi.core.providers.local.checks import players_after
from kokoromichi.core.providers.local.committed import packed, recalled
from kokoromichi.core.providers.local.documents import encode_profile
from kokoromichi.core.validation import check_change

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    import apsw

    from kokoromichi.core.models import ChangeSet, Movement, UserProfile
    from kokoromichi.core.providers.local.committed import Committed

Row: TypeAlias = "tuple[Any, ...]"
"""A row of the table ``ledger``."""

NO_CURRENCY: Final = 0

INSERT_ROW: Final = f"INSERT INTO ledger VALUES ({','.join('?' * 15)})"
INSERT_REQUEST: Final = "INSERT INTO requests VALUES (?, ?, ?, ?)"
PUT_USER: Final = """
INSERT INTO users VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version,
    gold = excluded.gold, gems = excluded.gems, document = excluded.document
"""
PUT_COUNTER: Final = "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
ADD_TOTALS: Final = """
INSERT INTO daily_totals VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
    gained = CAST(gained + excluded.gained AS INTEGER), lost = CAST(lost + excluded.lost AS INTEGER)
"""
"""The CAST stops a sum at 63 bits, where a bare sum would become a real number and fail the whole group."""
ADD_ACTIVE: Final = "INSERT OR IGNORE INTO active_players VALUES (?, ?)"


class Waiting:
    """A waiting command, and whoever waits for what comes of it.

    Attributes:
        answer: What came of it.
        error: Why nothing did.
        outcomes: The futures of those who wait; the loop's own.
    """

    __slots__ = ("answer", "error", "outcomes")

    def __init__(self) -> None:
        self.answer: Any = None
        self.error: Exception | None = None
        self.outcomes: list[asyncio.Future[Any]] = []


class Act(Waiting):
    """A change, which joins whatever group is committed next."""

    __slots__ = ("change",)

    def __init__(self, change: ChangeSet[Any]) -> None:
        super().__init__()
        self.change = change


class Job(Waiting):
    """Work that the writer does alone, in transactions of its own."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self.work = work


class Group:
    """The changes of one transaction, each checked against those before it.

    Args:
        committed: What is stored.
        now_us: The moment of the transaction, in microseconds.
        acts: What is going to be added: their request ids are looked up together.

    Attributes:
        entry: The newest ledger row then.
        users: Every changed player as they are then; ``counters`` likewise.
        active: Pairs of day and player that are not counted yet.
    """

    def __init__(self, committed: Committed, now_us: int, acts: Sequence[Act]) -> None:
        self._committed = committed
        self._now_us = now_us
        self.entry = committed.entry
        self.users: dict[str, UserProfile] = {}
        self.counters: dict[str, int] = {}
        self.active: set[tuple[int, int]] = set()
        self._asked = [act.change.request_id for act in acts if act.change.request_id is not None]
        self._known: dict[str, tuple[Any, ...]] | None = None
        self._acts: list[Act] = []
        self._requests: list[tuple[str, int, bytes | str, str]] = []
        self._rows: list[Row] = []
        self._totals: dict[tuple[int, int, int], list[int]] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._acts)

    def add(self, act: Act) -> None:
        """Take a change in whole, or raise and take nothing of it; a remembered one is answered at once.

        Raises:
            KokoroError: The change does not fit what is stored and what is ahead of it in the group.
            apsw.Error: What is stored cannot be read.
        """
        change = act.change
        if change.request_id is not None:
            # The authority on who was answered already: what looked before this, without the writer's
            # thread, only spared a turn through it.
            if self._known is None:
                self._known = self._committed.requests(self._asked)
            known = self._known.get(change.request_id)
            act.answer = recalled(known, change.request_id, change.digest, self._now_us)
            if act.answer is not None:
                return
        check_change(change)
        check_unknown(change)
        counters = counters_after(self._counter, change.counters)
        after = players_after(change, self._player)
        try:
            answer = change.answer.encoded().decode()
        except (TypeError, ValueError) as unfit:
            message = f"the answer of a change of {[user.user_id for user in change.users]}: {unfit}"
            raise MisuseError(message) from None
        rows = self._rows_of(change)
        # Nothing may fail from here on.
        self.users.update((profile.user_id, profile) for profile in after)
        self.counters.update(counters)
        if change.request_id is not None:
            self._requests.append((change.request_id, self._now_us, packed(change.digest), answer))
        self._count(change, rows)
        self._rows += rows
        self.entry += len(rows)
        self._acts.append(act)

    def _player(self, user_id: str) -> UserProfile | None:
        return self.users.get(user_id) or self._committed.profile(user_id)

    def _counter(self, name: str) -> int | None:
        return self.counters.get(name, self._committed.counters.get(name))

    def _rows_of(self, change: ChangeSet[Any]) -> list[Row]:
        """The ledger rows of a change; a code that is given out for nothing does no harm."""
        moved = [(user.user_id, one) for user in change.users for one in user.movements]
        moved += [(SYSTEM, one) for one in change.system]
        if not moved:
            return []
        codes, tx = self._committed.players, self.entry + 1
        actor = codes[change.actor or (change.users[0].user_id if change.users else SYSTEM)]
        rows: list[Row] = []
        for entry, (user_id, movement) in enumerate(moved, tx):
            book, kind, *what = self._coded(movement)
            counterparty = None if movement.counterparty is None else codes[movement.counterparty]
            whose = (counterparty, actor, change.request_id, change.reason)
            rows.append((entry, tx, change.at_us, book, kind, codes[user_id], *what, *whose))
        return rows

    def _coded(self, movement: Movement) -> tuple[int | None, ...]:
        """Book, kind, currency, amount, balance, item and quantity."""
        names = self._committed.names
        currency = amount = after = item = quantity = None
        if movement.currency is not None:
            currency, amount, after = names[movement.currency], movement.amount, movement.balance_after
        if movement.item_id is not None:
            item, quantity = names[movement.item_id], movement.quantity
        return (
            names[KINDS[movement.kind].book],
            names[movement.kind],
            currency,
            amount,
            after,
            item,
            quantity,
        )

    def _count(self, change: ChangeSet[Any], rows: Sequence[Row]) -> None:
        """Let rows count in the totals of their day."""
        codes, day = self._committed.players, change.at_us // DAY_US
        for _, _, _, _, kind, _, currency, amount, *_ in rows:
            totals = self._totals.setdefault((day, kind, currency or NO_CURRENCY), [0, 0, 0])
            totals[0] += 1
            totals[1] += max(amount or 0, 0)
            totals[2] += max(-(amount or 0), 0)
        present = {(day, codes[user.user_id]) for user in change.users if user.movements}  # Known by now.
        self.active |= present - self._committed.active

    def write(self, base: apsw.Connection) -> None:
        """Write everything, inside of a transaction."""
        totals = [
            (*key, rows, min(gained, MOST_INT), min(lost, MOST_INT))
            for key, (rows, gained, lost) in self._totals.items()
        ]
        for statement, rows_of_table in (
            (PUT_USER, [user_row(profile) for profile in self.users.values()]),
            (PUT_COUNTER, self.counters.items()),
            (INSERT_REQUEST, self._requests),
            (INSERT_ROW, self._rows),
            (ADD_TOTALS, totals),
            (ADD_ACTIVE, self.active),
        ):
            if rows_of_table:
                base.executemany(statement, rows_of_table)

    def answer(self) -> None:
        """Everything is durable: each act has its own answer."""
        for act in self._acts:
            act.answer = act.change.answer


def user_row(profile: UserProfile) -> tuple[Any, ...]:
    """A player as a row of ``users``."""
    return profile.user_id, profile.version, profile.gold, profile.gems, encode_profile(profile)
