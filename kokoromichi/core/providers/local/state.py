"""What the players and counters stand at: staged ahead of the sync, published after it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import msgspec
from pydantic import TypeAdapter, ValidationError

from kokoromichi.core.errors import ConflictError, FloorError, MisuseError
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.models import SET_FIELDS, UserProfile
from kokoromichi.core.providers.local.frames import UserSet
from kokoromichi.core.validation import (
    checked_user_id,
    reject_duplicate_users,
    wrong_fields,
    wrong_movement,
    wrong_version,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kokoromichi.core.bulk_load import UserSnapshot
    from kokoromichi.core.data_provider import AnswerT, Document
    from kokoromichi.core.models import (
        ChangeSet,
        CounterChange,
        FieldValue,
        Movement,
        UserChange,
    )

_LONGEST_ITEM: Final = 64
_INT64: Final = 2**63
_FIELD_TYPES: Final[dict[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(UserProfile, include_extras=True).items()
    if name in SET_FIELDS
}


class Holding(msgspec.Struct, gc=False):
    """What a player has ahead of the sync: the items are those that moved since it was last synced."""

    version: int
    gold: int
    gems: int
    items: dict[str, int]


class Staged(msgspec.Struct, gc=False):
    """A change that was checked: what it sets, not yet visible to anybody."""

    users: list[UserSet]
    counters: dict[str, int]
    holdings: dict[str, Holding]


class State:
    """Profiles at hand and counters, each once as published and, while commits wait, once as staged.

    Attributes:
        profiles: What readers see, of the players who are at hand.
        gold: The published balance of every player, at hand or not.
        counters: What readers see.
    """

    def __init__(self) -> None:
        self.profiles: dict[str, UserProfile] = {}
        self.gold: dict[str, int] = {}
        self.counters: dict[str, int] = {}
        self._ahead: dict[str, Holding] = {}
        self._counters_ahead: dict[str, tuple[int, int]] = {}  # The value, and the sequence that staged it.

    def is_ahead(self, user_id: str) -> bool:
        """Whether a commit of this player waits for its sync."""
        return user_id in self._ahead

    def checked(self, change: ChangeSet[AnswerT], unknown: Mapping[str, Document]) -> Staged:
        """Check all of a change against what is staged, and change nothing yet.

        Args:
            change: The change; each of its players is at hand or new.
            unknown: Fields of documents that ``UserProfile`` does not know, by player.

        Raises:
            ConflictError: A player has another version, or a counter is or is not there.
            FloorError: A counter would fall below zero.
            MisuseError: A row or a field does not fit.
        """
        if len(change.users) > 1:
            reject_duplicate_users(change.users)
        counters = self._planned(change.counters) if change.counters else {}
        holdings: dict[str, Holding] = {}
        users = []
        for user in change.users:
            before = holdings.get(user.user_id) or self._holding(user.user_id)
            if before.version != user.version:
                raise wrong_version(user, before.version)
            after, moved = self._moved(user, before)
            holdings[user.user_id] = after
            users.append(
                UserSet(
                    user.user_id,
                    after.version,
                    after.gold,
                    after.gems,
                    moved,
                    _checked_fields(user) if user.fields else {},
                    dict(unknown.get(user.user_id, {})) if unknown else {},
                )
            )
        for movement in change.system:
            _check_row(movement, SYSTEM)
        return Staged(users, counters, holdings)

    def snapshot(self, snapshot: UserSnapshot) -> tuple[UserSet, Holding]:
        """A player put whole, checked against what is staged.

        Raises:
            ConflictError: He has another version than the one expected.
        """
        profile = snapshot.profile
        before = self._holding(profile.user_id)
        if before.version != snapshot.expected_version:
            message = f"player {profile.user_id} is not of version {snapshot.expected_version}"
            raise ConflictError(message)
        stored = self.profiles.get(profile.user_id)
        gone = dict.fromkeys([*before.items, *(stored.inventory if stored else ())], 0)
        after = Holding(profile.version, profile.gold, profile.gems, {**gone, **profile.inventory})
        fields = {name: deepcopy(getattr(profile, name)) for name in sorted(SET_FIELDS)}
        inventory, unknown = dict(profile.inventory), deepcopy(profile.unknown)
        user = UserSet(
            profile.user_id, after.version, after.gold, after.gems, inventory, fields, unknown, whole=True
        )
        return user, after

    def stage(self, staged: Staged, sequence: int) -> None:
        """Let what comes next build on a checked change, whose frame has this sequence."""
        self._ahead.update(staged.holdings)
        for name, value in staged.counters.items():
            self._counters_ahead[name] = value, sequence

    def _holding(self, user_id: str) -> Holding:
        ahead = self._ahead.get(user_id)
        if ahead is not None:
            return ahead
        profile = self.profiles.get(user_id)
        if profile is None:
            checked_user_id(user_id)
            return Holding(0, 0, 0, {})
        return Holding(profile.version, profile.gold, profile.gems, {})

    def _moved(self, user: UserChange, before: Holding) -> tuple[Holding, dict[str, int]]:
        gold, gems, items = before.gold, before.gems, before.items
        moved: dict[str, int] = {}
        profile = self.profiles.get(user.user_id)
        for movement in user.movements:
            _check_row(movement, user.user_id)
            currency, item_id = movement.currency, movement.item_id
            if currency is not None:
                held = gold if currency == "gold" else gems
                after = movement.balance_after
                if not 0 <= after < _INT64 or held + movement.amount != after:
                    raise wrong_movement(movement, user.user_id, held)
                if currency == "gold":
                    gold = after
                else:
                    gems = after
            if item_id is not None:
                units = moved.get(item_id)
                if units is None:
                    units = items.get(item_id)
                if units is None:
                    units = 0 if profile is None else profile.inventory.get(item_id, 0)
                units += movement.quantity
                if not 0 <= units < _INT64:
                    raise wrong_movement(movement, user.user_id, gold if currency == "gold" else gems)
                moved[item_id] = units
        return Holding(user.version + 1, gold, gems, {**items, **moved} if items else moved), moved

    def _planned(self, changes: Sequence[CounterChange]) -> dict[str, int]:
        planned: dict[str, int] = {}  # A counter may stand twice in one change.
        for change in changes:
            name = change.name
            ahead = self._counters_ahead.get(name)
            available = planned.get(name, self.counters.get(name) if ahead is None else ahead[0])
            if change.creates == (available is not None):
                message = f"counter {name} {'exists already' if change.creates else 'does not exist'}"
                raise ConflictError(message)
            if type(change.delta) is not int:
                message = f"counter {name} moves by whole numbers, not by {change.delta!r}"
                raise MisuseError(message)
            planned[name] = (available or 0) + change.delta
            if planned[name] < 0:
                raise FloorError(name, available or 0)
        return planned

    def publish(self, users: Sequence[UserSet], counters: Mapping[str, int], sequence: int) -> None:
        """Show readers what has become durable."""
        for user in users:
            user_id = user.user_id
            profile = self.profiles.get(user_id)
            if profile is None:
                profile = self.profiles[user_id] = UserProfile(user_id=user_id)
            put(profile, user)
            self.gold[user_id] = user.gold
            ahead = self._ahead.get(user_id)
            if ahead is not None and ahead.version == user.version:
                del self._ahead[user_id]
        if counters:
            self.counters.update(counters)
            for name, value in counters.items():
                if self._counters_ahead.get(name) == (value, sequence):
                    del self._counters_ahead[name]

    def forget_staged(self) -> None:
        """Take back everything that was staged and not published."""
        self._ahead.clear()
        self._counters_ahead.clear()


def put(profile: UserProfile, user: UserSet) -> None:
    """Set a profile to what it is after a change."""
    if user.whole:
        profile.inventory.clear()
        profile.unknown.clear()
    profile.version = user.version
    profile.gold = user.gold
    profile.gems = user.gems
    for item_id, units in user.items.items():
        if units:
            profile.inventory[item_id] = units
        else:
            profile.inventory.pop(item_id, None)
    for name, value in user.fields.items():
        setattr(profile, name, value)
    if user.unknown:
        profile.unknown.update(user.unknown)


def _checked_fields(user: UserChange) -> dict[str, FieldValue]:
    """The fields to be set, as copies; a value that no profile may have would make its file unreadable."""
    fields = user.fields or {}
    if not SET_FIELDS.issuperset(fields):
        raise wrong_fields(user, fields)
    copies: dict[str, FieldValue] = {}
    for name, value in fields.items():
        try:
            copies[name] = _FIELD_TYPES[name].validate_python(value)
        except ValidationError as invalid:  # noqa: PERF203 - it names the field
            message = f"{name} of player {user.user_id} cannot be {value!r}: {invalid}"
            raise MisuseError(message) from None
    return copies


def _check_row(movement: Movement, user_id: str) -> None:
    if (
        movement.kind in KINDS
        and (movement.currency is None or movement.currency in CURRENCIES)
        and type(movement.amount) is int
        and type(movement.balance_after) is int
        and type(movement.quantity) is int
        and -_INT64 <= movement.amount < _INT64
        and -_INT64 <= movement.quantity < _INT64
        and not movement.is_incomplete
        and (movement.item_id is None or 0 < len(movement.item_id) <= _LONGEST_ITEM)
    ):
        return
    message = (
        f"a {movement.kind} row of player {user_id} needs a known kind, a known currency for its amount, an "
        f"item of 1 to {_LONGEST_ITEM} characters for its quantity and whole numbers of 64 bits: {movement}"
    )
    raise MisuseError(message)
