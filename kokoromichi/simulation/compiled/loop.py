"""The loop over (time, player): whose turn it is, what the story says, the act, and its note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.models import DAY_US, SECOND_US
from kokoromichi.rules.codes import OK
from kokoromichi.simulation.compiled.acts import carry_out
from kokoromichi.simulation.compiled.columns import CHOICES, NO, NOTES, ROWS, SESSIONS, note, note_choice
from kokoromichi.simulation.player_state import (
    ARCHETYPE,
    ARRIVAL_DAY,
    AWAY,
    CODE,
    JOINED,
    NOW_US,
    NUMBER,
    OUTCOME,
    RESULT,
    SESSION_ID,
)
from kokoromichi.simulation.presence import place_sessions, sessions_of_day, threshold_row
from kokoromichi.simulation.story import (
    DO_BATTLE,
    END,
    NOTE_CHOICE,
    NOTE_WISH,
    NOTHING,
    SESSION,
    STAGES,
    Scene,
    begin_session,
    end_day,
    next_act,
    pause_s,
)
from kokoromichi.simulation.streams import (
    DAY_HOURS,
    DAY_LEAVE_OR_RETURN,
    DAY_SESSIONS,
    SESSION_DRAWS,
    SESSION_START,
    draw,
)

if TYPE_CHECKING:
    from kokoromichi.simulation.compiled.columns import Columns, IntArray
    from kokoromichi.simulation.compiled.draws import Key
    from kokoromichi.simulation.compiled.tables import Players, Terms
    from kokoromichi.simulation.demand import PriceList
    from kokoromichi.simulation.story import Shared, State

PLAYER_BITS: Final = 24
"""A turn's key is ``second of the day << PLAYER_BITS | player``: nobody has two sessions at once."""
PLAYER_MASK: Final = (1 << PLAYER_BITS) - 1
MARGIN: Final = 1_024
"""More rows than one turn writes."""

# Places of ``Clockwork.counts``.
SCHEDULED: Final = 0
BEGUN: Final = 1
OPEN: Final = 2


class Clockwork(NamedTuple):
    """Who plays when, on one day.

    Attributes:
        counts: Sessions of the day; how many of them have begun; how many are open.
        starts: Keys of the day's sessions, ascending.
        heap: Keys of the next turns of open sessions.
        thresholds: Table of ``session_thresholds``.
        hours: Table of ``hour_table``.
        activities: How many activity multipliers there are.
        presence_key: Key of the stream ``PRESENCE``.
        session_key: Key of the stream ``SESSION``.
    """

    counts: IntArray
    starts: IntArray
    heap: IntArray
    thresholds: IntArray
    hours: IntArray
    activities: int
    presence_key: Key
    session_key: Key


def ask(state: State, scene: Scene) -> int:
    """What the player does next; compiled code asks the chain of stages that ``chain_of`` makes."""
    return next_act(STAGES, state, scene)


def begin_day(day: int, players: Players, clockwork: Clockwork) -> None:
    """Put the sessions of a day on the clock."""
    count = 0
    for player in range(len(players.rows)):
        state = players.rows[player]
        age_days = day - state[ARRIVAL_DAY]
        if age_days < 0 or state[AWAY]:
            continue
        sessions = schedule(day, age_days, player, players, clockwork)
        for number in range(sessions):
            clockwork.starts[count] = players.start_s[number] << PLAYER_BITS | player
            count += 1
        state[NUMBER] = NO
    clockwork.counts[SCHEDULED] = count
    clockwork.counts[BEGUN] = clockwork.counts[OPEN] = 0


def schedule(day: int, age_days: int, player: int, players: Players, clockwork: Clockwork) -> int:
    """Place a player's sessions of a day in ``start_s``; how many there are."""
    key = clockwork.presence_key
    archetype = players.rows[player][ARCHETYPE]
    row = threshold_row(archetype, players.activities[player], clockwork.activities, day)
    number = draw(key, player, day, DAY_SESSIONS)
    sessions = sessions_of_day(number, clockwork.thresholds, row, age_days)
    for place in range(sessions):
        slot = place * SESSION_DRAWS + SESSION_START
        players.hour_draws[place] = draw(key, player, day, DAY_HOURS + place)
        players.start_draws[slot] = draw(clockwork.session_key, player, day, slot)
    place_sessions(
        players.start_s,
        sessions,
        players.hour_draws,
        0,
        players.start_draws,
        SESSION_START,
        clockwork.hours,
    )
    return sessions


