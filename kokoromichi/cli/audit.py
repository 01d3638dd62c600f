"""The audit on the command line: of a store, of a run, of exported files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from kokoromichi.cli.data import DataDirOption, Provider, chosen_provider
from kokoromichi.cli.output import Json, answer, screen
from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import AUDIT_FAILED, exit_on_error, fail
from kokoromichi.operation.starting import owner_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from kokoromichi.analysis.audit import AuditReport

_ROWS_SHOWN: Final = 20


def audit(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of a run, or of exported Parquet files.")
    ] = None,
    provider: Annotated[
        Provider | None, typer.Option(help="Audit this store instead: its ledger against all that it holds.")
    ] = None,
    data_dir: DataDirOption = None,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="First take files as they were edited externally, and book the difference; local only.",
        ),
    ] = False,
    recount: Annotated[
        bool,
        typer.Option(
            "--recount",
            help="First correct the daily totals by the ledger: of a database while the bot plays, of local "
            "files while it is stopped.",
        ),
    ] = False,
    expect_rows: Annotated[
        bool, typer.Option("--expect-rows", help="A store without a ledger row is a finding.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every law: of a store and of a run all, of exported files what a ledger alone can show."""
    with exit_on_error(), owner_only():
        if adopt and provider is None and folder is None:
            provider = Provider.local
        if (folder is None) == (provider is None) or ((adopt or recount) and folder is not None):
            message = (
                "audit needs a folder or --provider local|mongo|postgres; --adopt and --recount are of those"
            )
            raise MisuseError(message)
        if folder is not None:
            _audit_folder(folder, as_json=as_json)
            return
        from kokoromichi.analysis.provider_state import audit_provider  # noqa: PLC0415 - --help stays fast

        writes = adopt or (recount and provider is Provider.local)
        store = chosen_provider(provider, data_dir, read_only=not writes)

        from kokoromichi.services.health import clock_finding  # noqa: PLC0415 - --help stays fast

        async def audited() -> tuple[list[str], dict[str, str], AuditReport, str | None]:
            async with store:
                await store.verify()
                adopted = await store.adopt() if adopt else []
                if recount:
                    await store.recount()
                clock = await clock_finding(store, SystemClock().now_us())
                return adopted, await store.edited_files(), await audit_provider(store), clock

        adopted, edited, found, clock = asyncio.run(audited())
        _conclude_audit(store.name, found, adopted if adopt else None, edited, clock, as_json=as_json)
        if expect_rows and not found.rows:
            fail(f"{store.where} has no ledger row: is it the store that was meant?", AUDIT_FAILED)


def _conclude_audit(
    name: str,
    found: AuditReport,
    adopted: list[str] | None,
    edited: dict[str, str],
    clock: str | None,
    *,
    as_json: bool,
) -> None:
    broken = _broken(found)
    if as_json:
        said = {
            "provider": name,
            "sound": found.sound,
            "rows": found.rows,
            "violations": _plain_violations(broken),
            "edited_files": edited,
            "clock": clock,
        }
        answer(said if adopted is None else said | {"adopted": adopted})
    else:
        if adopted is not None:
            screen.print(escape(f"Adopted: {', '.join(adopted) or 'nothing, no file was changed'}"))
        for file, why in edited.items():
            said_of = f"{file} {why}: `kokoromichi audit --adopt` books the difference"
            screen.print(escape(said_of), highlight=False)
        if clock is not None:
            screen.print(escape(f"Clock: {clock}"), highlight=False)
        if not found.rows:
            screen.print(escape(f"{name}: empty, nothing was ever booked there"), highlight=False)
        elif found.sound:
            screen.print(escape(f"{name}: {found}"), highlight=False)
        _show_violations(broken)
    if broken:
        _fail(sum(rows.height for rows in broken.values()))


def _broken(found: AuditReport) -> dict[int, pl.DataFrame]:
    return {law: rows for law, rows in found.violations.items() if not rows.is_empty()}


def _plain_violations(broken: Mapping[int, pl.DataFrame]) -> dict[str, list[dict[str, object]]]:
    return {
        str(law): [
            {column: value if _is_small(value) else str(value) for column, value in row.items()}
            for row in rows.to_dicts()
        ]
        for law, rows in broken.items()
    }


