"""Small ledgers and streams, written by hand: a test's example in a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kokoromichi.analysis.observations import Observations
from kokoromichi.core.kinds import KINDS, SYSTEM
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, ECONOMY_HISTORY_SCHEMA, LEDGER_SCHEMA, PLAYERS_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

START: Final = datetime(2026, 1, 5, tzinfo=timezone.utc)
Cell = str | int | datetime | None


def day(number: int) -> date:
    """The UTC date of a day of the example; day 0 is a Monday."""
    return (START + timedelta(days=number)).date()


def at(number: int, second: int = 0) -> datetime:
    """An instant of a day of the example."""
    return START + timedelta(days=number, seconds=second)


@dataclass
class Book:
    """A ledger under construction; balances after each row are kept for the writer."""

    rows: list[dict[str, Cell]] = field(default_factory=list)
    balances: Counter[tuple[str, str]] = field(default_factory=Counter)
    transactions: int = 0

    def move(
        self,
        number: int,
        user: str,
        kind: str,
        amount: int,
        currency: str = "gold",
        *,
        item: str | None = None,
        units: int | None = None,
        actor: str | None = None,
    ) -> Book:
        """Book one row by which a balance moves, and perhaps items with it, as a transaction of its own."""
        self.transactions += 1
        self._row(number, user, kind, actor=actor, item=item, units=units, money=(currency, amount))
        return self

    def hand(self, number: int, user: str, kind: str, item: str, units: int) -> Book:
        """Book one row by which only items move, as a transaction of its own."""
        self.transactions += 1
        self._row(number, user, kind, item=item, units=units)
        return self

    def opening(self, number: int, user: str, gold: int = 10_000, gems: int = 100) -> Book:
        """Book the two rows of an opening."""
        self.transactions += 1
        self._row(number, user, "opening", money=("gold", gold))
        self._row(number, user, "opening", money=("gems", gems))
        return self

    def exchange(self, number: int, user: str, gold: int, gems: int) -> Book:
        """Book gold turned into gems."""
        self.transactions += 1
        self._row(number, user, "exchange", money=("gold", -gold))
        self._row(number, user, "exchange", money=("gems", gems))
        return self

    def transfer(self, number: int, sender: str, receiver: str, gold: int, fee_gold: int) -> Book:
        """Book the three rows of a transfer: ``gold`` leaves the sender, ``fee_gold`` of it is burned."""
        self.transactions += 1
        self._row(number, sender, "transfer", money=("gold", fee_gold - gold), other=receiver)
        self._row(number, receiver, "transfer", money=("gold", gold - fee_gold), other=sender, actor=sender)
        self._row(number, sender, "fee", money=("gold", -fee_gold))
        return self

    def frame(self) -> pl.DataFrame:
        """The rows, in the order in which they were booked."""
        return pl.DataFrame(self.rows, schema=LEDGER_SCHEMA, orient="row")

    def observations(
        self,
        *,
        activity: pl.DataFrame | None = None,
        history: pl.DataFrame | None = None,
        players: pl.DataFrame | None = None,
    ) -> Observations:
        """The ledger as an observation, with the streams that are given."""
        return Observations.from_frames(
            self.frame(), activity=activity, economy_history=history, players=players
        )

    def _row(
        self,
        number: int,
        user: str,
        kind: str,
        *,
        money: tuple[str, int] | None = None,
        item: str | None = None,
        units: int | None = None,
        other: str | None = None,
        actor: str | None = None,
    ) -> None:
        currency, amount = money or (None, None)
        if money is not None:
            self.balances[user, money[0]] += money[1]
        self.rows.append(
            {
                "entry_id": f"e{len(self.rows):09d}",
                "tx_id": f"t{self.transactions:09d}",
                "at": at(number, len(self.rows)),
                "book": KINDS[kind].book if kind in KINDS else "admin",
                "kind": kind,
                "user_id": user,
                "currency": currency,
                "amount": amount,
                "balance_after": None if currency is None else self.balances[user, currency],
                "item_id": item,
                "quantity": units,
                "counterparty": other,
                "actor": actor or user,
                "request_id": f"r{self.transactions:09d}",
                "reason": None,
            }
        )


def activity(rows: Iterable[tuple[int, str, str, str | None]]) -> pl.DataFrame:
    """Activity rows from (day, player, act, refusal code)."""
    blank = dict.fromkeys(ACTIVITY_SCHEMA.names())
    return pl.DataFrame(
        [
            {**blank, "user_id": user, "session": order, "at": at(number, order), "act": act, "code": code}
            for order, (number, user, act, code) in enumerate(rows)
        ],
        schema=ACTIVITY_SCHEMA,
        orient="row",
    )


def history(rows: Iterable[tuple[int, str, str, str | None, int]]) -> pl.DataFrame:
    """Economy history from (day it is effective from, measure, key, category, value)."""
    return pl.DataFrame(
        [
            (f"hash{number}", at(number), measure, key, category, value)
            for number, measure, key, category, value in rows
        ],
        schema=ECONOMY_HISTORY_SCHEMA,
        orient="row",
    )


def prices(**price_gold: int) -> pl.DataFrame:
    """Economy history with prices from day 0 on, every item of the category chest."""
    return history((0, "price_gold", item, "chest", price) for item, price in price_gold.items())


def players(archetypes: Mapping[str, str]) -> pl.DataFrame:
    """The players' dimension, all of them arrived on day 0."""
    rows = [(user, archetype, f"{archetype}-0", 0) for user, archetype in archetypes.items()]
    return pl.DataFrame(rows, schema=PLAYERS_SCHEMA, orient="row")


