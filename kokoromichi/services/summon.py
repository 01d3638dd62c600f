"""Pulls for gems: charged and granted in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import ChangeSet, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.economy import RARITIES
from kokoromichi.rules.summon import TEN_PULLS, character_of, keep_or_shard, pay_pulls, pull, widths
from kokoromichi.services.receipts import FavoriteReceipt, Pull, SummonReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from kokoromichi.services.executor import Arguments, CommandExecutor


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
            price = self._executor.live.config.summon
            code, gems, cost_gems = pay_pulls(profile.gems, count, price.price_gems, price.ten_price_gems)
            if code == codes.TOO_POOR:
                need = price.price_gems if count == 1 else price.ten_price_gems
                raise refused(code, need, profile.gems, "gems")
            if code:
                raise refused(code, count)
            rolled = [dice() for _ in range(2 * count)] if draws is None else draws
            # The count says what pulls cost, the draws how many are granted.
            if len(rolled) != 2 * count:
                message = f"{count} pulls need {2 * count} draws, not {len(rolled)}"
                raise MisuseError(message)
            return self._granted(profile, at_us, gems, cost_gems, rolled)

        return self._executor.act("summon", user_id, (count,), decide, request_id)

    def favorite(
        self, user_id: str, waifu_id: str, *, request_id: str | None = None
    ) -> Awaitable[FavoriteReceipt]:
        """Make a character of one's own collection the favourite; an empty id makes it none.

        Raises:
            RefusedError: not_owned.
        """
        return self._executor.act("favorite", user_id, (waifu_id,), _decide_favorite, request_id)

    def left_pulls(self, pity: int) -> int:
        """At which pull the guarantee comes after so many without luck, counted from the next one."""
        return max(1, self._executor.live.config.summon.pity_pulls - pity)

    def rates(self, profile: UserProfile) -> Rates:
        """The odds in force for a player, with their own dry run."""
        live, numbers = self._executor.live, self._executor.live.config.summon
        least = RARITIES.index(numbers.pity_rarity)
        left_pulls = self.left_pulls(profile.pity)
        plain = widths(0, live.thresholds)
        found = widths(least, live.thresholds) if left_pulls == 1 else plain
        lucky = sum(plain[least:]) / sum(plain)
        return Rates(
            {rarity: width / sum(found) for rarity, width in zip(RARITIES, found, strict=True)},
            numbers.pity_rarity,
            left_pulls,
            1.0 if left_pulls <= TEN_PULLS else 1 - (1 - lucky) ** TEN_PULLS,
            numbers.price_gems,
            numbers.ten_price_gems,
        )

    def _granted(
        self, profile: UserProfile, at_us: int, gems: int, cost_gems: int, draws: Sequence[int]
    ) -> ChangeSet[SummonReceipt]:
        live, numbers = self._executor.live, self._executor.live.config.summon
        count = len(draws) // 2
        least = RARITIES.index(numbers.pity_rarity)
        pity, shards, collection = profile.pity, profile.shards, dict(profile.collection)
        pulls = []
        for number in range(count):
            rarity, pity = pull(draws[number], pity, numbers.pity_pulls, least, live.thresholds)
            found = live.characters[rarity]
            waifu_id = found[character_of(draws[count + number], len(found))]
            copies = collection.get(waifu_id, 0)
            kept, shards = keep_or_shard(copies, shards, numbers.shards[RARITIES[rarity]])
            collection[waifu_id] = kept
            pulls.append(Pull(waifu_id, RARITIES[rarity], copies == 0))
        rows = (Movement("summon", "gems", -cost_gems, gems),) if cost_gems else ()
        fields: dict[str, FieldValue] = {
            "pity": pity,
            "pulls": profile.pulls + count,
            "shards": shards,
            "collection": collection,
        }
        receipt = SummonReceipt(tuple(pulls), cost_gems, gems, pity, shards)
        user = UserChange(profile.user_id, profile.version, rows, fields)
        return ChangeSet(at_us, (user,), receipt)


def _decide_favorite(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[FavoriteReceipt]:
    waifu_id = str(arguments[0])
    if waifu_id and not profile.collection.get(waifu_id):
        raise refused(codes.NOT_OWNED, waifu_id, 0)
    fields = {"favorite": waifu_id}
    user = UserChange(profile.user_id, profile.version, (), fields)
    return ChangeSet(at_us, (user,), FavoriteReceipt(waifu_id))
