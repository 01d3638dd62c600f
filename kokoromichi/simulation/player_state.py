"""Where a player's numbers stand in the row of integers that the story reads and writes.

A row and not a class: compiled code keeps the rows of all players as one array, and reads the same places.
The order counts: ``World.look`` writes the first places at once, and ``STORED`` says by its ranges which are
written by an act's answer. A number that is put elsewhere is not kept, and the engines differ.
"""

from __future__ import annotations

from typing import Final

# What the store knows of a player, shown before each question: by the names of ``UserProfile``, and up to
# ``BUSINESSES`` in the order in which ``World.look`` writes it.
GOLD: Final = 0
GEMS: Final = 1
LEVEL: Final = 2
DOUBLE_TRAIN: Final = 3
LUCK_UNTIL_US: Final = 4
GUARD_UNTIL_US: Final = 5
SENT_DAY: Final = 6
SENT_GOLD_TODAY: Final = 7
STREAK: Final = 8
LAST_CLAIM_US: Final = 9
BUSINESSES: Final = 10
"""How many they own."""
INCOME_SINCE_US: Final = 11
"""Since when the oldest income has not been collected."""

# What a player keeps in mind.
GOAL: Final = 12
"""An item, ``BUSINESS`` or ``NONE``; drawn on ``GOAL_DAY``."""
GOAL_DAY: Final = 13
NOVEL_DAY: Final = 14
"""Last day with something new."""
WANT_DAY: Final = 15
"""Last day on which a wish was affordable."""
BEST_TIER: Final = 16
"""Highest battle tier fought, from 0; -1 before the first."""
AWAY: Final = 17
"""1 after leaving, until the return."""

# Who it is.
PLAYER: Final = 18
MAIN: Final = 19
"""The player whom an alt account sends its gold to, or ``NONE``."""
ARCHETYPE: Final = 20
ARRIVAL_DAY: Final = 21

# Where the session stands.
NOW_US: Final = 22
DAY: Final = 23
"""Day since the scenario's start."""
NUMBER: Final = 24
"""Session of the day, from 0."""
STAGE: Final = 25
STEP: Final = 26
"""What a stage counts; 0 whenever it begins."""
SLOT: Final = 27
"""Spend choices so far."""
LEFT: Final = 28
"""How many acts of one kind are still to come."""

# What the next act is about, and what came of the last one.
ITEM: Final = 29
UNITS: Final = 30
AMOUNT_GOLD: Final = 31
OTHER: Final = 32
TIER: Final = 33
MANA: Final = 34
DRAW: Final = 35
HOLD_GOLD: Final = 36
OUTCOME: Final = 37
"""What was chosen or wished for."""
CODE: Final = 38
"""The code of the last act."""
RESULT: Final = 39
"""1 when a battle was won; the best rarity of a summon."""
STATE_SIZE: Final = 40

# What only the compiled engine keeps here: the rest of what a store knows, named as there, and where the
# clockwork stands.
XP: Final = 40
AFFECTION: Final = 41
HP: Final = 42
HP_AT_US: Final = 43
BATTLE_AT_US: Final = 44
BATTLE_DAY: Final = 45
BATTLE_GOLD_TODAY: Final = 46
BATTLES_WON: Final = 47
BATTLES_LOST: Final = 48
STAMINA_BATTLES: Final = 49
PITY: Final = 50
PULLS: Final = 51
SHARDS: Final = 52
BEST_STREAK: Final = 53
JOINED: Final = 54
"""1 once the account is open."""
SESSION_ID: Final = 55
ROW_SIZE: Final = 56

STORED: Final = (*range(BUSINESSES), *range(XP, JOINED))
"""Places that compiled code writes from the field of an act's answer that has their name; the others are the
story's own, or written by the act itself."""
