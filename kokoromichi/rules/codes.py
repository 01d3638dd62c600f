"""The codes that rules answer with, and the bounds that every rule keeps: one table for every caller."""

from __future__ import annotations

from typing import Final

MAX_BALANCE: Final = 2**53 - 1
"""The most gold, gems or units that a rule lets anybody hold: every count fits a JSON number exactly."""

NO_LIMIT: Final = MAX_BALANCE
"""The limit of an item without one: a real bound, which no rule lets anybody exceed. Only ``purchase`` asks
whether it is this one, to say TOO_POOR first to whoever could not pay for so much."""

OK: Final = 0
BAD_QUANTITY: Final = 1
BAD_AMOUNT: Final = 2
OVER_LIMIT: Final = 3
OUT_OF_STOCK: Final = 4
TOO_POOR: Final = 5
BALANCE_CAP: Final = 6
NOT_FOR_SALE: Final = 7
NOT_OWNED: Final = 8
NOT_USABLE: Final = 9
ALREADY_ACTIVE: Final = 10
ALREADY_CLAIMED: Final = 11
COOLING_DOWN: Final = 12
DAILY_CAP: Final = 13
SELF_TRANSFER: Final = 14
NOTHING_TO_COLLECT: Final = 15
ALREADY_OWNED: Final = 16
UNKNOWN_ITEM: Final = 17
UNKNOWN_BUSINESS: Final = 18
UNKNOWN_PLAYER: Final = 19
TIER_UNKNOWN: Final = 20
CLOSED: Final = 21
FROZEN: Final = 22
NOT_ALLOWED: Final = 23
PRICE_CHANGED: Final = 24
PRICE_UNSOUND: Final = 25
STOCK_UNLIMITED: Final = 26
ITEM_RETIRED: Final = 27
CHARACTER_OWNED: Final = 28
GRANT_LIMIT: Final = 29

CODE_NAMES: Final[dict[int, str]] = {
    OK: "ok",
    BAD_QUANTITY: "bad_quantity",
    BAD_AMOUNT: "bad_amount",
    OVER_LIMIT: "over_limit",
    OUT_OF_STOCK: "out_of_stock",
    TOO_POOR: "too_poor",
    BALANCE_CAP: "balance_cap",
    NOT_FOR_SALE: "not_for_sale",
    NOT_OWNED: "not_owned",
    NOT_USABLE: "not_usable",
    ALREADY_ACTIVE: "already_active",
    ALREADY_CLAIMED: "already_claimed",
    COOLING_DOWN: "cooling_down",
    DAILY_CAP: "daily_cap",
    SELF_TRANSFER: "self_transfer",
    NOTHING_TO_COLLECT: "nothing_to_collect",
    ALREADY_OWNED: "already_owned",
    UNKNOWN_ITEM: "unknown_item",
    UNKNOWN_BUSINESS: "unknown_business",
    UNKNOWN_PLAYER: "unknown_player",
    TIER_UNKNOWN: "tier_unknown",
    CLOSED: "closed",
    FROZEN: "frozen",
    NOT_ALLOWED: "not_allowed",
    PRICE_CHANGED: "price_changed",
    PRICE_UNSOUND: "price_unsound",
    STOCK_UNLIMITED: "stock_unlimited",
    ITEM_RETIRED: "item_retired",
    CHARACTER_OWNED: "character_owned",
    GRANT_LIMIT: "grant_limit",
}
"""The text of a code, as refusals, receipts and the activity stream carry it."""
