"""One session of one player, act by act through the services, each recorded with its refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.core.errors import RefusedError
from kokoromichi.rules.daily import counted_today
from kokoromichi.rules.economy import RARITIES
from kokoromichi.rules.moments import is_running
from kokoromichi.rules.pricing import train_cost_gold
from kokoromichi.rules.use import CHARM_US
from kokoromichi.simulation import decisions, demand, streams
from kokoromichi.simulation.demand import BUSINESS, GEMS, NONE, SAVE, TRAIN, UNLIMITED_STOCK, Buyer
from kokoromichi.simulation.driver import Pause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from kokoromichi.core.models import Receipt, UserProfile
    from kokoromichi.simulation.world import World

    ReceiptT = TypeVar("ReceiptT", bound=Receipt)

ACT_GAP: Final = Pause(5)
"""What passes between two acts of a session."""
_BATTLE_GAP: Final = Pause(61)
_OUTCOMES: Final = {TRAIN: "train", GEMS: "gems", BUSINESS: "business", SAVE: "save"}
_GOOD_RARITY: Final = RARITIES.index("SSR")


class Session:
    """Plays from the first act to the last.

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
        self._player = player
        self._user_id = world.user_ids[player]
        self._day = day
        self._session = 0
        self._archetype_index = world.archetypes[player]
        self._archetype = world.scenario.population.archetypes[self._archetype_index]
        self._number = number
        self._draws = draws
        self._characters_key = characters_key

    async def play(self) -> None:
        """Claim, collect, use, fight, spend, wish, summon, sell, share."""
        world = self._world
        self._session = world.sessions
        world.sessions += 1
        self._record("session")
        if self._number == 0:
            await self._act("claim", world.services.daily.claim(self._user_id))
            world.present[self._player] = 1
        # A live view: the memory provider writes every commit into this object, so that it is read once.
        # Over a provider whose profiles are snapshots, each act below would have to read it anew.
        profile = await world.profile(self._player)
        await self._collect(profile)
        await self._use(profile)
        await self._fight(profile)
        await self._spend(profile)
        self._wish(profile)
        await self._summon(profile)
        await self._sell(profile)
        await self._share(profile)

    async def _collect(self, profile: UserProfile) -> None:
        services = self._world.services
        if profile.businesses:
            since_us = services.now_us() - min(profile.businesses.values())
            if decisions.wants_collecting(len(profile.businesses), since_us):
                await self._act("collect", services.progress.collect(self._user_id))

    async def _use(self, profile: UserProfile) -> None:
        world, tables = self._world, self._world.tables
        now_us = world.services.now_us()
        ends = (profile.luck_until_us, profile.guard_until_us)
        running = 1 if any(is_running(now_us, until_us, CHARM_US) for until_us in ends) else 0
        used = [0] * len(world.items)
        count = decisions.items_to_use(
            used, world.held(profile), tables.session_items, tables.day_items, running, self._archetype.fights
        )
        for place in used[:count]:
            item_id, draw = world.items[place], self._use_draw(place)
            await self._act("use", world.services.store.use(self._user_id, item_id, draws=(draw,)))

    def _use_draw(self, item: int) -> int:
        """What a chest reads; others are given one as well, lest ``use`` roll its own, which has no seed."""
        slot = streams.SESSION_CHESTS.get(self._world.items[item])
        if slot is not None:
            return self._draws[slot]
        return streams.draw(self._world.use_keys[item], self._player, self._day, self._number)

    async def _fight(self, profile: UserProfile) -> None:
        world = self._world
        terms = world.services.executor.live.config.battle
        mana = world.services.executor.live.item_of.get("win_permille", "")
        for battle in range(self._archetype.fights):
            tier = decisions.choose_tier(
                profile.level,
                self._archetype.comfort_permille,
                world.tier_levels,
                terms.win_base_permille,
                terms.win_slope_permille,
                terms.win_min_permille,
                terms.win_max_permille,
            )
            fight = world.services.battle.fight(
                self._user_id,
                tier + 1,
                mana_potions=decisions.takes_mana(battle, profile.inventory.get(mana, 0)),
                draw=self._draws[streams.SESSION_BATTLES + battle],
            )
            try:
                receipt = await fight
            except RefusedError as refusal:
                self._record("battle", refusal.code)
                return
            self._record("battle", None, "won" if receipt.won else "lost")
            if tier > world.tiers[self._player]:
                world.tiers[self._player] = tier
                self._novel()
            await _BATTLE_GAP

    async def _spend(self, profile: UserProfile) -> None:
        world, archetype = self._world, self._archetype
        self._set_goal(profile)
        for slot in range(archetype.slots):
            tables = world.tables
            held = world.held(profile)
            business = world.next_business(profile)
            goal = self._goal(business)
            goal_gold = demand.goal_price_gold(tables, goal, business)
            if goal != NONE and profile.gold >= goal_gold + archetype.reserve_gold and self._in_stock(goal):
                await self._reach(goal, business)
                continue
            hold_gold = demand.hold_gold(archetype.reserve_gold, archetype.goal_percent, goal_gold)
            cost_gold = self._train_cost_gold(profile)
            buyer = Buyer(self._archetype_index, profile.gold, hold_gold, cost_gold, business)
            demand.weigh(world.sums, tables, buyer, held, world.stock)
            outcome = demand.choose(self._draws[streams.SESSION_CHOICES + slot], world.sums)
            world.activity.record_choice(
                self._user_id,
                self._session,
                world.services.now_us(),
                world.economy_hash,
                slot,
                self._outcome_name(outcome),
                profile.gold,
                hold_gold,
                held,
            )
            await self._take(outcome, profile, held, business, cost_gold)

    def _set_goal(self, profile: UserProfile) -> None:
        world, archetype, player = self._world, self._archetype, self._player
        if not archetype.goal_percent:
            return
        tables = world.tables
        held = world.held(profile)
        business = world.next_business(profile)
        age_days = self._day - world.goal_days[player]
        if demand.goal_stands(tables, world.goals[player], age_days, held, business):
            return
        buyer = Buyer(self._archetype_index, profile.gold, 0, 0, business)
        number = self._draws[streams.SESSION_GOAL]
        world.goals[player] = demand.draw_goal(
            number, world.sums, tables, buyer, held, 1 if archetype.goal_business else 0
        )
        world.goal_days[player] = self._day

    def _goal(self, business: int) -> int:
        """The goal, unless it was a business and a choice has bought the last one meanwhile."""
        goal = self._world.goals[self._player]
        return NONE if goal == BUSINESS and business == NONE else goal

    def _in_stock(self, goal: int) -> bool:
        return goal == BUSINESS or self._world.stock[goal] != 0

    async def _reach(self, goal: int, business: int) -> None:
        """Buy the goal: nothing is chosen, so no ``choice`` is recorded and the slot's draw stays unread."""
        bought = await (self._invest(business) if goal == BUSINESS else self._buy(goal, 1))
        if bought:
            self._world.goals[self._player] = NONE
            self._novel()

    def _train_cost_gold(self, profile: UserProfile) -> int:
        terms = self._world.services.executor.live.config.train
        return train_cost_gold(profile.level, terms.price_gold, terms.growth_percent)

    def _outcome_name(self, outcome: int) -> str:
        return _OUTCOMES.get(outcome) or self._world.items[outcome]

    async def _take(
        self, outcome: int, profile: UserProfile, held: Sequence[int], business: int, cost_gold: int
    ) -> None:
        world = self._world
        if outcome == TRAIN:
            reserve_gold = self._archetype.reserve_gold
            for _ in range(demand.trainings_wanted(cost_gold, profile.gold, reserve_gold)):
                await self._train(profile)
        elif outcome == GEMS:
            await self._act("exchange", world.services.bank.buy_gems(self._user_id))
        elif outcome == BUSINESS:
            await self._invest(business)
        elif outcome != SAVE:
            stock, reserve_gold = world.stock[outcome], self._archetype.reserve_gold
            units = demand.units_wanted(
                world.tables, outcome, held[outcome], stock, profile.gold, reserve_gold
            )
            await self._buy(outcome, units)

    def _wish(self, profile: UserProfile) -> None:
        world = self._world
        held, number = world.held(profile), self._draws[streams.SESSION_WISH]
        wish = demand.draw_wish(number, world.sums, world.tables, self._archetype_index, held)
        affordable = wish == NONE or world.tables.prices[wish] <= profile.gold
        if affordable:
            world.want_days[self._player] = self._day
        name = None if wish == NONE else world.items[wish]
        self._record("wish", None if affordable else "too_poor", name)

    async def _summon(self, profile: UserProfile) -> None:
        world = self._world
        if "summon" in world.scenario.closed:
            return
        if not decisions.wants_ten_pull(profile.gems, world.ten_price_gems):
            return
        bell = decisions.first_held(world.held(profile), world.tables.summon_items)
        if bell != NONE:
            await self._act("use", world.services.store.use(self._user_id, world.items[bell], draws=(0,)))
        first = self._number * streams.SESSION_DRAWS + streams.SESSION_PULLS
        rolled = [
            *self._draws[streams.SESSION_PULLS : streams.SESSION_PULLS + streams.MAX_PULLS],
            *(
                streams.draw(self._characters_key, self._player, self._day, first + pull)
                for pull in range(streams.MAX_PULLS)
            ),
        ]
        summon = world.services.summon.summon(self._user_id, streams.MAX_PULLS, draws=rolled)
        receipt = await self._act("summon", summon)
        if receipt is not None and any(RARITIES.index(pull.rarity) >= _GOOD_RARITY for pull in receipt.pulls):
            self._novel()

    async def _sell(self, profile: UserProfile) -> None:
        world, tables = self._world, self._world.tables
        number, held = self._draws[streams.SESSION_SELL], world.held(profile)
        item = decisions.item_to_sell(number, profile.gold, held, tables.targets, tables.kept)
        if item != NONE:
            await self._act("sell", world.services.store.sell(self._user_id, world.items[item]))

    async def _share(self, profile: UserProfile) -> None:
        """Send gold to the ring's main or to a friend; without that, perhaps give a friend an item."""
        world, archetype = self._world, self._archetype
        bank = world.services.bank
        sent_gold = counted_today(world.services.now_us(), profile.sent_day, profile.sent_gold_today)
        room_gold = world.transfer_cap_gold - sent_gold
        main = world.mains[self._player]
        if main != NONE and world.present[main]:
            amount = decisions.ring_transfer_gold(
                archetype.ring_transfer_gold, archetype.reserve_gold, profile.gold, room_gold
            )
            if amount:
                await self._act("transfer", bank.transfer(self._user_id, world.user_ids[main], amount))
            return
        number = self._draws[streams.SESSION_TRANSFER]
        amount = decisions.transfer_gold(number, archetype.transfer_permille, profile.gold, room_gold)
        if amount:
            friend = decisions.draw_receiver(
                self._draws[streams.SESSION_RECEIVER], self._player, world.present
            )
            if friend != NONE:
                await self._act("transfer", bank.transfer(self._user_id, world.user_ids[friend], amount))
            return
        await self._give(profile)

    async def _give(self, profile: UserProfile) -> None:
        world, tables = self._world, self._world.tables
        number, held = self._draws[streams.SESSION_GIFT], world.held(profile)
        item = decisions.gift_item(number, self._archetype.gift_permille, held, tables.targets, tables.kept)
        if item == NONE:
            return
        friend = decisions.draw_receiver(
            self._draws[streams.SESSION_GIFT_RECEIVER], self._player, world.present
        )
        if friend != NONE:
            gift = world.services.store.gift(self._user_id, world.user_ids[friend], world.items[item])
            await self._act("gift", gift)

    def _record(self, act: str, code: str | None = None, outcome: str | None = None) -> None:
        world = self._world
        now_us = world.services.now_us()
        world.activity.record(self._user_id, self._session, now_us, act, world.economy_hash, code, outcome)

    async def _act(self, act: str, awaitable: Awaitable[ReceiptT]) -> ReceiptT | None:
        """Carry out one act; a refusal is data, a storage error stops the run."""
        receipt = None
        try:
            receipt = await awaitable
        except RefusedError as refusal:
            self._record(act, refusal.code)
        else:
            self._record(act)
        await ACT_GAP
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
            world.stock[item] -= units  # As the purchase has just taken them from the store's counter.
        if world.tables.kept[item] and item not in world.once_held[self._player]:
            world.once_held[self._player].add(item)
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
            await self._act("use", world.services.store.use(self._user_id, world.items[manual], draws=(0,)))
        await self._act("train", world.services.progress.train(self._user_id))
