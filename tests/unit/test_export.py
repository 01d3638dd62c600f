"""The ledger leaves a provider whole, in every format, and players unnamed on request."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.analysis import export
from kokoromichi.analysis.export import Format, Selection, export_ledger, read_key
from kokoromichi.analysis.ledger import Ledger
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.analysis.pseudonyms import pseudonyms
from kokoromichi.core.clock import us_of
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ChangeSet, Movement, UserChange
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import LEDGER_SCHEMA
from kokoromichi.core.transactions import Committed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

KEY = b"sixteen bytes or more"


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=timezone.utc)


async def act(store: MemoryProvider, user_id: str, when: datetime, *rows: Movement, **extra: str) -> None:
    profile = await store.profile(user_id)
    user = UserChange(user_id, profile.version if profile else 0, rows)
    await store.apply(ChangeSet(us_of(when), (user,), Committed(0, 0), digest="d", **extra))  # type: ignore[arg-type] # Text fields.


@pytest.fixture
async def store() -> MemoryProvider:
    """Three months of two players in three books."""
    store = MemoryProvider()
    await act(store, "anna", at(1, 5), Movement("opening", "gold", 100, 100))
    await act(store, "bert", at(1, 31), Movement("opening", "gold", 100, 100), request_id="interaction:bert")
    rows = Movement("purchase", "gold", -10, 90, "silk", 1), Movement("use", item_id="silk", quantity=-1)
    await act(store, "anna", at(2, 1), *rows)
    await act(
        store,
        "anna",
        at(3, 1),
        Movement("gift", item_id="silk", quantity=0, counterparty="bert"),
        actor="anna",
    )
    await act(store, "bert", at(3, 2), Movement("grant", "gold", 1, 101), actor="boss", reason="bert asked")
    await store.apply(
        ChangeSet(
            us_of(at(3, 3)), (), Committed(0, 0), system=(Movement("restock", item_id="silk", quantity=3),)
        )
    )
    return store


async def test_parquet_is_parted_by_book_and_month_and_scans_to_what_is_stored(
    store: MemoryProvider, tmp_path: Path
) -> None:
    done = await export_ledger(store, tmp_path / "out")
    assert done.rows == 7
    assert [file.name for file in done.files] == [
        "ledger_admin_2026-03_0000.parquet",
        "ledger_purchases_2026-02_0000.parquet",
        "ledger_purchases_2026-03_0000.parquet",
        "ledger_rewards_2026-01_0000.parquet",
        "ledger_rewards_2026-02_0000.parquet",
        "ledger_transfers_2026-03_0000.parquet",
    ]
    found = Ledger.scan(tmp_path / "out").frame.collect().sort("entry_id")
    assert found.equals(await read_ledger(store))


async def test_many_rows_are_held_by_few_and_parted_into_files(
    store: MemoryProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_ROWS_HELD", 3)
    whole = await read_ledger(store)

    async def one_by_one() -> AsyncIterator[pl.DataFrame]:
        for row in range(whole.height):
            yield whole[row : row + 1]

    monkeypatch.setattr(store, "ledger_frames", one_by_one)
    done = await export_ledger(store, tmp_path / "out")
    assert len(done.files) == 6
    monkeypatch.setattr(export, "_ROWS_HELD", 1)
    assert len((await export_ledger(store, tmp_path / "parts")).files) == whole.height
    assert Ledger.scan(tmp_path / "out").frame.collect().sort("entry_id").equals(await read_ledger(store))


async def test_csv_and_json_lines_hold_every_row(store: MemoryProvider, tmp_path: Path) -> None:
    stored = await read_ledger(store)
    await export_ledger(store, tmp_path / "ledger.csv", "csv")
    csv = pl.read_csv(tmp_path / "ledger.csv", schema_overrides=dict(LEDGER_SCHEMA) | {"at": pl.String()})
    read = csv.with_columns(
        pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_unit="us", time_zone="UTC")
    )
    assert read.equals(stored)
    await export_ledger(store, tmp_path / "ledger.jsonl", "jsonl")
    lines = (tmp_path / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["entry_id"] for row in rows] == stored["entry_id"].to_list()
    assert rows[0]["at"] == "2026-01-05T12:00:00.000000Z"
    assert rows[0]["item_id"] is None


async def test_only_what_was_asked_for_leaves(store: MemoryProvider, tmp_path: Path) -> None:
    chosen = Selection(since=at(2, 1), until=at(3, 2), books=("purchases", "transfers"))
    told: list[int] = []
    done = await export_ledger(store, tmp_path / "some.csv", "csv", chosen, on_rows=told.append)
    found = pl.read_csv(tmp_path / "some.csv")
    assert found["kind"].to_list() == ["purchase", "gift"]
    assert (done.rows, told) == (2, [2])


@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl"])
async def test_an_empty_ledger_leaves_as_one(tmp_path: Path, format_: Format) -> None:
    done = await export_ledger(MemoryProvider(), tmp_path / "out", format_)
    assert done.rows == 0
    if format_ == "parquet":
        assert Ledger.scan(tmp_path / "out").frame.collect().is_empty()


async def test_pseudonyms_name_nobody_and_keep_who_is_who(store: MemoryProvider, tmp_path: Path) -> None:
    for name in ("one", "two"):
        await export_ledger(store, tmp_path / name, selection=Selection(key=KEY))
    await export_ledger(store, tmp_path / "other", selection=Selection(key=KEY[::-1]))
    one, two, other = (
        Ledger.scan(tmp_path / name).frame.collect().sort("entry_id") for name in ("one", "two", "other")
    )
    plain = await read_ledger(store)
    assert one.equals(two)
    assert set(one["user_id"]) & set(other["user_id"]) == {"system"}
    text = one.write_csv()
    assert not [name for name in ("anna", "bert", "boss") if name in text]
    names = dict(zip(plain["user_id"], one["user_id"], strict=True))
    assert one["user_id"].to_list() == [names[user_id] for user_id in plain["user_id"]]
    assert one["counterparty"].drop_nulls().to_list() == [names["bert"]]
    assert len(set(names.values())) == 3
    assert one.drop("user_id", "counterparty", "actor", "request_id", "reason").equals(
        plain.drop("user_id", "counterparty", "actor", "request_id", "reason")
    )


async def test_what_is_taken_is_not_overwritten(store: MemoryProvider, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "empty").mkdir()
    for out, format_ in (("mine.csv", "csv"), (".", "parquet"), ("empty", "csv")):
        with pytest.raises(MisuseError, match="is taken"):
            await export_ledger(store, tmp_path / out, format_)  # type: ignore[arg-type] # One of the formats.
    assert (tmp_path / "mine.csv").read_text() == "mine"
    assert (await export_ledger(store, tmp_path / "empty")).rows == 7


class Dying(MemoryProvider):
    """A store that dies in the middle of its ledger."""

    async def ledger_frames(self, user_ids: Collection[str] | None = None) -> AsyncIterator[pl.DataFrame]:
        async for frame in super().ledger_frames(user_ids):
            yield frame
        message = "the store died"
        raise StorageError(message)


@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl"])
async def test_half_an_export_is_never_seen(tmp_path: Path, format_: Format) -> None:
    store = Dying()
    await act(store, "anna", at(1, 5), Movement("opening", "gold", 100, 100))
    with pytest.raises(StorageError):
        await export_ledger(store, tmp_path / "out", format_)
    assert not [*tmp_path.iterdir()]  # noqa: ASYNC240 - a test waits for nobody


def test_a_selection_of_nothing_by_mistake_is_refused() -> None:
    with pytest.raises(MisuseError, match="there is no book 'purchase'; there are: admin"):
        Selection(books=("purchase",))
    with pytest.raises(MisuseError, match="is not before until"):
        Selection(since=at(2, 1), until=at(2, 1))
    with pytest.raises(MisuseError, match="16 to 64 bytes, not 5"):
        Selection(key=b"short")


def test_a_key_is_read_without_the_blanks_at_its_ends(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b" " + KEY + b"\n")
    assert read_key(tmp_path / "key") == KEY


async def test_a_ledger_is_taken_from_a_provider_even_where_a_loop_runs(store: MemoryProvider) -> None:
    assert Ledger.export(store).frame.collect().equals(await read_ledger(store))


async def test_what_the_bot_noted_leaves_beside_the_rows(store: MemoryProvider, tmp_path: Path) -> None:
    noted = [{"user_id": "anna", "session": 1, "at": at(month, 1), "act": "shown"} for month in (1, 2, 3)]
    await store.append_observations("activity", noted)
    number = {"economy_hash": "e", "measure": "price_gold", "key": "silk", "value": 10}
    history = [{**number, "effective_from": at(month, 1)} for month in (1, 3)]
    await store.append_observations("economy_history", history)
    await export_ledger(store, tmp_path / "out", selection=Selection(since=at(2, 1), until=at(3, 1), key=KEY))
    seen = Observations.scan(tmp_path / "out")
    activity = seen.activity.collect()
    assert activity.select("at", "act").rows() == [(at(2, 1), "shown")]
    assert activity["user_id"].to_list() == pseudonyms(pl.Series(["anna"]), KEY).to_list()
    assert seen.economy_history.select("effective_from").collect().rows() == [(at(1, 1),)]
