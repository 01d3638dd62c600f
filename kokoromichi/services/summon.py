"""Pulls for gems: charged and granted in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import ChangeSet, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.collection import choose_favorite, redeem
from kokoromichi.rules.economy import RARITIES
from kokoromichi.rules.summon import (
    TEN_PULLS,
    Summoner,
    left_pulls,
    lucky_draws,
    next_widths,
    pay_pulls,
    summon,
)
from kokoromichi.services.booking import Booking
from kokoromichi.services.receipts import FavoriteReceipt, Pull, RedeemReceipt, SummonReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from kokoromichi.services.executor import Arguments, CommandExecutor

_SUMMONING: Final = Booking("summon")
_REDEEMING: Final = Booking("redeem")


class Rates(NamedTuple):
    """What a player's next pulls may bring.

    Attributes:
        next_pull: The chance of each rarity at the next pull, 0 to 1, the most common first.
        pity_rarity: What is guaranteed, or better.
        left_pulls: The guarantee comes at this pull, counted from the next one, unless luck is faster.
        within_ten: The chance that one of the guaranteed rarities is among the next ten pulls, 0 to 1.
        price_gems: Price of one pull; ``ten_price_gems`` of ten.
    """

    next_pull: dict[str, float]
    pity_rarity: str
    left_pulls: int
    within_ten: float
    price_gems: int
    ten_price_gems: int


class SummonService:
    """Sells pulls.

    Args:
        executor: Where acts are committed.
    """

    def __init__(self, executor: CommandExecutor) -> None:
        self._executor = executor

    def summon(
        self,
        user_id: str,
        count: int = 1,
        *,
        draws: Sequence[int] | None = None,
        request_id: str | None = None,
    ) -> Awaitable[SummonReceipt]:
        """Make 1 or 10 pulls.

        Args:
            user_id: Who pulls.
            count: 1 or 10.
            draws: 32 bits each: ``count`` for the rarities, then ``count`` for the characters; rolled where
                none are given.
            request_id: Idempotency key.

        Raises:
            RefusedError: bad_quantity or too_poor.
            MisuseError: There are more or fewer draws than the pulls need.
        """
        dice = self._executor.dice

        def decide(profile: UserProfile, at_us: int, _: Arguments) -> ChangeSet[SummonReceipt]:
            if type(count) is not int:
                raise refused(codes.BAD_QUANTITY, count)
            pool = self._executor.live.pool
            code, cost_gems = pay_pulls(profile.gems, count, pool.price_gems, pool.ten_price_gems)
            if code == codes.TOO_POOR:
                raise refused(code, cost_gems, profile.gems, "gems")
            if code:
                raise refused(code, count)
            rolled = [dice() for _ in range(2 * count)] if draws is None else draws
            # The count says what pulls cost, the draws how many are granted.
            if len(rolled) != 2 * count:
                message = f"{count} pulls need {2 * count} draws, not {len(rolled)}"
                raise MisuseError(message)
            return self._summoned(profile, at_us, count, rolled)

        return self._executor.act("summon", user_id, (count,), decide, request_id)

    def favorite(
        self, user_id: str, waifu_id: str, *, request_id: str | None = None
    ) -> Awaitable[FavoriteReceipt]:
        """Make a character of one's own collection the favourite; an empty id makes it none.

        Raises:
            RefusedError: not_owned.
        """
        return self._executor.act("favorite", user_id, (waifu_id,), _decide_favorite, request_id)

    def redeem(
        self, user_id: str, waifu_id: str, *, request_id: str | None = None
    ) -> Awaitable[RedeemReceipt]:
        """Choose a character that the player does not have, for shards.

        Raises:
            RefusedError: character_owned, not_for_sale or too_poor.
        """
        return self._executor.act("redeem", user_id, (waifu_id,), self._redeemed, request_id)

    def _redeemed(self, profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[RedeemReceipt]:
        waifu_id = str(arguments[0])
        price_shards = self._executor.live.redeem_shards.get(waifu_id, 0)
        redeemed = redeem(profile.shards, profile.collection.get(waifu_id, 0), price_shards)
        if redeemed.code == codes.TOO_POOR:
            raise refused(redeemed.code, price_shards, profile.shards, "shards")
        if redeemed.code:
            raise refused(redeemed.code, waifu_id)
        collection = {**profile.collection, waifu_id: redeemed.copies}
        user = _REDEEMING.change(redeemed, profile, fields={"collection": collection})
        return ChangeSet(at_us, (user,), RedeemReceipt(waifu_id, price_shards, redeemed.shards))

    def left_pulls(self, pity: int) -> int:
        """At which pull the guarantee comes after so many without luck, counted from the next one."""
        return left_pulls(pity, self._executor.live.pool.pity_pulls)

    def rates(self, profile: UserProfile) -> Rates:
        """The odds in force for a player, with their own dry run."""
        pool = self._executor.live.pool
        left = left_pulls(profile.pity, pool.pity_pulls)
        found = next_widths(left, pool.pity_rarity, pool.thresholds)
        lucky, all_draws = lucky_draws(TEN_PULLS, left, pool.pity_rarity, pool.thresholds)
        return Rates(
            {rarity: width / sum(found) for rarity, width in zip(RARITIES, found, strict=True)},
            RARITIES[pool.pity_rarity],
            left,
            lucky / all_draws,
            pool.price_gems,
            pool.ten_price_gems,
        )

    def _summoned(
        self, profile: UserProfile, at_us: int, count: int, draws: Sequence[int]
    ) -> ChangeSet[SummonReceipt]:
        live = self._executor.live
        held, ids = profile.collection.get, live.character_ids
        copies = [held(character_id, 0) for character_id in ids]
        found, first = [0] * count, [0] * count
        summoner = Summoner(profile.gems, profile.pity, profile.pulls, profile.shards)
        summoned = summon(count, draws, summoner, copies, found, first, live.pool)
        collection, pulls = dict(profile.collection), []
        for character, new in zip(found, first, strict=True):
            collection[ids[character]] = copies[character]
            pulls.append(Pull(ids[character], live.characters[character].rarity, bool(new)))
        receipt = SummonReceipt(
            tuple(pulls), -summoned.moved_gems, summoned.gems, summoned.pity, summoned.shards
        )
        user = _SUMMONING.change(summoned, profile, fields={"collection": collection})
        return ChangeSet(at_us, (user,), receipt)


def _decide_favorite(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[FavoriteReceipt]:
    waifu_id = str(arguments[0])
    copies = profile.collection.get(waifu_id, 0)
    if code := choose_favorite(1 if waifu_id else 0, copies).code:
        raise refused(code, waifu_id, copies)
    fields = {"favorite": waifu_id}
    user = UserChange(profile.user_id, profile.version, (), fields)
    return ChangeSet(at_us, (user,), FavoriteReceipt(waifu_id))
