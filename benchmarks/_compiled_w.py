"""Workload W by the compiled acts of the engine: whole decisions, booked in rows of ten columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from _workload_w import CLAIM, Row, Workload, economy_w

from kokoromichi.core.models import DAY_US
from kokoromichi.simulation.compiled.acts import carry_out
from kokoromichi.simulation.compiled.columns import LEDGER_TYPES, NO, ROWS, Columns, new_columns
from kokoromichi.simulation.compiled.program import compiler_of
from kokoromichi.simulation.compiled.tables import Players, Terms, new_players, terms_of
from kokoromichi.simulation.player_state import ITEM, JOINED, NOW_US, PLAYER, STATE_SIZE, UNITS
from kokoromichi.simulation.story import DO_BUY, DO_CLAIM, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.simulation.compiled.columns import IntArray


def play(items: IntArray, quantities: IntArray, players: Players, terms: Terms, columns: Columns) -> None:
    """Every claim and every attempt."""
    for day in range(len(items)):
        for player in range(items.shape[1]):
            state = players.rows[player]
            state[NOW_US] = (day + 1) * DAY_US
            carry_out(DO_CLAIM, state, players, terms, columns)
            for slot in range(items.shape[2]):
                state[ITEM], state[UNITS] = items[day, player, slot], quantities[day, player, slot]
                carry_out(DO_BUY, state, players, terms, columns)


def compiled_engine(workload: Workload) -> Callable[[], Callable[[], Columns]]:
    """What opens the accounts and answers what plays the workload; compiled when this returns."""
    economy, count = economy_w(), workload.players
    items, quantities = np.array(workload.items), np.array(workload.quantities)
    stock = np.zeros(len(economy.catalogue), np.int64)
    terms = terms_of(economy, workload.seed, stock)
    program: Any = compiler_of(STAGES).entry(play)

    def opened() -> Callable[[], Columns]:
        rows = [[0] * STATE_SIZE for _ in range(count)]
        for player, row in enumerate(rows):
            row[PLAYER] = player
        players = new_players(
            rows, [0] * count, len(economy.catalogue), len(economy.config.business), len(economy.waifus)
        )
        players.rows[:, JOINED] = 1
        columns = new_columns(workload.actions, 0)

        def run() -> Columns:
            program(items, quantities, players, terms, columns)
            return columns

        return run

    opened()()
    return opened


def rows_of(columns: Columns) -> list[Row]:
    """The ledger in the loop's six columns."""
    rows = columns.ledger[: columns.counts[ROWS]]
    named = {name: rows[:, place] for place, name in enumerate(LEDGER_TYPES)}
    claims = named["item"] == NO
    told = (
        named["at_us"] // DAY_US - 1,
        named["user"],
        np.where(claims, CLAIM, named["item"]),
        np.where(claims, 1, named["quantity"]),
        -named["amount"],
        named["balance_after"],
    )
    return list(zip(*(column.tolist() for column in told), strict=True))
