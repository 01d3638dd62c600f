"""What each act returns; a repeated request id gives the same receipt."""

from __future__ import annotations

import msgspec

from kokoromichi.core.models import Receipt


class OpenReceipt(Receipt, frozen=True, gc=False, tag="OpenReceipt"):
    """The account is open; ``gold`` and ``gems`` are its balances."""

    gold: int
    gems: int


class PurchaseReceipt(Receipt, frozen=True, gc=False, tag="PurchaseReceipt"):
    """Units were bought; ``gold`` and ``owned`` are balance and units held afterwards."""

    item_id: str
    quantity: int
    cost_gold: int
    gold: int
    owned: int


class SaleReceipt(Receipt, frozen=True, gc=False, tag="SaleReceipt"):
    """Units were sold back; ``gold`` and ``owned`` are balance and units held afterwards."""

    item_id: str
    quantity: int
    paid_gold: int
    gold: int
    owned: int


class UseReceipt(Receipt, frozen=True, gc=False, tag="UseReceipt"):
    """An item was consumed.

    Attributes:
        effect: The effect's name in the catalogue.
        amount: What it gave in the effect's unit: XP, HP, pulls, or the gold of a chest.
        gold: Balance afterwards.
        owned: Units held afterwards.
        until_us: When a lasting effect ends, else -1.
        quantity: Units consumed.
    """

    item_id: str
    effect: str
    amount: int
    gold: int
    owned: int
    until_us: int
    quantity: int = 1


class GiftReceipt(Receipt, frozen=True, gc=False, tag="GiftReceipt"):
    """Units moved to another player; ``owned`` is what the giver still holds."""

    item_id: str
    quantity: int
    receiver_id: str
    owned: int


class RestockReceipt(Receipt, frozen=True, gc=False, tag="RestockReceipt"):
    """Limited stock was filled up by ``units`` to ``stock``."""

    item_id: str
    units: int
    stock: int


class ClaimReceipt(Receipt, frozen=True, gc=False, tag="ClaimReceipt"):
    """The daily claim: rewards, the streak it stands at, and the balances afterwards."""

    reward_gold: int
    reward_gems: int
    streak: int
    gold: int
    gems: int


class TransferReceipt(Receipt, frozen=True, gc=False, tag="TransferReceipt"):
    """Gold moved: ``amount_gold`` left the sender, ``fee_gold`` of it was burned, ``gold`` is left."""

    receiver_id: str
    amount_gold: int
    fee_gold: int
    gold: int


class ExchangeReceipt(Receipt, frozen=True, gc=False, tag="ExchangeReceipt"):
    """Gems were bought; the balances are those afterwards."""

    packs: int
    cost_gold: int
    bought_gems: int
    gold: int
    gems: int


class Pull(Receipt, frozen=True, gc=False, tag="Pull"):
    """One pull: who came, how rare, and whether for the first time."""

    waifu_id: str
    rarity: str
    first: bool


class SummonReceipt(Receipt, frozen=True, tag="SummonReceipt"):
    """Pulls in their order; ``pity`` counts the pulls since the last guaranteed rarity."""

    pulls: tuple[Pull, ...]
    cost_gems: int
    gems: int
    pity: int
    shards: int


class RedeemReceipt(Receipt, frozen=True, gc=False, tag="RedeemReceipt"):
    """A character was chosen for shards; ``shards`` are left."""

    waifu_id: str
    cost_shards: int
    shards: int


class FavoriteReceipt(Receipt, frozen=True, gc=False, tag="FavoriteReceipt"):
    """A character was made the favourite; an empty id is none."""

    waifu_id: str


class BattleReceipt(Receipt, frozen=True, gc=False, tag="BattleReceipt"):
    """A battle: what it paid, what it drank, and where the fighter stands.

    Attributes:
        tier: The opponent's tier, from 1.
        won: Whether the fighter won.
        payout_gold: Gold won, 0 on a loss.
        xp: XP gained.
        level: Level afterwards.
        hp: Hit points afterwards.
        gold: Balance afterwards.
        tired: Whether the hit points did not suffice.
        chance_permille: The chance to win that the draw was held against.
        consumed: Units that it took, by item id.
    """

    tier: int
    won: bool
    payout_gold: int
    xp: int
    level: int
    hp: int
    gold: int
    tired: bool
    chance_permille: int
    consumed: dict[str, int] = msgspec.field(default_factory=dict)


class AutoUseReceipt(Receipt, frozen=True, gc=False, tag="AutoUseReceipt"):
    """Battles take potions and scrolls by themselves from now on (``auto_use`` is 1) or not (0)."""

    auto_use: int


class PingsReceipt(Receipt, frozen=True, gc=False, tag="PingsReceipt"):
    """Who sends this player something notifies them from now on (``pings`` is 1) or not (0)."""

    pings: int


class TrainReceipt(Receipt, frozen=True, gc=False, tag="TrainReceipt"):
    """One training session."""

    cost_gold: int
    xp_gained: int
    level: int
    xp: int
    gold: int


class InvestReceipt(Receipt, frozen=True, gc=False, tag="InvestReceipt"):
    """A business was bought."""

    business_id: str
    cost_gold: int
    gold: int


class CollectReceipt(Receipt, frozen=True, gc=False, tag="CollectReceipt"):
    """What the businesses earned, and the upkeep that was burned of it."""

    income_gold: int
    upkeep_gold: int
    gold: int


class FreezeReceipt(Receipt, frozen=True, gc=False, tag="FreezeReceipt"):
    """A player was stopped (``frozen`` is 1) or let go on (0)."""

    user_id: str
    frozen: int


class ClocksReceipt(Receipt, frozen=True, gc=False, tag="ClocksReceipt"):
    """A player's day was opened again: claim, battle and the caps of the day."""

    user_id: str


class ResetReceipt(Receipt, frozen=True, gc=False, tag="ResetReceipt"):
    """A player was put back to the opening; the balances are those afterwards."""

    user_id: str
    gold: int
    gems: int


class PriceReceipt(Receipt, frozen=True, gc=False, tag="PriceReceipt"):
    """An item's price was set.

    Attributes:
        price_gold: The price in force.
        list_price_gold: The price of the economy's file.
        at_us: When, in microseconds since the epoch.
    """

    item_id: str
    price_gold: int
    list_price_gold: int
    at_us: int


class StockReceipt(Receipt, frozen=True, gc=False, tag="StockReceipt"):
    """An admin added ``units`` (or took them away) so that ``stock`` were left."""

    item_id: str
    units: int
    stock: int


class ReloadReceipt(Receipt, frozen=True, gc=False, tag="ReloadReceipt"):
    """An economy was activated in the place of another, at ``at_us`` microseconds since the epoch."""

    economy_hash: str
    former_hash: str
    at_us: int


class DoneReceipt(Receipt, frozen=True, gc=False, tag="DoneReceipt"):
    """An admin's act that has nothing of its own to tell was booked."""

    what: str


class EraseReceipt(Receipt, frozen=True, gc=False, tag="EraseReceipt"):
    """A player was erased; what is left of them stands under a pseudonym that leads back to nobody."""

    pseudonym: str


class GrantReceipt(Receipt, frozen=True, gc=False, tag="GrantReceipt"):
    """An admin's correction of one balance or item; ``after`` is what is held then."""

    user_id: str
    what: str
    amount: int
    after: int
