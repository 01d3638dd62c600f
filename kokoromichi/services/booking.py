"""The ledger rows of an act, made of its decision's answer by the table of acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import Movement
from kokoromichi.rules.acts import ACTOR, ACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.models import UserProfile

_NO_ITEMS: Final[dict[str, str]] = {}
_CODE: Final = 0
"""The place of the code in an answer: it is 0 where rows are booked, and so is what a row has not."""


class Booking:
    """Makes the rows of one player of one act; built once, since every act passes here.

    Args:
        act: The act's name in ``ACTS``.
        whose: Whose rows: ``ACTOR`` or ``OTHER``.
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
