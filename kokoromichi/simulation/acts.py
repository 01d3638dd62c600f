"""What a synthetic player can do: each act through a service, recorded with its refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.core.errors import RefusedError
from kokoromichi.simulation import decisions
from kokoromichi.simulation.demand import NONE, UNLIMITED_STOCK
from kokoromichi.simulation.driver import Pause

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.core.models import Receipt, UserProfile
    from kokoromichi.simulation.world import World

    ReceiptT = TypeVar("ReceiptT", bound=Receipt)

ACT_GAP: Final = Pause(5)
"""What passes between two acts of a session."""


class SyntheticPlayer:
    """One player for the length of a session.

    Args:
        world: The replication.
        player: Number of the player.
        day: Day since the scenario's start.
    """

    def __init__(self, world: World, player: int, day: int) -> None:
        self._world = world
        self._player = player
        self._user_id = world.user_ids[player]
        self._day = day
        self._session = 0

    def _record(self, act: str, code: str | None = None, outcome: str | None = None) -> None:
        world = self._world
        now_us = world.services.executor.clock.now_us()
        world.activity.record(self._user_id, self._session, now_us, act, world.economy_hash, code, outcome)

    async def _act(
        self, act: str, awaitable: Awaitable[ReceiptT], outcome: str | None = None, gap: Pause = ACT_GAP
    ) -> ReceiptT | None:
        """Carry out one act; a refusal is data, a storage error stops the run."""
        receipt = None
        try:
            receipt = await awaitable
        except RefusedError as refusal:
            self._record(act, refusal.code, outcome)
        else:
            self._record(act, None, outcome)
        await gap
        return receipt

    def _novel(self) -> None:
        self._world.novel_days[self._player] = self._day

    async def _buy(self, item: int, units: int) -> bool:
        world = self._world
        purchase = world.services.store.purchase(self._user_id, world.items[item], units)
        receipt = await self._act("buy", purchase)
        if receipt is None:
            return False
        if world.stock[item] != UNLIMITED_STOCK:
            world.stock[item] -= units
        if world.tables.kept[item] and item not in world.observations[self._player]:
            world.observations[self._player].add(item)
            self._novel()
        return True

    async def _invest(self, business: int) -> bool:
        progress = self._world.services.progress
        bought = await self._act("invest", progress.invest(self._user_id, self._world.businesses[business]))
        if bought is not None:
            self._novel()
        return bought is not None

    async def _train(self, profile: UserProfile) -> None:
        world = self._world
        manual = decisions.first_held(world.held(profile), world.tables.training_items)
        if manual != NONE and not profile.double_train:
            await self._act("use", world.services.store.use(self._user_id, world.items[manual], draw=0))
        await self._act("train", world.services.progress.train(self._user_id))
