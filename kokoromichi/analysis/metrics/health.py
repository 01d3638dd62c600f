"""Whether a ledger can be believed: what breaks its laws, counted."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.audit import reused_requests
from kokoromichi.analysis.metrics.by_day import TRANSFERS, day_of, days
from kokoromichi.analysis.metrics.goods import knows_goods
from kokoromichi.analysis.options import checked_options
from kokoromichi.analysis.shared import shared
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kokoromichi.analysis.observations import Observations

_REQUIRED: Final = ("entry_id", "tx_id", "at", "book", "kind", "user_id", "actor", "request_id")
_FOLLOWED: Final = ("entry_id", "at", "user_id", "currency", "amount", "balance_after", "item_id", "quantity")
_NUMBER: Final = ("effective_from", "measure", "key")
_ACT: Final = ("user_id", "at", "act")
_ENDS_OF_SESSIONS: Final = ("session", "end")
_CLOCK_TOLERANCE: Final = dt.timedelta(hours=1)
_RUNNING_NUMBER: Final = r"(?:^|\D)(\d{1,12})$"


@checked_options
def ledger_health(observations: Observations) -> pl.LazyFrame:
    """Ledger health: what breaks a law, counted check by check; all zero when the ledger is sound.

    A ledger alone has no stored balances to compare with: ``audit`` does that. Here each ``balance_after``
    must be the one before plus the amount, in the order of entry ids, from 0 on or from what a part of a
    ledger brings forward; of a ledger that lacks books, neither balances nor inventories are followed. Gaps
    are looked for where entry ids end in a running number; ids that do not are taken to have none. What no
    metric can use is counted: a row of any stream without a value that it needs, such as its time or player;
    a row of the ledger in an unknown kind or currency, in another book than its kind's, with a sign that its
    kind cannot have, dated an hour or more before the entry that precedes it, or more than twenty years away
    from the day that has most rows; a player, a price or a session's begin or end that is there twice.

    Args:
        observations: What was observed; every stream is read.

    Returns:
        One row per check, ascending by law; the same rows for every ledger, the empty one included.

        - ``law`` (Int64): number of the law in economy.md that the check guards; 0 for the form of the rows.
        - ``check`` (String): what was counted.
        - ``violations`` (Int64): how many.
    """
    ledger = observations.ledger
    ordered = _in_order(observations)
    whole = ordered if observations.whole_books else ordered.clear()
    checks = [
        (0, "half_movements", _rows(_half_movements(ledger))),
        (0, "missing_values", _rows(_lacking(observations))),
        (0, "unknown_kinds", _rows(ledger.filter(~_is_in("kind", KINDS)))),
        (0, "unknown_currencies", _rows(ledger.filter(~_is_in("currency", CURRENCIES)))),
        (0, "rows_in_another_book", _rows(ledger.filter(~_in_its_book()))),
        (0, "impossible_signs", _rows(ledger.filter(_impossible_signs()))),
        (0, "times_against_entry_ids", _rows(_against_entry_ids(ordered))),
        (0, "times_far_away", _rows(_far_away(observations))),
        (0, "duplicate_players", _rows(_repeated(observations.players, "user_id"))),
        (0, "duplicate_sessions", _rows(_repeated(_session_ends(observations), *_ACT))),
        (0, "duplicate_prices", _rows(_repeated(observations.economy_history, *_NUMBER))),
        (0, "duplicate_entry_ids", _rows(_duplicate_ids(ordered))),
        (0, "missing_entry_ids", _missing_ids(whole)),
        (1, "broken_balance_chains", _rows(_broken_chains(whole, observations.brought))),
        (3, "transfers_that_do_not_cancel", _rows(_uncancelled(ledger))),
        (4, "negative_balances", _rows(_negative_balances(ledger, observations.brought))),
        (4, "negative_inventories", _rows(_negative_inventories(whole, observations))),
        (5, "reused_request_ids", _rows(reused_requests(ledger))),
    ]
    named = [
        count.select(law=pl.lit(law, dtype=pl.Int64), check=pl.lit(check), violations="violations")
        for law, check, count in checks
    ]
    return pl.concat(named)


@shared
def _in_order(observations: Observations) -> pl.LazyFrame:
    """The ledger's rows in the order of their entry ids, in which they mostly stand already."""
    return observations.ledger.select(_FOLLOWED).map_batches(
        lambda rows: rows if rows["entry_id"].is_sorted() else rows.sort("entry_id", maintain_order=True)
    )


def _rows(found: pl.LazyFrame) -> pl.LazyFrame:
    """How many rows were found: violations."""
    return found.select(violations=pl.len().cast(pl.Int64))


def _lacking(observations: Observations) -> pl.LazyFrame:
    """Rows of any stream without a value that each of its rows needs."""
    needed = (
        (observations.ledger, _REQUIRED),
        (observations.activity, _ACT),
        (observations.economy_history, (*_NUMBER, "value")),
        (observations.players, ("user_id",)),
    )
    return pl.concat(
        stream.select(lacks=pl.any_horizontal(pl.col(columns).is_null())).filter("lacks")
        for stream, columns in needed
    )


