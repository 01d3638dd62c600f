"""What was applied is in the ledger, once, in order, in pages and in frames."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kokoromichi.core.clock import us_of
from kokoromichi.core.models import ChangeSet, Movement
from kokoromichi.core.schemas import LEDGER_SCHEMA
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, Row, change, entries, goods, money, rows, user, with_player

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import LedgerEntry


async def history(provider: DataProvider) -> None:
    """Nine rows of two players and the system, in six transactions, a second apart."""
    acts = [
        change(user("ada", 0, money(100, 100, "opening"), money(10, 10, "opening", "gems"))),
        change(user("bo", 0, money(50, 50, "opening"))),
        change(user("ada", 1, Movement("purchase", "gold", -20, 80, "x", 2)), request_id="r-1"),
        ChangeSet(0, (), Committed(0, 0), system=(goods("x", 7, "restock"),), actor="system"),
        ChangeSet(
            0,
            (
                user("ada", 2, Movement("transfer", "gold", -9, 71, counterparty="bo"), money(-1, 70, "fee")),
                user("bo", 1, Movement("transfer", "gold", 9, 59, counterparty="ada")),
            ),
            Committed(70, 0),
            actor="ada",
        ),
        ChangeSet(
            0, (user("bo", 2, goods("x", 1)),), Committed(0, 0), actor="root", reason="lost, and sorry"
        ),
    ]
    for second, act in enumerate(acts):
        act.at_us = NOON_US + second * 1_000_000 + 7
        await provider.apply(act)


async def whole(provider: DataProvider) -> pl.DataFrame:
    frames = [frame async for frame in provider.ledger_frames()]
    return pl.concat(frames)


async def test_rows_say_what_was_applied(provider: DataProvider) -> None:
    await history(provider)
    assert await rows(provider) == [
        Row("opening", "ada", "gold", 100, 100),
        Row("opening", "ada", "gems", 10, 10),
        Row("opening", "bo", "gold", 50, 50),
        Row("purchase", "ada", "gold", -20, 80, "x", 2),
        Row("restock", "system", None, None, None, "x", 7),
        Row("transfer", "ada", "gold", -9, 71, counterparty="bo"),
        Row("fee", "ada", "gold", -1, 70),
        Row("transfer", "bo", "gold", 9, 59, counterparty="ada"),
        Row("grant", "bo", None, None, None, "x", 1),
    ]


async def test_rows_say_who_asked_why_when_and_in_which_book(provider: DataProvider) -> None:
    await history(provider)
    found = await entries(provider)
    assert [entry.actor for entry in found] == [
        "ada",
        "ada",
        "bo",
        "ada",
        "system",
        "ada",
        "ada",
        "ada",
        "root",
    ]
    assert [entry.reason for entry in found] == [*[None] * 8, "lost, and sorry"]
    books = ["rewards"] * 3 + ["purchases"] * 2 + ["transfers"] * 3 + ["admin"]
    assert [entry.book for entry in found] == books
    assert [entry.at.second for entry in found] == [0, 0, 1, 2, 3, 4, 4, 4, 5]
    assert {entry.at.microsecond for entry in found} == {7}
    assert {entry.at.tzinfo for entry in found} == {timezone.utc}
    assert [entry.request_id == "r-1" for entry in found] == [False] * 3 + [True] + [False] * 5


async def test_words_are_kept_whoever_asks(provider: DataProvider) -> None:
    act = ChangeSet(NOON_US, (user("ada", 0, money(1, 1)),), Committed(1, 0), reason="a gift")
    await provider.apply(act)
    (entry,) = await entries(provider)
    assert (entry.actor, entry.reason) == ("ada", "a gift")


async def test_the_other_player_is_kept_whoever_asks(provider: DataProvider) -> None:
    given = Movement("gift", item_id="x", quantity=1, counterparty="bo")
    await provider.apply(change(user("ada", 0, given), user("bo", 0)))
    (entry,) = await entries(provider)
    assert (entry.actor, entry.counterparty) == ("ada", "bo")


async def test_rows_of_one_act_share_their_tx_id_and_no_other_has_it(provider: DataProvider) -> None:
    await history(provider)
    by_tx: dict[str, int] = {}
    for entry in await entries(provider):
        by_tx[entry.tx_id] = by_tx.get(entry.tx_id, 0) + 1
    assert list(by_tx.values()) == [2, 1, 1, 1, 3, 1]


async def test_rows_of_one_act_over_two_players_keep_its_order(provider: DataProvider) -> None:
    await with_player(provider, "ada")
    await provider.apply(change(user("bo", 0, money(5, 5)), user("ada", 1, money(-5, 95)), user("ab", 0)))
    assert [row.user_id for row in await rows(provider)] == ["ada", "bo", "ada"]


async def test_entry_ids_are_unique_and_sort_by_time(provider: DataProvider) -> None:
    await history(provider)
    ids = [entry.entry_id for entry in await entries(provider)]
    assert len(set(ids)) == len(ids)
    assert sorted(ids) == ids


async def test_frames_have_the_schema_and_the_same_rows_oldest_first(provider: DataProvider) -> None:
    await history(provider)
    ledger = await whole(provider)
    assert dict(ledger.schema) == dict(LEDGER_SCHEMA)
    records = [entry.model_dump() for entry in await entries(provider)]
    assert_frame_equal(ledger, pl.DataFrame(records, LEDGER_SCHEMA))


async def test_an_empty_ledger_has_no_rows(provider: DataProvider) -> None:
    assert [frame async for frame in provider.ledger_frames() if frame.height] == []
    assert await provider.read_ledger() == []


@pytest.mark.parametrize("limit", [1, 2, 4, 9, 100])
async def test_pages_come_newest_first_and_leave_no_row_out(provider: DataProvider, limit: int) -> None:
    await history(provider)
    pages: list[LedgerEntry] = []
    before: str | None = None
    while page := await provider.read_ledger(before=before, limit=limit):
        assert len(page) <= limit
        pages += page
        before = page[-1].entry_id
    assert pages[::-1] == await entries(provider)


async def test_a_page_is_filtered_by_book_player_and_kind_together(provider: DataProvider) -> None:
    await history(provider)

    async def kinds(
        book: str | None = None, user_id: str | None = None, kind: str | None = None
    ) -> list[str]:
        return [entry.kind for entry in await provider.read_ledger(book=book, user_id=user_id, kind=kind)]

    assert await kinds(book="transfers") == ["transfer", "fee", "transfer"]
    assert await kinds(user_id="bo") == ["grant", "transfer", "opening"]
    assert await kinds(kind="opening") == ["opening"] * 3
    assert await kinds(book="transfers", user_id="ada") == ["fee", "transfer"]
    assert await kinds(book="transfers", user_id="ada", kind="fee") == ["fee"]
    assert await kinds(user_id="system") == ["restock"]
    assert await kinds(book="summons") == []
    assert await kinds(user_id="nobody") == []
    assert await kinds(book="rewards", kind="fee") == []


async def test_a_filtered_page_is_filled_and_goes_on_where_it_ended(provider: DataProvider) -> None:
    await history(provider)
    newest = await provider.read_ledger(user_id="ada", limit=2)
    assert [entry.kind for entry in newest] == ["fee", "transfer"]
    older = await provider.read_ledger(user_id="ada", limit=2, before=newest[-1].entry_id)
    assert [entry.kind for entry in older] == ["purchase", "opening"]


@pytest.mark.parametrize(("limit", "found"), [(0, 1), (-5, 1), (1, 1), (1_000, 1_000), (5_000, 1_000)])
async def test_a_page_has_1_to_1000_rows(provider: DataProvider, limit: int, found: int) -> None:
    steps = [money(1, after) for after in range(1, 1_202)]
    await provider.apply(change(user("ada", 0, *steps)))
    assert len(await provider.read_ledger(limit=limit)) == found
    assert len(await provider.read_ledger()) == 50


async def test_a_row_that_is_read_cannot_be_changed(provider: DataProvider) -> None:
    await with_player(provider, "ada")
    (entry,) = await entries(provider)
    with pytest.raises(ValueError, match="frozen"):
        entry.amount = 5  # type: ignore[misc] # What is refused.


async def test_times_are_kept_to_the_microsecond_and_balances_to_the_unit(provider: DataProvider) -> None:
    moment = datetime(2299, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
    most = 2**63 - 1
    await provider.apply(change(user("ada", 0, money(most, most, "import")), at_us=us_of(moment)))
    (entry,) = await entries(provider)
    assert (entry.at, entry.amount, entry.balance_after) == (moment, most, most)
    ledger = await whole(provider)
    assert ledger.row(0, named=True)["at"] == moment
    assert ledger.row(0, named=True)["amount"] == most


async def test_rows_keep_their_order_when_the_clock_steps_back(provider: DataProvider) -> None:
    for version, after in enumerate((100, 90, 80)):
        act = change(user("ada", version, money(-10 if version else 100, after)))
        act.at_us = NOON_US - version * 1_000_000
        await provider.apply(act)
    rows_of_ada = await provider.read_ledger(user_id="ada")
    assert [row.balance_after for row in rows_of_ada] == [80, 90, 100]
    older = await provider.read_ledger(before=rows_of_ada[0].entry_id)
    assert [row.balance_after for row in older] == [90, 100]
