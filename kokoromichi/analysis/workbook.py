"""Every metric as a sheet of a workbook."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.metrics.definitions import define
from kokoromichi.analysis.observations import MissingObservationsError
from kokoromichi.analysis.tables import write_workbook

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


def metrics_workbook(
    path: str | Path, headline: pl.DataFrame, measure: Callable[..., pl.DataFrame], first_day: int
) -> Path:
    """Write the headline and every metric as a sheet each; one whose stream was not observed has none.

    Args:
        path: The ``.xlsx`` file; one that is there is replaced.
        headline: The first sheet.
        measure: Answers a metric's frame by its name and options.
        first_day: First day of what is measured after the warm-up.

    Raises:
        MisuseError: XlsxWriter is not there: it comes with the extra ``notebooks``.
        OSError: The file cannot be written.
    """
    frames = {"headline": headline}
    for name, entry in METRICS.items():
        with suppress(MissingObservationsError):
            frames[name] = measure(name, **entry.options(first_day))
    meanings = {
        name: define(metric(name)).columns for name in frames if name in METRICS and not METRICS[name].own
    }
    return write_workbook(Path(path), frames, meanings)
