"""One copy beneath sync, migrate and the script: everything of one store into another.

Rows go first and in order, each step with the balances that they lead to, so that the target is at every step
a sound past of the source; a player's last row brings the rest of the profile. A copy that was cut off finds
the rows that are there, and goes on behind them. A player whose rows in the target are no first part of those
in the source has diverged, and is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import nullcontext
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import polars as pl

from kokoromichi.core.bulk_load import Batch, StoredResponse, UserSnapshot
from kokoromichi.core.copying.plan import Plan, make_plan
from kokoromichi.core.copying.report import CopyProgress, CopyReport, ProgressCallback
from kokoromichi.core.copying.retry import retry
from kokoromichi.core.copying.tally import Key, Places, Tally, by_book, rows_between, tally
from kokoromichi.core.errors import KokoroError, MisuseError
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.models import UserProfile
from kokoromichi.core.schemas import LEDGER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kokoromichi.core.copying.report import Part
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reader import Reader

__all__ = ["CopyProgress", "CopyReport", "copy_all"]

_ROWS_A_STEP: Final = 20_000
_USERS_A_STEP: Final = 500
_REQUESTS_A_STEP: Final = 2_000


async def copy_all(
    source: DataProvider,
    target: DataProvider | None,
    *,
    dry_run: bool = False,
    released: bool = False,
    user_ids: Collection[str] | None = None,
    known: dict[Key, Tally] | None = None,
    seen: Reader | None = None,
    progress: ProgressCallback | None = None,
) -> CopyReport:
    """Copy users, ledger rows, counters, requests and game data; a second run changes nothing.

    Args:
        source: An open store, copied as it stands at one moment.
        target: Another open one; a dry run may do without.
        dry_run: Plan only.
        released: Take a mirror for a source: what it mirrors is lost, or was restored to an earlier day.
        user_ids: Only these players, and no answers to requests: what follows a whole copy. Rows of the
            system, counters and game data are always compared whole.
        known: What the target's ledger is known to hold from an earlier copy, so that a copy of some players
            does not read it; brought up to date in place, and wrong after a failure of a store.
        seen: A snapshot of the source that is taken already; it takes one when left out.
        progress: Told how far each part is.

    Returns:
        What was planned, done, skipped and failed. Players whose target is ahead or has diverged are listed
        as failed and not touched.

    Raises:
        MisuseError: The source is a mirror that is not released or was never whole, source and target are
            one, or the target mirrors another store.
    """
    _check_source(source, released=released)
    if target is source or (target is None and not dry_run):
        message = "a copy needs a target other than its source; only a dry run may do without"
        raise MisuseError(message)
    if target is not None and target.mirror_of not in (None, source.name):
        message = f"the target mirrors {target.mirror_of}, not {source.name}: take another folder"
        raise MisuseError(message)
    report = CopyReport(source.name, target.name if target else None, dry_run)
    try:
        async with nullcontext(seen) if seen else source.snapshot() as reader:
            plan = await make_plan(reader, target, report, user_ids, known)
            if target is not None and not dry_run:
                work = _Copy(reader, target, plan, report, progress or (lambda _step: None))
                await work.carry_out()
                await work.verify(reads=known is None or user_ids is None)
                if known is not None:
                    known |= {key: one for key, one in plan.rows.items() if key[0] in plan.sound}
    except KokoroError as error:
        cure = "cure it and give the same command again"
        report.fail("store", report.target or report.source, str(error), cure)
    report.close()
    return report


def _check_source(source: DataProvider, *, released: bool) -> None:
    if source.mirror_of is None:
        return
    if not released:
        message = (
            f"{source.where} is a mirror of {source.mirror_of}, and no source: copy from {source.mirror_of} "
            "itself; where that is lost, release the mirror (migrate --from-mirror)"
        )
        raise MisuseError(message)
    if not source.mirrored_us:
        message = (
            f"{source.where} was never a whole mirror of {source.mirror_of}: there is nothing to release"
        )
        raise MisuseError(message)


class _Moved(NamedTuple):
    """What a row moves."""

    currency: str | None
    amount: int
    item_id: str | None
    quantity: int


class _Copy:
    """A plan being carried out."""

    def __init__(
        self,
        source: Reader,
        target: DataProvider,
        plan: Plan,
        report: CopyReport,
        on_progress: ProgressCallback,
    ) -> None:
        self._source = source
        self._target = target
        self._plan = plan
        self._report = report
        self._on_progress = on_progress
        self._lacking = plan.lacking()
        self._states: dict[str, UserProfile] = {}  # As placed, while rows are still to come.

    async def carry_out(self) -> None:
        """Write what is planned, in the order in which it can be cut off anywhere."""
        await self._write_rows()
        left = sorted(self._plan.versions.keys() & self._plan.sound)
        for first in range(0, len(left), _USERS_A_STEP):
            found = [await self._final(user_id) for user_id in left[first : first + _USERS_A_STEP]]
            await self._load(Batch(users=tuple(found)))
        if self._plan.user_ids is None:
            await self._write_requests()
        if self._plan.counters:
            await self._load(Batch(counters=self._plan.counters))
        for name, section in self._plan.sections.items():
            await self._load(Batch(sections={name: section}))

    async def _load(self, batch: Batch) -> None:
        await retry(self._target, lambda: self._target.load(batch))
        counts: dict[Part, int] = {
            "users": sum(snapshot.profile.user_id not in self._states for snapshot in batch.users),
            "ledger_rows": 0 if batch.rows is None else batch.rows.height,
            "counters": len(batch.counters),
            "requests": len(batch.requests),
            "sections": len(batch.sections),
        }
        for part, count in counts.items():
            if count:
                self._report.done[part] += count
                self._on_progress(CopyProgress(part, self._report.done[part], self._report.planned[part]))

    async def _write_rows(self) -> None:
        if not self._report.planned["ledger_rows"]:
            return
        places = Places()
        totals = {key: one.rows for key, one in self._plan.rows.items()}
        held = pl.DataFrame(schema=LEDGER_SCHEMA)
        async for frame in self._source.ledger_frames(self._plan.user_ids):
            new = rows_between(places.number(frame), self._plan.there, totals, self._plan.sound)
            new = pl.concat([held, new])
            if new.is_empty():
                continue
            last = new["tx_id"] == new["tx_id"][-1]  # A transaction may go on in the next frame.
            held = new.filter(last)
            for rows in _steps(new.filter(~last)):
                await self._write_step(rows)
        for rows in _steps(held):
            await self._write_step(rows)

    async def _write_step(self, rows: pl.DataFrame) -> None:
        moved: defaultdict[str, list[_Moved]] = defaultdict(list)
        for user_id, *movement in rows.select("user_id", *_Moved._fields).iter_rows():
            moved[user_id].append(_Moved(*movement))
        moved.pop(SYSTEM, None)
        snapshot = []
        for user_id, movements in sorted(moved.items()):
            self._lacking[user_id] -= len(movements)
            if self._lacking[user_id]:
                snapshot += await self._partial(user_id, movements)
            else:
                snapshot.append(await self._final(user_id))
        await self._load(Batch(users=tuple(snapshot), rows=rows))

    async def _partial(self, user_id: str, movements: list[_Moved]) -> list[UserSnapshot]:
        """The player with the balances of the rows so far, as of an earlier version than the source's.

        Nothing where a source with its rows out of order would bring a balance below zero on the way.
        """
        final, stored = self._plan.versions[user_id]
        state = self._states.get(user_id)
        if state is None:
            there = await self._target.profile(user_id)
            state = UserProfile(user_id=user_id) if there is None else deepcopy(there)
            self._states[user_id] = state
        for moved in movements:
            if moved.currency is not None:
                setattr(state, moved.currency, getattr(state, moved.currency) + moved.amount)
            if moved.item_id is not None:
                state.inventory[moved.item_id] = state.inventory.get(moved.item_id, 0) + moved.quantity
        sound = min(state.gold, state.gems, *state.inventory.values(), 0) == 0
        if not sound or final < 2 or stored >= final:  # noqa: PLR2004 - a past of version 1 does not exist
            return []
        snapshot = copy(state)
        snapshot.inventory = {item_id: units for item_id, units in state.inventory.items() if units}
        snapshot.version = max(stored, 1)
        self._plan.versions[user_id] = final, snapshot.version
        return [UserSnapshot(stored, snapshot)]

    async def _final(self, user_id: str) -> UserSnapshot:
        """The player as the source has it."""
        _, stored = self._plan.versions.pop(user_id)
        self._states.pop(user_id, None)
        profile = cast("UserProfile", await self._source.profile(user_id))  # The plan has seen it there.
        return UserSnapshot(stored, deepcopy(profile))

    async def _write_requests(self) -> None:
        batch: list[StoredResponse] = []
        async for asked in self._source.stored_responses():
            if asked.request_id not in self._plan.requests:
                batch.append(asked)
            if len(batch) == _REQUESTS_A_STEP:
                await self._load(Batch(requests=tuple(batch)))
                batch.clear()
        if batch:
            await self._load(Batch(requests=tuple(batch)))

    async def verify(self, *, reads: bool) -> None:
        """Hold the target's rows and players against the source's: counts, sums and digests.

        Args:
            reads: Whether the target's ledger is read again; else what was stored counts as stored.
        """
        found = await tally(self._target.ledger_frames(self._plan.user_ids)) if reads else self._plan.rows
        for key, one in self._plan.rows.items():
            if key[0] not in self._plan.sound:
                continue
            theirs = found.get(key)
            if theirs is None or (theirs.rows, theirs.digest) != (one.rows, one.digest):
                why = f"book {key[1]} has {theirs.rows if theirs else 0} rows in the target, not {one.rows}"
                cure = "or their contents differ: stop who writes to the target, then look at its ledger"
                self._report.fail("user", key[0], why, cure)
        for user_id in sorted(self._plan.sound - {SYSTEM}):
            if await self._target.profile(user_id) != await self._source.profile(user_id):
                why = "the player in the target is not the one in the source"
                cure = "stop who writes to the target, and give the same command again"
                self._report.fail("user", user_id, why, cure)
        sound = {key: one for key, one in found.items() if key[0] in self._plan.sound}
        self._report.verified = by_book(sound)


def _steps(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in parts of bounded size that split no transaction."""
    first = 0
    while first < rows.height:
        last = min(first + _ROWS_A_STEP, rows.height)
        while last < rows.height and rows["tx_id"][last] == rows["tx_id"][last - 1]:
            last += 1
        yield rows[first:last]
        first = last
