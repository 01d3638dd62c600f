"""One session of one player on the faithful engine: the story's acts, carried out through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from kokoromichi.core.errors import RefusedError
from kokoromichi.rules.codes import CODE_NAMES, OK
from kokoromichi.rules.economy import RARITIES
from kokoromichi.simulation import story, streams
from kokoromichi.simulation.demand import BUSINESS, GEMS, NONE, SAVE, TRAIN
from kokoromichi.simulation.driver import Pause
from kokoromichi.simulation.player_state import (
    AMOUNT_GOLD,
    CODE,
    DRAW,
    GOLD,
    HOLD_GOLD,
    ITEM,
    LEVEL,
    MANA,
    NOW_US,
    OTHER,
    OUTCOME,
    RESULT,
    SLOT,
    TIER,
    UNITS,
)
from kokoromichi.simulation.story import ACT_NAMES, NOTE_CHOICE, NOTE_WISH, Scene

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from kokoromichi.core.models import Receipt
    from kokoromichi.services.receipts import BattleReceipt, SummonReceipt
    from kokoromichi.simulation.world import World

_CODES: Final = {name: code for code, name in CODE_NAMES.items()}
_PAUSES: Final = {seconds: Pause(seconds) for seconds in (story.ACT_GAP_S, story.BATTLE_GAP_S)}
OUTCOMES: Final = {TRAIN: "train", GEMS: "gems", BUSINESS: "business", SAVE: "save"}
BATTLES: Final = ("lost", "won")


class Session:
    """Asks the story, carries out, records, lets time pass, and asks again, until the story ends.

    Args:
        world: The replication.
        player: Number of the player.
        day: Day since the scenario's start.
        number: Session of the day, from 0.
        draws: The session's block of ``SESSION_DRAWS`` draws.
        characters_key: Key of the stream that chooses a pull's character within its rarity.
    """

    def __init__(
        self, world: World, player: int, day: int, number: int, draws: Sequence[int], characters_key: int
    ) -> None:
        self._world = world
        self._services = world.services
        self._player = player
        self._user_id = world.user_ids[player]
        self._state = world.states[player]
        self._day = day
        self._number = number
        self._draws = draws
        self._characters_key = characters_key
        self._session = 0

    async def play(self) -> None:
        """Play from the first act to the last."""
        world, state, player = self._world, self._state, self._player
        clock, stages = world.services.clock, world.stages
        scene = Scene(
            world.held[player],
            world.owned[player],
            self._draws,
            world.traits_of(player),
            world.tables,
            world.shared,
        )
        self._session = world.sessions
        world.sessions += 1
        story.begin_session(state, self._day, self._number)
        self._record("session")
        while True:
            state[NOW_US] = clock.now_us()
            await world.look(player)
            act = story.next_act(stages, state, scene)
            while act in (NOTE_CHOICE, NOTE_WISH):
                self._note(act)
                act = story.next_act(stages, state, scene)
            if act == story.END:
                return
            await self._carry_out(act)
            seconds = story.pause_s(act, state[CODE])
            if seconds:
                await _PAUSES[seconds]

    async def _carry_out(self, act: int) -> None:
        """One act; a refusal is data, a storage error stops the run."""
        outcome = None
        try:
            receipt = await self._CARRIED_OUT[act](self)
        except RefusedError as refusal:
            self._state[CODE] = _CODES[refusal.code]
            self._record(ACT_NAMES[act], refusal.code)
            return
        self._state[CODE] = OK
        if act in _RESULTS:
            self._state[RESULT], outcome = _RESULTS[act](receipt)
        self._record(ACT_NAMES[act], None, outcome)

    def _note(self, act: int) -> None:
        """Record a thought: a choice with what it was made from, or a wish."""
        world, state = self._world, self._state
        outcome = state[OUTCOME]
        if act == NOTE_WISH:
            code = None if state[CODE] == OK else CODE_NAMES[state[CODE]]
            self._record("wish", code, None if outcome == NONE else world.items[outcome])
            return
        world.activity.record_choice(
            self._user_id,
            self._session,
            state[NOW_US],
            world.economy_hash,
            state[SLOT] - 1,
            OUTCOMES.get(outcome) or world.items[outcome],
            state[GOLD],
            state[HOLD_GOLD],
            state[LEVEL],
            world.held[self._player],
        )

    def _record(self, act: str, code: str | None = None, outcome: str | None = None) -> None:
        world = self._world
        now_us = self._services.clock.now_us()
        world.activity.record(self._user_id, self._session, now_us, act, world.economy_hash, code, outcome)

    def _pull_draws(self) -> list[int]:
        """Those of the rarities, then those of the characters."""
        first = self._state[DRAW]
        return [
            *self._draws[streams.SESSION_PULLS : streams.SESSION_PULLS + streams.MAX_PULLS],
            *(
                streams.draw(self._characters_key, self._player, self._day, first + pull)
                for pull in range(streams.MAX_PULLS)
            ),
        ]

    @property
    def _item_id(self) -> str:
        return self._world.items[self._state[ITEM]]

    @property
    def _other_id(self) -> str:
        return self._world.user_ids[self._state[OTHER]]

    _CARRIED_OUT: ClassVar[dict[int, Callable[[Session], Awaitable[Receipt]]]] = {
        story.DO_CLAIM: lambda self: self._services.daily.claim(self._user_id),
        story.DO_COLLECT: lambda self: self._services.progress.collect(self._user_id),
        story.DO_USE: lambda self: self._services.store.use(
            self._user_id, self._item_id, draws=(self._state[DRAW],)
        ),
        story.DO_BATTLE: lambda self: self._services.battle.fight(
            self._user_id, self._state[TIER] + 1, mana_potions=self._state[MANA], draw=self._state[DRAW]
        ),
        story.DO_BUY: lambda self: self._services.store.purchase(
            self._user_id, self._item_id, self._state[UNITS]
        ),
        story.DO_TRAIN: lambda self: self._services.progress.train(self._user_id),
        story.DO_EXCHANGE: lambda self: self._services.bank.buy_gems(self._user_id),
        story.DO_INVEST: lambda self: self._services.progress.invest(
            self._user_id, self._world.businesses[self._state[ITEM]]
        ),
        story.DO_SUMMON: lambda self: self._services.summon.summon(
            self._user_id, streams.MAX_PULLS, draws=self._pull_draws()
        ),
        story.DO_SELL: lambda self: self._services.store.sell(self._user_id, self._item_id),
        story.DO_TRANSFER: lambda self: self._services.bank.transfer(
            self._user_id, self._other_id, self._state[AMOUNT_GOLD]
        ),
        story.DO_GIFT: lambda self: self._services.store.gift(self._user_id, self._other_id, self._item_id),
    }


def _of_battle(receipt: BattleReceipt) -> tuple[int, str]:
    return int(receipt.won), BATTLES[receipt.won]


def _of_summon(receipt: SummonReceipt) -> tuple[int, None]:
    return max(RARITIES.index(pull.rarity) for pull in receipt.pulls), None


_RESULTS: Final[dict[int, Callable[..., tuple[int, str | None]]]] = {
    story.DO_BATTLE: _of_battle,
    story.DO_SUMMON: _of_summon,
}
"""What the story and the activity stream are told of an act beyond its code."""
