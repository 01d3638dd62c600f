"""What is stored of a player, held against their rows; and the rows that explain a difference."""

from __future__ import annotations

from collections import Counter, defaultdict
from copy import deepcopy
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.errors import ConflictError, StorageError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import Movement, UserProfile
from kokoromichi.core.validation import checked_user_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.core.data_provider import DataProvider

_TRIES: Final = 20


class Difference(NamedTuple):
    """One balance or item that is not what its rows add up to.

    Attributes:
        user_id: Whose.
        what: ``gold``, ``gems`` or an item id.
        ledger: What the rows add up to, in its units.
        stored: What is stored.
    """

    user_id: str
    what: str
    ledger: int
    stored: int


async def differences(provider: DataProvider, user_id: str | None = None) -> list[Difference]:
    """Every difference of one player, or of all, by id.

    A player who acts meanwhile is looked at again until their rows and their state are of one moment.

    Raises:
        StorageError: The storage failed, or a player never stood still.
        MisuseError: The id is malformed.
    """
    if user_id is not None:
        return await _of_one(provider, checked_user_id(user_id))
    booked = await _booked(provider, None)
    suspects = booked.keys() - {SYSTEM}
    for known_id in await provider.user_ids():
        profile = await provider.profile(known_id)
        if profile is not None and not list(_compared(known_id, booked[known_id], _held(profile))):
            suspects.discard(known_id)
    return [found for suspect in sorted(suspects) for found in await _of_one(provider, suspect)]


async def _of_one(provider: DataProvider, user_id: str) -> list[Difference]:
    for _ in range(_TRIES):
        version, held = _seen(await provider.profile(user_id))
        booked = await _booked(provider, user_id)
        if _seen(await provider.profile(user_id)) == (version, held):
            return list(_compared(user_id, booked[user_id], held))
    message = f"player {user_id} never stood still: freeze the account, and ask again"
    raise StorageError(message)


def _seen(profile: UserProfile | None) -> tuple[int, dict[str, int]]:
    """Version and holdings of one moment: the profile itself may be written to."""
    return (0, {}) if profile is None else (profile.version, _held(profile))


def _held(profile: UserProfile) -> dict[str, int]:
    return {**{currency: getattr(profile, currency) for currency in CURRENCIES}, **profile.inventory}


async def _booked(provider: DataProvider, user_id: str | None) -> defaultdict[str, Counter[str]]:
    """What the rows add up to, by player, and by currency or item."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    async for frame in provider.ledger_frames(None if user_id is None else {user_id}):
        for what, units in (("currency", "amount"), ("item_id", "quantity")):
            moved = frame.filter(pl.col(what).is_not_null()).group_by("user_id", what)
            for owner, name, total in moved.agg(pl.col(units).cast(pl.Int128()).sum()).iter_rows():
                found[owner][name] += int(total)
    return found


def _compared(user_id: str, booked: Mapping[str, int], held: Mapping[str, int]) -> Iterable[Difference]:
    for what in sorted(booked.keys() | held.keys()):
        if booked.get(what, 0) != held.get(what, 0):
            yield Difference(user_id, what, booked.get(what, 0), held.get(what, 0))


async def put_as_booked(provider: DataProvider, found: list[Difference]) -> None:
    """Store one player as the rows have it, so that ``corrections`` may then book what was stored.

    Args:
        provider: The store.
        found: The differences of one player.

    Raises:
        StorageError: There is no such player, the rows add up to less than nothing, or the player never stood
            still.
    """
    user_id = found[0].user_id
    for _ in range(_TRIES):
        stored = await provider.profile(user_id)
        if stored is None:
            message = f"player {user_id} has rows and is not stored: restore them from a backup"
            raise StorageError(message)
        profile = deepcopy(stored)
        for each in found:
            _set(profile, each.what, _held(profile).get(each.what, 0) - each.stored + each.ledger)
        profile.version += 1
        try:
            return await provider.load(Batch(users=(UserSnapshot(profile.version - 1, profile),)))
        except ConflictError:
            continue
    message = f"player {user_id} never stood still: freeze the account, and ask again"
    raise StorageError(message)


def _set(profile: UserProfile, what: str, units: int) -> None:
    if units < 0:
        message = f"the rows of player {profile.user_id} add up to {units} of {what}: no row can explain that"
        raise StorageError(message)
    if what in CURRENCIES:
        setattr(profile, what, units)
    elif units:
        profile.inventory[what] = units
    else:
        profile.inventory.pop(what, None)


def corrections(profile: UserProfile, found: list[Difference]) -> tuple[Movement, ...]:
    """The ``correction`` rows that lead from what is booked to what was stored."""
    rows = []
    for _user_id, what, ledger, stored in found:
        moved = stored - ledger
        if what in CURRENCIES:
            rows.append(Movement("correction", what, moved, getattr(profile, what) + moved))
        else:
            rows.append(Movement("correction", item_id=what, quantity=moved))
    return tuple(rows)
