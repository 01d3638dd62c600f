"""The store: buying, selling, using, giving, and the stock behind the counter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import (
    ChangeSet,
    CounterChange,
    FieldValue,
    Item,
    Movement,
    StoreListing,
    UserChange,
    UserProfile,
)
from kokoromichi.core.validation import checked_user_id
from kokoromichi.rules import codes
from kokoromichi.rules.holding import share_gold
from kokoromichi.rules.purchase import gift, purchase, sell
from kokoromichi.services.executor import Arguments, CommandExecutor, Decide
from kokoromichi.services.holdings import paid_after_entry, paid_after_leaving, paid_for
from kokoromichi.services.receipts import (
    GiftReceipt,
    PurchaseReceipt,
    RestockReceipt,
    SaleReceipt,
    UseReceipt,
)
from kokoromichi.services.refusals import refused
from kokoromichi.services.restocking import restock
from kokoromichi.services.standalone import standalone_executor
from kokoromichi.services.use import decide_use

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.live_economy import Offer


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
            RefusedError: unknown_item, bad_quantity, price_changed, over_limit, out_of_stock or too_poor;
                nothing happened.
            StorageError: The storage failed; see ``DataProvider.apply``.
        """
        decide = self._purchasing
        if expected_price_gold is not None:
            decide = self._purchasing_at(expected_price_gold)
        return self._executor.act("purchase", user_id, (item_id, quantity), decide, request_id)

    def _purchasing_at(self, expected_price_gold: int) -> Decide[PurchaseReceipt]:
        def decide(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[PurchaseReceipt]:
            offer = self._executor.live.offers.get(str(arguments[0]))
            if offer is not None and offer.price_gold != expected_price_gold:
                raise refused(codes.PRICE_CHANGED, offer.price_gold, expected_price_gold)
            return self._decide_purchase(profile, at_us, arguments)

        return decide

    def _decide_purchase(
        self, profile: UserProfile, at_us: int, arguments: Arguments
    ) -> ChangeSet[PurchaseReceipt]:
        item_id, quantity, offer = self._asked(arguments)
        price_gold, limit, held = offer.price_gold, offer.limit, profile.inventory.get(item_id, 0)
        code, gold, owned = purchase(profile.gold, held, price_gold, quantity, limit)
        if code:
            # Without a limit the rule is given NO_LIMIT, a real bound. Units beyond it cost more than anybody
            # may own, so that what the player lacks is gold.
            if code == codes.TOO_POOR or (code == codes.OVER_LIMIT and limit == codes.NO_LIMIT):
                raise refused(codes.TOO_POOR, price_gold * quantity, profile.gold, "gold")
            if code == codes.OVER_LIMIT:
                raise refused(code, limit, held)
            raise _items_refused(code, item_id, quantity, held)
        cost_gold = profile.gold - gold
        row = Movement("purchase", "gold", -cost_gold, gold, item_id, quantity)
        fields: dict[str, FieldValue] = {"paid_gold": paid_after_entry(profile, item_id, offer, cost_gold)}
        receipt = PurchaseReceipt(item_id, quantity, cost_gold, gold, owned)
        user = UserChange(profile.user_id, profile.version, (row,), fields)
        stock = () if offer.stock_counter is None else (CounterChange(offer.stock_counter, -quantity),)
        return ChangeSet(at_us, (user,), receipt, stock)

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
            profile = await self._executor.provider.profile(known) or UserProfile(user_id=known)
            return False, str(refusal), self._executor.with_opening(profile).gold
        return True, f"Bought {receipt.quantity} x {item_id} for {receipt.cost_gold} gold.", receipt.gold

    def sell(
        self, user_id: str, item_id: str, quantity: int = 1, *, request_id: str | None = None
    ) -> Awaitable[SaleReceipt]:
        """Sell units back at the resale share of the smaller of the price and of what was paid for them.

        Raises:
            RefusedError: unknown_item, bad_quantity, not_owned, not_for_sale or balance_cap.
        """
        return self._executor.act("sell", user_id, (item_id, quantity), self._decide_sale, request_id)

    def _decide_sale(self, profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[SaleReceipt]:
        item_id, quantity, offer = self._asked(arguments)
        held = profile.inventory.get(item_id, 0)
        percent = self._executor.live.config.resale.percent
        spent_gold = paid_for(profile, item_id, offer)
        code, gold, owned = sell(profile.gold, held, spent_gold, offer.price_gold, quantity, percent)
        if code:
            raise _items_refused(code, item_id, quantity, held)
        proceeds_gold = gold - profile.gold
        row = Movement("sale", "gold", proceeds_gold, gold, item_id, -quantity)
        fields: dict[str, FieldValue] = {"paid_gold": self._paid_after_leaving(profile, item_id, quantity)}
        receipt = SaleReceipt(item_id, quantity, proceeds_gold, gold, owned)
        user = UserChange(profile.user_id, profile.version, (row,), fields)
        return ChangeSet(at_us, (user,), receipt)

    def _paid_after_leaving(self, profile: UserProfile, item_id: str, quantity: int) -> dict[str, int]:
        return paid_after_leaving(profile, self._executor.live.offers, ((item_id, quantity),))

    def use(
        self, user_id: str, item_id: str, *, draw: int | None = None, request_id: str | None = None
    ) -> Awaitable[UseReceipt]:
        """Consume one unit; its effect changes a number that a rule reads.

        Args:
            user_id: Who uses it.
            item_id: What.
            draw: 32 bits for what a chest holds; rolled where none is given.
            request_id: Idempotency key.

        Raises:
            RefusedError: unknown_item, not_owned, not_usable, already_active or balance_cap.
        """
        roll = self._executor.dice() if draw is None else draw

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[UseReceipt]:
            return decide_use(self._executor.live, profile, at_us, item_id, roll)

        return self._executor.act("use", user_id, (item_id,), decide, request_id)

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
            RefusedError: unknown_item, bad_quantity, not_owned, over_limit, self_transfer or unknown_player.
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
        item_id, quantity, offer = self._asked(arguments)
        held, received = giver.inventory.get(item_id, 0), receiver.inventory.get(item_id, 0)
        code, owned, _ = gift(held, received, quantity, offer.limit)
        if code == codes.OVER_LIMIT:
            raise refused(code, offer.limit, received)
        if code:
            raise _items_refused(code, item_id, quantity, held)
        give = Movement("gift", item_id=item_id, quantity=-quantity, counterparty=receiver.user_id)
        take = Movement("gift", item_id=item_id, quantity=quantity, counterparty=giver.user_id)
        carried_gold = share_gold(held, paid_for(giver, item_id, offer), quantity)
        left = self._paid_after_leaving(giver, item_id, quantity)
        kept = paid_after_entry(receiver, item_id, offer, carried_gold)
        users = (
            UserChange(giver.user_id, giver.version, (give,), {"paid_gold": left}),
            UserChange(receiver.user_id, receiver.version, (take,), {"paid_gold": kept}),
        )
        receipt = GiftReceipt(item_id, quantity, receiver.user_id, owned)
        return ChangeSet(at_us, users, receipt, actor=giver.user_id)

    def _asked(self, arguments: Arguments) -> tuple[str, int, Offer]:
        item_id, quantity = arguments
        offer = self._executor.live.offers.get(str(item_id))
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


def _items_refused(code: int, item_id: str, quantity: int, held: int) -> RefusedError:
    numbers: dict[int, tuple[int | str, ...]] = {
        codes.BAD_QUANTITY: (quantity,),
        codes.NOT_OWNED: (item_id, held),
        codes.BALANCE_CAP: (codes.MAX_BALANCE,),
    }
    return refused(code, *numbers.get(code, (item_id,)))
