"""MongoDB's commits on a server that fails at each of their steps: one effect, none, or an honest unknown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import CommitUnknownError, RequestMismatchError, StorageError
from kokoromichi.core.models import CounterChange
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import change, entries, goods, stored, user, with_counter, with_player
from tests.faults.mongo_stores import HURRIED, bought, failing
from tests.servers.mongo import fresh_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ABORTED = 251
WRITE_CONFLICT = 112
INTERRUPTED = 11601


@pytest.fixture
def uri() -> str:
    return fresh_database()


@pytest.fixture
async def provider(uri: str) -> AsyncIterator[MongoDBProvider]:
    """A store of ada, who has 100 gold, and that gives up after 5 seconds."""
    async with MongoDBProvider(uri + HURRIED, patience_s=5.0) as opened:
        await with_player(opened, "ada", gold=100)
        yield opened


@pytest.fixture
async def hasty(uri: str) -> AsyncIterator[MongoDBProvider]:
    """The same, and it gives up after a second."""
    async with MongoDBProvider(uri + HURRIED, patience_s=1.0) as opened:
        await with_player(opened, "ada", gold=100)
        yield opened


async def assert_bought(provider: MongoDBProvider, times: int = 1) -> None:
    """Ada has bought so many charms, the ledger says so, and no law is broken."""
    profile = await provider.profile("ada")
    assert profile is not None
    held = {"lucky_charm": times} if times else {}
    assert (profile.gold, profile.version, profile.inventory) == (100 - 10 * times, 1 + times, held)
    assert len(await entries(provider, "ada")) == 1 + times
    report = await audit_provider(provider)
    assert report.sound, str(report)


LOST_ENDS: dict[str, dict[str, Any]] = {
    "the connection dies before the commit": {"closeConnection": True},
    "the majority does not tell": {"writeConcernError": {"code": 64, "errmsg": "waiting for replication"}},
    "the node steps down": {"writeConcernError": {"code": 91, "errmsg": "shutting down"}},
    "the server does not answer in time": {"blockConnection": True, "blockTimeMS": 700},
    "the primary is none any more": {"errorCode": 10107},
    "the transaction is gone": {"errorCode": ABORTED},
    "the commit meets a conflict": {"errorCode": WRITE_CONFLICT},
}


@pytest.mark.parametrize("request_id", ["r-1", None], ids=["with an id", "without an id"])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("how", LOST_ENDS.values(), ids=LOST_ENDS.keys())
async def test_a_commit_whose_end_is_lost_has_one_effect(
    provider: MongoDBProvider, how: dict[str, Any], times: int, request_id: str | None
) -> None:
    if "blockConnection" in how and times > 1:
        times = 2  # Each one costs a socket's whole timeout.
    with failing({"times": times}, "commitTransaction", **how):
        assert await provider.apply(bought(1, 90, request_id)) == Committed(90, 0)
    await assert_bought(provider)
    if request_id is not None:
        assert await provider.apply(bought(1, 90, request_id)) == Committed(90, 0)
        await assert_bought(provider)


@pytest.mark.parametrize("request_id", ["r-1", None], ids=["with an id", "without an id"])
async def test_an_end_that_nobody_tells_is_unknown_and_the_same_id_has_one_effect(
    hasty: MongoDBProvider, request_id: str | None
) -> None:
    with (
        failing("alwaysOn", "commitTransaction", "find", closeConnection=True),
        pytest.raises(CommitUnknownError) as unknown,
    ):
        await hasty.apply(bought(1, 90, request_id))
    assert unknown.value.request_id == (request_id or unknown.value.request_id)
    assert request_id is not None or str(unknown.value.request_id).startswith("~")
    if request_id is not None:
        assert await hasty.apply(bought(1, 90, request_id)) == Committed(90, 0)
        await assert_bought(hasty)
    else:
        await assert_bought(hasty, times=0)  # The connection died before the commit each time.


async def test_a_commit_that_landed_and_was_not_acknowledged_is_found_by_its_id(
    hasty: MongoDBProvider,
) -> None:
    lost = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication"}}
    with failing("alwaysOn", "commitTransaction", **lost):
        assert await hasty.apply(bought(1, 90)) == Committed(90, 0)
    await assert_bought(hasty)


BROKEN_STATEMENTS: dict[str, dict[str, Any]] = {
    "a write conflict": {"errorCode": WRITE_CONFLICT},
    "a dead connection": {"closeConnection": True},
    "a transaction that is gone": {"errorCode": ABORTED},
    "no answer in time": {"blockConnection": True, "blockTimeMS": 700},
}


@pytest.mark.parametrize("command", ["update", "insert"])
@pytest.mark.parametrize("how", BROKEN_STATEMENTS.values(), ids=BROKEN_STATEMENTS.keys())
async def test_a_statement_that_fails_in_passing_is_tried_again(
    provider: MongoDBProvider, how: dict[str, Any], command: str
) -> None:
    with failing({"times": 2}, command, **how):
        assert await provider.apply(bought(1, 90)) == Committed(90, 0)
    await assert_bought(provider)


@pytest.mark.parametrize("code", [INTERRUPTED, 50, 96])
async def test_a_statement_that_fails_for_good_leaves_nothing(provider: MongoDBProvider, code: int) -> None:
    before = await stored(provider)
    with (
        failing({"times": 1}, "insert", errorCode=code),
        pytest.raises(StorageError, match=f"MongoDB at .* failed \\(code {code}\\)") as failed,
    ):
        await provider.apply(bought(1, 90, "r-1"))
    assert not isinstance(failed.value, CommitUnknownError)
    assert await stored(provider) == before
    assert await provider.get_response("r-1", "buy") is None


async def test_conflicts_without_end_are_a_failure_in_time_and_leave_nothing(
    hasty: MongoDBProvider,
) -> None:
    before = await stored(hasty)
    with (
        failing("alwaysOn", "insert", errorCode=WRITE_CONFLICT),
        pytest.raises(StorageError) as failed,
    ):
        await asyncio.wait_for(hasty.apply(bought(1, 90, "r-1")), timeout=10)
    assert not isinstance(failed.value, CommitUnknownError)
    assert await stored(hasty) == before


async def test_a_commit_that_the_server_refuses_for_no_known_reason_is_unknown(
    provider: MongoDBProvider,
) -> None:
    with (
        failing({"times": 1}, "commitTransaction", errorCode=INTERRUPTED),
        pytest.raises(CommitUnknownError),
    ):
        await provider.apply(bought(1, 90, "r-1"))
    assert await provider.apply(bought(1, 90, "r-1")) == Committed(90, 0)
    await assert_bought(provider)


async def test_a_duplicate_in_flight_gets_the_fate_of_the_first(hasty: MongoDBProvider) -> None:
    with failing("alwaysOn", "commitTransaction", "find", closeConnection=True):
        both = await asyncio.gather(
            *(hasty.apply(bought(1, 90, "r-1")) for _ in range(2)), return_exceptions=True
        )
    assert [type(each) for each in both] == [CommitUnknownError] * 2
    assert await hasty.apply(bought(1, 90, "r-1")) == Committed(90, 0)
    await assert_bought(hasty)


async def test_another_act_with_the_id_of_one_in_flight_is_refused_at_once(provider: MongoDBProvider) -> None:
    first = asyncio.create_task(provider.apply(bought(1, 90, "r-1")))
    await asyncio.sleep(0)
    other = bought(1, 90, "r-1")
    other.digest = "sell"
    with pytest.raises(RequestMismatchError):
        await provider.apply(other)
    assert await first == Committed(90, 0)
    await assert_bought(provider)


@pytest.mark.parametrize("after_ms", [0, 1, 3, 6, 10, 20])
async def test_a_task_that_is_cancelled_inside_a_commit_leaves_all_or_nothing(
    provider: MongoDBProvider, after_ms: int
) -> None:
    await with_counter(provider, "stock.x", 5)
    taken = (CounterChange("stock.x", -1),)
    act = change(
        user("ada", 1, goods("x", 1)), counters=taken, request_id="r-1", digest="take", answer=(1, 0)
    )
    task = asyncio.create_task(provider.apply(act))
    await asyncio.sleep(after_ms / 1_000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await provider.apply(act) == Committed(1, 0)
    assert await provider.counters() == {"stock.x": 4}
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.inventory, len(await entries(provider, "ada"))) == ({"x": 1}, 2)


async def test_closing_waits_for_a_commit_whose_caller_is_gone(provider: MongoDBProvider, uri: str) -> None:
    task = asyncio.create_task(provider.apply(bought(1, 90, "r-1")))
    await asyncio.sleep(0.002)
    task.cancel()
    await provider.close()
    async with MongoDBProvider(uri) as opened:
        assert await opened.get_response("r-1", "buy") == Committed(90, 0)
        await assert_bought(opened)


async def test_an_answer_outlives_the_process(provider: MongoDBProvider, uri: str) -> None:
    await provider.apply(bought(1, 90, "r-1"))
    async with MongoDBProvider(uri) as again:
        assert await again.get_response("r-1", "buy") == Committed(90, 0)
        assert await again.apply(bought(2, 80, "r-1")) == Committed(90, 0)
        with pytest.raises(RequestMismatchError):
            await again.get_response("r-1", "sell")
        await assert_bought(again)
