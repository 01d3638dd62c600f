"""What the log says of a start: the settings without their secrets, and what an operator should mend."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.settings import Settings

log = logging.getLogger(__name__)

_ENV: Final = Path(".env")


@contextmanager
def owner_only() -> Iterator[None]:
    """Let nobody but whoever runs this process read the files that it makes: they tell what players do."""
    former = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(former)


def log_start(settings: Settings) -> None:
    """Log what the operator has chosen, and warn of what may cost players their data or the bot its token."""
    chosen = ", ".join(f"{name}={value}" for name, value in settings.chosen.items())
    log.info("kokoromichi %s starts with %s", version("kokoromichi"), chosen or "the defaults")
    for said, cure in dangers(settings):
        log.warning("%s: %s", said, cure)


def dangers(settings: Settings) -> list[tuple[str, str]]:
    """What an operator should mend: a sentence and its cure each."""
    found = []
    if _ENV.is_file() and _ENV.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append((".env holds the bot's token and others on this machine may read it", "chmod 600 .env"))
    folder = settings.data_dir.absolute()
    if settings.provider == "local" and any((parent / ".git").exists() for parent in folder.parents):
        said = f"DATA_DIR is {folder}, inside of a checkout: git clean -fdx there deletes every player"
        found.append((said, "name a folder outside of it"))
    return found
