"""The frames of a replication with names as Enums: kept as codes, read as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from kokoromichi.core.kinds import BOOKS, CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, LEDGER_SCHEMA
from kokoromichi.rules.codes import CODE_NAMES
from kokoromichi.simulation.population import user_id
from kokoromichi.simulation.session import BATTLES, OUTCOMES
from kokoromichi.simulation.story import ACT_NAMES

if TYPE_CHECKING:
    from kokoromichi.simulation.scenario import Scenario


class Schemas(NamedTuple):
    """The columns of ``LEDGER_SCHEMA`` and ``ACTIVITY_SCHEMA``, names as Enums of all that may occur."""

    ledger: pl.Schema
    activity: pl.Schema


def schemas_of(scenario: Scenario) -> Schemas:
    """The columns of a scenario's replications, whichever engine plays them."""
    players = [user_id(player) for player in range(scenario.players)]
    items = [item.id for item in scenario.economy.catalogue]
    hashes = [scenario.economy_on(day).hash for day in range(scenario.days)]
    everybody = pl.Enum([*players, SYSTEM])
    ledger = {
        "book": pl.Enum(list(BOOKS)),
        "kind": pl.Enum(list(KINDS)),
        "user_id": everybody,
        "currency": pl.Enum(list(CURRENCIES)),
        "item_id": pl.Enum(items),
        "counterparty": everybody,
        "actor": everybody,
    }
    activity = {
        "user_id": pl.Enum(players),
        "act": pl.Enum(ACT_NAMES),
        "code": pl.Enum(list(CODE_NAMES.values())),
        "outcome": pl.Enum(list(dict.fromkeys([*items, *OUTCOMES.values(), *BATTLES]))),
        "economy_hash": pl.Enum(list(dict.fromkeys(hashes))),
    }
    return Schemas(pl.Schema({**LEDGER_SCHEMA, **ledger}), pl.Schema({**ACTIVITY_SCHEMA, **activity}))
