"""Every act of the game as one table: who decides it, what the answer may be, and which rows it books.

A decision is one pure function: it answers a code, what is then, and the signed amounts of the act's ledger
rows. The table says in which order these rows stand and what each is about. The services book by it, and so
does whoever else plays the game; ``docs/economy.md`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules import codes, daily, grant, purchase, stock, use

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
        Act(
            "buy",
            purchase.purchase,
            purchase.Trade,
            (
                codes.OK,
                codes.PRICE_CHANGED,
                codes.BAD_QUANTITY,
                codes.OVER_LIMIT,
                codes.NOT_FOR_SALE,
                codes.TOO_POOR,
            ),
            (Row("purchase", "gold", "moved_gold", "moved_units"),),
        ),
        Act(
            "sell",
            purchase.sell,
            purchase.Trade,
            (codes.OK, codes.BAD_QUANTITY, codes.NOT_OWNED, codes.NOT_FOR_SALE, codes.BALANCE_CAP),
            (Row("sale", "gold", "moved_gold", "moved_units"),),
        ),
        Act(
            "use",
            use.use,
            use.Used,
            (
                codes.OK,
                codes.BAD_QUANTITY,
                codes.NOT_OWNED,
                codes.NOT_USABLE,
                codes.ALREADY_ACTIVE,
                codes.BALANCE_CAP,
            ),
            (Row("use", units="moved_units"), Row("reward", "gold", "reward_gold")),
        ),
        Act(
            "gift",
            purchase.gift,
            purchase.Gift,
            (codes.OK, codes.BAD_QUANTITY, codes.NOT_OWNED, codes.OVER_LIMIT),
            (Row("gift", units="given_units"), Row("gift", units="taken_units", whose=OTHER)),
        ),
        Act(
            "opening",
            grant.open_account,
            grant.Balances,
            (codes.OK,),
            (Row("opening", "gold", "moved_gold"), Row("opening", "gems", "moved_gems")),
        ),
        *(
            Act(
                f"grant_{currency}",
                grant.grant_money,
                grant.MoneyGrant,
                (codes.OK, codes.BAD_AMOUNT, codes.TOO_POOR, codes.BALANCE_CAP),
                (Row("grant", currency, "moved"),),
            )
            for currency in ("gold", "gems")
        ),
        Act(
            "grant_item",
            grant.grant_item,
            grant.ItemGrant,
            (codes.OK, codes.BAD_AMOUNT, codes.NOT_OWNED, codes.OVER_LIMIT),
            (Row("grant", units="moved_units"),),
        ),
        Act(
            "reset",
            grant.reset_money,
            grant.Balances,
            (codes.OK,),
            (Row("grant", "gold", "moved_gold"), Row("grant", "gems", "moved_gems")),
        ),
        Act(
            "reset_item", grant.reset_item, grant.ItemGrant, (codes.OK,), (Row("grant", units="moved_units"),)
        ),
        Act("restock", stock.restock, stock.Shelf, (codes.OK,), (Row("restock", units="moved_units"),)),
        Act(
            "stock",
            stock.set_stock,
            stock.StockSet,
            (codes.OK, codes.BAD_QUANTITY),
            (Row("restock", units="moved_units"),),
        ),
    )
}
"""By name, as players meet them."""