def _half_movements(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with a currency and no amount, an amount and no currency, an item and no quantity, or the like."""
    blank = [pl.col(name).is_null() for name in ("currency", "amount", "balance_after")]
    half = (blank[0] != blank[1]) | (blank[1] != blank[2])
    return ledger.filter(half | (pl.col("item_id").is_null() != pl.col("quantity").is_null()))


def _is_in(column: str, known: Iterable[str]) -> pl.Expr:
    """Whether a value is known; null is another check's."""
    return pl.col(column).is_in(tuple(known)).fill_null(value=True)


def _in_its_book() -> pl.Expr:
    """Whether a row stands in the book of its kind."""
    books = {name: kind.book for name, kind in KINDS.items()}
    return pl.col("kind").replace_strict(books, default=None, return_dtype=pl.String) == pl.col("book")


def _has_role(role: str) -> pl.Expr:
    return pl.col("kind").is_in([name for name, kind in KINDS.items() if kind.role == role])


def _impossible_signs() -> pl.Expr:
    """Whether a row gives what its kind takes, or takes what it gives."""
    kind = pl.col("kind")
    gives = _has_role("faucet") | ((kind == "exchange") & (pl.col("currency") == "gems"))
    takes = _has_role("sink") & ~gives
    units = pl.col("quantity")
    return (
        (gives & (pl.col("amount") < 0))
        | (takes & (pl.col("amount") > 0))
        | (kind.is_in(["purchase", "restock"]) & (units < 0))
        | (kind.is_in(["use", "sale"]) & (units > 0))
    )


def _against_entry_ids(ordered: pl.LazyFrame) -> pl.LazyFrame:
    """Rows dated so much before the entry that precedes them that clocks and commits do not explain it."""
    return ordered.select(pl.col("at").drop_nulls()).filter(pl.col("at").diff() <= -_CLOCK_TOLERANCE)


def _far_away(observations: Observations) -> pl.LazyFrame:
    """Rows of a day that is not among the days observed."""
    rows = observations.ledger.filter(pl.col("at").is_not_null()).select(day_of())
    return rows.join(days(observations), on="day", how="anti")


def _session_ends(observations: Observations) -> pl.LazyFrame:
    """The acts by which a file that is there twice is known: few, and none at the moment of another."""
    return observations.activity.filter(pl.col("act").is_in(_ENDS_OF_SESSIONS))


def _repeated(frame: pl.LazyFrame, *key: str) -> pl.LazyFrame:
    """Rows beyond the first of a key."""
    return frame.select(key).filter(~pl.struct(key).is_first_distinct())


def _duplicate_ids(ordered: pl.LazyFrame) -> pl.LazyFrame:
    """Rows beyond the first of an entry id."""
    entry_id = pl.col("entry_id")
    return ordered.select(again=entry_id.eq_missing(entry_id.shift(1)).slice(1)).filter("again")


def _missing_ids(ordered: pl.LazyFrame) -> pl.LazyFrame:
    """How many numbers are missing where entry ids end in a running one: violations."""
    number = pl.col("entry_id").str.extract(_RUNNING_NUMBER).cast(pl.Int64)
    numbered = ordered.select(number=number).with_columns(step=pl.col("number").diff())
    running = pl.col("number").is_not_null().all() & (pl.col("step").min() >= 0)
    skipped = pl.when(pl.col("step") > 1).then(pl.col("step") - 1).sum()
    return numbered.select(violations=pl.when(running).then(skipped).otherwise(0))


def _broken_chains(ordered: pl.LazyFrame, brought: pl.LazyFrame) -> pl.LazyFrame:
    """Rows whose balance after is not the balance before plus the amount."""
    keys = ["user_id", "currency"]
    after = pl.col("balance_after")
    movements = ordered.filter(pl.col("currency").is_not_null())
    chains = movements.group_by(keys).agg("amount", after, last=after.shift(1), place=pl.int_range(pl.len()))
    chains = chains.join(brought.select(*keys, begins="amount"), on=keys, how="left")
    rows = chains.explode("amount", "balance_after", "last", "place")
    before = pl.when(pl.col("place") == 0).then(pl.col("begins").fill_null(0)).otherwise("last")
    return rows.filter(before.cast(pl.Int128) + pl.col("amount") != after)


def _uncancelled(ledger: pl.LazyFrame) -> pl.LazyFrame:
    """Transactions whose transfers or gifts create or destroy something."""
    legs = ledger.filter(pl.col("kind").is_in(TRANSFERS))
    sums = legs.group_by("tx_id", "currency", "item_id").agg(
        pl.col("amount", "quantity").cast(pl.Int128).sum()
    )
    return sums.filter((pl.col("amount") != 0) | (pl.col("quantity") != 0)).select("tx_id").unique()


def _negative_balances(ledger: pl.LazyFrame, brought: pl.LazyFrame) -> pl.LazyFrame:
    """Rows after which a balance is below zero, and balances below zero that a part begins with."""
    after = ledger.select("user_id", amount="balance_after")
    return pl.concat([after, brought.select("user_id", "amount")]).filter(pl.col("amount") < 0)


def _negative_inventories(ordered: pl.LazyFrame, observations: Observations) -> pl.LazyFrame:
    """Rows after which a player holds fewer than no units, where it is known what they began with."""
    columns = ["user_id", "item_id", "quantity"]
    rows = pl.concat([observations.brought.select(columns), ordered.select(columns)])
    rows = rows.filter(pl.col("item_id").is_not_null(), pl.col("user_id") != SYSTEM)
    held = rows.select(held=pl.col("quantity").cast(pl.Int128).cum_sum().over("user_id", "item_id"))
    below = held.filter(pl.col("held") < 0)
    return below.join(knows_goods(observations), how="cross").filter("known")
