"""Logging, set up once by an entry point."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import msgspec

from kokoromichi.core.clock import moment_of
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from typing import Literal

_LINE: Final = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"
_NOT_BELOW_INFO: Final = ("discord", "pymongo", "motor", "asyncpg", "matplotlib")
"""Their debug lines are whole events and commands: what players write, tokens, ids of who was erased."""

_REPEATS_OUTAGES: Final = "asyncpg.pool"
"""While a database is away it warns every second, with a traceback; the bot tells that itself, and counts."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``logger``, ``message``, and ``error`` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        told = {
            "at": moment_of(int(record.created * 1_000_000)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told).decode()


def configure_logging(level: str | None = None, form: Literal["text", "json"] | None = None) -> None:
    """Log to standard error, one line an event, UTC.

    Args:
        level: A level's name, which the settings have checked; that of ``LOG_LEVEL`` when left out.
        form: ``text`` for people, ``json`` for programs; that of ``LOG_FORMAT`` when left out.
    """
    if level is None or form is None:
        settings = Settings()
        level, form = level or settings.log_level, form or settings.log_format
    formatter: logging.Formatter = logging.Formatter(_LINE, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger(_REPEATS_OUTAGES).setLevel(logging.ERROR)
    debugging = logging.getLogger().level < logging.INFO
    for name in _NOT_BELOW_INFO:
        logging.getLogger(name).setLevel(logging.INFO if debugging else logging.NOTSET)
