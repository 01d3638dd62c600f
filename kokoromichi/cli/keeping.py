"""Backups on the command line: written while the bot plays, and back into a store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kokoromichi.cli.data import DataDirOption, Provider, ProviderOption, chosen_provider, chosen_settings
from kokoromichi.cli.output import Json, answer, screen
from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import AUDIT_FAILED, exit_on_error, fail
from kokoromichi.operation.starting import owner_only

if TYPE_CHECKING:
    from kokoromichi.operation.backups import Contents, Restoration
    from kokoromichi.settings import Settings


def backup(
    path: Annotated[
        Path, typer.Argument(help="A new file; in a folder that is there, it is named by store and moment.")
    ],
    provider: ProviderOption = None,
    data_dir: DataDirOption = None,
    as_json: Json = False,
) -> None:
    """Write everything that a store holds at this moment to one file, while the bot plays, and audit it."""
    with exit_on_error(), owner_only():
        from kokoromichi.core.providers.local.backups import stamp_of  # noqa: PLC0415 - --help stays fast
        from kokoromichi.operation.backups import back_up  # noqa: PLC0415

        store = chosen_provider(provider, data_dir, read_only=True)
        if path.is_dir():
            path /= f"kokoromichi-{store.name}.{stamp_of(SystemClock().now_us())}.sqlite3"

        async def backed_up() -> Contents:
            async with store:
                return await back_up(store, path)

        done = asyncio.run(backed_up())
        if as_json:
            answer({"path": str(path), "provider": store.name, **done.plain()})
        elif done.audit.sound:
            screen.print(escape(f"{path}: {done}; {done.audit}"), highlight=False)
        if not done.audit.sound:
            fail(f"{path} holds {store.name} as it is, which is not sound: {done.audit}", AUDIT_FAILED)


def restore(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BACKUP]",
            help="What `kokoromichi backup` wrote; the local store's readable copy when left out.",
        ),
    ] = None,
    provider: ProviderOption = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the list of erasures, and of the readable copy (users/ ...); DATA_DIR."
        ),
    ] = None,
    target_dir: Annotated[
        Path | None, typer.Option(help="The folder to fill, where the store is local; that of --data-dir.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Empty a store that holds something else; that is kept aside."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Fill a store from a backup, with the bot stopped: erased players stay erased, and it is audited.

    Without a backup the local database is made anew from its readable copy, and a damaged one is set aside.
    What was played after the newest row of the copy is lost then, and so are the answers to requests: who
    sends one again is refused, and nothing is done twice.
    """
    with exit_on_error(), owner_only():
        settings = chosen_settings(provider, data_dir)
        fills_it = settings.provider == "local" and target_dir is None
        if data_dir is not None and not (fills_it or data_dir.is_dir()):
            raise MisuseError(f"--data-dir {data_dir} is no folder: the list of erasures lies in it")
        if path is None:
            if replace or provider not in (None, Provider.local):
                message = (
                    "name a backup: only the local store is made of its readable copy, replacing nothing"
                )
                raise MisuseError(message)
            _from_copy(settings, target_dir, as_json=as_json)
        else:
            _from_backup(path, settings, target_dir, replace=replace, as_json=as_json)


def _from_copy(settings: Settings, target_dir: Path | None, *, as_json: bool) -> None:
    from kokoromichi.core.providers.local.restoring import restore as restored_from  # noqa: PLC0415 - --help stays fast

    done = restored_from(settings.data_dir, target_dir or settings.data_dir, SystemClock())
    if as_json:
        answer(done.plain())
    else:
        for sentence in done.sentences():
            screen.print(escape(sentence), highlight=False)


def _from_backup(
    path: Path, settings: Settings, target_dir: Path | None, *, replace: bool, as_json: bool
) -> None:
    from kokoromichi.operation.backups import restore as restored  # noqa: PLC0415 - --help stays fast

    if target_dir is not None and settings.provider != "local":
        message = f"--target-dir is of the local store; {settings.provider} is found by its own setting"
        raise MisuseError(message)
    target = settings.model_copy(update={"data_dir": target_dir or settings.data_dir})
    done = asyncio.run(restored(path, target, SystemClock(), erased=settings.data_dir, replace=replace))
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        answer({"provider": target.provider, **done.contents.plain(), "erased": done.erased, "aside": aside})
    else:
        _show(done, target.provider)


def _show(done: Restoration, provider: str) -> None:
    said = f"Restored into {provider}: {done.contents}; {done.contents.audit}"
    screen.print(escape(said), highlight=False)
    if done.erased:
        screen.print(f"Erased again, since the backup is older: {done.erased:,} players.", highlight=False)
    if done.aside is not None:
        screen.print(escape(f"What stood there is kept in {done.aside}."), highlight=False)
