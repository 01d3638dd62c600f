"""Logging, set up once by an entry point."""

from __future__ import annotations

import logging
import time

from kokoromichi.settings import Settings


def configure_logging(level: str | None = None) -> None:
    """Log to standard error, one line an event, UTC.

    Args:
        level: A level's name, which the settings have checked; that of ``LOG_LEVEL`` when left out.
    """
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level or Settings().log_level, handlers=[handler], force=True)