def _is_small(value: object) -> bool:
    """Whether JSON holds a value as it is: sums may be wider than 64 bits."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _show_violations(broken: Mapping[int, pl.DataFrame]) -> None:
    from kokoromichi.analysis.audit import LAWS  # noqa: PLC0415 - --help stays fast

    for law, rows in broken.items():
        screen.print(f"law {law}: {escape(LAWS[law])}: {rows.height:,} violations", highlight=False)
        for row in rows.head(_ROWS_SHOWN).to_dicts():
            said = ", ".join(f"{column} {value}" for column, value in row.items() if value is not None)
            screen.print(f"  {escape(said)}", highlight=False)
        if rows.height > _ROWS_SHOWN:
            screen.print(f"  ... and {rows.height - _ROWS_SHOWN:,} more; --json has all", highlight=False)


def _fail(violations: int) -> None:
    fail(f"{violations:,} violations", AUDIT_FAILED)


def _audit_folder(folder: Path, *, as_json: bool) -> None:
    from kokoromichi.analysis.reading import REPLICATIONS  # noqa: PLC0415 - --help stays fast
    from kokoromichi.simulation.run import missing_replications  # noqa: PLC0415

    missing = missing_replications(folder)
    played = sorted(path for path in (folder / REPLICATIONS).glob("[0-9]*") if path.is_dir())
    targets = [path for path in played if path not in missing]
    found = [_FolderAudit.of(target) for target in targets or ([] if missing else [folder])]
    violations = len(missing) + sum(audited.violations for audited in found)
    if as_json:
        answer(
            {
                "sound": violations == 0,
                "ledgers": {str(audited.folder): audited.plain() for audited in found},
                "missing_replications": [str(target) for target in missing],
            }
        )
    else:
        for audited in found:
            audited.show()
        for target in missing:
            screen.print(f"{escape(str(target))}: missing, though the manifest counts it", highlight=False)
    if violations:
        _fail(violations)


@dataclass(frozen=True)
class _FolderAudit:
    """What was found in a folder with a ledger: of a replication, or of an export.

    Attributes:
        folder: Which.
        changed: Files that are not what the run wrote.
        health: What a ledger alone shows (``ledger_health``); None where it cannot be read.
        states: What the states beside it show; None where there are none.
    """

    folder: Path
    changed: Sequence[str]
    health: pl.DataFrame | None
    states: AuditReport | None

    @classmethod
    def of(cls, folder: Path) -> _FolderAudit:
        """Audit a folder.

        Raises:
            MisuseError: There is no ledger, or none that can be read, and nobody kept what it should be.
        """
        if not folder.exists():
            message = f"{folder} is no folder: name that of a run, or of exported Parquet files"
            raise MisuseError(message)
        from polars.exceptions import ComputeError  # noqa: PLC0415 - --help stays fast

        from kokoromichi.analysis.ledger import Ledger  # noqa: PLC0415 - --help stays fast
        from kokoromichi.analysis.provider_state import StoredStates  # noqa: PLC0415
        from kokoromichi.simulation.replication_jobs import changed_files  # noqa: PLC0415

        changed = changed_files(folder)
        try:
            ledger = Ledger.scan(folder)
            states = StoredStates.read(folder)
            report = None if states is None else states.audit(ledger.frame, ledger.brought)
            return cls(folder, changed, ledger.health(), report)
        except (MisuseError, ComputeError):
            if not changed:
                raise
            return cls(folder, changed, None, None)  # That a file was damaged is the finding.

    @property
    def violations(self) -> int:
        """How many there are."""
        by_rows = 0 if self.health is None else int(self.health["violations"].sum())
        by_states = 0 if self.states is None else sum(self.states.counts.values())
        return len(self.changed) + by_rows + by_states

    def plain(self) -> dict[str, object]:
        """The findings for a program."""
        return {
            "changed_files": list(self.changed),
            "checks": [] if self.health is None else self.health.to_dicts(),
            "states_stored": self.states is not None,
            "violations": {} if self.states is None else _plain_violations(_broken(self.states)),
        }

    def show(self) -> None:
        """The findings for a person."""
        said = "broken" if self.violations else "sound"
        if not self.violations and self.states is None:
            said = "sound, as far as a ledger alone shows"
        screen.print(f"{escape(str(self.folder))}: {said}", highlight=False)
        for name in self.changed:
            screen.print(f"  {escape(name)} is not what the run wrote", highlight=False)
        if self.health is not None:
            for row in self.health.filter(self.health["violations"] > 0).to_dicts():
                screen.print(f"  law {row['law']}, {row['check']}: {row['violations']:,}", highlight=False)
        if self.states is not None:
            _show_violations(_broken(self.states))
