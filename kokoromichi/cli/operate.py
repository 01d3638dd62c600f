"""Running the bot, and what the container's health check asks of it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from kokoromichi.cli.output import Json, answer, screen
from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import SECOND_US
from kokoromichi.operation.exits import TARGET_MISSED, USAGE, exit_on_error, fail

_OLDEST_S: Final = 60


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
            fail(f"the bot has never been well since its start: there is no {path}", TARGET_MISSED)
        well = age_s <= max_age
        if as_json:
            answer({"well": well, "age_s": round(age_s, 1)})
        elif well:
            screen.print(f"Well {age_s:.0f} s ago.", highlight=False)
        if not well:
            fail(f"the bot was well {age_s:.0f} s ago; its log says what is missing", TARGET_MISSED)


def bot() -> None:
    """Run the game on Discord until SIGTERM or Ctrl-C; DISCORD_TOKEN and PROVIDER say as whom and where."""
    try:
        from kokoromichi.bot import run  # noqa: PLC0415 - --help stays fast
    except ModuleNotFoundError as missing:
        fail(f"the bot needs {missing.name}: pip install 'kokoromichi[bot]'", USAGE)
    run()
