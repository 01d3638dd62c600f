"""What an admin may do: checked here, with a reason, in the ledger with its actor."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.core.models import (
    ERASED_PREFIX,
    NEVER,
    ChangeSet,
    CounterChange,
    UserChange,
    UserProfile,
)
from kokoromichi.core.validation import checked_user_id
from kokoromichi.rules import codes
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.economy_laws import check_economy
from kokoromichi.rules.moments import next_us
from kokoromichi.rules.stock import set_stock
from kokoromichi.services.authority import Actor, MostGranted, authorise
from kokoromichi.services.booking import Booking
from kokoromichi.services.granting import ADMIN_ACT, granted, to_opening, with_clear_clocks
from kokoromichi.services.receipts import (
    ClocksReceipt,
    DoneReceipt,
    EraseReceipt,
    FreezeReceipt,
    GrantReceipt,
    PriceReceipt,
    ReloadReceipt,
    ResetReceipt,
    StockReceipt,
)
from kokoromichi.services.reconciling import Difference, corrections, differences, put_as_booked
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import AnswerT
    from kokoromichi.services.executor import Arguments, CommandExecutor
    from kokoromichi.services.observing import ActivityService
    from kokoromichi.services.overrides import Overrides
    from kokoromichi.services.store import StoreService

T = TypeVar("T")

_STOCKING: Final = Booking("stock")


class AdminService:
    """Corrects balances and goods, stops and forgets players, sets prices and stocks, activates economies.

    Every act takes the actor, a reason and perhaps a request id, and raises:
        RefusedError: not_allowed, before anything else is looked at.
        MisuseError: There is no reason or no actor.

    Args:
        executor: Where acts are committed.
        overrides: An admin's prices.
        store: Whose shelves are filled.
        activity: What forgets who is erased.
        most_granted: What one ``grant`` may give or take; no other act is limited.
    """

    def __init__(
        self,
        executor: CommandExecutor,
        overrides: Overrides,
        store: StoreService,
        activity: ActivityService,
        most_granted: MostGranted = MostGranted(),  # noqa: B008 - frozen
    ) -> None:
        self._executor = executor
        self._overrides = overrides
        self._store = store
        self._activity = activity
        self._most_granted = most_granted

    def grant(
        self,
        user_id: str,
        what: str,
        amount: int,
        *,
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> Awaitable[GrantReceipt]:
        """Add to (or, with a negative amount, take from) a balance or an item.

        Args:
            user_id: Whose.
            what: ``gold``, ``gems`` or an item id.
            amount: Signed units.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key.

        Raises:
            RefusedError: not_allowed, unknown_player, unknown_item, item_retired, bad_amount, too_poor,
                not_owned, over_limit, balance_cap or grant_limit.
        """
        authorise(actor, "grant", reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[GrantReceipt]:
            user, after = granted(self._executor.live, profile, what, amount)
            most = self._most_granted.of(what)
            if most is not None and abs(amount) > most:
                raise refused(codes.GRANT_LIMIT, most, what)
            receipt = GrantReceipt(profile.user_id, what, amount, after)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=reason)

        arguments = (what, amount, actor.user_id, reason)
        return self._executor.act_upon("grant", user_id, arguments, decide, request_id)

    def freeze(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[FreezeReceipt]:
        """Stop a player: every act of theirs, and whatever another one would send them, is refused.

        They keep what they have; what their businesses earn and their cooldowns run on.

        Raises:
            RefusedError: not_allowed or unknown_player.
        """
        return self._set_frozen(1, user_id, actor, reason, request_id)

    def unfreeze(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[FreezeReceipt]:
        """Let a player go on; see ``freeze``."""
        return self._set_frozen(0, user_id, actor, reason, request_id)

    def _set_frozen(
        self, frozen: int, user_id: str, actor: Actor, reason: str, request_id: str | None
    ) -> Awaitable[FreezeReceipt]:
        operation = "freeze" if frozen else "unfreeze"
        authorise(actor, operation, reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[FreezeReceipt]:
            user = UserChange(profile.user_id, profile.version, (ADMIN_ACT,), {"frozen": frozen})
            receipt = FreezeReceipt(profile.user_id, frozen)
            why = f"{operation}: {reason}"
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=why)

        return self._executor.act_upon(operation, user_id, (actor.user_id, reason), decide, request_id)

    def clear_clocks(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[ClocksReceipt]:
        """Open a player's day again: claim, battle, the caps of the day, and what lies ahead of the clock.

        Raises:
            RefusedError: not_allowed or unknown_player.
        """
        authorise(actor, "clocks", reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[ClocksReceipt]:
            user = with_clear_clocks(profile, at_us)
            receipt = ClocksReceipt(profile.user_id)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=f"clocks: {reason}")

        return self._executor.act_upon("clocks", user_id, (actor.user_id, reason), decide, request_id)

    def reset(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> Awaitable[ResetReceipt]:
        """Put a player back to the opening: balances and goods by ``grant`` rows, progress to its beginning.

        What holds the caps of a day stays (the claim, the battle's cooldown, gold won and sent today), and
        so do a freeze and what the player chose for their battles.

        Raises:
            RefusedError: not_allowed or unknown_player.
        """
        authorise(actor, "reset", reason)

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[ResetReceipt]:
            user, balances = to_opening(profile, self._executor.live.config.opening)
            receipt = ResetReceipt(profile.user_id, balances.gold, balances.gems)
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=f"reset: {reason}")

        return self._executor.act_upon("reset", user_id, (actor.user_id, reason), decide, request_id)

    async def erase(
        self, user_id: str, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> EraseReceipt:
        """Forget a player who asks for it: their rows and balances stand under a pseudonym that is drawn.

        The account is frozen and the act is booked first, without naming them; then everything that is
        stored is rewritten (``DataProvider.erase``). Should they return, they open a fresh account;
        on the same UTC day without a second claim and with the caps as they were.

        Raises:
            RefusedError: not_allowed or unknown_player.
            StorageError: The storage failed. The account may be frozen and not yet erased: the same request
                id, sent again, completes it.
        """
        authorise(actor, "erase", reason)

        async def attempt() -> ChangeSet[EraseReceipt]:
            stored = await self._executor.provider.profile(checked_user_id(user_id))
            if stored is None:
                raise refused(codes.UNKNOWN_PLAYER, user_id)
            at_us = self._executor.clock.now_us()
            receipt = EraseReceipt(f"{ERASED_PREFIX}{secrets.token_hex(12)}")
            why = f"erase: {reason.replace(user_id, '(erased)')}"
            change = act_of_the_system(at_us, receipt, actor, why)
            change.users = (UserChange(user_id, stored.version, (), {"frozen": 1}),)
            return change

        # The digest does not hold whom: it outlives the erasure.
        receipt = await self._executor.retry_on_conflict("erase", actor.user_id, (), attempt, request_id)
        provider = self._executor.provider
        if (stored := await provider.profile(user_id)) is not None:
            await self._executor.erased_days.keep(stored)
        self._activity.forget(user_id)
        await provider.erase(user_id, receipt.pseudonym)
        return receipt

    async def reconcile(
        self,
        user_id: str | None = None,
        *,
        book: bool = False,
        actor: Actor,
        reason: str,
        request_id: str | None = None,
    ) -> list[Difference]:
        """Hold what is stored against what the rows add up to.

        Args:
            user_id: Of one player; None looks at all.
            book: Book what differs as ``correction``, so that what is stored stays and the rows explain it.
                Cut off in the middle, a player is left as their rows have it, which is sound too.
            actor: The admin.
            reason: Why; required.
            request_id: Idempotency key: sent again, what was corrected differs no more.

        Returns:
            What differed, by player.

        Raises:
            RefusedError: not_allowed.
            StorageError: A difference that no row can explain, or a player who never stands still.
        """
        look = partial(differences, user_id=user_id)
        found = await self.inspect("reconcile", look, actor=actor, reason=reason, request_id=request_id)
        for owner in sorted({each.user_id for each in found}) if book else ():
            await self._correct([each for each in found if each.user_id == owner], actor, reason)
        return found

    async def _correct(self, found: list[Difference], actor: Actor, reason: str) -> None:
        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[DoneReceipt]:
            user = UserChange(profile.user_id, profile.version, corrections(profile, found))
            receipt = DoneReceipt("correct")
            return ChangeSet(at_us, (user,), receipt, actor=actor.user_id, reason=f"reconcile: {reason}")

        await put_as_booked(self._executor.provider, found)
        await self._executor.act_upon("correct", found[0].user_id, (), decide)

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
            StorageError: The storage failed. The act may be in the ledger and the price not yet in force: the
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
            prices = {name: one.price_gold for name, one in known.items()} | {item_id: price_gold}
            if findings := overrides.findings(prices):
                raise refused(codes.PRICE_UNSOUND, str(findings[0]))
            at_us = self._executor.clock.now_us()
            since_us = next_us(at_us, known[item_id].at_us if item_id in known else NEVER)
            receipt = PriceReceipt(item_id, price_gold or item.price_gold, item.price_gold, since_us)
            why = f"price of {item_id} {'as listed' if price_gold is None else price_gold}"
            return act_of_the_system(at_us, receipt, actor, f"{why}: {reason}")

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
            if type(units) is not int or set_stock(0, units).code:  # Of any stock: a refusal fills no shelf.
                raise refused(codes.BAD_QUANTITY, units)
            if offer.stock_counter is None:
                raise refused(codes.STOCK_UNLIMITED, item_id)
            await self._store.restock()  # What is due comes first, and a shelf that nobody has filled yet.
            left = (await self._executor.provider.counters())[offer.stock_counter]
            shelf = set_stock(left, units)
            why = f"stock of {item_id} {units}: {reason}"
            receipt = StockReceipt(item_id, shelf.moved_units, shelf.stock)
            change = act_of_the_system(self._executor.clock.now_us(), receipt, actor, why)
            if shelf.moved_units:
                change.system = _STOCKING.rows(shelf, None, item_id)
                change.counters = (CounterChange(offer.stock_counter, shelf.moved_units),)
            return change

        arguments = (item_id, units, reason)
        return await self._executor.retry_on_conflict("stock", actor.user_id, arguments, attempt, request_id)

    async def reload(
        self, folder: Path, *, actor: Actor, reason: str, request_id: str | None = None
    ) -> ReloadReceipt:
        """Activate the economy of a folder, whole or not at all; an admin's prices end with it.

        It is this process's economy: where several share one database, each is told.

        Raises:
            RefusedError: not_allowed.
            EconomyError: The folder holds no sound economy; nothing happened, and every finding is listed.
            StorageError: The storage failed: the economy that was in force still is.
        """
        authorise(actor, "reload", reason)
        economy = await asyncio.to_thread(load_economy, folder)
        await asyncio.to_thread(check_economy, economy)
        overrides = self._overrides

        async def attempt() -> ChangeSet[ReloadReceipt]:
            at_us = self._executor.clock.now_us()
            since_us = next_us(at_us, overrides.since_us)
            receipt = ReloadReceipt(economy.hash, overrides.economy.hash, since_us)
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
        """Look at the storage as a whole (an audit, an export, its health): booked first, then done.

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


def act_of_the_system(at_us: int, receipt: AnswerT, actor: Actor, why: str) -> ChangeSet[AnswerT]:
    """An act that is upon no player, and moves nothing."""
    return ChangeSet(at_us, (), receipt, system=(ADMIN_ACT,), actor=actor.user_id, reason=why)
