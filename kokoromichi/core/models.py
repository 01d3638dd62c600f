"""What is stored: profiles and ledger rows, and the one shape in which a change reaches a provider."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar, Union

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

LEAST_INT: Final = -(2**63)
MOST_INT: Final = 2**63 - 1
"""A whole number has 64 bits in every column and index."""

NEVER: Final = -1
"""A time in microseconds that has not come yet."""

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3_600 * SECOND_US
DAY_US: Final = 24 * HOUR_US
"""Microseconds of one UTC day."""

ANSWERS_KEPT_DAYS: Final = 30
"""So long the receipt of a request id is kept; later the id is spent."""

ACTIVITY_ROWS_KEPT: Final = 1_000_000
"""The newest rows of activity that a store keeps; more may stand there until it is next opened."""

ERASED_PREFIX: Final = "erased-"
"""How the pseudonym of an erased player starts; what follows is drawn, and leads back to nobody."""

ID_PATTERN: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""User ids, section names and books, whole."""

REQUEST_ID_PATTERN: Final = re.compile(r"[0-9A-Za-z_.:-]{1,128}")
"""Request ids of callers, whole; those that a provider makes up start with ``~``."""

UserId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
ItemId = Annotated[str, Field(min_length=1, max_length=64)]
Count = Annotated[int, Field(ge=0, lt=MOST_INT + 1, strict=True)]
MomentUs = Annotated[int, Field(ge=NEVER, lt=MOST_INT + 1, strict=True)]

FieldValue: TypeAlias = int | str | dict[str, int]
"""What a profile's field may hold."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(slots=True, config=ConfigDict(extra="forbid"))
class UserProfile:
    """Everything that is stored of one player.

    A profile is a read view: only its provider writes to it, and only the memory provider after the read.
    A decision stays sound because the version it read is checked at the commit. It is a dataclass with slots,
    neither a model nor frozen, since every act reads and writes it: an attribute of a pydantic model costs 30
    times as much, and two thousand instance dictionaries do not fit the cache.

    Attributes:
        version: Commits so far; 0 is a player who is not stored yet.
        hp_at_us: When ``hp`` was last true; it regenerates from there.
        paid_gold: Gold paid for all the units held, by item id; of an item that is not here nobody knows it.
        streak: Daily claims in a row; ``last_claim_us`` is the last of them.
        pity: Pulls since the last guaranteed rarity.
        collection: Copies by character id.
        businesses: When each owned business was last collected, in microseconds.
        battle_day: UTC day (days since the epoch) that ``battle_gold_today`` belongs to.
        sent_day: UTC day that ``sent_gold_today`` belongs to.
        luck_until_us: A charm's gold bonus runs until then; ``guard_until_us`` likewise an amulet.
        stamina_battles: Battles left that cost fewer hit points.
        double_train: 1 when the next training session gives double XP.
        auto_use: 1 while a battle takes health potions and revive scrolls by itself where they help.
        pings: 1 while Discord notifies them of gold and gifts that they receive.
        frozen: 1 when an admin has frozen the account: it neither acts nor receives.
        opening_due: 1 while its opening is still to be booked: a document without money made the account.
        unknown: Fields of a document that this version does not know; they are kept.
    """

    user_id: UserId
    version: Count = 0
    name: str = ""
    gold: Count = 0
    gems: Count = 0
    inventory: dict[ItemId, Count] = Field(default_factory=dict)
    paid_gold: dict[ItemId, Count] = Field(default_factory=dict)
    level: Annotated[int, Field(ge=1, lt=2**31, strict=True)] = 1
    xp: Count = 0
    hp: Count = 100
    hp_at_us: MomentUs = NEVER
    streak: Count = 0
    best_streak: Count = 0
    last_claim_us: MomentUs = NEVER
    pity: Count = 0
    pulls: Count = 0
    shards: Count = 0
    collection: dict[str, Count] = Field(default_factory=dict)
    favorite: str = ""
    affection: Count = 0
    businesses: dict[str, MomentUs] = Field(default_factory=dict)
    battle_at_us: MomentUs = NEVER
    battle_day: MomentUs = NEVER
    battle_gold_today: Count = 0
    battles_won: Count = 0
    battles_lost: Count = 0
    sent_day: MomentUs = NEVER
    sent_gold_today: Count = 0
    luck_until_us: MomentUs = NEVER
    guard_until_us: MomentUs = NEVER
    stamina_battles: Count = 0
    double_train: Count = 0
    auto_use: Count = 1
    pings: Count = 1
    frozen: Count = 0
    opening_due: Count = 0
    unknown: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> UserProfile:
        """Validate a player's document; fields that this version does not know are kept in ``unknown``.

        Raises:
            ValidationError: A known field is none.
        """
        known = {name: value for name, value in document.items() if name in PROFILE_FIELDS}
        unknown = {name: value for name, value in document.items() if name not in PROFILE_FIELDS}
        return _PROFILE.validate_python({**known, "unknown": deepcopy(unknown)})

    def document(self) -> dict[str, Any]:
        """A plain document of its own, unknown fields beside the known ones."""
        known: dict[str, Any] = _PROFILE.dump_python(self)
        return {**known.pop("unknown"), **known}


_PROFILE: Final[TypeAdapter[UserProfile]] = TypeAdapter(UserProfile)

PROFILE_FIELDS: Final = frozenset(field.name for field in fields(UserProfile)) - {"unknown"}

MOVED_FIELDS: Final = frozenset({"gold", "gems", "inventory"})
"""They change by ledger rows only."""

SET_FIELDS: Final = PROFILE_FIELDS - MOVED_FIELDS - {"user_id", "version"}
"""They may be set by a change."""


class Item(_Frozen):
    """One offer of the store, as shown to a player.

    Attributes:
        price_gold: Price of one unit, as charged; ``price`` says the same.
        stock: Units left; null when unlimited.
        limit: Most units one player may hold; null when there is none.
    """

    item_id: ItemId
    name: str
    description: str = ""
    category: str = ""
    price_gold: Count
    stock: Count | None = None
    limit: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _take_price(cls, values: object) -> object:
        """The first KoKoroMichi's ``price`` is our ``price_gold``; both at once are refused."""
        if isinstance(values, dict) and "price" in values and "price_gold" not in values:
            return {("price_gold" if name == "price" else name): value for name, value in values.items()}
        return values

    @property
    def price(self) -> int:
        """``price_gold``."""
        return self.price_gold


