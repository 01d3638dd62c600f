"""Battles against tiers of opponents; cooldown and daily cap are in storage."""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import ChangeSet, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.acts import HEALTH_POTION, MANA_POTION, REVIVE_SCROLL
from kokoromichi.rules.battle import ready_us, regenerated_hp
from kokoromichi.rules.daily import counted_today
from kokoromichi.rules.fight import Fight, Fighter, fight, offered_gold, outcome
from kokoromichi.rules.holding import UNKNOWN_PAID_GOLD
from kokoromichi.services.booking import Booking, paid_field
from kokoromichi.services.receipts import AutoUseReceipt, BattleReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from kokoromichi.services.executor import Arguments, CommandExecutor

_BOOKING: Final = Booking("battle")
_STORED: Final = attrgetter(*Fighter._fields[: Fighter._fields.index("potions")])
"""What a fighter is of a profile; units held, and what was paid for them, follow."""


class Opponent(NamedTuple):
    """A tier of opponents as a player meets it now: what a victory pays, and the chance without a potion."""

    tier: int
    level: int
    gold: int
    xp: int
    chance_permille: int


class Readiness(NamedTuple):
    """Where a fighter stands.

    Attributes:
        hp: Hit points now.
        hp_full: Most hit points.
        ready_us: When the next battle may begin, in microseconds since the epoch; in the past when now.
        earned_gold: Battle gold of this UTC day.
        cap_gold: Most battle gold of a UTC day.
        tired: Whether too few hit points, and no potion to be taken, lower every chance.
        opponents: The weakest first.
    """

    hp: int
    hp_full: int
    ready_us: int
    earned_gold: int
    cap_gold: int
    tired: bool
    opponents: tuple[Opponent, ...]


