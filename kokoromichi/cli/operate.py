"""Running the bot, and what the container's health check asks of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from kokoromichi.cli.output import Json, answer, screen
from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import SECOND_US
from kokoromichi.operation.exits import STORAGE_FAILED, TARGET_MISSED, USAGE, exit_on_error, fail

if TYPE_CHECKING:
    from kokoromichi.operation.doctor import Finding
    from kokoromichi.settings import Settings

_OLDEST_S: Final = 60
_STYLES: Final = {"well": "green", "warning": "yellow", "away": "red", "wrong": "red"}


def health(
    max_age: Annotated[
        int, typer.Option(min=1, help="Oldest sign of life that will do, in seconds.")
    ] = _OLDEST_S,
    as_json: Json = False,
) -> None:
    """Say whether the bot that runs here is well: gateway and storage answered it a moment ago."""
    with exit_on_error():
        from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

        path = Settings().heartbeat_file
        if path is None:
            message = "HEARTBEAT_FILE is not set: name a file for the bot and for this command"
            raise MisuseError(message)
        try:
            age_s = SystemClock().now_us() / SECOND_US - path.stat().st_mtime
        except FileNotFoundError:
            if as_json:
                answer({"well": False, "age_s": None})
            fail(f"the bot is not well: there is no {path}; its log says what is missing", TARGET_MISSED)
        well = age_s <= max_age
        if as_json:
            answer({"well": well, "age_s": round(age_s, 1)})
        elif well:
            screen.print(f"Well {age_s:.0f} s ago.", highlight=False)
        if not well:
            fail(f"the bot was well {age_s:.0f} s ago; its log says what is missing", TARGET_MISSED)


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask Discord nothing: only what is on this side of it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at everything that the bot needs before it logs in, and say how to cure what is wrong.

    A bot may go on meanwhile; nothing is made or brought up to date, which is the bot's own start.
    """
    with exit_on_error():
        from kokoromichi.operation.doctor import Verdict  # noqa: PLC0415 - --help stays fast
        from kokoromichi.settings import Settings  # noqa: PLC0415

        found = asyncio.run(_examined(Settings(), offline=offline, as_json=as_json))
        if as_json:
            parts = [{**one._asdict(), "verdict": one.verdict.value} for one in found]
            answer({"well": all(one.verdict is Verdict.WELL for one in found), "findings": parts})
        verdicts = {one.verdict for one in found}
        if Verdict.WRONG in verdicts:
            raise typer.Exit(USAGE)
        if Verdict.AWAY in verdicts:
            raise typer.Exit(STORAGE_FAILED)


async def _examined(settings: Settings, *, offline: bool, as_json: bool) -> list[Finding]:
    try:
        from kokoromichi.bot import slash_names  # noqa: PLC0415 - --help stays fast
        from kokoromichi.operation.doctor import examine  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        fail(f"the bot needs {missing.name}: pip install 'kokoromichi[bot]'", USAGE)
    found = []
    commands = await slash_names(settings)
    async for one in examine(settings, SystemClock(), commands, asks_discord=not offline):
        found.append(one)
        if not as_json:
            _show(one)
    return found


def _show(found: Finding) -> None:
    verdict = found.verdict.value
    screen.print(f"[{_STYLES[verdict]}]{verdict:>7}[/]  {found.what}: {escape(found.said)}", highlight=False)
    if found.cure:
        screen.print(f"         → {escape(found.cure)}", highlight=False)


def bot() -> None:
    """Run the game on Discord until SIGTERM or Ctrl-C; DISCORD_TOKEN and PROVIDER say as whom and where."""
    try:
        from kokoromichi.bot import run  # noqa: PLC0415 - --help stays fast
    except ModuleNotFoundError as missing:
        fail(f"the bot needs {missing.name}: pip install 'kokoromichi[bot]'", USAGE)
    run()
