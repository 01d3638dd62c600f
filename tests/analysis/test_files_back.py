"""What we write is read back, as is what others write without a loss; the rest is refused by its column."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final
from zipfile import ZipFile

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kokoromichi as km
from kokoromichi.analysis.export import Format, export_ledger
from kokoromichi.analysis.html import card
from kokoromichi.analysis.observations import FrameSchemaError, Observations
from kokoromichi.analysis.report.page import Csv
from kokoromichi.analysis.tables import Table, write_workbook
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.economy import load_economy
from kokoromichi.services.bundle import Services
from kokoromichi.settings import shipped_folder
from tests.analysis.books import Book

if TYPE_CHECKING:
    from pathlib import Path

ECONOMY: Final = load_economy(shipped_folder("data"))
NOON_US: Final = 1_767_614_400_000_000


async def played() -> MemoryProvider:
    """A store with claims and a purchase."""
    clock = ManualClock(NOON_US)
    provider = MemoryProvider(clock)
    services = Services(provider, ECONOMY, clock)
    await services.start()
    await services.daily.claim("ada")
    await services.store.purchase("ada", "health_potion", 2)
    await services.daily.claim("bob")
    return provider


@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl"])
async def test_an_export_is_read_back_row_by_row(tmp_path: Path, format_: Format) -> None:
    provider = await played()
    async with provider.snapshot() as reader:
        frames = [frame async for frame in reader.ledger_frames()]
        out = tmp_path / "out [v2]" / ("rows" if format_ == "parquet" else f"rows.{format_}")
        await export_ledger(reader, out, format_)
    back = km.Ledger.scan(out).frame.collect()
    assert back.schema == km.LEDGER_SCHEMA
    assert_frame_equal(back.sort("entry_id"), pl.concat(frames).sort("entry_id"))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    at = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
    row = dict.fromkeys(km.LEDGER_SCHEMA) | {
        "entry_id": "1", "tx_id": "1", "at": at, "book": "shop", "kind": "purchase", "user_id": "ada",
        "currency": "gold", "amount": -50, "balance_after": 950, "quantity": 1, "item_id": "health_potion",
        "request_id": "r", "actor": "ada",
    }  # fmt: skip
    second = row | {"entry_id": "2", "quantity": None, "item_id": None, "book": "daily", "kind": "daily"}
    return pl.DataFrame([row, second], schema=km.LEDGER_SCHEMA)


NEIGHBOURS: Final = {
    "another zone": pl.col("at").dt.convert_time_zone("Asia/Tokyo"),
    "nanoseconds": pl.col("at").cast(pl.Datetime("ns", "UTC")),
    "milliseconds": pl.col("at").cast(pl.Datetime("ms", "UTC")),
    "nullable floats of whole numbers": pl.col("amount", "balance_after", "quantity").cast(pl.Float64),
    "small integers": pl.col("amount", "quantity").cast(pl.Int16),
    "categories": pl.col("kind", "user_id").cast(pl.Categorical),
    "text": pl.col("amount", "quantity").cast(pl.String),
    "nothing but nulls": pl.lit(None).alias("counterparty"),
}


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "pandas.csv"])
def test_what_other_programs_write_of_a_ledger_is_read(rows: pl.DataFrame, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "rows.csv":
        rows.write_csv(path)
    elif name == "rows.jsonl":
        rows.write_ndjson(path)
    else:
        rows.to_pandas().to_csv(path, index=False)
    assert_frame_equal(km.Ledger.scan(path).frame.collect(), rows)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_a_neighbouring_type_is_taken_without_a_loss(rows: pl.DataFrame, name: str) -> None:
    theirs = rows.with_columns(NEIGHBOURS[name])
    assert theirs.schema != rows.schema
    assert_frame_equal(km.Ledger.from_frame(theirs).frame.collect(), rows)


STRANGERS: Final = {
    "no zone": (pl.col("at").dt.replace_time_zone(None), "at: the times have no zone; say which it is"),
    "half a nanosecond": (
        pl.col("at").cast(pl.Datetime("ns", "UTC")) + pl.duration(nanoseconds=1),
        "at: datetime.datetime(2026, 1, 5, 12, 0, tzinfo=",
    ),
    "half a coin": (pl.col("amount") + 0.5, "amount: -49.5 is no Int64; correct it, or leave the row out"),
    "beyond 64 bits": (pl.col("amount") * 1e30, "amount: -5e+31 is no Int64"),
    "words": (pl.lit("many").alias("quantity"), "quantity: 'many' is no Int64"),
    "truth values": (pl.lit(value=True).alias("amount"), "amount: the column is Boolean, not Int64"),
    "dates": (pl.col("at").dt.date(), "at: the column is Date, not Datetime"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_would_be_lost_is_refused_by_its_column(rows: pl.DataFrame, name: str) -> None:
    change, said = STRANGERS[name]
    with pytest.raises(FrameSchemaError) as refused:
        km.Ledger.from_frame(rows.with_columns(change))
    assert said in str(refused.value)


def test_folders_by_key_are_read(rows: pl.DataFrame, tmp_path: Path) -> None:
    for part in rows.partition_by("book"):
        folder = tmp_path / f"book={part['book'][0]}" / "month=2026-01"
        folder.mkdir(parents=True)
        part.drop("book").write_parquet(folder / "part-0.parquet")
    assert_frame_equal(km.Ledger.scan(tmp_path).frame.collect().sort("entry_id"), rows)
    assert_frame_equal(Observations.scan(tmp_path).ledger.collect().sort("entry_id"), rows)


def test_a_run_of_one_replication_is_read_and_one_of_more_is_refused_with_the_way(tmp_path: Path) -> None:
    scenario = km.Scenario.load("baseline", players=3, days=2)
    run = km.simulate(scenario, replications=1, out=tmp_path / "one")
    assert km.Ledger.scan(run.folder).frame.collect().height == run.health()["ledger_rows"].item()
    assert Observations.scan(run.folder).has_activity
    km.simulate(scenario, replications=2, out=tmp_path / "one")
    with pytest.raises(MisuseError, match=r"a run of 2 replications.*replications/000"):
        km.Ledger.scan(run.folder)


def test_a_frame_becomes_pandas_and_a_run_a_workbook(tmp_path: Path) -> None:
    run = km.simulate(km.Scenario.load("baseline", players=3, days=2), replications=1, out=tmp_path / "run")
    supply = run.metric("money_supply")
    assert supply.to_pandas()["supply"].tolist() == supply["supply"].to_list()
    path = run.to_excel(tmp_path / "run.xlsx")
    with ZipFile(path) as book:  # A workbook is a zip of sheets.
        sheets = book.read("xl/workbook.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
    assert '<sheet name="money_supply"' in sheets
    assert '<sheet name="headline"' in sheets
    assert "sum of the balances, in units of the currency" in words


def test_frames_of_ones_own_are_sheets_and_lines_whatever_they_hold(tmp_path: Path) -> None:
    frame = pl.DataFrame({"list": [[1, 2]], "bytes": [b"x"], "struct": [{"a": 1}], "text": ["=1+1"]})
    long = "a_very_long_name_of_a_metric_of_our_own"
    path = write_workbook(tmp_path / "own.xlsx", {f"{long}_one": frame, f"{long}_two": frame}, {})
    with ZipFile(path) as book:
        assert book.read("xl/workbook.xml").decode().count("<sheet name=") == 2
        texts = book.read("xl/sharedStrings.xml").decode()
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    assert all(text in texts for text in ("[1, 2]", "{'a': 1}", "=1+1"))
    assert "{'a': 1}" in Csv.of("own", frame).text


def test_a_decimal_that_is_whole_is_an_integer() -> None:
    rows = Book().opening(0, "ada").frame()
    texts = rows.with_columns(pl.col("amount").cast(pl.Decimal(20, 2)))
    assert km.Ledger.from_frame(texts).frame.collect().equals(rows)
    with pytest.raises(MisuseError, match="is no Int64"):
        km.Ledger.from_frame(texts.with_columns(pl.col("amount") + pl.lit("0.5").cast(pl.Decimal(20, 2))))


def test_frames_are_shown_with_separators(tmp_path: Path) -> None:
    run = km.simulate(km.Scenario.load("baseline", players=20, days=2), replications=1, out=tmp_path / "run")
    supply = run.metric("money_supply")
    largest = max(supply["supply"].to_list())
    shown = supply._repr_html_()
    assert f">{largest:,}</td>" in shown
    assert "i64" not in shown
    assert f"{largest:,}" in repr(supply)
    assert str(largest) in repr(pl.DataFrame(supply))  # Other frames stay as they are.


def test_a_frame_in_a_cell_is_a_card_that_says_what_is_missing_and_how_much_is_left() -> None:
    odd = {"name": ["<b>"] * 30, "met": [True] * 30, "value": [math.inf] * 30, "none": [None] * 30}
    shown = Table(odd)._repr_html_()
    assert "&lt;b&gt;" in shown
    assert all(text in shown for text in (">yes<", ">beyond the horizon<", ">–<", "and 10 rows more"))
    assert shown.startswith(card("", ())[:40])  # In the frame of the other cards.


def test_what_is_chosen_of_a_table_is_shown_as_one_too() -> None:
    table = Table({"item": ["charm", "chest"], "gold": [1_234_567.891, None]})
    for chosen in (table.select("item", "gold"), table.filter(item="charm")):
        assert "1,234,567.891" in chosen._repr_html_()
