"""The store: buying, selling, using, giving, and the stock behind the counter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import (
    ChangeSet,
    CounterChange,
    Item,
    StoreListing,
    UserProfile,
)
from kokoromichi.core.validation import checked_user_id
from kokoromichi.rules import codes
from kokoromichi.rules.acts import OTHER
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.rules.purchase import ANY_PRICE, gift, purchase, sell, total_gold
from kokoromichi.rules.use import MOST_AT_ONCE
from kokoromichi.services.booking import Booking, paid_field
from kokoromichi.services.executor import Arguments, CommandExecutor, Decide
from kokoromichi.services.live_economy import RETIRED_OFFER
from kokoromichi.services.receipts import (
    GiftReceipt,
    PurchaseReceipt,
    RestockReceipt,
    SaleReceipt,
    UseReceipt,
)
from kokoromichi.services.refusals import items_refused, refused
from kokoromichi.services.restocking import restock
from kokoromichi.services.standalone import standalone_executor
from kokoromichi.services.use import decide_use

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.live_economy import Offer

_BUYING: Final = Booking("buy")
_SELLING: Final = Booking("sell")
_GIVING: Final = Booking("gift")
_TAKING: Final = Booking("gift", OTHER)


class StoreService:
    """Sells, buys back, hands out and fills up.

    Args:
        provider: Where acts are stored, by the settings' economy and what is in force there; the process's
            own when left out. The services of a game hand their executor over instead.
    """

    def __init__(self, provider: DataProvider | CommandExecutor | None = None) -> None:
        if isinstance(provider, CommandExecutor):
            self._executor = provider
        else:
            self._executor = standalone_executor(provider)
        self._purchasing: Decide[PurchaseReceipt] = self._decide_purchase  # Bound once, not in every act.

    def purchase(
        self,
        user_id: str,
        item_id: str,
        quantity: int = 1,
        *,
        expected_price_gold: int | None = None,
        request_id: str | None = None,
    ) -> Awaitable[PurchaseReceipt]:
        """Buy ``quantity`` units at the price in force.

        Args:
            user_id: Who buys.
            item_id: What.
            quantity: Units.
            expected_price_gold: The price of a unit that the buyer was shown; another one is never charged.
            request_id: Idempotency key.

        Raises:
            RefusedError: unknown_item, item_retired, bad_quantity, price_changed, over_limit, out_of_stock or
                too_poor; nothing happened.
            StorageError: The storage failed; see ``DataProvider.apply``.
        """
        decide = self._purchasing
        if expected_price_gold is not None:
            decide = partial(self._decide_purchase, expected_price_gold=expected_price_gold)
        return self._executor.act("purchase", user_id, (item_id, quantity), decide, request_id)

    def _decide_purchase(
        self,
        profile: UserProfile,
        at_us: int,
        arguments: Arguments,
        expected_price_gold: int = ANY_PRICE,
    ) -> ChangeSet[PurchaseReceipt]:
        item_id, quantity, offer = self._asked(profile, arguments)
        held = profile.inventory.get(item_id, 0)
        bought = purchase(
            profile.gold,
            held,
            profile.paid_gold.get(item_id, UNKNOWN_PAID_GOLD),
            offer.price_gold,
            offer.list_price_gold,
            quantity,
            offer.limit,
            expected_price_gold,
        )
        if bought.code:
            raise _purchase_refused(bought.code, profile, item_id, quantity, offer, expected_price_gold)
        receipt = PurchaseReceipt(item_id, quantity, -bought.moved_gold, bought.gold, bought.owned)
        stock = (
            () if offer.stock_counter is None else (CounterChange(offer.stock_counter, -bought.moved_units),)
        )
        return ChangeSet(at_us, (_BUYING.change(bought, profile, item_id),), receipt, stock)

    async def purchase_item(
        self, user_id: str | int, item_id: str, quantity: int = 1, *, request_id: str | None = None
    ) -> tuple[bool, str, int]:
        """The first KoKoroMichi's call: ``(success, message, gold_balance)``, always with the true balance.

        Raises:
            StorageError: The storage failed: no tuple may hide that.
        """
        known = checked_user_id(user_id)
        try:
            receipt = await self.purchase(known, item_id, quantity, request_id=request_id)
        except RefusedError as refusal:
            return False, str(refusal), (await self._executor.meet(known)).gold
        return True, f"Bought {receipt.quantity} x {item_id} for {receipt.cost_gold} gold.", receipt.gold

    def sell(
        self, user_id: str, item_id: str, quantity: int = 1, *, request_id: str | None = None
    ) -> Awaitable[SaleReceipt]:
        """Sell units back at the resale share of the smaller of the price and of what was paid for them.

        Units of a retired item have no price any more, and are sold at that share of what was paid.

        Raises:
            RefusedError: unknown_item, bad_quantity, not_owned, not_for_sale or balance_cap.
        """
        return self._executor.act("sell", user_id, (item_id, quantity), self._decide_sale, request_id)

    async def quote_sale(self, user_id: str, item_id: str, quantity: int = 1) -> SaleReceipt:
        """What ``sell`` would answer now; nothing is sold.

        Raises:
            RefusedError: As ``sell``.
        """
        met = await self._executor.meet(checked_user_id(user_id))
        return self._decide_sale(met, self._executor.clock.now_us(), (item_id, quantity)).answer

    def _decide_sale(self, profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[SaleReceipt]:
        item_id, quantity, offer = self._asked(profile, arguments, RETIRED_OFFER)
        held = profile.inventory.get(item_id, 0)
        sold = sell(
            profile.gold,
            held,
            profile.paid_gold.get(item_id, UNKNOWN_PAID_GOLD),
            offer.price_gold,
            offer.list_price_gold,
            quantity,
            self._executor.live.config.resale.percent,
        )
        if sold.code:
            raise items_refused(sold.code, item_id, quantity, held)
        receipt = SaleReceipt(item_id, quantity, sold.moved_gold, sold.gold, sold.owned)
        return ChangeSet(at_us, (_SELLING.change(sold, profile, item_id),), receipt)

    def use(
        self,
        user_id: str,
        item_id: str,
        quantity: int = 1,
        *,
        draws: Sequence[int] = (),
        request_id: str | None = None,
    ) -> Awaitable[UseReceipt]:
        """Consume units, all in one commit; their effect changes a number that a rule reads.

        Effects that add up take several units at once, and no more of them than help; others take one.

        Args:
            user_id: Who uses it.
            item_id: What.
            quantity: Units offered.
            draws: 32 bits for what each chest holds; rolled for the units that have none here.
            request_id: Idempotency key.

        Raises:
            RefusedError: unknown_item, item_retired, bad_quantity (also more than one of what does not add
                up), not_owned, not_usable, already_active or balance_cap.
        """
        rolled = list(draws)

        def decide(profile: UserProfile, at_us: int, _arguments: Arguments) -> ChangeSet[UseReceipt]:
            _, units, offer = self._asked(profile, (item_id, quantity))
            while len(rolled) < min(units, MOST_AT_ONCE):
                rolled.append(self._executor.dice())
            return decide_use(self._executor.live, profile, at_us, item_id, offer, units, rolled)

        # One unit is asked for as before there were several: a request id from then still means the same.
        arguments = (item_id,) if quantity == 1 else (item_id, quantity)
        return self._executor.act("use", user_id, arguments, decide, request_id)

    def gift(
        self,
        user_id: str,
        receiver_id: str,
        item_id: str,
        quantity: int = 1,
        *,
        request_id: str | None = None,
    ) -> Awaitable[GiftReceipt]:
        """Give units to another player, who must have an account and room under the limit.

        Raises:
            RefusedError: unknown_item, item_retired, bad_quantity, not_owned, over_limit, self_transfer or
                unknown_player.
        """
        arguments = (item_id, quantity)
        return self._executor.act_between(
            "gift", user_id, receiver_id, arguments, self._decide_gift, request_id
        )

    async def check_gift(self, user_id: str, receiver_id: str, item_id: str, quantity: int = 1) -> None:
        """Refuse what ``gift`` would refuse now, and change nothing: for before one asks a player twice.

        Raises:
            RefusedError: As ``gift``.
        """
        arguments = (item_id, quantity)
        await self._executor.decide_between(user_id, receiver_id, arguments, self._decide_gift)

    def _decide_gift(
        self, giver: UserProfile, receiver: UserProfile, at_us: int, arguments: Arguments
    ) -> ChangeSet[GiftReceipt]:
        item_id, quantity, offer = self._asked(giver, arguments)
        held, received = giver.inventory.get(item_id, 0), receiver.inventory.get(item_id, 0)
        given = gift(
            held,
            giver.paid_gold.get(item_id, UNKNOWN_PAID_GOLD),
            received,
            receiver.paid_gold.get(item_id, UNKNOWN_PAID_GOLD),
            offer.list_price_gold,
            quantity,
            offer.limit,
        )
        if given.code == codes.OVER_LIMIT:
            raise refused(given.code, offer.limit, received)
        if given.code:
            raise items_refused(given.code, item_id, quantity, held)
        paid_gold = paid_field(receiver.paid_gold, item_id, given.received, given.received_paid_gold)
        users = (
            _GIVING.change(given, giver, item_id, counterparty=receiver.user_id),
            _TAKING.change(
                given, receiver, item_id, fields={"paid_gold": paid_gold}, counterparty=giver.user_id
            ),
        )
        receipt = GiftReceipt(item_id, quantity, receiver.user_id, given.owned)
        return ChangeSet(at_us, users, receipt, actor=giver.user_id)

    def _asked(
        self, profile: UserProfile, arguments: Arguments, retired: Offer | None = None
    ) -> tuple[str, int, Offer]:
        """What is asked for; ``retired`` stands for a held item that is in no catalogue any more."""
        item_id, quantity = arguments
        offer = self._executor.live.offers.get(str(item_id))
        if offer is None and profile.inventory.get(str(item_id)):
            if retired is None:
                raise refused(codes.ITEM_RETIRED, item_id)
            offer = retired
        if offer is None or type(quantity) is not int:
            raise _malformed(item_id, quantity, offer)
        return str(item_id), quantity, offer

    async def view_store(self, category: str | None = None) -> StoreListing:
        """What is offered now, in catalogue order, with prices as charged and the stock that is left.

        Args:
            category: Only this shelf; an unknown one is empty.

        Returns:
            The offers; ``str()`` of it is the formatted listing.
        """
        await self._executor.prepare()
        counters = await self._executor.provider.counters()
        live = self._executor.live
        return StoreListing(
            Item(
                item_id=item_id,
                name=entry.name,
                description=entry.description,
                category=entry.category,
                price_gold=offer.price_gold,
                stock=None if offer.stock_counter is None else counters.get(offer.stock_counter, 0),
                limit=None if offer.limit == codes.NO_LIMIT else offer.limit,
            )
            for item_id, offer in live.offers.items()
            if category in (None, (entry := live.catalogue[item_id]).category)
        )

    async def get_user_inventory(self, user_id: str | int) -> dict[str, int]:
        """Units held by item id; empty for a player without an account."""
        profile = await self._executor.provider.profile(checked_user_id(user_id))
        return {} if profile is None else dict(profile.inventory)

    async def restock(self) -> list[RestockReceipt]:
        """Put limited items on the shelf for the first time, and fill up what is due; see ``restock``."""
        return await restock(self._executor)


def _malformed(item_id: str | int, quantity: str | int, offer: Offer | None) -> RefusedError:
    if offer is None:
        return refused(codes.UNKNOWN_ITEM, item_id)
    return refused(codes.BAD_QUANTITY, quantity)


def _purchase_refused(
    code: int, profile: UserProfile, item_id: str, quantity: int, offer: Offer, expected_price_gold: int
) -> RefusedError:
    held = profile.inventory.get(item_id, 0)
    if code == codes.PRICE_CHANGED:
        return refused(code, offer.price_gold, expected_price_gold)
    if code == codes.TOO_POOR:
        return refused(code, total_gold(offer.price_gold, quantity), profile.gold, "gold")
    if code == codes.OVER_LIMIT:
        return refused(code, offer.limit, held)
    return items_refused(code, item_id, quantity, held)
