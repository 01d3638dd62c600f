"""The polars schemas of all that leaves a provider: a ledger, two streams, players, and what is stored."""

from __future__ import annotations

from typing import Final

import polars as pl

_UTC_US: Final = pl.Datetime("us", "UTC")

LEDGER_SCHEMA: Final = pl.Schema(
    {
        "entry_id": pl.String(),
        "tx_id": pl.String(),
        "at": _UTC_US,
        "book": pl.String(),
        "kind": pl.String(),
        "user_id": pl.String(),
        "currency": pl.String(),
        "amount": pl.Int64(),
        "balance_after": pl.Int64(),
        "item_id": pl.String(),
        "quantity": pl.Int64(),
        "counterparty": pl.String(),
        "actor": pl.String(),
        "request_id": pl.String(),
        "reason": pl.String(),
    }
)
"""One row per movement of one balance or item. Null: currency, amount, balance_after, item_id, quantity,
counterparty and reason, as economy.md says; amount is null exactly when currency is."""

ACTIVITY_SCHEMA: Final = pl.Schema(
    {
        "user_id": pl.String(),
        "session": pl.Int64(),
        "at": _UTC_US,
        "act": pl.String(),
        "code": pl.String(),
        "slot": pl.Int64(),
        "outcome": pl.String(),
        "gold": pl.Int64(),
        "hold": pl.Int64(),
        "level": pl.Int64(),
        "units_held": pl.List(pl.Int64()),
        "economy_hash": pl.String(),
    }
)
"""One row per act (``rules.acts.ACTS``) or decision of a player, by time. ``code`` is a refusal's, null
where the act went through; slot, outcome, gold, hold, level and units_held belong to a spend choice, which a
simulation knows, or to what a bot sees of one: a purchase, a store that was shown, the end of a session. The
places of units_held are the ``catalogue_place`` of the economy history."""

LATER_COLUMNS: Final[tuple[str, ...]] = ("level",)
"""Columns that were added: rows from before lack them, and are read as null there."""

ECONOMY_HISTORY_SCHEMA: Final = pl.Schema(
    {
        "economy_hash": pl.String(),
        "effective_from": _UTC_US,
        "measure": pl.String(),
        "key": pl.String(),
        "category": pl.String(),
        "value": pl.Int64(),
    }
)
"""One row per number in force from a date on. ``measure``: price_gold, initial_stock (-1: unlimited),
target_units, catalogue_place (from 0), odds_ppm, opening_gold; ``key``: item id, rarity or the currency."""

OBSERVED_SCHEMAS: Final[dict[str, pl.Schema]] = {
    "activity": ACTIVITY_SCHEMA,
    "economy_history": ECONOMY_HISTORY_SCHEMA,
}
"""The streams that a provider keeps beside the ledger, by name."""

PLAYERS_SCHEMA: Final = pl.Schema(
    {"user_id": pl.String(), "archetype": pl.String(), "cohort": pl.String(), "arrival_day": pl.Int64()}
)
"""One row per player: what a simulation knows of its players and a bot may not."""

BALANCES_SCHEMA: Final = pl.Schema({"user_id": pl.String(), "currency": pl.String(), "balance": pl.Int64()})
"""One row per player and currency that is stored."""

INVENTORIES_SCHEMA: Final = pl.Schema(
    {"user_id": pl.String(), "item_id": pl.String(), "quantity": pl.Int64()}
)
"""One row per player and item that is stored."""

STOCK_SCHEMA: Final = pl.Schema(
    {
        "item_id": pl.String(),
        "initial": pl.Int64(),
        "now": pl.Int64(),
        "since": _UTC_US,
    }
)
"""One row per item of limited stock: units at its start, the counter now, and when it started; what was sold
before came from no stock. A null ``since`` is the ledger's beginning."""

DECISIONS: Final[tuple[str, ...]] = ("session", "choice", "wish", "leave", "return")
"""Activity rows of a simulation that are no act of a player: they move nothing."""

SIGHTINGS: Final[tuple[str, ...]] = ("shown", "end")
"""The same of a bot, which sees stores that it shows and sessions that end."""
