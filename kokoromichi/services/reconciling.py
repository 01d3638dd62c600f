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
    from kokoromichi.core.reader import Reader

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
    """Every difference of one player, or of all, by id, as of one moment.

    Raises:
        StorageError: The storage failed.
        MisuseError: The id is malformed.
    """
    wanted = None if user_id is None else {checked_user_id(user_id)}
    async with provider.snapshot() as reader:
        booked = await _booked(reader, wanted)
        found: list[Difference] = []
        for known_id in sorted({*booked, *(wanted or await reader.user_ids())} - {SYSTEM}):
            profile = await reader.profile(known_id)
            found += _compared(known_id, booked[known_id], {} if profile is None else _held(profile))
    return found


def _held(profile: UserProfile) -> dict[str, int]:
    return {**{currency: getattr(profile, currency) for currency in CURRENCIES}, **profile.inventory}


async def _booked(reader: Reader, wanted: set[str] | None) -> defaultdict[str, Counter[str]]:
    """What the rows add up to, by player, and by currency or item."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    async for frame in reader.ledger_frames(wanted):
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
