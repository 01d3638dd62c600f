"""The ledger on its way out, and the provider that options name."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from kokoromichi.cli.output import Json, answer, progress, screen
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import exit_on_error

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.settings import Settings

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
    app.add_typer(ledger_app, name="ledger")


ProviderOption = Annotated[
    Provider | None, typer.Option(help="Where players are stored; PROVIDER when left out.")
]


DataDirOption = Annotated[Path | None, typer.Option(help="Folder of the local provider; DATA_DIR.")]
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


@ledger_app.command("export")
def ledger_export(
    out_path: Annotated[
        Path, typer.Option("--out", help="A new folder for parquet; a new file for csv and jsonl.")
    ],
    provider: ProviderOption = None,
    data_dir: DataDirOption = None,
    since: Annotated[
        datetime | None, typer.Option(help="From this moment on, UTC.", formats=_MOMENTS)
    ] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this moment, UTC.", formats=_MOMENTS)] = None,
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
                async with store, store.snapshot() as reader:
                    return await export_ledger(
                        reader,
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
        read_only: Whether it is only read, so that a bot may play on in a local folder, and no table is made.

    Raises:
        MisuseError: Its folder is not there: who reads a store makes none.
    """
    chosen = chosen_settings(provider, data_dir)
    if chosen.provider == "local" and not chosen.data_dir.is_dir():
        message = f"{chosen.data_dir} is no folder: --data-dir, or DATA_DIR, names that of the local provider"
        raise MisuseError(message)
    from kokoromichi.core.provider_manager import build_provider  # noqa: PLC0415 - --help stays fast

    return build_provider(chosen, read_only=read_only)


def chosen_settings(provider: Provider | None, data_dir: Path | None) -> Settings:
    """The settings with what the options say in their place."""
    from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

    update: dict[str, object] = {}
    if provider is not None:
        update["provider"] = provider.value
    if data_dir is not None:
        update["data_dir"] = data_dir
    return Settings().model_copy(update=update)
