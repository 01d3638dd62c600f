"""What holds for every entry of METRICS: its schema, its empty frame, its document, any order of rows."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.metrics.definitions import define
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.observations import SCHEMAS, Observations
from kokoromichi.core.errors import MisuseError
from tests.analysis.books import day, lively
from tests.analysis.metrics_document import DOCUMENT, document, preface

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

every_metric = pytest.mark.parametrize("name", METRICS)


def shuffled(observations: Observations, seed: int) -> Observations:
    """The same observations, every frame in another order of rows."""
    frames = {
        stream: getattr(observations, stream).collect().sample(fraction=1, shuffle=True, seed=seed)
        for stream in SCHEMAS
    }
    return Observations.from_frames(frames.pop("ledger"), **frames)


@every_metric
def test_the_docstring_gives_the_columns_of_the_frame(name: str) -> None:
    expected = [(column.name, column.dtype) for column in define(metric(name)).columns]
    lively_schema = metric(name)(lively()).collect().schema
    assert [(column, str(dtype)) for column, dtype in lively_schema.items()] == expected
    assert metric(name)(Observations.empty()).collect().schema == lively_schema
    assert metric(name)(lively()).collect_schema() == lively_schema
    period = Observations.empty().over(day(0), day(3))
    assert metric(name)(period).collect().schema == lively_schema


@every_metric
def test_nothing_happened_gives_an_empty_frame(name: str) -> None:
    table = metric(name)(Observations.empty()).collect()
    if name == "ledger_health":  # Its rows are the checks.
        assert table["violations"].to_list() == [0] * table.height
    else:
        assert table.is_empty()


@every_metric
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_does_not_matter(name: str, seed: int) -> None:
    expected = metric(name)(lively()).collect()
    assert not expected.is_empty()
    assert_frame_equal(metric(name)(shuffled(lively(), seed)).collect(), expected, rel_tol=1e-12)


@every_metric
def test_rows_come_in_the_same_order_each_time(name: str) -> None:
    first, second = (metric(name)(lively()).collect() for _ in range(2))
    assert first.equals(second)


@every_metric
def test_files_give_what_frames_give(name: str, tmp_path: Path) -> None:
    observations = lively()
    for stream in SCHEMAS:
        getattr(observations, stream).collect().write_parquet(tmp_path / f"{stream}.parquet")
    assert_frame_equal(
        metric(name)(Observations.scan(tmp_path)).collect(),
        metric(name)(observations).collect(),
        rel_tol=1e-12,
    )


@every_metric
def test_a_metric_takes_observations_first_and_has_defaults_for_the_rest(name: str) -> None:
    first, *rest = inspect.signature(metric(name)).parameters.values()
    assert first.name == "observations"
    assert all(parameter.default is not inspect.Parameter.empty for parameter in rest)


def test_the_document_follows_from_the_docstrings() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(preface()), (
        "run: python -m tests.analysis.metrics_document"
    )


def test_the_headline_is_one_documented_row() -> None:
    expected = [(column.name, column.dtype) for column in define(headline).columns]
    for observations in (lively(), Observations.empty()):
        row = headline(observations, 3)
        assert [(column, str(dtype)) for column, dtype in row.schema.items()] == expected
        assert row.height == 1


def test_an_unknown_metric_names_its_neighbours() -> None:
    with pytest.raises(MisuseError, match="there is no metric 'ginni'; near it: gini"):
        metric("ginni")


def test_a_metrics_module_is_imported_when_it_is_asked_for() -> None:
    code = (
        "import sys; from kokoromichi.analysis.metrics import metric; "
        "before = 'kokoromichi.analysis.metrics.waits' in sys.modules; metric('days_to_afford'); "
        "sys.exit(before or 'kokoromichi.analysis.metrics.waits' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_docstring_without_columns_is_refused() -> None:
    def nameless(observations: Observations) -> pl.LazyFrame:
        """It forgets to say.

        Args:
            observations: What was observed.

        Returns:
            Some frame.
        """
        return observations.ledger

    with pytest.raises(MisuseError, match="the docstring of nameless owes"):
        define(nameless)
