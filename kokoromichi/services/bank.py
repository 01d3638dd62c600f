"""Gold from player to player, and gems for gold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import ChangeSet, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.acts import OTHER
from kokoromichi.rules.daily import counted_today
from kokoromichi.rules.exchange import gems_for_gold
from kokoromichi.rules.purchase import total_gold
from kokoromichi.rules.transfer import Sent, send, send_share, share_of
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import ExchangeReceipt, PingsReceipt, TransferReceipt
from kokoromichi.services.refusals import refused, require_shown_price

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.services.executor import Arguments, CommandExecutor

_LEFT: Final = Booking("transfer")
_ARRIVED: Final = Booking("transfer", OTHER)
_EXCHANGE: Final = Booking("exchange")


class BankService:
    """Moves gold between players and sells gems.

    Args:
        executor: Where acts are committed.
    """

    def __init__(self, executor: CommandExecutor) -> None:
        self._executor = executor

    def set_pings(
        self, user_id: str, pings: int, *, request_id: str | None = None
    ) -> Awaitable[PingsReceipt]:
        """Say whether Discord notifies a player of what they receive: 1 or 0."""
        return self._executor.act("pings", user_id, (pings,), _decide_pings, request_id)

    def transfer(
        self, user_id: str, receiver_id: str, amount_gold: int, *, request_id: str | None = None
    ) -> Awaitable[TransferReceipt]:
        """Send gold: ``amount_gold`` leaves the sender, the fee of it is burned, the rest arrives.

        Raises:
            RefusedError: self_transfer, unknown_player, bad_amount, too_poor, daily_cap or balance_cap (of
                the receiver): both balances move, or none.
        """
        return self._executor.act_between(
            "transfer", user_id, receiver_id, (amount_gold,), self._decide_transfer, request_id
        )

    def transfer_share(
        self, user_id: str, receiver_id: str, share: int, *, request_id: str | None = None
    ) -> Awaitable[TransferReceipt]:
        """Send a share of what the sender has at the commit: 1 is all, 2 is half; whole gold, rounded down.

        What is asked for is the share: sent again under its request id it is the same act, whatever is left.

        Raises:
            RefusedError: As ``transfer``; bad_amount also where the share is below 1.
        """
        return self._executor.act_between(
            "transfer_share", user_id, receiver_id, (share,), self._decide_share, request_id
        )

    async def check_transfer(self, user_id: str, receiver_id: str, amount_gold: int) -> None:
        """Refuse what ``transfer`` would refuse now, and change nothing: for before one asks a player twice.

        Raises:
            RefusedError: As ``transfer``.
        """
        await self._executor.decide_between(user_id, receiver_id, (amount_gold,), self._decide_transfer)

    def _decide_share(
        self, sender: UserProfile, receiver: UserProfile, at_us: int, arguments: Arguments
    ) -> ChangeSet[TransferReceipt]:
        (share,) = arguments
        if type(share) is not int:
            raise refused(codes.BAD_AMOUNT, share)
        told = share_of(sender.gold, share) if share > 0 else share
        return self._moved(sender, receiver, at_us, send_share, share, told)

    def _decide_transfer(
        self, sender: UserProfile, receiver: UserProfile, at_us: int, arguments: Arguments
    ) -> ChangeSet[TransferReceipt]:
        (amount,) = arguments
        if type(amount) is not int:
            raise refused(codes.BAD_AMOUNT, amount)
        return self._moved(sender, receiver, at_us, send, amount, amount)

    def _moved(
        self,
        sender: UserProfile,
        receiver: UserProfile,
        at_us: int,
        rule: Callable[..., Sent],
        asked: int,
        amount: int,
    ) -> ChangeSet[TransferReceipt]:
        """Let ``send`` or ``send_share`` decide on what it is asked for: an amount or a share."""
        terms = self._executor.live.config.transfer
        sent = rule(
            at_us,
            sender.gold,
            receiver.gold,
            asked,
            sender.sent_day,
            sender.sent_gold_today,
            terms.fee_percent,
            terms.daily_cap_gold,
        )
        if sent.code:
            used_gold = counted_today(at_us, sender.sent_day, sender.sent_gold_today)
            told: dict[int, tuple[int | str, ...]] = {
                codes.BAD_AMOUNT: (amount,),
                codes.TOO_POOR: (amount, sender.gold, "gold"),
                codes.DAILY_CAP: (terms.daily_cap_gold, used_gold),
                codes.BALANCE_CAP: (codes.MAX_BALANCE,),
            }
            raise refused(sent.code, *told[sent.code])
        users = (
            _LEFT.change(sent, sender, counterparty=receiver.user_id),
            _ARRIVED.change(sent, receiver, counterparty=sender.user_id),
        )
        receipt = TransferReceipt(receiver.user_id, amount, -sent.fee_gold, sent.gold)
        return ChangeSet(at_us, users, receipt, actor=sender.user_id)

    def buy_gems(
        self,
        user_id: str,
        packs: int = 1,
        *,
        expected_price_gold: int | None = None,
        request_id: str | None = None,
    ) -> Awaitable[ExchangeReceipt]:
        """Buy packs of gems for gold; there is no way back.

        Args:
            user_id: Who buys.
            packs: How many.
            expected_price_gold: The price of a pack that the buyer was shown; another one is never charged.
            request_id: Idempotency key.

        Raises:
            RefusedError: bad_quantity, price_changed, not_for_sale, too_poor or balance_cap.
        """
        decide = partial(self._decide_exchange, expected_price_gold=expected_price_gold)
        return self._executor.act("exchange", user_id, (packs,), decide, request_id)

    def _decide_exchange(
        self, profile: UserProfile, at_us: int, arguments: Arguments, expected_price_gold: int | None
    ) -> ChangeSet[ExchangeReceipt]:
        (packs,) = arguments
        if type(packs) is not int:
            raise refused(codes.BAD_QUANTITY, packs)
        pack = self._executor.live.config.exchange
        require_shown_price(pack.price_gold, expected_price_gold)
        exchanged = gems_for_gold(profile.gold, profile.gems, pack.price_gold, pack.gems, packs)
        if exchanged.code:
            told: dict[int, tuple[int | str, ...]] = {
                codes.BAD_QUANTITY: (packs,),
                codes.NOT_FOR_SALE: ("gems",),
                codes.TOO_POOR: (total_gold(pack.price_gold, packs), profile.gold, "gold"),
                codes.BALANCE_CAP: (codes.MAX_BALANCE,),
            }
            raise refused(exchanged.code, *told[exchanged.code])
        receipt = ExchangeReceipt(
            packs, -exchanged.moved_gold, exchanged.moved_gems, exchanged.gold, exchanged.gems
        )
        return ChangeSet(at_us, (_EXCHANGE.change(exchanged, profile),), receipt)


def _decide_pings(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[PingsReceipt]:
    pings = 1 if arguments[0] else 0
    user = UserChange(profile.user_id, profile.version, (), {"pings": pings})
    return ChangeSet(at_us, (user,), PingsReceipt(pings))