class BattleService:
    """Lets players fight.

    Args:
        executor: Where acts are committed.
    """

    def __init__(self, executor: CommandExecutor) -> None:
        self._executor = executor

    def fight(
        self,
        user_id: str,
        tier: int,
        *,
        mana_potions: int = 0,
        draw: int | None = None,
        request_id: str | None = None,
    ) -> Awaitable[BattleReceipt]:
        """Fight one battle; a health potion and a revive scroll are taken by themselves where they help.

        A player may decline that: see ``set_auto_use``.

        Args:
            user_id: Who fights.
            tier: The opponent's tier, from 1.
            mana_potions: 1 to take a mana potion for this battle, else 0.
            draw: 32 bits that decide it; rolled where none are given.
            request_id: Idempotency key.

        Raises:
            RefusedError: tier_unknown, not_owned (no mana potion), unknown_item (the
                economy has none), cooling_down, daily_cap or balance_cap.
        """
        roll = self._executor.dice() if draw is None else draw

        def decide(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[BattleReceipt]:
            return self._decide(profile, at_us, arguments, roll)

        return self._executor.act("battle", user_id, (tier, mana_potions), decide, request_id)

    def set_auto_use(
        self, user_id: str, auto_use: int, *, request_id: str | None = None
    ) -> Awaitable[AutoUseReceipt]:
        """Let a player's battles take health potions and revive scrolls by themselves (1), or none (0)."""
        return self._executor.act("auto_use", user_id, (auto_use,), _decide_auto_use, request_id)

    def readiness(self, profile: UserProfile) -> Readiness:
        """What a player may know before a battle."""
        live, at_us = self._executor.live, self._executor.clock.now_us()
        terms = live.config.battle
        hp, _ = regenerated_hp(at_us, profile.hp, profile.hp_at_us, terms.hp_full, terms.hp_regen_per_h)
        fighter = _fighter(profile, live.item_of)
        fights = [
            outcome(at_us, 0, place, 0, fighter, live.aids, terms, 0, 0)
            for place in range(len(terms.tier_level))
        ]
        chances = (fought.chance_permille for fought in fights)
        earned_gold = _earned_today(profile, at_us)
        left_gold = terms.daily_cap_gold - earned_gold
        prizes_gold = (
            offered_gold(at_us, place, profile.luck_until_us, left_gold, live.aids, terms)
            for place in range(len(terms.tier_gold))
        )
        return Readiness(
            hp,
            terms.hp_full,
            ready_us(at_us, profile.battle_at_us, terms.cooldown_s),
            earned_gold,
            terms.daily_cap_gold,
            any(fought.tired for fought in fights),
            tuple(map(Opponent, count(1), terms.tier_level, prizes_gold, terms.tier_xp, chances)),
        )

    def _decide(
        self, profile: UserProfile, at_us: int, arguments: Arguments, draw: int
    ) -> ChangeSet[BattleReceipt]:
        tier, mana_potions = arguments
        live = self._executor.live
        terms = live.config.battle
        if type(tier) is not int:
            raise refused(codes.TIER_UNKNOWN, tier, len(terms.tier_level))
        fighter = _fighter(profile, live.item_of)
        fought = fight(at_us, draw, tier, 1 if mana_potions else 0, fighter, live.aids, terms)
        if fought.code:
            raise self._refused(fought.code, profile, at_us, tier)
        taken = _taken(fought, live.item_of)
        paid_gold = {"paid_gold": _paid_gold(profile, taken)} if taken else {}
        receipt = BattleReceipt(
            tier,
            bool(fought.won),
            fought.moved_gold,
            fought.xp_gained,
            fought.level,
            fought.hp,
            fought.gold,
            bool(fought.tired),
            fought.chance_permille,
            {item_id: units for item_id, units, _, _ in taken},
        )
        user = _BOOKING.change(fought, profile, fields=paid_gold, item_of=live.item_of)
        return ChangeSet(at_us, (user,), receipt)

    def _refused(self, code: int, profile: UserProfile, at_us: int, tier: int) -> Exception:
        live = self._executor.live
        terms = live.config.battle
        if code == codes.NOT_OWNED and MANA_POTION not in live.item_of:
            return refused(codes.UNKNOWN_ITEM, "mana potion")
        told: dict[int, tuple[int | str, ...]] = {
            codes.TIER_UNKNOWN: (tier, len(terms.tier_level)),
            codes.NOT_OWNED: (live.item_of.get(MANA_POTION, ""), 0),
            codes.COOLING_DOWN: (ready_us(at_us, profile.battle_at_us, terms.cooldown_s),),
            codes.DAILY_CAP: (terms.daily_cap_gold, _earned_today(profile, at_us)),
            codes.BALANCE_CAP: (codes.MAX_BALANCE,),
        }
        return refused(code, *told[code])


def _earned_today(profile: UserProfile, at_us: int) -> int:
    """Battle gold of the UTC day."""
    return counted_today(at_us, profile.battle_day, profile.battle_gold_today)


def _fighter(profile: UserProfile, item_of: Mapping[str, str]) -> Fighter:
    held, paid_gold = profile.inventory.get, profile.paid_gold.get
    potion = item_of.get(HEALTH_POTION, "")
    mana = item_of.get(MANA_POTION, "")
    scroll = item_of.get(REVIVE_SCROLL, "")
    return Fighter._make(
        (
            *_STORED(profile),
            held(potion, 0),
            paid_gold(potion, UNKNOWN_PAID_GOLD),
            held(mana, 0),
            paid_gold(mana, UNKNOWN_PAID_GOLD),
            held(scroll, 0),
            paid_gold(scroll, UNKNOWN_PAID_GOLD),
        )
    )


def _taken(fought: Fight, item_of: Mapping[str, str]) -> list[tuple[str, int, int, int]]:
    """What a battle took: the item, its units, those that are left, and what was paid for these, in gold."""
    moved = (
        (HEALTH_POTION, fought.moved_potions, fought.potions, fought.potions_paid_gold),
        (MANA_POTION, fought.moved_manas, fought.manas, fought.manas_paid_gold),
        (REVIVE_SCROLL, fought.moved_scrolls, fought.scrolls, fought.scrolls_paid_gold),
    )
    return [(item_of[effect], -units, left, paid_gold) for effect, units, left, paid_gold in moved if units]


def _paid_gold(profile: UserProfile, taken: list[tuple[str, int, int, int]]) -> dict[str, int]:
    """The field after what a battle took."""
    after = profile.paid_gold
    for item_id, _, left, paid_gold in taken:
        after = paid_field(after, item_id, left, paid_gold)
    return after


def _decide_auto_use(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[AutoUseReceipt]:
    auto_use = 1 if arguments[0] else 0
    user = UserChange(profile.user_id, profile.version, (), {"auto_use": auto_use})
    return ChangeSet(at_us, (user,), AutoUseReceipt(auto_use))
