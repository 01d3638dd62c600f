"""A replication written while it is played holds the rows of one that is written at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.observations import Observations
from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: there is one engine")

from kokoromichi.simulation.compiled.streaming import stream

pytestmark = pytest.mark.usefixtures("compiled_engine")

SCENARIO = Scenario.load("sale_week", players=60, days=60)


def seen_in(folder: Path) -> list[pl.DataFrame]:
    seen = Observations.scan(folder)
    return pl.collect_all([seen.ledger, seen.activity, seen.economy_history, seen.players])


def test_the_parts_hold_the_rows_of_the_whole(tmp_path: Path) -> None:
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    parts.mkdir()
    whole.mkdir()
    streamed = stream(SCENARIO, 3, parts, part_rows=3_000)
    written = engines.play_into(SCENARIO, 3, engines.COMPILED, whole)
    assert streamed[:2] == written[:2]
    assert streamed.audit.sound
    assert len(list(parts.glob("ledger_*.parquet"))) > 1
    for found, wanted in zip(seen_in(parts), seen_in(whole), strict=True):
        assert_frame_equal(found, wanted)


def test_of_a_sampled_activity_the_rows_of_some_players_are_whole_and_nobody_leaves_unseen(
    tmp_path: Path,
) -> None:
    stream(SCENARIO, 3, tmp_path, activity_one_in=10)
    wanted = engines.play(SCENARIO, 3, engines.COMPILED).activity
    some = pl.col("user_id").to_physical() % 10 == 0
    turns = pl.col("act").is_in(["leave", "return"])
    activity = seen_in(tmp_path)[1]
    assert activity["units_held"].drop_nulls().len() > 0
    everyone = activity["user_id"].n_unique()
    assert everyone > activity.filter(~turns)["user_id"].n_unique()
    assert_frame_equal(activity, wanted.filter(some | turns).cast(activity.schema))


def test_a_play_can_be_ended_between_two_days(tmp_path: Path) -> None:
    def ended(day: int) -> None:
        if day == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream(SCENARIO, 3, tmp_path, on_day=ended)
    assert not list(tmp_path.glob("players*.parquet"))
