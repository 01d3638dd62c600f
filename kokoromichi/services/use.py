"""What using an item does: one small decision for each effect of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import NEVER, ChangeSet, FieldValue, Movement, UserChange, UserProfile
from kokoromichi.rules import codes
from kokoromichi.rules.battle import regenerated_hp
from kokoromichi.rules.chest import payout
from kokoromichi.rules.economy_laws import SESSION_BATTLES
from kokoromichi.rules.progress import add_xp
from kokoromichi.rules.purchase import activate, take_item
from kokoromichi.rules.summon import ring_bell
from kokoromichi.rules.transfer import credit
from kokoromichi.services.holdings import paid_after_leaving
from kokoromichi.services.receipts import UseReceipt
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.services.live_economy import LiveEconomy

DAY_H: Final = 24
"""How long a charm works, in hours."""


class Situation(NamedTuple):
    """What an effect may read."""

    live: LiveEconomy
    profile: UserProfile
    at_us: int
    size: int
    draw: int


class Outcome(NamedTuple):
    """What an effect does: a code, new fields, and what it gave in its unit; gold is paid as ``reward``."""

    code: int
    fields: dict[str, FieldValue]
    amount: int
    reward_gold: int = 0
    until_us: int = NEVER


def _heal(now: Situation) -> Outcome:
    battle = now.live.config.battle
    profile = now.profile
    hp, hp_at_us = regenerated_hp(
        now.at_us, profile.hp, profile.hp_at_us, battle.hp_full, battle.hp_regen_per_h
    )
    healed = min(now.size, battle.hp_full - hp)
    if healed < 1:
        return Outcome(codes.ALREADY_ACTIVE, {}, 0)
    return Outcome(codes.OK, {"hp": hp + healed, "hp_at_us": hp_at_us}, healed)


def _grant_xp(now: Situation) -> Outcome:
    level, xp = add_xp(now.profile.level, now.profile.xp, now.size, now.live.config.battle.xp_per_level)
    return Outcome(codes.OK, {"level": level, "xp": xp}, now.size)


def _grant_affection(now: Situation) -> Outcome:
    code, affection = credit(now.profile.affection, now.size)
    granted = _grant_xp(now)
    return granted._replace(code=code, fields={**granted.fields, "affection": affection})


def _lasting(field: str, hours: int) -> Callable[[Situation], Outcome]:
    def start(now: Situation) -> Outcome:
        code, until_us = activate(now.at_us, getattr(now.profile, field), hours)
        return Outcome(code, {field: until_us}, now.size, until_us=until_us)

    return start


def _refresh(now: Situation) -> Outcome:
    """The laws compute a drink's worth with the battles of a session: it lasts for these, no longer.

    Another one fills them up again, as a player does at the start of each session.
    """
    code = codes.ALREADY_ACTIVE if now.profile.stamina_battles >= SESSION_BATTLES else codes.OK
    return Outcome(code, {"stamina_battles": SESSION_BATTLES}, now.size)


def _double_train(now: Situation) -> Outcome:
    code = codes.ALREADY_ACTIVE if now.profile.double_train else codes.OK
    return Outcome(code, {"double_train": 1}, now.size)


def _ring(now: Situation) -> Outcome:
    pity = ring_bell(now.profile.pity, now.live.config.summon.pity_pulls, now.size)
    return Outcome(codes.OK, {"pity": pity}, pity - now.profile.pity)


def _open_chest(now: Situation) -> Outcome:
    chest = now.live.config.chest
    gold = payout(now.draw, now.size, chest.payout_percent, chest.chance_percent)
    code = codes.BALANCE_CAP if gold > codes.MAX_BALANCE - now.profile.gold else codes.OK
    return Outcome(code, {}, gold, gold)


_EFFECTS: Final[dict[str, Callable[[Situation], Outcome]]] = {
    "heal_hp": _heal,
    "grant_xp": _grant_xp,
    "affection_xp": _grant_affection,
    "half_hp_cost": _refresh,
    "gold_percent_day": _lasting("luck_until_us", DAY_H),
    "full_loss_xp_day": _lasting("guard_until_us", DAY_H),
    "double_train_xp": _double_train,
    "pity_count": _ring,
    "chest_gold": _open_chest,
}
"""The effects that ``use`` starts. Mana potions and revive scrolls are taken by the battle itself."""


def decide_use(
    live: LiveEconomy, profile: UserProfile, at_us: int, item_id: str, draw: int
) -> ChangeSet[UseReceipt]:
    """Decide one use.

    Args:
        live: The economy in force.
        profile: Who uses it.
        at_us: When, in microseconds since the epoch.
        item_id: What is used.
        draw: 32 bits for what a chest holds.

    Raises:
        RefusedError: unknown_item, not_owned, not_usable, already_active or balance_cap.
    """
    offer = live.offers.get(item_id)
    if offer is None:
        raise refused(codes.UNKNOWN_ITEM, item_id)
    held = profile.inventory.get(item_id, 0)
    code, owned = take_item(held, 1)
    if code:
        raise refused(code, item_id, held)
    effect = _EFFECTS.get(offer.effect)
    if effect is None:
        raise refused(codes.NOT_USABLE, item_id)
    outcome = effect(Situation(live, profile, at_us, offer.effect_size, draw))
    if outcome.code == codes.BALANCE_CAP:
        raise refused(outcome.code, codes.MAX_BALANCE)
    if outcome.code:
        raise refused(outcome.code, item_id)
    gold = profile.gold + outcome.reward_gold
    rows = [Movement("use", item_id=item_id, quantity=-1)]
    if outcome.reward_gold:
        rows.append(Movement("reward", "gold", outcome.reward_gold, gold))
    fields = {**outcome.fields, "paid_gold": paid_after_leaving(profile, live.offers, ((item_id, 1),))}
    receipt = UseReceipt(item_id, offer.effect, outcome.amount, gold, owned, outcome.until_us)
    user = UserChange(profile.user_id, profile.version, tuple(rows), fields)
    return ChangeSet(at_us, (user,), receipt)
