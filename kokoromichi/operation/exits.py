"""How a process ends: one table of exit codes, and a sentence where a user can cure what went wrong.

Exit codes: 0 done, 1 target missed, 2 usage or settings, 3 audit failed, 4 storage or Discord failed,
130 interrupted.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from kokoromichi.core.errors import ConfigurationError, KokoroError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

TARGET_MISSED: Final = 1
USAGE: Final = 2
AUDIT_FAILED: Final = 3
STORAGE_FAILED: Final = 4
DISCORD_FAILED: Final = 4
"""The same: what does not answer may do so at the next start."""
INTERRUPTED: Final = 130
_INTERRUPTION: Final = "Interrupted. What is finished is kept; give the same command again, and it goes on."

errors: Final = Console(stderr=True, soft_wrap=True)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn every expected error into its sentence and exit code: no traceback for what a user can cure."""
    try:
        yield
    except StorageError as error:
        fail(str(error), USAGE if isinstance(error, ConfigurationError) else STORAGE_FAILED)
    except ValidationError as error:
        if error.title != "Settings":
            raise  # Whatever else is validated has its sentence where it is read.
        fail("; ".join(map(_setting, error.errors(include_url=False))), USAGE)
    except OSError as error:
        fail(f"{error.strerror}: {error.filename}" if error.filename else str(error), USAGE)
    except (KokoroError, ValueError) as error:
        fail(str(error), USAGE)
    except KeyboardInterrupt as interrupt:
        fail(str(interrupt) or _INTERRUPTION, INTERRUPTED)


def _setting(wrong: ErrorDetails) -> str:
    """What is wrong with one setting."""
    name = str(wrong["loc"][0]).upper() if wrong["loc"] else "a setting"
    said = wrong["msg"].removeprefix("Value error, ")
    return said if said.startswith(name) else f"{name} is {wrong['input']!r}: {said[:1].lower()}{said[1:]}"


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong on standard error, and exit with a code."""
    errors.print(f"[bold red]Error:[/] {escape(message)}", highlight=False)
    raise typer.Exit(code)
