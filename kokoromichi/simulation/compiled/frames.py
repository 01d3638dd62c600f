"""Columns of codes as the frames that a faithful run leaves: text where a frame has text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from kokoromichi.analysis.audit import BALANCES_SCHEMA, INVENTORIES_SCHEMA
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.providers.packed_ledger import text_frame
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, LEDGER_SCHEMA
from kokoromichi.rules.codes import CODE_NAMES
from kokoromichi.simulation.compiled.columns import ACTIVITY_TYPES, CHOICES, LEDGER_TYPES, NO, NOTES, ROWS
from kokoromichi.simulation.player_state import GEMS, GOLD, JOINED
from kokoromichi.simulation.session import OUTCOMES
from kokoromichi.simulation.story import ACT_NAMES, DO_BATTLE, NOTE_CHOICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kokoromichi.simulation.compiled.columns import Columns, IntArray
    from kokoromichi.simulation.compiled.tables import Players

_BATTLES: Final = pl.Series(["lost", "won", None], dtype=pl.String)


class Chunk(NamedTuple):
    """What the columns held when they were emptied, all under one economy.

    Attributes:
        economy_hash: Of the economy in force.
        ledger: The columns of ``LEDGER_TYPES``.
        activity: The columns of ``ACTIVITY_TYPES``.
        units_held: [choice, item].
    """

    economy_hash: str
    ledger: dict[str, npt.NDArray[np.signedinteger[Any]]]
    activity: dict[str, npt.NDArray[np.signedinteger[Any]]]
    units_held: IntArray


def emptied(columns: Columns, economy_hash: str) -> Chunk:
    """Take what the columns hold, and let them begin anew."""
    counts = columns.counts
    rows, notes, choices = (int(counts[place]) for place in (ROWS, NOTES, CHOICES))
    chunk = Chunk(
        economy_hash,
        _narrowed(columns.ledger[:rows], LEDGER_TYPES),
        _narrowed(columns.activity[:notes], ACTIVITY_TYPES),
        columns.units_held[:choices].copy(),
    )
    counts[ROWS] = counts[NOTES] = counts[CHOICES] = 0
    return chunk


def _narrowed(
    rows: IntArray, types: Mapping[str, type[np.signedinteger[Any]]]
) -> dict[str, npt.NDArray[np.signedinteger[Any]]]:
    return {name: rows[:, place].astype(dtype) for place, (name, dtype) in enumerate(types.items())}


class Names(NamedTuple):
    """What the codes of a run stand for.

    Attributes:
        users: User ids by number.
        items: Item ids in catalogue order.
        request_ids: By transaction, of those that the system made.
    """

    users: Sequence[str]
    items: Sequence[str]
    request_ids: Mapping[int, str]


def ledger_frame(chunk: Chunk, names: Names, first: int) -> pl.DataFrame:
    """Ledger rows in the schema of every ledger.

    Args:
        chunk: The rows.
        names: What their codes stand for.
        first: Rows before them.
    """
    players = len(names.users)
    items = chunk.ledger["item"]
    packed = pl.DataFrame(
        {
            **chunk.ledger,
            "user": _or_last(chunk.ledger["user"], players),
            "item": np.where(items == NO, NO, items + players + 1),
        }
    )
    table = pl.Series([*names.users, SYSTEM, *names.items, None], dtype=pl.String)
    notes = packed.select(
        request_id=pl.col("tx").replace_strict(
            list(names.request_ids), list(names.request_ids.values()), default=None, return_dtype=pl.String
        )
        if names.request_ids
        else pl.lit(None, pl.String),
        actor=table.gather(packed.select(pl.col("user").first().over("tx"))["user"].cast(pl.Int64)),
        reason=pl.lit(None, pl.String),
        counterparty=table.gather(_or_last(chunk.ledger["other"], len(table) - 1)),
    )
    return text_frame(packed, first, table, notes)


def activity_frame(chunk: Chunk, names: Names) -> pl.DataFrame:
    """Activity rows in the schema of every activity stream."""
    packed = pl.DataFrame(chunk.activity).with_columns(pl.all().cast(pl.Int64))
    words = {**dict(enumerate(names.items)), **OUTCOMES}
    held = pl.Series("held", chunk.units_held.astype(np.int64)).arr.to_list()
    held = held.extend(pl.Series([None], dtype=pl.List(pl.Int64)))
    act, outcome = pl.col("act"), pl.col("outcome")
    fights = act == DO_BATTLE
    codes = {code: name for code, name in CODE_NAMES.items() if code}

    def chosen(column: str) -> pl.Expr:
        return pl.when(act == NOTE_CHOICE).then(column)

    return packed.select(
        pl.Series(names.users, dtype=pl.String).gather(packed["user"]).alias("user_id"),
        pl.col("session").alias("session"),
        pl.col("at_us").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("at"),
        pl.Series(ACT_NAMES).gather(packed["act"]).alias("act"),
        pl.col("code")
        .replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.String)
        .alias("code"),
        chosen("slot").alias("slot"),
        pl.when(fights)
        .then(_BATTLES.gather(_or_last(packed["outcome"].clip(NO, 1).to_numpy(), 2)))
        .otherwise(
            outcome.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.String)
        )
        .alias("outcome"),
        chosen("gold").alias("gold"),
        chosen("hold_gold").alias("hold"),
        held.gather(_or_last(chunk.activity["choice"], len(held) - 1)).alias("units_held"),
        pl.lit(chunk.economy_hash).alias("economy_hash"),
    ).match_to_schema(ACTIVITY_SCHEMA)


def whole_ledger(chunks: Sequence[Chunk], names: Names) -> pl.DataFrame:
    """The ledger of a run, oldest first."""
    frames, first = [pl.DataFrame(schema=LEDGER_SCHEMA)], 0
    for chunk in chunks:
        frames.append(ledger_frame(chunk, names, first))
        first += len(chunk.ledger["tx"])
    return pl.concat(frames)


def whole_activity(chunks: Sequence[Chunk], names: Names) -> pl.DataFrame:
    """The activity of a run, oldest first."""
    empty = pl.DataFrame(schema=ACTIVITY_SCHEMA)
    return pl.concat([empty, *(activity_frame(chunk, names) for chunk in chunks)])


def stored_frames(players: Players, names: Names) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The balances and the inventories of all players who have an account, by player and item."""
    joined = np.flatnonzero(players.rows[:, JOINED])
    users = pl.Series(names.users, dtype=pl.String)
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


def _or_last(codes: IntArray, last: int) -> IntArray:
    """Codes with ``last`` in the place of ``NO``."""
    return np.where(codes == NO, last, codes).astype(np.int64)