def restock(book: Book, number: int, item: str, units: int) -> Book:
    """Book a restock by the system."""
    return book.hand(number, SYSTEM, "restock", item, units)


def lively(seed: int = 1, *, users: int = 12, horizon_days: int = 15) -> Observations:
    """A small busy economy with all four streams, sound by construction."""
    rng = np.random.default_rng(seed)
    names = [f"p{number:05d}" for number in range(users)]
    arrival = rng.integers(0, 4, users)
    book, acts = Book(), list[tuple[int, str, str, str | None]]()
    for number in range(horizon_days):
        restock(book, number, "chest", 2)
        for user in [name for name, came in zip(names, arrival, strict=True) if came == number]:
            book.opening(number, user)
        for user in [name for name, came in zip(names, arrival, strict=True) if came <= number]:
            if rng.random() < 0.6:
                acts += [(number, user, "session", None), *_session(book, number, user, names, rng)]
    acts.append((horizon_days - 1, names[0], "leave", None))
    listed = [
        (number, "price_gold", item, category, price * (10 + number) // 10)
        for number in (0, 6)
        for item, category, price in (("chest", "chest", 5_000), ("potion", "potion", 100))
    ]
    stock = [(0, "initial_stock", "chest", "chest", 50), (0, "initial_stock", "potion", "potion", -1)]
    kinds = players({name: ("casual", "whale", "hoarder")[number % 3] for number, name in enumerate(names)})
    return book.observations(activity=activity(acts), history=history([*listed, *stock]), players=kinds)


def _session(
    book: Book, number: int, user: str, names: list[str], rng: np.random.Generator
) -> list[tuple[int, str, str, str | None]]:
    book.move(number, user, "daily", int(rng.integers(500, 3_000))).move(number, user, "daily", 20, "gems")
    acts: list[tuple[int, str, str, str | None]] = [(number, user, "claim", None)]
    for item, price in (("chest", 5_000), ("potion", 100)):
        if rng.random() < 0.5:
            poor = book.balances[user, "gold"] < price
            acts.append((number, user, "buy", "too_poor" if poor else None))
            if not poor:
                book.move(number, user, "purchase", -price, item=item, units=1)
                book.hand(number, user, "use", item, -int(rng.integers(0, 2)))
    other = names[int(rng.integers(len(names)))]
    if other != user and (other, "gold") in book.balances and book.balances[user, "gold"] > 2_000:
        book.transfer(number, user, other, 1_000, 50)
        acts.append((number, user, "transfer", None))
    return acts
