"""What an admin may do to the economy as a whole: its prices, its shelves, and a look at all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from kokoromichi.core.counters import stock_counter
from kokoromichi.core.models import (
    ChangeSet,
    CounterChange,
    Movement,
)
from kokoromichi.rules import codes
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.economy_laws import check_economy
from kokoromichi.services.authority import Actor, authorise
from kokoromichi.services.granting import ADMIN_ACT
from kokoromichi.services.receipts import (
    DoneReceipt,
    PriceReceipt,
    ReloadReceipt,
    StockReceipt,
)
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from kokoromichi.core.data_provider import AnswerT, DataProvider
    from kokoromichi.services.executor import CommandExecutor
    from kokoromichi.services.overrides import Overrides
    from kokoromichi.services.store import StoreService

T = TypeVar("T")


class EconomyAdmin:
    """Sets prices and stocks, activates economies, and looks at the store as a whole.

    Args:
        executor: Where acts are committed.
        overrides: An admin's prices.
        store: Whose shelves are filled.
    """

    def __init__(self, executor: CommandExecutor, overrides: Overrides, store: StoreService) -> None:
        self._executor = executor
        self._overrides = overrides
        self._store = store

    async def set_price(
        self,
        item_id: str,
        price_gold: int | None,
        *,
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> PriceReceipt:
        """Set the price of an item until the next reload; other processes follow within seconds.

        Args:
            item_id: Of which item.
            price_gold: Gold of a unit; None gives the list price back.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key.

        Raises:
            RefusedError: not_allowed, unknown_item, bad_amount, or price_unsound (with the finding).
            StorageError: The store failed. The act may be in the ledger and the price not yet in force: the
                same request id, sent again, completes it.
        """
        authorise(actor, "price", reason)
        overrides = self._overrides

        async def attempt() -> ChangeSet[PriceReceipt]:
            item = overrides.economy.config.store.get(item_id)
            if item is None or item_id not in self._executor.live.offers:
                raise refused(codes.UNKNOWN_ITEM, item_id)
            if price_gold is not None and (
                type(price_gold) is not int or not 0 < price_gold <= codes.MAX_BALANCE
            ):
                raise refused(codes.BAD_AMOUNT, price_gold)
            known = (await overrides.read()).prices
            prices = {name: word.price_gold for name, word in known.items()} | {item_id: price_gold}
            if findings := overrides.findings(prices):
                raise refused(codes.PRICE_UNSOUND, str(findings[0]))
            at_us = self._executor.clock.now_us()
            word_us = max(at_us, known[item_id].at_us + 1) if item_id in known else at_us
            receipt = PriceReceipt(item_id, price_gold or item.price_gold, item.price_gold, word_us)
            words = f"price of {item_id} {'as listed' if price_gold is None else price_gold}"
            return act_of_the_system(at_us, receipt, actor, f"{words}: {reason}")

        arguments = (item_id, "list" if price_gold is None else price_gold, reason)
        async with overrides.changing:
            receipt = await self._executor.retry_on_conflict(
                "price", actor.user_id, arguments, attempt, request_id
            )
            await overrides.set(item_id, price_gold, receipt.at_us)
        return receipt

    async def set_stock(
        self, item_id: str, units: int, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> StockReceipt:
        """Put so many units of an item on the shelf, booked as ``restock``: also fewer than there are.

        Raises:
            RefusedError: not_allowed, unknown_item, bad_quantity, stock_unlimited, or out_of_stock where
                somebody bought what was to be taken away.
        """
        authorise(actor, "stock", reason)

        async def attempt() -> ChangeSet[StockReceipt]:
            offer = self._executor.live.offers.get(item_id)
            if offer is None:
                raise refused(codes.UNKNOWN_ITEM, item_id)
            if type(units) is not int or not 0 <= units <= codes.MAX_BALANCE:
                raise refused(codes.BAD_QUANTITY, units)
            if offer.stock_counter is None:
                raise refused(codes.STOCK_UNLIMITED, item_id)
            await self._store.restock()  # What is due comes first, and a shelf that nobody has filled yet.
            counter = stock_counter(item_id)
            added = units - (await self._executor.provider.counters())[counter]
            row = Movement("restock", item_id=item_id, quantity=added) if added else ADMIN_ACT
            words = f"stock of {item_id} {units}: {reason}"
            receipt = StockReceipt(item_id, added, units)
            change = act_of_the_system(self._executor.clock.now_us(), receipt, actor, words, row)
            change.counters = (CounterChange(counter, added),) if added else ()
            return change

        arguments = (item_id, units, reason)
        return await self._executor.retry_on_conflict("stock", actor.user_id, arguments, attempt, request_id)

    async def reload(
        self, folder: Path, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> ReloadReceipt:
        """Activate the economy of a folder, whole or not at all; an admin's prices end with it.

        It is this process's economy: where several serve one store, each is told.

        Raises:
            RefusedError: not_allowed.
            EconomyError: The folder holds no sound economy; nothing happened, and every finding is listed.
            StorageError: The store failed: the economy that was in force still is.
        """
        authorise(actor, "reload", reason)
        economy = await asyncio.to_thread(load_economy, folder)
        await asyncio.to_thread(check_economy, economy)
        overrides = self._overrides

        async def attempt() -> ChangeSet[ReloadReceipt]:
            at_us = self._executor.clock.now_us()
            put_us = max(at_us, overrides.since_us + 1)
            receipt = ReloadReceipt(economy.hash, overrides.economy.hash, put_us)
            return act_of_the_system(at_us, receipt, actor, f"reload of economy {economy.hash}: {reason}")

        async with overrides.changing:
            receipt = await self._executor.retry_on_conflict(
                "reload", actor.user_id, (str(folder), reason), attempt, request_id
            )
            if receipt.economy_hash == economy.hash and await overrides.renew(economy, receipt.at_us):
                await overrides.write_history()
                await self._store.restock()
        return receipt

    async def inspect(
        self,
        what: str,
        look: Callable[[DataProvider], Awaitable[T]],
        *,
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> T:
        """Look at the store as a whole (an audit, an export, its health): booked first, then done.

        Args:
            what: In a word, for the ledger.
            look: What to do with the provider; it changes nothing there.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key: sent again, it looks again and books nothing.

        Raises:
            RefusedError: not_allowed.
        """
        authorise(actor, what, reason)

        async def attempt() -> ChangeSet[DoneReceipt]:
            at_us = self._executor.clock.now_us()
            return act_of_the_system(at_us, DoneReceipt(what), actor, f"{what}: {reason}")

        await self._executor.retry_on_conflict(what, actor.user_id, (reason,), attempt, request_id)
        return await look(self._executor.provider)


def act_of_the_system(
    at_us: int, receipt: AnswerT, actor: Actor, words: str, row: Movement = ADMIN_ACT
) -> ChangeSet[AnswerT]:
    """An act that is upon no player."""
    return ChangeSet(at_us, (), receipt, system=(row,), actor=actor.user_id, reason=words)