def play_day(
    day: int,
    day_us: int,
    players: Players,
    clockwork: Clockwork,
    traits: IntArray,
    tables: PriceList,
    shared: Shared,
    terms: Terms,
    columns: Columns,
) -> int:
    """Play until the day is done (1) or the columns are full (0): empty them then, and play on."""
    counts, starts, heap = clockwork.counts, clockwork.starts, clockwork.heap
    while counts[BEGUN] < counts[SCHEDULED] or counts[OPEN] > 0:
        if is_full(columns):
            return 0
        begins = counts[OPEN] == 0 or (counts[BEGUN] < counts[SCHEDULED] and starts[counts[BEGUN]] < heap[0])
        if begins:
            key = starts[counts[BEGUN]]
            counts[BEGUN] += 1
        else:
            key = pop(heap, counts[OPEN])
            counts[OPEN] -= 1
        player, second = key & PLAYER_MASK, key >> PLAYER_BITS
        state = players.rows[player]
        state[NOW_US] = day_us + second * SECOND_US
        if begins:
            open_session(day, player, players, clockwork, columns)
        scene = Scene(
            players.held[player],
            players.owned[player],
            players.draws[player],
            traits[state[ARCHETYPE]],
            tables,
            shared,
        )
        goes_on = True
        while goes_on:
            seconds = act_once(state, scene, players, terms, columns)
            second += seconds
            key = second << PLAYER_BITS | player
            goes_on = seconds >= 0
            if goes_on and is_somebody_first(key, clockwork):
                push(heap, counts[OPEN], key)
                counts[OPEN] += 1
                goes_on = False
            state[NOW_US] = day_us + second * SECOND_US
    return 1


def is_full(columns: Columns) -> bool:
    """Whether the columns might not hold what one more turn writes."""
    counts = columns.counts
    if counts[ROWS] > len(columns.ledger) - MARGIN or counts[NOTES] > len(columns.activity) - MARGIN:
        return True
    return bool(counts[CHOICES] > len(columns.units_held) - MARGIN)


def is_somebody_first(key: int, clockwork: Clockwork) -> bool:
    """Whether another session comes before a turn."""
    counts = clockwork.counts
    if counts[OPEN] > 0 and clockwork.heap[0] < key:
        return True
    return bool(counts[BEGUN] < counts[SCHEDULED] and clockwork.starts[counts[BEGUN]] < key)


def open_session(day: int, player: int, players: Players, clockwork: Clockwork, columns: Columns) -> None:
    """Let a player's next session of the day begin."""
    state, draws = players.rows[player], players.draws[player]
    number = state[NUMBER] + 1
    begin_session(state, day, number)
    state[SESSION_ID] = columns.counts[SESSIONS]
    columns.counts[SESSIONS] += 1
    for slot in range(SESSION_DRAWS):
        draws[slot] = draw(clockwork.session_key, player, day, number * SESSION_DRAWS + slot)
    note(columns, state, SESSION, OK, NO)


def act_once(state: IntArray, scene: Scene, players: Players, terms: Terms, columns: Columns) -> int:
    """Ask the story until an act is carried out; seconds until the next one, -1 where the session ends."""
    while True:
        act = ask(state, scene)
        if act == END:
            return -1
        if act == NOTE_CHOICE:
            note_choice(columns, state, act, scene.held)
        elif act == NOTE_WISH:
            note(columns, state, act, state[CODE], state[OUTCOME])
        else:
            code = carry_out(act, state, players, terms, columns)
            state[CODE] = code
            note(columns, state, act, code, state[RESULT] if act == DO_BATTLE and code == OK else NO)
            return pause_s(act, code)


def close_day(
    day: int,
    day_us: int,
    players: Players,
    clockwork: Clockwork,
    traits: IntArray,
    shared: Shared,
    columns: Columns,
) -> None:
    """Let players leave and come back."""
    for player in range(len(players.rows)):
        state = players.rows[player]
        if state[ARRIVAL_DAY] > day or not state[JOINED]:
            continue
        number = draw(clockwork.presence_key, player, day, DAY_LEAVE_OR_RETURN)
        act = end_day(state, day, day_us + DAY_US, number, traits[state[ARCHETYPE]], shared)
        if act != NOTHING:
            state[NOW_US] = day_us + DAY_US - 1
            state[SESSION_ID] = columns.counts[SESSIONS]
            note(columns, state, act, OK, NO)


def push(heap: IntArray, size: int, key: int) -> None:
    """Add a key to the first ``size`` places, which are a heap, and one more."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if heap[above] <= key:
            break
        heap[place] = heap[above]
        place = above
    heap[place] = key


def pop(heap: IntArray, size: int) -> int:
    """Take the least key of the first ``size`` places, at least one; the rest is a heap of one less."""
    least, last = heap[0], size - 1
    key = heap[last]
    place = 0
    while 2 * place + 1 < last:
        below = 2 * place + 1
        if below + 1 < last and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= key:
            break
        heap[place] = heap[below]
        place = below
    heap[place] = key
    return int(least)
