"""What a player reads when the game says no: every sentence in one place, by the rules' codes."""

from __future__ import annotations

from typing import Final

from kokoromichi.core.errors import Refusal, RefusedError
from kokoromichi.rules import codes

_SENTENCES: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    codes.BAD_QUANTITY: (
        "The quantity must be a whole number that is offered; {quantity} is not.",
        ("quantity",),
    ),
    codes.BAD_AMOUNT: (
        "The amount must be whole and above 0, also after a fee; {amount} is not.",
        ("amount",),
    ),
    codes.OVER_LIMIT: ("Limit {limit_units}, you own {owned_units}.", ("limit_units", "owned_units")),
    codes.OUT_OF_STOCK: ("The store has {available_units} left.", ("available_units",)),
    codes.TOO_POOR: ("Need {need} {currency}, have {have}.", ("need", "have", "currency")),
    codes.BALANCE_CAP: ("The balance would pass the most that anybody can hold: {cap}.", ("cap",)),
    codes.NOT_FOR_SALE: ("{item_id} is not traded here.", ("item_id",)),
    codes.NOT_OWNED: ("You hold {owned_units} of {item_id}.", ("item_id", "owned_units")),
    codes.NOT_USABLE: ("{item_id} does not work this way.", ("item_id",)),
    codes.ALREADY_ACTIVE: ("The effect of {item_id} still runs.", ("item_id",)),
    codes.ALREADY_CLAIMED: ("Already claimed today; the next claim opens {next_us}.", ("next_us",)),
    codes.COOLING_DOWN: ("Still cooling down: ready {ready_us}.", ("ready_us",)),
    codes.DAILY_CAP: (
        "Today's cap is {cap_gold} gold, and {used_gold} of it is used.",
        ("cap_gold", "used_gold"),
    ),
    codes.SELF_TRANSFER: ("You cannot send to yourself.", ()),
    codes.NOTHING_TO_COLLECT: ("There is nothing to collect yet.", ()),
    codes.ALREADY_OWNED: ("You own {business_id} already.", ("business_id",)),
    codes.UNKNOWN_ITEM: ("There is no item {item_id}.", ("item_id",)),
    codes.UNKNOWN_BUSINESS: ("There is no business {business_id}.", ("business_id",)),
    codes.UNKNOWN_PLAYER: (
        "Player {user_id} has no account yet: their first command opens one.",
        ("user_id",),
    ),
    codes.TIER_UNKNOWN: ("There is no tier {tier}; they go from 1 to {tiers}.", ("tier", "tiers")),
    codes.FROZEN: ("The account of {user_id} is frozen; an admin can tell why.", ("user_id",)),
    codes.PRICE_CHANGED: (
        "The price is {price_gold} gold now, not the {shown_gold} that you were shown.",
        ("price_gold", "shown_gold"),
    ),
    codes.PRICE_UNSOUND: ("This price breaks a law of the economy: {finding}.", ("finding",)),
    codes.STOCK_UNLIMITED: ("{item_id} is sold without a limit: it has no stock.", ("item_id",)),
    codes.ITEM_RETIRED: (
        "{item_id} is retired: what is held of it can be sold back or taken away, and nothing else.",
        ("item_id",),
    ),
    codes.CHARACTER_OWNED: ("{waifu_id} is in your collection already.", ("waifu_id",)),
    codes.GRANT_LIMIT: (
        "One act may give or take {most} {item_id} at most, as the bot's operator has set it.",
        ("most", "item_id"),
    ),
    codes.NOT_ALLOWED: ("This is for a {needed_role}; you are a {role}.", ("needed_role", "role")),
}

REFUSALS: Final[dict[int, Refusal]] = {
    code: Refusal(codes.CODE_NAMES[code], sentence, numbers)
    for code, (sentence, numbers) in _SENTENCES.items()
}


def require_shown_price(price_gold: int, shown_gold: int | None) -> None:
    """Refuse a price in force other than the one that its payer was shown, in gold; None where none was.

    Raises:
        RefusedError: price_changed.
    """
    if shown_gold is not None and shown_gold != price_gold:
        raise refused(codes.PRICE_CHANGED, price_gold, shown_gold)


def refused(code: int, *numbers: int | str) -> RefusedError:
    """The error for a rule's code, with the numbers that its sentence names, in their order."""
    return RefusedError(REFUSALS[code], *numbers)


def items_refused(code: int, item_id: str, quantity: int, held: int) -> RefusedError:
    """The refusal of an act upon units of an item, with the numbers that its sentence names."""
    numbers: dict[int, tuple[int | str, ...]] = {
        codes.BAD_QUANTITY: (quantity,),
        codes.NOT_OWNED: (item_id, held),
        codes.BALANCE_CAP: (codes.MAX_BALANCE,),
    }
    return refused(code, *numbers.get(code, (item_id,)))
