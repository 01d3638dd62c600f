"""Columns of codes as the frames that a faithful run leaves: names as Enums, ids as text."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from kokoromichi.core.kinds import CURRENCIES
from kokoromichi.core.providers.packed_ledger import ID_DIGITS, MADE_UP, TX_DIGITS, named_frame
from kokoromichi.core.schemas import BALANCES_SCHEMA, INVENTORIES_SCHEMA
from kokoromichi.rules.codes import CODE_NAMES
from kokoromichi.simulation.compiled.columns import ACTIVITY_TYPES, CHOICES, LEDGER_TYPES, NO, NOTES, ROWS
from kokoromichi.simulation.compiled.compiling import alone
from kokoromichi.simulation.player_state import GEMS, GOLD, JOINED
from kokoromichi.simulation.session import BATTLES, OUTCOMES
from kokoromichi.simulation.story import DO_BATTLE, LEAVE, NOTE_CHOICE, RETURN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kokoromichi.simulation.coded import Schemas
    from kokoromichi.simulation.compiled.columns import Columns, IntArray
    from kokoromichi.simulation.compiled.tables import Players

Arrays: TypeAlias = dict[str, npt.NDArray[np.signedinteger[Any]]]


class Chunk(NamedTuple):
    """What the columns held, all under one economy.

    Attributes:
        economy_hash: Of the economy in force.
        ledger: The columns of ``LEDGER_TYPES``.
        activity: The columns of ``ACTIVITY_TYPES``.
        units_held: [choice, item].
    """

    economy_hash: str
    ledger: Arrays
    activity: Arrays
    units_held: IntArray


def coded(columns: Columns, economy_hash: str) -> Chunk:
    """A copy of what the columns hold."""
    rows, notes, choices = (int(columns.counts[place]) for place in (ROWS, NOTES, CHOICES))
    return Chunk(
        economy_hash,
        _narrowed(columns.ledger[:rows], LEDGER_TYPES),
        _narrowed(columns.activity[:notes], ACTIVITY_TYPES),
        columns.units_held[:choices].copy(),
    )


def _narrowed(rows: IntArray, types: Mapping[str, type[np.signedinteger[Any]]]) -> Arrays:
    return {name: rows[:, place].astype(dtype) for place, (name, dtype) in enumerate(types.items())}


class Names(NamedTuple):
    """What the codes of a run stand for.

    Attributes:
        schemas: Of its frames.
        users: User ids by number, then the system: an Enum, which takes long to make where they are many.
        items: Item ids in catalogue order.
        request_ids: By transaction, of those that the system made.
    """

    schemas: Schemas
    users: pl.Series
    items: Sequence[str]
    request_ids: Mapping[int, str]


def ledger_frame(chunk: Chunk, names: Names, first: int) -> pl.DataFrame:
    """Ledger rows with names as Enums.

    Args:
        chunk: The rows.
        names: What their codes stand for.
        first: Rows before them.
    """
    schema, txs = names.schemas.ledger, chunk.ledger["tx"]
    begins = np.flatnonzero(np.diff(txs, prepend=NO))
    actors = np.repeat(chunk.ledger["user"][begins], np.diff(begins, append=len(txs)))
    given = np.flatnonzero(np.isin(txs, list(names.request_ids)))
    request_ids = zero_padded(txs, TX_DIGITS, MADE_UP)
    packed = pl.DataFrame(chunk.ledger)
    texts = packed.select(
        entry_id=zero_padded(np.arange(first, first + len(txs)), ID_DIGITS),
        tx_id=zero_padded(txs, TX_DIGITS),
        counterparty=pl.col("other").cat.to(schema["counterparty"]),
        actor=names.users.gather(actors),
        request_id=request_ids.scatter(given, [names.request_ids[tx] for tx in txs[given]]),
        reason=pl.lit(None, pl.String),
    )
    items = pl.Series(names.items, dtype=schema["item_id"])
    return named_frame(packed, names.users, items, texts, schema)


def activity_frame(chunk: Chunk, names: Names) -> pl.DataFrame:
    """Activity rows with names as Enums."""
    schema = names.schemas.activity
    held = pl.Series(chunk.units_held.astype(np.int64)).arr.to_list()
    words = {**dict(enumerate(names.items)), **OUTCOMES}
    outcomes = [words.get(code) for code in range(min(OUTCOMES), len(names.items))] + list(BATTLES)
    lost, first = len(outcomes) - len(BATTLES), min(OUTCOMES)
    chooses, outcome = pl.col("act") == NOTE_CHOICE, pl.col("outcome").cast(pl.Int64)
    place = (
        pl.when(outcome == NO).then(None).when(pl.col("act") == DO_BATTLE).then(outcome + lost)
    ).otherwise(outcome - first)
    codes = [CODE_NAMES[code] if code else None for code in range(len(CODE_NAMES))]
    return (
        pl.DataFrame(chunk.activity)
        .select(
            user_id=pl.col("user").cat.to(schema["user_id"]),
            session="session",
            at=pl.col("at_us").cast(schema["at"]),
            act=pl.col("act").cat.to(schema["act"]),
            code=pl.lit(pl.Series(codes, dtype=schema["code"])).gather("code"),
            slot=pl.when(chooses).then(pl.col("slot").cast(pl.Int64)),
            outcome=pl.lit(pl.Series(outcomes, dtype=schema["outcome"])).gather(place),
            gold=pl.when(chooses).then("gold"),
            hold=pl.when(chooses).then("hold_gold"),
            level=pl.when(chooses).then("level"),
            units_held=pl.lit(held).gather(pl.when(chooses).then(chooses.cum_sum() - 1)),
            economy_hash=pl.lit(chunk.economy_hash, schema["economy_hash"]),
        )
        .match_to_schema(schema)
    )


def sampled(chunk: Chunk, one_in: int) -> Chunk:
    """A chunk with the activity of one in so many players, and whoever left or came back."""
    if one_in == 1:
        return chunk
    activity = chunk.activity
    kept = (activity["user"] % one_in == 0) | np.isin(activity["act"], (LEAVE, RETURN))
    choices = kept[activity["act"] == NOTE_CHOICE]
    rows = {name: column[kept] for name, column in activity.items()}
    return chunk._replace(activity=rows, units_held=chunk.units_held[choices])


def whole_frames(chunks: Sequence[Chunk], names: Names, first: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ledger and activity of a run, oldest first; ``first`` is the number of the first row."""
    ledgers, activities = [], []
    for chunk in _merged(chunks):
        ledgers.append(ledger_frame(chunk, names, first))
        activities.append(activity_frame(chunk, names))
        first += ledgers[-1].height
    if not ledgers:
        return names.schemas.ledger.to_frame(), names.schemas.activity.to_frame()
    return pl.concat(ledgers), pl.concat(activities)


