"""What an act stores of a player, from its decision's answer: rows by the table of acts, fields by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import SET_FIELDS, FieldValue, Movement, UserChange
from kokoromichi.rules.acts import ACTOR, ACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.models import UserProfile

_NO_ITEMS: Final[dict[str, str]] = {}
_NO_FIELDS: Final[dict[str, FieldValue]] = {}
_CODE: Final = 0
"""The place of the code in every answer. A row that moves no money, or no units, reads it in their place:
rows are booked of an act that was not refused, whose code is OK, and so 0."""


class Booking:
    """Makes what is stored of one player of one act; built once, since every act passes here.

    Args:
        act: The act's name in ``ACTS``.
        whose: Of whom: ``ACTOR`` or ``OTHER``. The fields that an answer names are the actor's.
    """

    def __init__(self, act: str, whose: str = ACTOR) -> None:
        places = {name: place for place, name in enumerate(ACTS[act].answer._fields)}  # type: ignore[attr-defined] # Every answer is a named tuple.
        self._rows = tuple(
            (
                row.kind,
                row.currency or None,
                places.get(row.amount, _CODE),
                places.get(row.units, _CODE),
                row.effect,
            )
            for row in ACTS[act].rows
            if row.whose == whose
        )
        named = places if whose == ACTOR else {}
        self._fields = tuple(
            (name, named[name]) for name in sorted(SET_FIELDS & named.keys() - {"paid_gold"})
        )
        self._paid = (named["owned"], named["paid_gold"]) if "paid_gold" in named else None

    def change(
        self,
        answer: tuple[int, ...],
        profile: UserProfile,
        item_id: str = "",
        *,
        fields: Mapping[str, FieldValue] = _NO_FIELDS,
        item_of: Mapping[str, str] = _NO_ITEMS,
        counterparty: str | None = None,
    ) -> UserChange:
        """The rows and the fields of the profile that the answer has a number for, by their names.

        Args:
            answer: Of the act's decision. Its ``paid_gold`` was paid for the units of the item that are
                ``owned`` then.
            profile: The player as they were when it was decided.
            item_id: What the act is about; empty for no item.
            fields: Further fields.
            item_of: See ``rows``.
            counterparty: See ``rows``.
        """
        new: dict[str, FieldValue] = {name: answer[place] for name, place in self._fields}
        if self._paid is not None:
            owned, paid_gold = self._paid
            new["paid_gold"] = paid_field(profile.paid_gold, item_id, answer[owned], answer[paid_gold])
        new.update(fields)
        rows = self.rows(answer, profile, item_id or None, item_of=item_of, counterparty=counterparty)
        return UserChange(profile.user_id, profile.version, rows, new or None)

    def rows(
        self,
        answer: tuple[int, ...],
        profile: UserProfile | None,
        item_id: str | None = None,
        *,
        item_of: Mapping[str, str] = _NO_ITEMS,
        counterparty: str | None = None,
    ) -> tuple[Movement, ...]:
        """The rows, without those that move nothing.

        Args:
            answer: Of the act's decision.
            profile: The player as they were when it was decided; None for the system, which holds no money.
            item_id: What the act is about, or None.
            item_of: The item of each effect, for acts that consume items by their effect.
            counterparty: The other player of an act over two.
        """
        gold, gems = (0, 0) if profile is None else (profile.gold, profile.gems)
        rows: tuple[Movement, ...] = ()
        for kind, currency, amount_place, units_place, effect in self._rows:
            amount, units = answer[amount_place], answer[units_place]
            if not amount and not units:
                continue
            after = 0
            if currency == "gold":
                after = gold = gold + amount
            elif currency == "gems":
                after = gems = gems + amount
            moved = (item_of[effect] if effect else item_id) if units else None
            rows += (Movement(kind, currency, amount, after, moved, units, counterparty),)
        return rows


def paid_field(before: Mapping[str, int], item_id: str, owned: int, paid_gold: int) -> dict[str, int]:
    """The field once ``owned`` units are held for which ``paid_gold`` was paid; none have no entry."""
    after = dict(before)
    if owned:
        after[item_id] = paid_gold
    else:
        after.pop(item_id, None)
    return after
