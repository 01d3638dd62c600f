"""``kokoromichi migrate``: any store into any other, and an existing installation into each."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from kokoromichi.cli.data import Provider
from kokoromichi.cli.output import Json, listing, progress, screen
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import STORAGE_FAILED, exit_on_error, fail
from kokoromichi.operation.starting import owner_only

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kokoromichi.core.copying.report import CopyProgress, CopyReport, ProgressCallback
    from kokoromichi.core.reference.installation import Installation
    from kokoromichi.settings import Settings

_FINDINGS_SHOWN: Final = 20
_ADDRESSES: Final = {Provider.mongo: "mongo_uri", Provider.postgres: "database_url"}


def migrate(
    target: Annotated[Provider, typer.Option("--to", "--provider", help="The store to fill.")],
    source: Annotated[
        Provider, typer.Option("--from", help="The store to read; local is a data folder.")
    ] = Provider.local,
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
    from_url: Annotated[
        str | None,
        typer.Option(
            envvar="MIGRATE_FROM_URL",
            help="The source's DATABASE_URL or MONGO_URI, where it is not the one of the settings.",
            show_envvar=True,
        ),
    ] = None,
    target_dir: Annotated[
        Path | None, typer.Option(help="The folder to fill with --to local; never the source.")
    ] = None,
    from_mirror: Annotated[
        bool,
        typer.Option(
            "--from-mirror",
            help="Read a mirror, whose own store is lost or was restored to an earlier day.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and report only: nothing is written, no target needed.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the whole report to this file, as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Move everything to a store: users, game data, counters, requests and ledgers.

    The source is only read. Given again, it writes nothing twice; who is ahead in the target is left alone.
    """
    with exit_on_error(), owner_only():
        settings = _settings()
        folder = data_dir or settings.data_dir
        if source is Provider.local:
            read, found = _folder(settings, folder, second_data_dir, time_zone)
        elif data_dir is not None or second_data_dir is not None:
            raise MisuseError(f"--data-dir and --second-data-dir are of --from local, not {source.value}")
        else:
            read, found = _database(settings, source, target, from_url), None
        sources = [one for one in (folder, second_data_dir) if one] if source is Provider.local else []
        target_folder = _target_folder(target, folder, sources, target_dir)
        _refuse_inside("--report", report, sources)
        written = settings.model_copy(update={"provider": target.value, "data_dir": target_folder})
        done = _migrated(found or read, written, dry_run=dry_run, released=from_mirror)
        _conclude(done, found, report, as_json=as_json)


def _settings() -> Settings:
    from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

    return Settings()


def _folder(
    settings: Settings, folder: Path, second: Path | None, time_zone: str
) -> tuple[Settings, Installation | None]:
    """The settings of a folder as a source, and the existing installation that it holds, or None."""
    from kokoromichi.core.reference.installation import is_own, read_installation  # noqa: PLC0415 - --help stays fast

    ours = second is None and is_own(folder)
    found = None if ours else read_installation(folder, second, time_zone)
    return settings.model_copy(update={"provider": "local", "data_dir": folder}), found


def _migrated(
    source: Settings | Installation, target: Settings, *, dry_run: bool, released: bool
) -> CopyReport:
    with progress(f"Migrating to {target.provider}", None, "done") as (bar, task):

        def show(step: CopyProgress) -> None:
            bar.update(task, description=step.part, completed=step.done, total=step.total)

        return asyncio.run(_moved(source, None if dry_run else target, show, released=released))


def _conclude(done: CopyReport, found: Installation | None, report: Path | None, *, as_json: bool) -> None:
    document = done.document() | ({"installation": found.report()} if found else {})
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(_json(document), encoding="utf-8")
    if as_json:
        typer.echo(_json(document))
    else:
        _show_migration(done, found)
    if not done.complete:
        fail(f"the migration is incomplete. {done.undo}".rstrip(), STORAGE_FAILED)


def _json(document: Mapping[str, object]) -> str:
    """JSON of any integers: sums of an installation's gold may be wider than 64 bits."""
    return json.dumps(document, ensure_ascii=False)


def _database(settings: Settings, source: Provider, target: Provider, url: str | None) -> Settings:
    """The settings of a database as a source.

    Raises:
        MisuseError: It is the target itself, or not named where both are of one kind.
    """
    from pydantic import SecretStr  # noqa: PLC0415 - --help stays fast

    name = _ADDRESSES[source]
    own = getattr(settings, name).get_secret_value()
    if source is target and url in (None, own):
        message = f"source and target are both {name.upper()}: name the source in MIGRATE_FROM_URL"
        raise MisuseError(message)
    return settings.model_copy(update={"provider": source.value, name: SecretStr(url or own)})


def _target_folder(target: Provider, unused: Path, sources: Sequence[Path], folder: Path | None) -> Path:
    """Where the local provider is to write: never in a source."""
    if target is not Provider.local:
        if folder is not None:
            message = f"--target-dir is for --to local; {target.value} is found by its own setting"
            raise MisuseError(message)
        return unused
    if folder is None:
        message = "--to local needs --target-dir: the folder to fill, which is never the source"
        raise MisuseError(message)
    _refuse_inside("--target-dir", folder, sources)
    return folder


def _refuse_inside(option: str, path: Path | None, sources: Sequence[Path]) -> None:
    """Refuse to write in a source."""
    for each in sources:
        if path is not None and path.resolve().is_relative_to(each.resolve()):
            message = f"{option} {path} lies in the source {each}, which is never written: name another"
            raise MisuseError(message)


async def _moved(
    source: Settings | Installation, target: Settings | None, on_step: ProgressCallback, *, released: bool
) -> CopyReport:
    """Import or copy; a dry run has no target."""
    from kokoromichi.core.clock import SystemClock  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.copying.copy_all import copy_all  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.copying.importing import import_installation  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.copying.marking import mark_moved, marked_unless_failed  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.provider_manager import build_provider  # noqa: PLC0415 - --help stays fast
    from kokoromichi.core.reference.installation import Installation  # noqa: PLC0415 - --help stays fast

    async with AsyncExitStack() as stores:
        if isinstance(source, Installation):
            name, move = "an existing installation", partial(import_installation, source, clock=SystemClock())
        else:
            # A folder is held while it moves: what a bot would play there meanwhile were left behind.
            reads = target is None or source.provider != "local"
            ours = await stores.enter_async_context(build_provider(source, read_only=reads))
            name, move = ours.where, partial(copy_all, ours, released=released)
        if target is None:
            return await move(target=None, dry_run=True, progress=on_step)
        theirs = await stores.enter_async_context(build_provider(target))
        async with marked_unless_failed(theirs, name, MisuseError):
            done = await move(target=theirs, progress=on_step)
        if not done.cut_off:
            await mark_moved(theirs)
        return done


def _show_migration(done: CopyReport, found: Installation | None) -> None:
    from kokoromichi.core.copying.report import PARTS  # noqa: PLC0415 - --help stays fast

    title = f"{done.source} → {done.target or 'nothing (dry run)'}"
    shown = listing(title, "part", "planned", "done", "there already")
    for part in PARTS:
        counts = (done.planned[part], done.done[part], done.skipped[part])
        shown.add_row(part.replace("_", " "), *(f"{count:,}" for count in counts))
    screen.print(shown)
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
