"""Battles against tiers of opponents; cooldown and daily cap are in storage."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import NEVER, SECOND_US, ChangeSet, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.battle import Aids, Fight, Fighter, fight, find_tier, regenerated_hp, win_permille
from kokoromichi.rules.daily import counted_today, day_of
from kokoromichi.rules.progress import add_xp
from kokoromichi.services.holdings import paid_after_leaving
from kokoromichi.services.receipts import BattleReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.services.executor import Arguments, CommandExecutor

_POTION: Final = "heal_hp"
_MANA: Final = "win_permille"
_SCROLL: Final = "full_loss_xp_once"


class Opponent(NamedTuple):
    """A tier of opponents as a player sees it; ``chance_permille`` is theirs, rested and without potions."""

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
        opponents: The weakest first.
    """

    hp: int
    hp_full: int
    ready_us: int
    earned_gold: int
    cap_gold: int
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

        Args:
            user_id: Who fights.
            tier: The opponent's tier, from 1.
            mana_potions: 1 to take a mana potion for this battle, else 0.
            draw: 32 bits that decide it; rolled where none are given.
            request_id: Idempotency key.

        Raises:
            RefusedError: tier_unknown, not_owned (no mana potion), cooling_down, daily_cap or balance_cap.
        """
        roll = self._executor.dice() if draw is None else draw

        def decide(profile: UserProfile, at_us: int, arguments: Arguments) -> ChangeSet[BattleReceipt]:
            return self._decide(profile, at_us, arguments, roll)

        return self._executor.act("battle", user_id, (tier, mana_potions), decide, request_id)

    def readiness(self, profile: UserProfile) -> Readiness:
        """What a player may know before a battle."""
        live, at_us = self._executor.live, self._executor.clock.now_us()
        terms = live.config.battle
        hp, _ = regenerated_hp(at_us, profile.hp, profile.hp_at_us, terms.hp_full, terms.hp_regen_per_h)
        chances = (
            win_permille(
                profile.level,
                level,
                terms.win_base_permille,
                terms.win_slope_permille,
                terms.win_min_permille,
                terms.win_max_permille,
            )
            for level in terms.tier_level
        )
        last_us = profile.battle_at_us
        return Readiness(
            hp,
            terms.hp_full,
            NEVER if last_us == NEVER else last_us + terms.cooldown_s * SECOND_US,
            counted_today(day_of(at_us), profile.battle_day, profile.battle_gold_today),
            terms.daily_cap_gold,
            tuple(map(Opponent, count(1), terms.tier_level, terms.tier_gold, terms.tier_xp, chances)),
        )

    def _decide(
        self, profile: UserProfile, at_us: int, arguments: Arguments, draw: int
    ) -> ChangeSet[BattleReceipt]:
        tier, mana_potions = arguments
        live = self._executor.live
        terms = live.config.battle
        if type(tier) is not int or find_tier(tier - 1, len(terms.tier_level)):
            raise refused(codes.TIER_UNKNOWN, tier, len(terms.tier_level))
        held = profile.inventory.get
        potion, mana, scroll = (live.item_of.get(effect, "") for effect in (_POTION, _MANA, _SCROLL))
        if mana_potions and not held(mana, 0):
            raise refused(codes.NOT_OWNED, mana, 0)
        fighter = Fighter(
            profile.gold,
            profile.level,
            profile.hp,
            profile.hp_at_us,
            profile.battle_at_us,
            profile.battle_day,
            profile.battle_gold_today,
            held(potion, 0),
            held(scroll, 0),
        )
        aids = Aids(
            live.effect_size(_POTION),
            live.effect_size(_MANA) if mana_potions else 0,
            live.effect_size("gold_percent_day") if at_us < profile.luck_until_us else 0,
            live.effect_size("half_hp_cost") if profile.stamina_battles else 0,
            1 if at_us < profile.guard_until_us else 0,
        )
        place = tier - 1
        level, gold, xp = terms.tier_level[place], terms.tier_gold[place], terms.tier_xp[place]
        fought = fight(at_us, draw, fighter, aids, level, gold, xp, terms)
        if fought.code:
            raise self._refused(fought, profile)
        asked = ((potion, fought.drunk), (mana, 1 if mana_potions else 0), (scroll, fought.scrolls_spent))
        spent = tuple((item_id, units) for item_id, units in asked if units)
        return self._fought(profile, at_us, tier, fought, spent)

    def _refused(self, fought: Fight, profile: UserProfile) -> Exception:
        terms = self._executor.live.config.battle
        if fought.code == codes.COOLING_DOWN:
            return refused(fought.code, profile.battle_at_us + terms.cooldown_s * SECOND_US)
        if fought.code == codes.DAILY_CAP:
            return refused(fought.code, terms.daily_cap_gold, profile.battle_gold_today)
        return refused(fought.code, codes.MAX_BALANCE)

    def _fought(
        self,
        profile: UserProfile,
        at_us: int,
        tier: int,
        fought: Fight,
        spent: tuple[tuple[str, int], ...],
    ) -> ChangeSet[BattleReceipt]:
        rows = [Movement("use", item_id=item_id, quantity=-units) for item_id, units in spent]
        if fought.payout_gold:
            rows.append(Movement("battle", "gold", fought.payout_gold, fought.gold))
        level, xp = add_xp(
            profile.level, profile.xp, fought.xp, self._executor.live.config.battle.xp_per_level
        )
        fields: dict[str, FieldValue] = {
            "level": level,
            "xp": xp,
            "hp": fought.hp,
            "hp_at_us": fought.hp_at_us,
            "battle_at_us": at_us,
            "battle_day": fought.earned_day,
            "battle_gold_today": fought.earned_gold,
            "battles_won": profile.battles_won + fought.won,
            "battles_lost": profile.battles_lost + 1 - fought.won,
            "stamina_battles": max(0, profile.stamina_battles - 1),
        }
        if spent:
            fields["paid_gold"] = paid_after_leaving(profile, self._executor.live.offers, spent)
        receipt = BattleReceipt(
            tier,
            bool(fought.won),
            fought.payout_gold,
            fought.xp,
            level,
            fought.hp,
            fought.gold,
            bool(fought.tired),
            fought.chance_permille,
        )
        user = UserChange(profile.user_id, profile.version, tuple(rows), fields)
        return ChangeSet(at_us, (user,), receipt)
