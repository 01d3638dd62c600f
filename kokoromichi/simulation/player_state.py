"""Where a player's numbers stand in the row of integers that the story reads and writes.

A row and not a class: compiled code keeps the rows of all players as one array, and reads the same places.
"""

from __future__ import annotations

from typing import Final

# What the store knows of a player, shown before each question.
GOLD: Final = 0
GEMS: Final = 1
LEVEL: Final = 2
DOUBLE_TRAIN: Final = 3
LUCK_UNTIL_US: Final = 4
GUARD_UNTIL_US: Final = 5
SENT_DAY: Final = 6
SENT_GOLD: Final = 7
STREAK: Final = 8
LAST_CLAIM_US: Final = 9
BUSINESSES: Final = 10
"""How many they own."""
INCOME_SINCE_US: Final = 11
"""Since when the oldest income has not been collected."""
OWNED_MASK: Final = 12
"""Bit ``b`` is set when business ``b`` of the economy is owned."""

# What a player keeps in mind.
GOAL: Final = 13
"""An item, ``BUSINESS`` or ``NONE``; drawn on ``GOAL_DAY``."""
GOAL_DAY: Final = 14
NOVEL_DAY: Final = 15
"""Last day with something new."""
WANT_DAY: Final = 16
"""Last day on which a wish was affordable."""
BEST_TIER: Final = 17
"""Highest battle tier fought, from 0; -1 before the first."""
AWAY: Final = 18
"""1 after leaving, until the return."""

# Who it is.
PLAYER: Final = 19
MAIN: Final = 20
"""The player whom an alt account sends its gold to, or ``NONE``."""
ARCHETYPE: Final = 21
ARRIVAL_DAY: Final = 22

# Where the session stands.
NOW_US: Final = 23
DAY: Final = 24
"""Day since the scenario's start."""
NUMBER: Final = 25
"""Session of the day, from 0."""
STAGE: Final = 26
STEP: Final = 27
"""What a stage counts; 0 whenever it begins."""
SLOT: Final = 28
"""Spend choices so far."""
LEFT: Final = 29
"""How many acts of one kind are still to come."""

# What the next act is about, and what came of the last one.
ITEM: Final = 30
UNITS: Final = 31
AMOUNT_GOLD: Final = 32
OTHER: Final = 33
TIER: Final = 34
MANA: Final = 35
DRAW: Final = 36
HOLD_GOLD: Final = 37
OUTCOME: Final = 38
"""What was chosen or wished for."""
CODE: Final = 39
"""The code of the last act."""
RESULT: Final = 40
"""1 when a battle was won; the best rarity of a summon."""
STATE_SIZE: Final = 41

# Numbers of an archetype.
FIGHTS: Final = 0
COMFORT_PERMILLE: Final = 1
SLOTS: Final = 2
RESERVE_GOLD: Final = 3
GOAL_PERCENT: Final = 4
GOAL_BUSINESS: Final = 5
TRANSFER_PERMILLE: Final = 6
GIFT_PERMILLE: Final = 7
RING_TRANSFER_GOLD: Final = 8
LEAVE_CHANCE: Final = 9
RETURN_CHANCE: Final = 10
TRAITS_SIZE: Final = 11
