"""A real economy, as a designer looks at it: any store beside its bot, or a folder of what left one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.groups import MEASURES, behaviour_groups
from kokoromichi.analysis.metrics import measured
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.provider_state import read_ledger
from kokoromichi.analysis.pseudonyms import fresh_key, pseudonymous
from kokoromichi.analysis.report import (
    Explanation,
    Report,
    ReportData,
    explained,
    period_report,
    report_data,
    write_report,
)
from kokoromichi.analysis.report.data import measured_from_day
from kokoromichi.analysis.report.periods import span_within
from kokoromichi.analysis.run_plots import RunPlots
from kokoromichi.analysis.tables import Table
from kokoromichi.analysis.targets import TARGETS, Bands, Targets
from kokoromichi.analysis.workbook import metrics_workbook
from kokoromichi.core.data_provider import DataProvider
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local.opening import database_of
from kokoromichi.core.schemas import OBSERVED_SCHEMAS
from kokoromichi.options import day, one_of
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from kokoromichi.analysis.metrics import Metric
    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.reader import Reader

_SCHEMES: Final = {
    "postgres": ("postgres", "database_url"),
    "postgresql": ("postgres", "database_url"),
    "mongodb": ("mongo", "mongo_uri"),
    "mongodb+srv": ("mongo", "mongo_uri"),
}
"""By how an address begins: the provider, and its setting."""


class Live:
    """What a real economy shows: its ledger, what its players tried, and its numbers in force, as one.

    It is read once, when this is made; a store is opened for reading alone, as of one moment, and closed.
    Counts of acts are of the players whom the bot notes (ACTIVITY_SAMPLING).

    Args:
        source: A folder of the local store; ``postgresql://...`` or ``mongodb://...``; a folder of exported
            files, or of a run of one replication; ``Settings``; a provider that is not open; None for the
            store of the bot's settings.
        since: First UTC day, a date or ``"2026-10-01"``; None for the first one observed.
        until: First UTC day that is left out; None for the day after the last one observed.
        ids: Whether players keep their ids. Without it they are keyed hashes in all that is handed out, the
            same ones within this value and others in the next: the key is kept nowhere.
        groups: By what players are told apart whose archetypes are not known: ``sessions``, ``spending`` or
            ``wealth``; see ``behaviour_groups``.

    Attributes:
        name: What was read, without address or password.
        observations: All of it in the time; what lies before it is brought forward.
        first_day: First day of what is measured after the warm-up, counted from 0; 0 in a part.
        plot: Charts: ``live.plot.supply()`` and so on; ``live.plot.event("lucky_charm")`` shows what came
            before and after each change of a price.

    Raises:
        MisuseError: There is no such source, or no day lies in that time.
        StorageError: The store cannot be read.
    """

    def __init__(
        self,
        source: str | Path | Settings | DataProvider | None = None,
        *,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        ids: bool = False,
        groups: str = "sessions",
    ) -> None:
        if not isinstance(ids, bool):
            raise MisuseError(f"ids is {ids!r}; use True to leave players their ids, or False")
        self._since, self._until = day("since", since), day("until", until)
        groups = one_of("groups", groups, MEASURES)
        self.name, seen = _observed(source)
        self._whole = (seen if ids else _hidden(seen)).loaded()
        self._named = ids
        if not self._whole.has_players:
            self._whole = self._whole.grouped(behaviour_groups(self._part(), groups), groups)
        self.observations = self._part()
        self.first_day = measured_from_day(self.observations)
        self.plot = RunPlots(self.metric, self.first_day)

    def _part(self) -> Observations:
        if self._since is None and self._until is None:
            return self._whole
        return self._whole.between(*span_within([self._whole], self._since, self._until)).loaded()

    @cached_property
    def headline(self) -> pl.DataFrame:
        """One row: the columns of ``headline``."""
        return Table(headline(self.observations, self.first_day))

    def metric(self, name: str | Metric, **options: object) -> pl.DataFrame:
        """One metric.

        Args:
            name: A key of ``METRICS``, or a function of your own that takes ``Observations``.
            options: What the metric takes, such as ``first_day``.

        Raises:
            MisuseError: There is no such metric, or a sum of it is beyond 64 bits.
            MissingObservationsError: It needs a stream that was not observed.
        """
        return Table(measured(name, self.observations, **options))

    def to_excel(self, path: str | Path) -> Path:
        """Write the headline and every metric as a sheet each; heads say what a column means.

        Raises:
            MisuseError: XlsxWriter is not there: it comes with the extra ``notebooks``.
            OSError: The file cannot be written.
        """
        return metrics_workbook(path, self.headline, self.metric, self.first_day)

    def report_data(self, title: str = "The live economy", targets: Bands = TARGETS) -> ReportData:
        """Everything that the report shows, computed; of a part beside the time before it."""
        wanted = Targets.of(targets)
        told: Mapping[str, str] = {
            "read from": self.name,
            "players": "by their ids" if self._named else "by pseudonyms, whose key is not kept",
        }
        if self._since is None and self._until is None:
            return report_data([self._whole], title=title, manifest=told, targets=wanted)
        return period_report(
            [self._whole], self._since, self._until, title=title, manifest=told, targets=wanted
        )

    def report(
        self, path: str | Path, *, title: str = "The live economy", targets: Bands = TARGETS
    ) -> Report:
        """Write the report; a notebook shows a link to it.

        Args:
            path: The HTML file.
            title: The report's title.
            targets: Bands wanted, by the name of the number.

        Raises:
            OSError: The file cannot be written.
        """
        return write_report(path, self.report_data(title, targets))

    def explain(self, targets: Bands = TARGETS) -> Explanation:
        """Say in sentences how fast supply grows, who gains by what, and which targets are missed.

        Args:
            targets: The bands that numbers are held to, as in ``report``.

        Raises:
            MisuseError: A target names what is not there.
        """
        return explained(self.report_data(targets=targets))

    def __repr__(self) -> str:
        """What was read, and of which time."""
        return f"Live({self.name!r}, since={self._since}, until={self._until})"


def _observed(source: str | Path | Settings | DataProvider | None) -> tuple[str, Observations]:
    """What a source is called, and everything that it shows."""
    if isinstance(source, (str, Path)) and "://" not in str(source):
        folder = Path(source)
        if not database_of(folder).is_file():
            return folder.absolute().name, Observations.scan(folder)
    provider = _provider(source)
    with ThreadPoolExecutor(1) as thread:  # A notebook has a loop of its own.
        return provider.name, thread.submit(asyncio.run, _read(provider)).result()


def _provider(source: str | Path | Settings | DataProvider | None) -> DataProvider:
    if not isinstance(source, (str, Path, Settings, DataProvider, type(None))):
        raise MisuseError(f"Live is given {source!r:.60}; give it a folder, or the address of a store")
    if isinstance(source, DataProvider):
        return source
    if source is None or isinstance(source, Settings):
        return build_provider(source or Settings(), read_only=True)
    scheme, is_address, _ = str(source).partition("://")
    if not is_address:
        chosen: dict[str, object] = {"provider": "local", "data_dir": Path(source)}
    elif scheme in _SCHEMES:
        provider, setting = _SCHEMES[scheme]
        chosen = {"provider": provider, setting: str(source)}
    else:
        raise MisuseError(f"{scheme}:// is the address of no store; use postgresql:// or mongodb://")
    return build_provider(Settings(**chosen), read_only=True)  # type: ignore[arg-type] # by their names


async def _read(provider: DataProvider) -> Observations:
    async with provider, provider.snapshot() as reader:
        ledger = await read_ledger(reader)
        activity, history = [await _stream(reader, stream) for stream in ("activity", "economy_history")]
    return Observations.from_frames(
        ledger,
        activity=activity if activity.height else None,
        economy_history=history if history.height else None,
    )


async def _stream(reader: Reader, stream: Stream) -> pl.DataFrame:
    frames = [frame async for frame in reader.observation_frames(stream)]
    return pl.concat([OBSERVED_SCHEMAS[stream].to_frame(), *frames])


def _hidden(seen: Observations) -> Observations:
    """The same with other names for the players, by a key that nobody keeps."""
    key = fresh_key()
    return seen.mapped(lambda frame: pseudonymous(frame, key))