class StoreListing(tuple[Item, ...]):
    """Offers in their order; as text, the formatted listing."""

    __slots__ = ()

    def __str__(self) -> str:
        """One line an offer: id, name, price, and what is left or allowed where that is limited."""
        return "\n".join(map(_listed, self))


def _listed(item: Item) -> str:
    left = "" if item.stock is None else f", {item.stock:,} left"
    most = "" if item.limit is None else f", at most {item.limit:,} a player"
    return f"{item.item_id}: {item.name}, {item.price_gold:,} gold{left}{most}"


class Waifu(_Frozen):
    """A character of a player's collection; ``copies`` counts duplicates."""

    waifu_id: str
    name: str
    rarity: str
    copies: Count


class LedgerEntry(_Frozen):
    """One row of the ledger, with the columns of ``schemas.LEDGER_SCHEMA``."""

    entry_id: str
    tx_id: str
    at: datetime
    book: str
    kind: str
    user_id: str
    currency: str | None = None
    amount: int | None = None
    balance_after: int | None = None
    item_id: str | None = None
    quantity: int | None = None
    counterparty: str | None = None
    actor: str
    request_id: str
    reason: str | None = None


class Transaction(_Frozen):
    """The record of one act: the rows that share its ``tx_id``.

    The first KoKoroMichi's record, for its callers; the unit of work is ``core.transactions.Transaction``.
    """

    tx_id: str
    request_id: str
    at: datetime
    actor: str
    entries: tuple[LedgerEntry, ...]


class Receipt(msgspec.Struct, frozen=True, gc=False, tag_field="receipt"):
    """What an act returns, and what is stored under its request id; services define one for each act.

    Each writes its tag out: it is stored, and stays what it is when a class is renamed.
    """

    def encoded(self) -> bytes:
        """Tagged JSON: what a store that outlives the process remembers."""
        return msgspec.json.encode(self)

    @staticmethod
    def decoded(encoded: bytes | str) -> Receipt:
        """The receipt of tagged JSON; the class that wrote it must have been imported.

        Raises:
            msgspec.ValidationError: No receipt has this tag, or a field is wrong.
        """
        return _decoder(tuple(_descendants(Receipt))).decode(encoded)


