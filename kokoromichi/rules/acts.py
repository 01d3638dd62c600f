"""Every act of the game as one table: who decides it, what the answer may be, and which rows it books.

A decision is one pure function: it answers a code, what is then, and the signed amounts of the act's ledger
rows. The table says in which order these rows stand and what each is about. The services book by it, and so
does whoever else plays the game; ``docs/economy.md`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules import codes, daily

if TYPE_CHECKING:
    from collections.abc import Callable

ACTOR: Final = "actor"
"""Whose row it is: the player who acts."""
OTHER: Final = "other"
"""Whose row it is: the other player of an act over two."""


class Row(NamedTuple):
    """A ledger row of an act; it is left out where both its amount and its units are 0.

    Attributes:
        kind: The ledger's kind.
        currency: ``gold`` or ``gems``; empty where only an item moves.
        amount: The field of the answer that holds the signed amount; empty without a currency.
        units: The field of the answer that holds the signed units; empty where no item moves.
        effect: The item that moves is the one with this effect; empty: the item that the act is about.
        whose: ``ACTOR`` or ``OTHER``.
    """

    kind: str
    currency: str = ""
    amount: str = ""
    units: str = ""
    effect: str = ""
    whose: str = ACTOR


class Act(NamedTuple):
    """An act: its decision, and what may come of it.

    Attributes:
        name: What it is called, in activity and documents.
        decide: The rule.
        answer: What the rule returns: a tuple of integers whose first field is the code.
        codes: The codes that the rule may answer.
        rows: Its ledger rows, in their order; of both players, where it is one over two.
    """

    name: str
    decide: Callable[..., tuple[int, ...]]
    answer: type[tuple[int, ...]]
    codes: tuple[int, ...]
    rows: tuple[Row, ...]


ACTS: Final[dict[str, Act]] = {
    act.name: act
    for act in (
        Act(
            "claim",
            daily.claim,
            daily.Claimed,
            (codes.OK, codes.ALREADY_CLAIMED, codes.BALANCE_CAP),
            (Row("daily", "gold", "reward_gold"), Row("daily", "gems", "reward_gems")),
        ),
    )
}
"""By name, as players meet them."""
