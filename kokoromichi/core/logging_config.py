"""Logging, set up once by an entry point."""

from __future__ import annotations

import logging
import time


def configure_logging(level: str = "INFO") -> None:
    """Log to standard error, one line an event, UTC.

    Args:
        level: A level's name, as in ``LOG_LEVEL``; the settings have checked it.
    """
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
