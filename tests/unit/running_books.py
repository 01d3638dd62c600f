"""The laws of economy.md over a provider in use: rows are added up as they come, and held against it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from kokoromichi.core.clock import us_of
from kokoromichi.core.counters import (
    first_stock_counter,
    stock_counter,
    stock_since_counter,
    stocked_items,
)
from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import LedgerEntry

_PAGE = 50


class RunningBooks:
    """Sums of every ledger row so far.

    Attributes:
        newest: The last row's ``entry_id``, or None.
    """

    def __init__(self) -> None:
        self.newest: str | None = None
        self._balances: Counter[tuple[str, str]] = Counter()
        self._held: Counter[tuple[str, str]] = Counter()
        self._supply: Counter[str] = Counter()
        self._moved: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self._act_of: dict[str, str] = {}

    async def follow(self, provider: DataProvider) -> None:
        """Add up what is new, and hold all of it against what is stored: laws 1 to 6."""
        for entry in await self._new_entries(provider):
            self._add(entry)
        await self._hold(provider)

    async def _new_entries(self, provider: DataProvider) -> list[LedgerEntry]:
        limit = _PAGE
        while True:
            page = await provider.read_ledger(limit=limit)
            found: list[LedgerEntry] = []
            for entry in page:
                if entry.entry_id == self.newest:
                    return self._marked(found)
                found.append(entry)
            if len(page) < limit:
                assert self.newest is None, "the row that was the newest is gone"
                return self._marked(found)
            limit *= 2

    def _marked(self, newest_first: list[LedgerEntry]) -> list[LedgerEntry]:
        if newest_first:
            self.newest = newest_first[0].entry_id
        return newest_first[::-1]

    def _add(self, entry: LedgerEntry) -> None:
        role = KINDS[entry.kind].role
        assert KINDS[entry.kind].book == entry.book
        assert self._act_of.setdefault(entry.request_id, entry.tx_id) == entry.tx_id, "law 5"
        assert (entry.currency is None) == (entry.amount is None) == (entry.balance_after is None)
        if entry.user_id == SYSTEM:
            assert entry.currency is None
            if entry.kind == "admin_act":
                assert (entry.item_id, entry.quantity) == (None, None)
                assert entry.reason
                return
            assert entry.kind == "restock"
            assert entry.item_id is not None
            assert entry.quantity
            assert entry.quantity > 0 or entry.actor != SYSTEM
            self._moved[entry.item_id].append((us_of(entry.at), entry.quantity))
            return
        if entry.currency is not None and entry.amount is not None:
            self._balances[entry.user_id, entry.currency] += entry.amount
            assert entry.balance_after == self._balances[entry.user_id, entry.currency] >= 0, "laws 1 and 4"
            assert entry.amount, "a row that moves nothing"
            if role != "transfer":
                self._supply[entry.currency] += entry.amount
        if entry.item_id is not None and entry.quantity is not None:
            self._held[entry.user_id, entry.item_id] += entry.quantity
            assert self._held[entry.user_id, entry.item_id] >= 0, "law 4"
            if entry.kind == "purchase":
                self._moved[entry.item_id].append((us_of(entry.at), -entry.quantity))

    async def _hold(self, provider: DataProvider) -> None:
        supply: Counter[str] = Counter()
        held: Counter[tuple[str, str]] = Counter()
        for user_id in await provider.user_ids():
            profile = await provider.profile(user_id)
            assert profile is not None
            for currency in CURRENCIES:
                balance: int = getattr(profile, currency)
                assert balance == self._balances[user_id, currency], "law 1"
                supply[currency] += balance
            assert all(units > 0 for units in profile.inventory.values()), "law 4"
            held.update({(user_id, item_id): units for item_id, units in profile.inventory.items()})
        assert held == +self._held, "law 2"
        assert +supply == +self._supply, "law 3"
        counters = await provider.counters()
        assert all(value >= 0 for value in counters.values()), "law 4"
        for item_id in stocked_items(counters):
            since_us = counters[stock_since_counter(item_id)]
            moved = sum(units for at_us, units in self._moved[item_id] if at_us >= since_us)
            first = counters[first_stock_counter(item_id)]
            assert counters[stock_counter(item_id)] == first + moved, "law 6"