def _descendants(base: type[Receipt]) -> list[type[Receipt]]:
    return [found for child in base.__subclasses__() for found in (child, *_descendants(child))]


@lru_cache(maxsize=8)
def _decoder(receipts: tuple[type[Receipt], ...]) -> msgspec.json.Decoder[Receipt]:
    return msgspec.json.Decoder(Union[receipts])  # noqa: UP007 - made at run time


class Movement(msgspec.Struct, frozen=True, gc=False):
    """One movement of one balance, one item, or both: a ledger row before it is stored.

    Attributes:
        kind: A name of ``kinds.KINDS``.
        currency: ``gold``, ``gems``, or None where only items move.
        amount: Signed change of the balance; 0 without a currency.
        balance_after: What the rule decided that the balance is then; the provider holds it against its own.
        item_id: The item that moves, or None.
        quantity: Signed change of the inventory; 0 without an item.
        counterparty: The other player, or None.
    """

    kind: str
    currency: str | None = None
    amount: int = 0
    balance_after: int = 0
    item_id: str | None = None
    quantity: int = 0
    counterparty: str | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether an amount lacks its currency, or a quantity its item: no row could say it."""
        return (self.currency is None and (self.amount != 0 or self.balance_after != 0)) or (
            self.item_id is None and self.quantity != 0
        )


class UserChange(msgspec.Struct, frozen=True, gc=False):
    """What one act changes of one player.

    Attributes:
        user_id: Whose.
        version: The version that was read; 0 creates the player.
        movements: Money and items, which move by rows and by nothing else.
        fields: New values of the other fields of ``UserProfile``, or None.
        unknown: Fields of a document that ``UserProfile`` does not know, or None; what is stored of such
            fields otherwise stays.
    """

    user_id: str
    version: int
    movements: tuple[Movement, ...] = ()
    fields: Mapping[str, FieldValue] | None = None
    unknown: dict[str, Any] | None = None


AnswerT = TypeVar("AnswerT", bound=Receipt)


class CounterChange(msgspec.Struct, frozen=True, gc=False):
    """A change of a shared number such as a stock, never below zero.

    Attributes:
        name: The counter.
        delta: Added to it; a fall below zero raises ``FloorError``.
        creates: True when the counter must not exist yet and starts at ``delta``.
    """

    name: str
    delta: int
    creates: bool = False


class ChangeSet(msgspec.Struct, Generic[AnswerT], gc=False):
    """One act, whole: what ``DataProvider.apply`` stores or refuses as one.

    Attributes:
        at_us: When, from the clock that was passed in.
        users: Changed players, each once, in the order in which their rows are numbered.
        answer: The receipt, which ``apply`` returns, now and whenever the request id is repeated.
        counters: Changed counters.
        system: Rows that belong to no player (restocks, admin acts).
        actor: Who asked; None is the first player of ``users``.
        reason: An admin's reason.
        request_id: The idempotency key; None makes one up.
        digest: The act as asked (operation, player, arguments); needed with a request id.
    """

    at_us: int
    users: tuple[UserChange, ...]
    answer: AnswerT
    counters: tuple[CounterChange, ...] = ()
    system: tuple[Movement, ...] = ()
    actor: str | None = None
    reason: str | None = None
    request_id: str | None = None
    digest: str = ""


class DailyTotal(msgspec.Struct, frozen=True, gc=False):
    """What all rows of one kind and currency have moved on one day.

    Attributes:
        day: UTC day, counted from the epoch.
        currency: None where only items have moved.
        rows: How many.
        gained: The sum of what was added to balances, at most ``MOST_INT``; ``lost`` of what was taken.
    """

    day: int
    kind: str
    currency: str | None
    rows: int
    gained: int
    lost: int


def richest_first(balances: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Ids and gold in the order of ``DataProvider.balances``: ties by id."""
    return sorted(balances, key=lambda one: (-one[1], one[0]))
