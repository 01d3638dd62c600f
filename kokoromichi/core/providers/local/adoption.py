"""Files that another hand changed, as the changes that book what that moved."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from kokoromichi.core.documents import correction
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.models import UserProfile

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import Document
    from kokoromichi.core.documents import Corrected
    from kokoromichi.core.models import ChangeSet
    from kokoromichi.core.providers.local.ledgers import Ledgers
    from kokoromichi.core.providers.local.snapshots import Key
    from kokoromichi.core.providers.local.store import Store


async def adopt_all(store: Store, folder: Path, at_us: int) -> list[str]:
    """Take every file as another hand left it; see ``LocalJSONProvider.adopt``."""
    if store.keeper.mirror:
        message = (
            f"{folder} mirrors {store.keeper.mirror}, and a mirror adopts nothing: delete the folder, and "
            "the next sync makes it anew"
        )
        raise MisuseError(message)
    adopted = []
    for key in list(store.keeper.foreign):
        if key.kind == "user":
            change, unknown = await _adoption(store, key, at_us)
            await store.at_hand(change.users)
            await store.commits.take(change, {key.name: unknown})
        else:
            await store.commits.take_section(key.name, await _adopted_section(store, key))
        adopted.append(store.snapshots.path(key).relative_to(folder).as_posix())
    return adopted


async def _adoption(store: Store, key: Key, at_us: int) -> tuple[ChangeSet[Corrected], Document]:
    """The change that makes a player what the file says, and the fields that nobody knows.

    The player is put at hand as the ledger knows him, so that the change is held against that.

    Raises:
        StorageError: The file cannot be read, or holds no valid player.
    """
    document = await asyncio.to_thread(_document, store, key)
    known = store.keeper.known.get(key.name, 0)
    before = None
    if known:
        version = document.get("version")
        before = await asyncio.to_thread(_as_booked, store.ledgers, key.name)
        before.version = max(1, version) if type(version) is int else 1
    document = {name: value for name, value in document.items() if name != "version"}
    try:
        change, unknown = correction(before, key.name, document, at_us)
    except MisuseError as invalid:
        message = (
            f"{store.snapshots.path(key)} cannot be adopted: {invalid}. Correct it there, or put the former "
            "file back"
        )
        raise StorageError(message) from invalid
    await asyncio.to_thread(store.snapshots.keep_aside, key)
    del store.keeper.foreign[key]
    if before is not None:
        store.state.profiles[key.name] = before
    else:
        store.keeper.known.pop(key.name, None)
    return change, unknown


async def _adopted_section(store: Store, key: Key) -> bytes:
    """A section's document as its file says.

    Raises:
        StorageError: The file cannot be read.
    """
    document = await asyncio.to_thread(_document, store, key)
    await asyncio.to_thread(store.snapshots.keep_aside, key)
    del store.keeper.foreign[key]
    return msgspec.json.encode(document)


def _document(store: Store, key: Key) -> Document:
    """What a file says, sealed or not; blocks."""
    path = store.snapshots.path(key)
    sealed = store.snapshots.read(key)
    try:
        content = store.snapshots.content(key) if sealed is None else bytes(sealed.document)
        document: Document = msgspec.json.decode(content, type=dict)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as unreadable:
        message = f"{path} cannot be adopted, since it cannot be read: {unreadable}. Put the former file back"
        raise StorageError(message) from unreadable
    return document


def _as_booked(ledgers: Ledgers, user_id: str) -> UserProfile:
    """A player's money and items as the ledger's rows add up; blocks."""
    profile = UserProfile(user_id=user_id)
    for frame in ledgers.frames(ledgers.seen()):
        own = frame.filter(pl.col("user_id") == user_id)
        for currency in CURRENCIES:
            moved = own.filter(pl.col("currency") == currency)["amount"].sum()
            setattr(profile, currency, getattr(profile, currency) + int(moved))
        for item_id, quantity in (
            own.filter(pl.col("item_id").is_not_null()).select("item_id", "quantity").rows()
        ):
            profile.inventory[item_id] = profile.inventory.get(item_id, 0) + quantity
    profile.inventory = {item_id: units for item_id, units in profile.inventory.items() if units}
    return profile