def _merged(chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """Those that follow each other under one economy as one: a frame costs something, however short."""
    for economy_hash, alike in groupby(chunks, lambda chunk: chunk.economy_hash):
        ledgers, activities, units_held = zip(*(chunk[1:] for chunk in alike), strict=True)
        yield Chunk(economy_hash, _joined(ledgers), _joined(activities), np.concatenate(units_held))


def _joined(parts: Sequence[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def stored_frames(players: Players, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The balances and the inventories of all players who have an account, by player and item."""
    joined = np.flatnonzero(players.rows[:, JOINED])
    users = names.users.cast(pl.String)
    balances = pl.concat(
        pl.DataFrame(
            {"user_id": users.gather(joined), "currency": currency, "balance": players.rows[joined, place]},
            schema=BALANCES_SCHEMA,
        )
        for currency, place in zip(CURRENCIES, (GOLD, GEMS), strict=True)
    )
    owners, items = np.nonzero(players.held)
    inventories = pl.DataFrame(
        {
            "user_id": users.gather(owners),
            "item_id": pl.Series(names.items, dtype=pl.String).gather(items),
            "quantity": players.held[owners, items],
        },
        schema=INVENTORIES_SCHEMA,
    )
    return balances.sort("user_id", maintain_order=True), inventories.sort("user_id", "item_id")


def zero_padded(numbers: IntArray, width: int, prefix: str = "") -> pl.Series:
    """Numbers of at most ``width`` digits as text (String), each with a prefix of ASCII."""
    text = np.empty((len(numbers), len(prefix) + width), np.uint8)
    text[:, : len(prefix)] = list(prefix.encode())
    alone(write_digits)(numbers, text[:, len(prefix) :])
    return pl.Series(text).arr.to_list().cast(pl.Binary).cast(pl.String)


def write_digits(numbers: IntArray, text: IntArray) -> None:
    """Write the digits of each number into its row: of those of the row before only what differs."""
    before = 0
    for row in range(len(numbers)):
        for place in range(text.shape[1]):
            text[row, place] = text[row - 1, place] if row else 48
        number = left = numbers[row]
        place = text.shape[1]
        while left != before:
            place -= 1
            text[row, place] = 48 + left % 10
            left //= 10
            before //= 10
        before = number
