"""Commits of the local provider while the disk is slow, full or failing, and while callers give up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import apsw
import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    MisuseError,
    RequestMismatchError,
    StorageError,
)
from kokoromichi.core.models import DAY_US, CounterChange
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, change, money, rows, stored, user, with_counter, with_player
from tests.faults.local_folders import DATABASE, Disk, kill, over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kokoromichi.core.models import ChangeSet


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalJSONProvider]:
    async with over(tmp_path) as opened:
        await with_player(opened, "ada", gold=100)
        await with_player(opened, "bo", gold=100)
        yield opened


def spend(version: int, after: int, digest: str = "spend") -> ChangeSet[Committed]:
    row = money(-10, after, "fee")
    return change(user("ada", version, row), request_id="r-1", digest=digest, answer=(after, 0))


async def test_what_is_not_committed_is_shown_to_nobody_and_counted_by_the_next(
    local: LocalJSONProvider,
) -> None:
    await with_counter(local, "stock.x", 5)
    before = await stored(local)
    disk = Disk.under(local)
    disk.gate.clear()
    act = change(user("ada", 1, money(-60, 40)), counters=(CounterChange("stock.x", -4),))
    first = asyncio.create_task(local.apply(act))
    await asyncio.sleep(0.05)
    assert await stored(local) == before
    same = asyncio.create_task(local.apply(change(user("ada", 1, money(-60, 40)))))
    next_ = asyncio.create_task(local.apply(change(user("ada", 2, money(-40, 0)))))
    await asyncio.sleep(0.05)
    disk.gate.set()
    found = await asyncio.gather(first, same, next_, return_exceptions=True)
    assert [type(each) for each in found] == [Committed, ConflictError, Committed]
    profile = await local.profile("ada")
    assert profile is not None
    assert (profile.gold, profile.version, await local.counters()) == (0, 3, {"stock.x": 1})


async def test_one_who_is_refused_spoils_nobody_elses_commit(local: LocalJSONProvider) -> None:
    disk = Disk.under(local)
    disk.gate.clear()
    acts = [
        change(user("zoe", 0, money(1, 1))),  # Alone in the first group, while the others gather behind it.
        change(user("ada", 1, money(-101, -1))),
        change(user("bo", 1, money(1, 101)), at_us=2**70),
        change(user("bo", 1, money(1, 101))),
    ]
    acts[2].reason = "\ud800"
    tasks = [asyncio.create_task(local.apply(act)) for act in acts]
    await asyncio.sleep(0.05)
    disk.gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [Committed, MisuseError, MisuseError, Committed]
    assert dict(await local.balances()) == {"ada": 100, "bo": 101, "zoe": 1}


async def test_an_act_whose_names_cannot_be_read_leaves_nothing_in_its_group(
    local: LocalJSONProvider,
) -> None:
    store = local._life.store  # noqa: SLF001 - no door leads there
    assert store is not None
    base, disk = store.writer.base, Disk.under(local)
    disk.gate.clear()
    first = asyncio.create_task(local.apply(change(user("bo", 1, money(1, 101)))))
    await asyncio.sleep(0.05)
    taken = (CounterChange("stock.x", 5, creates=True),)
    told_no = change(user("zoe", 0, money(5, 5)), counters=taken, request_id="r-1", digest="d")
    acts = [local.apply(told_no), local.apply(change(user("bo", 2, money(1, 102))))]
    outcomes = asyncio.gather(*acts, return_exceptions=True)
    await asyncio.sleep(0)
    reading = apsw.SQLITE_READ
    base.authorizer = lambda act, table, *_: int(act == reading and table == "players")
    disk.gate.set()
    assert [type(one) for one in await outcomes] == [StorageError, Committed]
    base.authorizer = None
    assert await first == Committed(0, 0)
    assert (await local.user_ids(), await local.counters()) == (["ada", "bo"], {})
    assert await local.get_response("r-1", "d") is None
    assert await local.apply(told_no) == Committed(0, 0)
    assert (await audit_provider(local)).sound


async def test_an_error_that_nobody_foresaw_leaves_nobody_waiting(local: LocalJSONProvider) -> None:
    disk = Disk.under(local)
    disk.failure = MemoryError
    waiting = [local.apply(spend(1, 90)), local.apply(change(user("bo", 1, money(1, 101))))]
    outcomes = await asyncio.wait_for(
        asyncio.gather(*waiting, local.save_game_data("events", {}), return_exceptions=True), 5
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds[0], kinds[2]) == (CommitUnknownError, StorageError)
    assert str(outcomes[0]) == "the outcome of request r-1 is unknown: ask again with the same request id"
    # Where the writer has taken the first one alone, the second finds a store that has failed.
    told = {
        CommitUnknownError: "the outcome of a change is unknown: look at what is stored",
        StorageError: "",
    }
    assert told[kinds[1]] in str(outcomes[1])
    assert "after an unforeseen error" in (local.failed or "")
    disk.failure = None
    await local.reopen()
    assert local.failed is None
    assert await local.apply(spend(1, 90)) == Committed(90, 0)
    assert dict(await local.balances()) == {"ada": 90, "bo": 100}


async def test_a_duplicate_on_its_way_waits_for_the_first_ones_answer(local: LocalJSONProvider) -> None:
    disk = Disk.under(local)
    disk.gate.clear()
    first = asyncio.create_task(local.apply(spend(1, 90)))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(local.apply(spend(1, 90))) for _ in range(3)]
    recalled = asyncio.create_task(local.get_response("r-1", "spend"))
    await asyncio.sleep(0.01)
    with pytest.raises(RequestMismatchError):
        await local.apply(spend(1, 90, "sell"))
    assert not any(task.done() for task in (first, recalled, *others))
    disk.gate.set()
    assert await asyncio.gather(first, recalled, *others) == [Committed(90, 0)] * 5
    assert len(await rows(local, "ada")) == 2


@pytest.mark.parametrize("failure", [apsw.FullError, apsw.ReadOnlyError, apsw.BusyError])
async def test_a_commit_that_was_rolled_back_charges_nobody_and_the_next_one_goes_on(
    failure: type[apsw.Error], local: LocalJSONProvider, tmp_path: Path
) -> None:
    before = await stored(local)
    disk = Disk.under(local)
    disk.failure = failure
    acts = [local.apply(spend(1, 90)), local.apply(change(user("cy", 0, money(1, 1))))]
    outcomes = await asyncio.gather(*acts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
    assert str(tmp_path / DATABASE) in str(outcomes[0])
    assert await stored(local) == before
    assert local.failed is None
    disk.failure = None
    assert await local.apply(spend(1, 90)) == Committed(90, 0)
    assert await local.apply(change(user("cy", 0, money(1, 1)))) == Committed(0, 0)
    assert [row.user_id for row in await rows(local)] == ["ada", "bo", "ada", "cy"]


async def test_a_failed_sync_is_unknown_to_all_who_wait_and_the_provider_only_reads(
    local: LocalJSONProvider,
) -> None:
    before = await stored(local)
    disk = Disk.under(local)
    disk.failure = apsw.IOError
    waiting = [local.apply(spend(1, 90)), local.apply(spend(1, 90)), local.get_response("r-1", "spend")]
    waiting.append(local.apply(change(user("bo", 1, money(1, 101)))))
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [CommitUnknownError] * 4
    disk.failure = None
    with pytest.raises(StorageError, match=r"could not be written: as the disk says.*only reads") as error:
        await local.apply(change(user("bo", 1, money(1, 101)), request_id="r-2"))
    assert not isinstance(error.value, CommitUnknownError)
    for asking in (local.apply(spend(1, 90)), local.get_response("r-1", "spend")):
        with pytest.raises(CommitUnknownError):  # Nobody may be told that nothing happened.
            await asking
    assert await stored(local) == before
    assert "only reads" in (local.failed or "")
    _, seen = await asyncio.gather(local.reopen(), local.profile("ada"))
    assert local.failed is None
    assert seen is not None
    assert await local.apply(spend(1, 90)) == Committed(90, 0)
    assert [row.balance_after for row in await rows(local, "ada")] == [100, 90]


async def test_who_stops_waiting_changes_nothing_for_the_others(local: LocalJSONProvider) -> None:
    disk = Disk.under(local)
    disk.gate.clear()
    gone = asyncio.create_task(local.apply(spend(1, 90)))
    other = asyncio.create_task(local.apply(change(user("bo", 1, money(1, 101)))))
    await asyncio.sleep(0.01)
    again = asyncio.create_task(local.apply(spend(1, 90)))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.sleep(0.01)
    disk.gate.set()
    assert list(await asyncio.gather(again, other)) == [Committed(90, 0), Committed(0, 0)]
    assert gone.cancelled()
    assert len(await rows(local, "ada")) == 2


async def test_another_programs_write_stops_the_provider_before_it_builds_on_it(
    local: LocalJSONProvider, tmp_path: Path
) -> None:
    base = apsw.Connection(str(tmp_path / DATABASE))
    base.execute("UPDATE users SET gold = 1000000, document = replace(document, '100', '1000000')")
    base.close()
    with pytest.raises(StorageError, match=r"was written to by another program. Nothing more is written"):
        await local.apply(spend(1, 90))
    assert "another program" in (local.failed or "")


@pytest.mark.parametrize("how", ["swapped", "removed"])
async def test_a_database_that_was_taken_away_is_noticed_before_the_next_commit(
    how: str, local: LocalJSONProvider, tmp_path: Path
) -> None:
    path = tmp_path / DATABASE
    if how == "swapped":
        (tmp_path / "other").write_bytes(path.read_bytes())
        (tmp_path / "other").replace(path)
    else:
        path.unlink()
    with pytest.raises(StorageError, match="is no longer the database that was opened"):
        await local.apply(spend(1, 90))


async def test_a_wal_that_is_taken_away_while_it_is_in_use_loses_nothing(
    local: LocalJSONProvider, tmp_path: Path
) -> None:
    wal = tmp_path / f"{DATABASE}-wal"
    await local.apply(spend(1, 90))
    wal.unlink()
    with pytest.raises(StorageError, match="What it held is in the database now, and nothing is lost"):
        await local.apply(change(user("bo", 1, money(1, 101))))
    await local.reopen()
    assert dict(await local.balances()) == {"ada": 90, "bo": 100}
    assert await local.apply(change(user("bo", 1, money(1, 101)))) == Committed(0, 0)
    assert (await audit_provider(local)).sound


async def test_the_ledger_refuses_what_is_no_append(local: LocalJSONProvider, tmp_path: Path) -> None:
    await local.close()
    base = apsw.Connection(str(tmp_path / DATABASE))
    base.execute("PRAGMA recursive_triggers=ON")
    before = base.execute("SELECT * FROM ledger").fetchall()
    for statement in (
        "UPDATE ledger SET amount = 5",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger",
    ):
        with pytest.raises(apsw.ConstraintError, match="ledger rows are never"):
            base.execute(statement)
    assert base.execute("SELECT * FROM ledger").fetchall() == before
    base.close()


async def test_request_ids_outlive_the_process_and_their_answers(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    async with over(tmp_path, clock=clock) as local:
        await with_player(local, "ada", gold=100)
        await local.apply(spend(1, 90))
    for days, is_stored in ((29, True), (2, False), (400, False)):
        clock.us += days * DAY_US
        async with over(tmp_path, clock=clock) as local:
            if is_stored:
                assert await local.apply(spend(2, 80)) == Committed(90, 0)
                continue
            with pytest.raises(
                RequestMismatchError, match="by another act or too long ago: take a fresh one"
            ):
                await local.apply(spend(2, 80))
            with pytest.raises(RequestMismatchError):
                await local.get_response("r-1", "spend")
            assert len(await rows(local)) == 2
    assert b"Committed" not in (tmp_path / DATABASE).read_bytes()


async def test_days_are_counted_with_the_commit_that_makes_them(tmp_path: Path) -> None:
    clock = ManualClock(NOON_US)
    day = NOON_US // DAY_US
    local = over(tmp_path, clock=clock)
    await local.open()
    await with_player(local, "ada", gold=100, x=1)
    await with_player(local, "bo", gold=2**63 - 1)
    await local.apply(change(user("ada", 1, money(-30, 70, "fee"))))
    await local.apply(change(user("ada", 2, money(-70, 0, "fee")), at_us=NOON_US + DAY_US))
    kill(local)
    async with over(tmp_path, clock=clock) as again:
        totals = await again.daily_totals()
        assert [
            (one.day - day, one.kind, one.currency, one.rows, one.gained, one.lost) for one in totals
        ] == [
            (0, "fee", "gold", 1, 0, 30),
            (0, "grant", None, 1, 0, 0),
            (0, "grant", "gold", 2, 2**63 - 1, 0),
            (1, "fee", "gold", 1, 0, 70),
        ]
        assert totals == await DataProvider.daily_totals(again)  # As the rows add up.
        assert await again.daily_totals(day + 1) == totals[-1:]
        assert await again.active_players() == {day: 2, day + 1: 1}
        assert await again.ledger_rows() == 5


async def test_a_profile_is_at_hand_for_its_time_and_read_again_after_it(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path, cache_ttl=0.05) as local:
        await with_player(local, "ada", gold=100)
        held = await local.profile("ada")
        assert await local.profile("ada") is held
        await asyncio.sleep(0.06)
        profile = await local.profile("ada")
        assert profile is not None
        assert profile is not held
        assert profile.gold == 100
        assert await local.profile("ada") is profile


async def test_observations_reach_their_tables_and_name_nobody_by_themselves(
    local: LocalJSONProvider, tmp_path: Path
) -> None:
    await local.append_observations("activity", [{"user_id": "ada", "session": 1, "act": "buy"}])
    await local.append_observations("economy_history", [{"economy_hash": "h", "measure": "price_gold"}])
    await local.close()
    base = apsw.Connection(str(tmp_path / DATABASE))
    query = "SELECT name, document FROM activity JOIN players ON code = player"
    assert base.execute(query).fetchall() == [("ada", '{"session":1,"act":"buy"}')]
    history = base.execute("SELECT document FROM economy_history").fetchall()
    assert history == [('{"economy_hash":"h","measure":"price_gold"}',)]
    base.close()


async def test_a_player_who_was_first_noted_by_an_observation_plays_on(tmp_path: Path) -> None:
    """A code that the observations gave out was written again with the next act, and every act failed."""
    async with over(tmp_path) as local:
        await local.append_observations("activity", [{"user_id": "bo", "act": "buy"}])
        await local.backup(tmp_path / "at-once.sqlite3")  # Flushes what was observed.
        await with_player(local, "ada", gold=100)
        await with_player(local, "bo", gold=50)
        assert await local.balances() == [("ada", 100), ("bo", 50)]
