"""Every act of the game as one table: who decides it, what the answer may be, and which rows it books.

A decision is one pure function: it answers a code, what is then, and the signed amounts of the act's ledger
rows. The table says in which order these rows stand and what each is about. The services book by it, and so
does whoever else plays the game; ``docs/economy.md`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules import (
    codes,
    collection,
    daily,
    exchange,
    fight,
    grant,
    progress,
    purchase,
    stock,
    summon,
    transfer,
    use,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTH_POTION: Final = "heal_hp"
MANA_POTION: Final = "win_permille"
REVIVE_SCROLL: Final = "full_loss_xp_once"
"""What a battle consumes, by its effect."""

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


_SENT_CODES: Final = (codes.OK, codes.BAD_AMOUNT, codes.DAILY_CAP, codes.BALANCE_CAP)
_SENT_ROWS: Final = (
    Row("transfer", "gold", "left_gold"),
    Row("fee", "gold", "fee_gold"),
    Row("transfer", "gold", "arrived_gold", whose=OTHER),
)

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
        Act(
            "battle",
            fight.fight,
            fight.Fight,
            (
                *(codes.OK, codes.TIER_UNKNOWN, codes.NOT_OWNED),
                *(codes.COOLING_DOWN, codes.DAILY_CAP, codes.BALANCE_CAP),
            ),
            (
                Row("use", units="moved_potions", effect=HEALTH_POTION),
                Row("use", units="moved_manas", effect=MANA_POTION),
                Row("use", units="moved_scrolls", effect=REVIVE_SCROLL),
                Row("battle", "gold", "moved_gold"),
            ),
        ),
        Act(
            "train",
            progress.train,
            progress.Trained,
            (codes.OK, codes.TOO_POOR),
            (Row("train", "gold", "moved_gold"),),
        ),
        Act(
            "invest",
            progress.invest,
            progress.Invested,
            (codes.OK, codes.ALREADY_OWNED, codes.NOT_FOR_SALE, codes.TOO_POOR),
            (Row("invest", "gold", "moved_gold"),),
        ),
        Act(
            "collect",
            progress.collect,
            progress.Collected,
            (codes.OK, codes.NOTHING_TO_COLLECT, codes.BALANCE_CAP),
            (Row("income", "gold", "income_gold"), Row("upkeep", "gold", "upkeep_gold")),
        ),
        Act(
            "exchange",
            exchange.gems_for_gold,
            exchange.Exchanged,
            (codes.OK, codes.BAD_QUANTITY, codes.NOT_FOR_SALE, codes.TOO_POOR, codes.BALANCE_CAP),
            (Row("exchange", "gold", "moved_gold"), Row("exchange", "gems", "moved_gems")),
        ),
        Act("transfer", transfer.send, transfer.Sent, (*_SENT_CODES, codes.TOO_POOR), _SENT_ROWS),
        Act("transfer_share", transfer.send_share, transfer.Sent, _SENT_CODES, _SENT_ROWS),
        Act(
            "summon",
            summon.summon,
            summon.Summoned,
            (codes.OK, codes.BAD_QUANTITY, codes.TOO_POOR),
            (Row("summon", "gems", "moved_gems"),),
        ),
        Act(
            "redeem",
            collection.redeem,
            collection.Redeemed,
            (codes.OK, codes.CHARACTER_OWNED, codes.NOT_FOR_SALE, codes.TOO_POOR),
            (),
        ),
        Act("favorite", collection.choose_favorite, collection.Chosen, (codes.OK, codes.NOT_OWNED), ()),
    )
}
"""By name; the activity stream has those of players by it. The operations of ``CommandExecutor.act`` are
words of their own: part of the digests of stored requests."""

FORMER: Final = {"daily": "claim", "purchase": "buy"}
"""An act's present name by what commands and older files call it."""

SESSION_GAP_S: Final = 1_800
"""Who was quiet for so long begins a new session, in seconds."""


def act_name(word: str) -> str:
    """The present name of an act, by any name it had."""
    return FORMER.get(word, word)
