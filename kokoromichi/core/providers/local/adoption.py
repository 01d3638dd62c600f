"""What was edited externally in a file since it was written, to be added to what is stored now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kokoromichi.core.documents import correction
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.providers.local.readable_copy import COUNTERS
from kokoromichi.core.providers.local.seals import Key, Sealed, read_sealed, seal_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from kokoromichi.core.documents import Corrected, Document
    from kokoromichi.core.models import ChangeSet, UserProfile
    from kokoromichi.core.providers.local.background import Background
    from kokoromichi.core.providers.local.readable_copy import CopyFolder
    from kokoromichi.core.providers.local.store import OpenStore

_NOT_ADOPTED: Final = frozenset({"user_id", "version"})


@dataclass(frozen=True, slots=True)
class Adoption:
    """An edited file and what it was last written as.

    Attributes:
        base: What it was before; nothing of a player whom only the other hand knows.
        edited: What it says now.
    """

    key: Key
    path: Path
    base: Document
    edited: Document

    @classmethod
    def of(cls, copy: CopyFolder, key: Key) -> Adoption:
        """Read both; blocks.

        Raises:
            StorageError: The file cannot be read, or nobody knows what it was before.
        """
        path = copy.path(key)
        found, base = read_sealed(path), copy.base(key)
        if found is None:
            message = f"{path} cannot be adopted, since it cannot be read: put the former file back"
            raise StorageError(message)
        if not found.is_of(key):
            message = f"{path} cannot be adopted: it is of player {found.document['user_id']}. Take it away"
            raise StorageError(message)
        if key.kind == "user" and not _belongs(found, base):
            message = (
                f"{path} cannot be adopted: no backup holds what it was before, so that nobody can tell what "
                "was changed. Put the former file back, and make the change with the bot's admin commands"
            )
            raise StorageError(message)
        return cls(key, path, {} if base is None else base.document, found.document)

    @property
    def request_id(self) -> str:
        """One for each edit, so that an adoption that was cut off has one effect."""
        return f"adopt:{self.key.name}:{seal_of(self.edited)}"

    def booked(self, stored: UserProfile | None, at_us: int) -> ChangeSet[Corrected]:
        """The change of a player that books it.

        Raises:
            MisuseError: It holds no valid player.
        """
        document = self.applied_to(None if stored is None else stored.document())
        change = correction(stored, self.key.name, document, at_us)
        change.request_id, change.digest = self.request_id, "adopt"
        return change

    def applied_to(self, stored: Document | None) -> Document:
        """The player's document then: money and items by the difference, everything else as edited."""
        now = stored or {}
        document: dict[str, Any] = {
            name: value
            for name, value in self.edited.items()
            if name not in _NOT_ADOPTED and (name not in self.base or self.base[name] != value)
        }
        for currency in CURRENCIES:
            if currency in document:
                document[currency] = _added(document, self.base, now, currency)
        if isinstance(document.get("inventory"), dict):
            document["inventory"] = self._inventory(now)
        return document

    def _inventory(self, now: Document) -> Document:
        edited, base, stored = (_items(one) for one in (self.edited, self.base, now))
        moved = {item: _added(edited, base, stored, item) for item in {*edited, *base, *stored}}
        return {item: units for item, units in moved.items() if units}


async def adopt_files(
    store: OpenStore, background: Background, adopt: Callable[[Adoption], Awaitable[None]]
) -> list[str]:
    """Take every file of a player or a section that was edited externally; answers their names.

    Raises:
        StorageError: One cannot be adopted; those before it are.
    """
    adopted = []
    async with background.files:
        for key in await asyncio.to_thread(store.copy.foreign):
            if key == COUNTERS:
                continue  # What is left of an item follows from the ledger, and from nothing else.
            adoption = await asyncio.to_thread(Adoption.of, store.copy, key)
            try:
                await adopt(adoption)
            except MisuseError as invalid:
                message = (
                    f"{adoption.path} cannot be adopted: {invalid}. Correct it there, or put the former file "
                    "back"
                )
                raise StorageError(message) from invalid
            await asyncio.to_thread(store.copy.adopted, key)
            adopted.append(store.copy.name(key))
    background.due()
    return adopted


def _belongs(found: Sealed, base: Sealed | None) -> bool:
    """Whether the base is what the file was before it was edited.

    A file without a seal is a new player's; one that is sealed and whole is a former one put back, whose
    difference is to the newest.
    """
    if base is None:
        return not found.seal
    return found.is_sound or found.document.get("version") == base.document.get("version")


def _items(document: Document) -> Document:
    found = document.get("inventory")
    return found if isinstance(found, dict) else {}


def _added(edited: Document, base: Document, now: Document, name: str) -> Any:
    """What is stored now and what was changed; as edited where that is no whole number, to be refused."""
    values = (edited.get(name, 0), base.get(name, 0), now.get(name, 0))
    if any(type(value) is not int for value in values):
        return edited.get(name)
    after, before, stored = values
    return stored + after - before  # type: ignore[operator] # Whole numbers, as was seen.
