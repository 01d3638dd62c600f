"""Observations and ledgers: what is taken, what is refused, and with which cure."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from kokoromichi.analysis.ledger import Ledger
from kokoromichi.analysis.observations import (
    SCHEMAS,
    FrameSchemaError,
    MissingObservationsError,
    Observations,
)
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, LEDGER_SCHEMA
from tests.analysis.books import Book, lively

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, observations: Observations, *streams: str) -> None:
    """Write streams as Parquet files."""
    for stream in streams:
        getattr(observations, stream).collect().write_parquet(folder / f"{stream}.parquet")


def test_flags_say_what_was_observed() -> None:
    alone = Observations.from_frames(Book().frame())
    assert (alone.has_activity, alone.has_history, alone.has_players) == (False, False, False)
    assert alone.activity.collect_schema() == SCHEMAS["activity"]
    everything = Observations.empty()
    assert (everything.has_activity, everything.has_history, everything.has_players) == (True, True, True)
    assert everything.ledger.collect().is_empty()


def test_a_folder_is_scanned_by_stream(tmp_path: Path) -> None:
    write(tmp_path, lively(), "ledger", "activity")
    observations = Observations.scan(tmp_path)
    assert (observations.has_activity, observations.has_history, observations.has_players) == (
        True,
        False,
        False,
    )
    assert observations.ledger.collect().equals(lively().ledger.collect())


def test_several_files_make_one_ledger(tmp_path: Path) -> None:
    rows = lively().ledger.collect()
    rows.head(40).write_parquet(tmp_path / "ledger-0.parquet")
    rows.tail(-40).select(sorted(rows.columns)).write_parquet(tmp_path / "ledger-1.parquet")
    assert Observations.scan(tmp_path).ledger.collect().equals(rows)


def test_a_scan_reads_no_row_until_it_is_asked(tmp_path: Path) -> None:
    write(tmp_path, lively(), "ledger")
    observations = Observations.scan(tmp_path)
    (tmp_path / "ledger.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        observations.ledger.collect()


def test_loaded_observations_no_longer_need_their_files(tmp_path: Path) -> None:
    write(tmp_path, lively(), "ledger", "players")
    observations = Observations.scan(tmp_path).loaded()
    (tmp_path / "ledger.parquet").unlink()
    assert observations.ledger.collect().equals(lively().ledger.collect())
    assert (observations.has_activity, observations.has_history, observations.has_players) == (
        False,
        False,
        True,
    )


def test_a_folder_without_a_ledger_is_refused(tmp_path: Path) -> None:
    write(tmp_path, lively(), "activity")
    with pytest.raises(
        MissingObservationsError, match=r"needs the stream ledger.*ledger\*\.parquet"
    ) as raised:
        Observations.scan(tmp_path)
    assert raised.value.missing == "ledger"


def test_a_missing_column_is_refused_with_its_cure() -> None:
    with pytest.raises(
        FrameSchemaError, match=r"ledger: amount: the column is missing; add it in type Int64"
    ) as raised:
        Observations.from_frames(Book().frame().drop("amount"))
    assert (raised.value.source, raised.value.column) == ("ledger", "amount")


def test_activity_of_before_a_column_was_added_is_read_with_nothing_there() -> None:
    older = pl.DataFrame(schema=ACTIVITY_SCHEMA).drop("level")
    seen = Observations.from_frames(pl.DataFrame(schema=LEDGER_SCHEMA), activity=older)
    assert seen.activity.collect_schema() == ACTIVITY_SCHEMA


def test_a_wrong_type_is_refused_with_its_cure() -> None:
    odd = Book().frame().with_columns(pl.col("at").dt.date())
    with pytest.raises(FrameSchemaError, match=r"ledger: at: the column is Date, not Datetime.*cast it"):
        Observations.from_frames(odd)


def test_a_wrong_stream_is_refused_by_its_own_name() -> None:
    with pytest.raises(FrameSchemaError, match="players: archetype: the column is missing"):
        Observations.from_frames(Book().frame(), players=pl.DataFrame({"user_id": ["ada"]}))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, lively(), "ledger")
    lively().ledger.collect().drop("kind").write_parquet(tmp_path / "ledger-2.parquet")
    with pytest.raises(FrameSchemaError, match=r"ledger \(ledger-2\.parquet\): kind"):
        Observations.scan(tmp_path)


def test_further_columns_are_left_out_and_their_order_is_free() -> None:
    rows = lively().ledger.collect()
    wider = rows.select(pl.lit(1).alias("shard"), *reversed(rows.columns))
    assert Observations.from_frames(wider).ledger.collect().equals(rows)


def test_errors_survive_the_way_from_a_worker() -> None:
    missing = pickle.loads(pickle.dumps(MissingObservationsError("acts", "activity")))  # noqa: S301 - our own bytes.
    assert (missing.metric, missing.missing) == ("acts", "activity")
    assert str(missing).startswith("acts needs the stream activity, which was not observed: pass")
    wrong = pickle.loads(pickle.dumps(FrameSchemaError("ledger", "at", "cast it")))  # noqa: S301 - our own bytes.
    assert str(wrong) == "ledger: at: cast it"


def test_require_names_the_first_stream_that_is_missing() -> None:
    alone = Observations.from_frames(Book().frame())
    alone.require("gini", "ledger")
    with pytest.raises(MissingObservationsError, match="fit needs the stream activity"):
        alone.require("fit", "ledger", "activity", "players")
    with pytest.raises(MissingObservationsError, match="fit needs the stream players"):
        alone.require("fit", "players")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=r"typo is no folder: name that of a run, or of exported Parquet"):
        Observations.scan(tmp_path / "typo")


def test_a_ledger_is_scanned_from_a_file_a_folder_or_a_pattern(tmp_path: Path) -> None:
    write(tmp_path, lively(), *SCHEMAS)
    for path in (tmp_path / "ledger.parquet", tmp_path, tmp_path / "*.parquet", str(tmp_path)):
        assert Ledger.scan(path).frame.collect().equals(lively().ledger.collect())


def test_a_scan_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingObservationsError, match="needs the stream ledger"):
        Ledger.scan(tmp_path / "*.parquet")


def test_a_named_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    write(tmp_path, lively(), "activity")
    with pytest.raises(
        FrameSchemaError, match=r"ledger \(activity\.parquet\): entry_id: the column is missing"
    ):
        Ledger.scan(tmp_path / "activity.parquet")


def test_a_ledger_tells_its_health_and_is_an_observation() -> None:
    ledger = Ledger.from_frame(lively().ledger)
    assert ledger.health()["violations"].sum() == 0
    assert not ledger.observations().has_activity


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ((3, 5), "first_day is 3; use a date"),
        (("2026-01-02", "2026-01-01"), "2026-01-02 to 2026-01-01 is no period"),
        ((None, "2026-01-01"), "None to 2026-01-01 is no period"),
    ],
)
def test_a_period_is_two_days_in_their_order(ends: tuple[Any, Any], message: str) -> None:
    seen = Observations.from_frames(LEDGER_SCHEMA.to_frame())
    for cut in (seen.between, seen.over):
        with pytest.raises(MisuseError, match=message):
            cut(*ends)
