"""Commands that move data: migrate, restore and ledger export."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from kokoromichi.cli.output import Json, answer, progress, screen
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import STORAGE_FAILED, exit_on_error, fail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.copying.report import CopyReport, ProgressCallback
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.reference.installation import Installation
    from kokoromichi.settings import Settings

_FINDINGS_SHOWN: Final = 20

ledger_app = typer.Typer(no_args_is_help=True, help="The ledger of a provider.")


class Provider(str, Enum):
    """Where players may be stored."""

    local = "local"
    mongo = "mongo"
    postgres = "postgres"


class Format(str, Enum):
    """How a ledger may leave."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(migrate)
    app.command()(restore)
    app.add_typer(ledger_app, name="ledger")


ProviderOption = Annotated[
    Provider | None, typer.Option(help="Where players are stored; PROVIDER when left out.")
]


def migrate(
    provider: Annotated[Provider, typer.Option(help="The store to fill.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The source: our own data folder, or an existing installation's; DATA_DIR."),
    ] = None,
    second_data_dir: Annotated[
        Path | None,
        typer.Option(help="The installation's other data folder, where users.json and users/ lie apart."),
    ] = None,
    time_zone: Annotated[
        str, typer.Option(help="Where the installation's times were written, such as Europe/Berlin.")
    ] = "UTC",
    target_dir: Annotated[
        Path | None, typer.Option(help="The folder to fill with --provider local; never the source.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Plan and report only: nothing is written, no database is needed."),
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the whole report to this file, as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Move everything to a store: users, game data, counters, requests and ledgers.

    The source is only read. It may be given again: what is there already is not written twice, and a player
    whose target is ahead is listed and left alone.
    """
    with exit_on_error():
        from kokoromichi.core.reference.installation import is_own, read_installation  # noqa: PLC0415 - --help stays fast
        from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

        settings = Settings()
        source = data_dir or settings.data_dir
        chosen = settings.model_copy(
            update={
                "provider": provider.value,
                "data_dir": _target_folder(provider, source, second_data_dir, target_dir),
            }
        )
        found = None if is_own(source) else read_installation(source, second_data_dir, time_zone)
        with progress(f"Migrating to {provider.value}", None, "done") as (bar, task):

            def told_step(step: Any) -> None:
                bar.update(task, description=f"{step.part}", completed=step.done, total=step.total)

            done = asyncio.run(_moved(settings, source, found, None if dry_run else chosen, told_step))
        document = done.document() | ({"installation": found.report()} if found else {})
        if report is not None:
            report.write_text(_json(document), encoding="utf-8")
        if as_json:
            typer.echo(_json(document))
        else:
            _show_migration(done, found)
        if not done.complete:
            fail(f"the migration is incomplete. {done.undo}".rstrip(), STORAGE_FAILED)


def restore(
    data_dir: Annotated[
        Path | None, typer.Option(help="The folder with the readable copy (users/, ledgers/ ...); DATA_DIR.")
    ] = None,
    target_dir: Annotated[
        Path | None, typer.Option(help="The folder to fill, which has no database; the copy's own folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the local store's database anew from its readable copy, when it is lost or damaged.

    A damaged database is set aside. What was played after the newest row of the copy is lost, and so are the
    answers to requests: who sends one again is refused, and nothing is done twice.
    """
    with exit_on_error():
        from kokoromichi.core.clock import SystemClock  # noqa: PLC0415 - --help stays fast
        from kokoromichi.core.providers.local.restoring import restore as restored_from  # noqa: PLC0415
        from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

        source = data_dir or Settings().data_dir
        done = restored_from(source, target_dir or source, SystemClock())
        if as_json:
            answer(done.plain())
        else:
            for sentence in done.sentences():
                screen.print(escape(sentence), highlight=False)


def _json(document: Mapping[str, object]) -> str:
    """JSON of any integers: sums of an installation's gold may be wider than 64 bits."""
    return json.dumps(document, ensure_ascii=False)


def _target_folder(provider: Provider, source: Path, second: Path | None, target: Path | None) -> Path:
    """Where the local provider is to write: never in a source."""
    if provider is not Provider.local:
        if target is not None:
            message = f"--target-dir is for --provider local; {provider.value} is found by its own setting"
            raise MisuseError(message)
        return source
    if target is None:
        message = "--provider local needs --target-dir: the folder to fill, which is never the source"
        raise MisuseError(message)
    for folder in (source, second):
        if folder is not None and (
            target.resolve() == folder.resolve() or folder.resolve() in target.resolve().parents
        ):
            message = (
                f"--target-dir {target} lies in the source {folder}, which is never written: name another"
            )
            raise MisuseError(message)
    return target


async def _moved(
    settings: Settings,
    source: Path,
    found: Installation | None,
    target: Settings | None,
    progress_: ProgressCallback,
) -> CopyReport:
    """Import or copy; a dry run has no target."""
    from kokoromichi.core.clock import SystemClock  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.copying.copy_all import copy_all  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.copying.importing import import_installation  # noqa: PLC0415 - --help stays fast

    if found is None:
        ours = _built(settings.model_copy(update={"provider": "local", "data_dir": source}), read_only=True)
        async with ours:
            if target is None:
                return await copy_all(ours, None, dry_run=True, progress=progress_)
            async with _built(target) as store:
                return await copy_all(ours, store, progress=progress_)
    if target is None:
        return await import_installation(found, None, clock=SystemClock(), dry_run=True, progress=progress_)
    async with _built(target) as store:
        return await import_installation(found, store, clock=SystemClock(), progress=progress_)


def _built(settings: Settings, *, read_only: bool = False) -> DataProvider:
    from kokoromichi.core.provider_manager import build_provider  # noqa: PLC0415 - --help stays fast

    return build_provider(settings, read_only=read_only)


def _show_migration(done: CopyReport, found: Installation | None) -> None:
    from kokoromichi.core.copying.report import PARTS  # noqa: PLC0415 - --help stays fast

    title = f"{done.source} → {done.target or 'nothing (dry run)'}"
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    table.add_column("part")
    for column in ("planned", "done", "there already"):
        table.add_column(column, justify="right")
    for part in PARTS:
        counts = (done.planned[part], done.done[part], done.skipped[part])
        table.add_row(part.replace("_", " "), *(f"{count:,}" for count in counts))
    screen.print(table)
    if found is not None:
        report: Any = found.report()
        totals = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in report["totals"].items())
        screen.print(f"The installation: {totals}.", highlight=False)
        for name, why in found.refused.items():
            screen.print(f"[yellow]Refused:[/] {escape(name)}: {why}", highlight=False)
        for finding in found.findings[:_FINDINGS_SHOWN]:
            said = f"{finding.problem} in {finding.where} {finding.field}: {finding.raw} -> {finding.used}"
            screen.print(f"[yellow]Finding:[/] {escape(said)}", highlight=False)
        if len(found.findings) > _FINDINGS_SHOWN:
            left = len(found.findings) - _FINDINGS_SHOWN
            screen.print(f"... and {left:,} more findings; --report FILE or --json has all.", highlight=False)
    for failure in done.failed:
        screen.print(f"[red]Failed:[/] {escape(str(failure))}", highlight=False)


@ledger_app.command("export")
def ledger_export(
    out_path: Annotated[
        Path, typer.Option("--out", help="A new folder for parquet; a new file for csv and jsonl.")
    ],
    provider: ProviderOption = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the local provider; DATA_DIR.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="From this moment on, UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(help="Before this moment, UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    book: Annotated[
        list[str] | None, typer.Option(help="Only this book; may be given more than once.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="parquet, csv or jsonl.")] = Format.parquet,
    pseudonyms: Annotated[
        Path | None,
        typer.Option(help="A file with a secret key: players leave as keyed hashes, admins' words do not."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the ledger to Parquet by book and month, to CSV or to JSON lines."""
    with exit_on_error():
        from kokoromichi.analysis.export import Selection, export_ledger, read_key  # noqa: PLC0415 - --help stays fast

        selection = Selection(
            since=_utc(since),
            until=_utc(until),
            books=tuple(book or ()),
            key=None if pseudonyms is None else read_key(pseudonyms),
        )
        store = chosen_provider(provider, data_dir, read_only=True)
        with progress(f"Exporting from {store.name}", None, "rows") as (bar, task):

            async def exported() -> Any:
                async with store:
                    return await export_ledger(
                        store,
                        out_path,
                        format_.value,
                        selection,
                        on_rows=lambda rows: bar.update(task, completed=rows),
                    )

            done = asyncio.run(exported())
        if as_json:
            answer({"rows": done.rows, "files": [str(path) for path in done.files]})
        else:
            files = "1 file" if len(done.files) == 1 else f"{len(done.files):,} files"
            screen.print(f"{done.rows:,} rows in {files}: {escape(str(out_path))}", highlight=False)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=timezone.utc)


def chosen_provider(
    provider: Provider | None, data_dir: Path | None, *, read_only: bool = False
) -> DataProvider:
    """The provider of the options and, where they say nothing, of the settings; not open yet.

    Args:
        provider: The store; PROVIDER when left out.
        data_dir: The local provider's folder; DATA_DIR when left out.
        read_only: Whether a local folder is only read, so that a bot may play on in it.

    Raises:
        MisuseError: Its folder is not there: who reads a store makes none.
    """
    from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

    settings = Settings()
    update: dict[str, object] = {}
    if provider is not None:
        update["provider"] = provider.value
    if data_dir is not None:
        update["data_dir"] = data_dir
    chosen = settings.model_copy(update=update)
    if chosen.provider == "local" and not chosen.data_dir.is_dir():
        message = f"{chosen.data_dir} is no folder: --data-dir, or DATA_DIR, names that of the local provider"
        raise MisuseError(message)
    return _built(chosen, read_only=read_only)
