"""A folder that mirrors another store: marked for good, written by copies alone, emptied to be made anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.local.erasing import empty_tables
from kokoromichi.core.providers.local.schema import SET_META

if TYPE_CHECKING:
    from kokoromichi.core.providers.local.life import FolderLife


WRITTEN_BY_COPIES: Final = "is written by copies alone: write to {0} itself"
ERASED_THERE: Final = "erases nobody by itself: erase in {0}, and the next sync follows"
ADOPTS_NOTHING: Final = "adopts nothing: delete the folder, and the next sync makes it anew"


def refuse_mirror(life: FolderLife, why: str) -> None:
    """Refuse what no mirror does.

    Raises:
        MisuseError: The folder is a mirror.
    """
    if life.mirror is not None:
        message = f"this store mirrors {life.mirror} and {why.format(life.mirror)}"
        raise MisuseError(message)


async def mark_mirror(life: FolderLife, where: str, of: str, as_of_us: int) -> None:
    """Mark a folder as a mirror of another store; see ``DataProvider.mark_mirror``."""
    store, _ = await life.owned()
    if life.mirror is None and store.reading.now("SELECT 1 FROM users LIMIT 1"):
        message = f"{where} has players of its own and cannot become a mirror: take another folder"
        raise MisuseError(message)
    if life.mirror not in (None, of):
        message = f"{where} mirrors {life.mirror}, not {of}: take another folder"
        raise MisuseError(message)
    noted: list[tuple[str, str | int]] = [("mirror", of)]
    if as_of_us:
        noted.append(("mirrored_us", as_of_us))
    await store.write(lambda base: base.executemany(SET_META, noted))
    life.mirror, life.mirrored_us = of, as_of_us or life.mirrored_us


async def empty_mirror(life: FolderLife, where: str) -> None:
    """Empty a mirror; see ``DataProvider.empty``."""
    store, background = await life.owned()
    if life.mirror is None:
        message = f"{where} is no mirror: nobody empties it"
        raise MisuseError(message)
    async with background.files:
        await store.rewrite(empty_tables)
        await asyncio.to_thread(store.copy.clear)
    life.cache.clear()
    life.mirrored_us = 0
