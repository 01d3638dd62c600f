"""The coded columns of a replication folded into what its headline is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from kokoromichi.core.kinds import KINDS
from kokoromichi.core.models import DAY_US
from kokoromichi.core.providers.packed_ledger import CURRENCY_CODES, KIND_CODES
from kokoromichi.core.schemas import DECISIONS
from kokoromichi.rules.codes import OK
from kokoromichi.simulation.compiled.columns import NOTES, ROWS
from kokoromichi.simulation.story import ACT_NAMES, LEAVE, RETURN

if TYPE_CHECKING:
    from kokoromichi.simulation.compiled.columns import Columns, IntArray

IN_GOLD: Final = CURRENCY_CODES["gold"]
PURCHASE: Final = KIND_CODES["purchase"]
GONE: Final = 1
"""In ``Panel.turned``: left on that day; 2 for who came back, 0 for neither."""


class Panel(NamedTuple):
    """What happened by day; days from the first one, one more than the horizon for sessions past midnight.

    Attributes:
        flows_gold: [day, kind, what left or what entered].
        units_sold: [day]: of all items.
        acts: [day, refused or not]: tried by players.
        closed_gold: [player, day]: gold after the last movement of the day.
        moved: [player, day]: 1 where gold moved.
        active: [player, day]: 1 where the player did something.
        seen: [player, day]: 1 where a row is about the player.
        turned: [player, day]: the last leaving or coming back.
    """

    flows_gold: IntArray
    units_sold: IntArray
    acts: IntArray
    closed_gold: IntArray
    moved: IntArray
    active: IntArray
    seen: IntArray
    turned: IntArray


def new_panel(players: int, days: int) -> Panel:
    """Nothing has happened yet."""
    by_player = [np.zeros((players, days + 1), np.int8) for _ in range(4)]
    return Panel(
        np.zeros((days + 1, len(KINDS), 2), np.int64),
        np.zeros(days + 1, np.int64),
        np.zeros((days + 1, 2), np.int64),
        np.zeros((players, days + 1), np.int64),
        *by_player,
    )


IS_DECISION: Final = np.array([name in DECISIONS for name in ACT_NAMES], np.int8)


def fold(columns: Columns, start_us: int, is_decision: IntArray, panel: Panel) -> None:
    """Add what the columns hold to a panel."""
    transaction = actor = -1
    players = len(panel.seen)
    for place in range(columns.counts[ROWS]):
        row = columns.ledger[place]
        day, kind, user, amount = (row[1] - start_us) // DAY_US, row[2], row[3], row[5]
        if row[0] != transaction:
            transaction, actor = row[0], user
        if kind == PURCHASE:
            panel.units_sold[day] += row[8]
        if user >= players:
            continue
        panel.seen[user, day] = 1
        if user == actor:
            panel.active[user, day] = 1
        if row[4] == IN_GOLD:
            panel.flows_gold[day, kind, 1 if amount > 0 else 0] += amount
            panel.closed_gold[user, day] = row[6]
            panel.moved[user, day] = 1
    for place in range(columns.counts[NOTES]):
        row = columns.activity[place]
        user, day, act = row[0], (row[2] - start_us) // DAY_US, row[3]
        panel.seen[user, day] = 1
        if act in (LEAVE, RETURN):
            panel.turned[user, day] = 1 if act == LEAVE else 2
            continue
        panel.active[user, day] = 1
        if not is_decision[act]:
            panel.acts[day, 0 if row[4] == OK else 1] += 1
