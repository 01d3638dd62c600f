"""A state machine over all services: whatever is asked, in whatever order, the laws of economy.md hold.

After every step the books are followed row by row, a refusal has changed nothing, and a request id that came
again has had one effect. The memory provider stores; some acts come at the same moment, over a store that
lets others in between. CI plays some stories; the campaign is the same test with a larger number:
``KOKORO_EXAMPLES=3000 python -m pytest tests/unit/test_services_machine.py``.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.counters import stock_since_counter, stocked_items
from kokoromichi.core.errors import ConflictError, MisuseError, RefusedError, RequestMismatchError
from kokoromichi.core.transactions import Transaction
from kokoromichi.rules.use import MOST_AT_ONCE
from kokoromichi.services.bundle import Services
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import SlowProvider
from tests.unit.running_books import RunningBooks
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, LOSE, ROOT, WIN, World

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import Receipt

EXAMPLES: Final = int(os.environ.get("KOKORO_EXAMPLES", "80"))  # noqa: TID251 - the campaign's size

TIGHT: Final = ECONOMY.with_values(
    {
        "daily.gold": [100, 120, 150],
        "daily.gems": [40, 50, 60],
        "battle.daily_cap_gold": 100,
        "transfer.daily_cap_gold": 2_500,
        "business.cafe.price_gold": 1_000,
        "business.dojo.price_gold": 2_000,
        "exchange.price_gold": 1_000,
        "summon.pity_pulls": 4,
        "store.health_potion.stock": 6,
        "store.health_potion.restock_units": 4,
        "store.health_potion.restock_days": 1,
    }
)
"""Caps, stocks and prices that are met within a few steps."""
DEARER: Final = TIGHT.with_values(
    {
        "store.health_potion.price_gold": 130,
        "store.wooden_chest.price_gold": 2_000,
        "store.ema_plaque.stock": 2,
        "store.ema_plaque.restock_units": 1,
        "store.ema_plaque.restock_days": 2,
        "opening.gold": 500,
        "income.upkeep_percent": 0,
        "transfer.fee_percent": 0,
    }
)

ECONOMIES: Final = {"tight": TIGHT, "dearer": DEARER}

USERS: Final = st.sampled_from(["ada", "bo", "cy", "di"])
ITEMS: Final = st.sampled_from(
    [
        *("health_potion", "mana_potion", "stamina_drink", "revive_scroll", "training_manual", "lucky_charm"),
        *("experience_scroll", "guardian_amulet", "summoner_bell", "wooden_chest", "flower_bouquet"),
        *("ema_plaque", "treasure_chest", "../evil"),
    ]
)
UNITS: Final = st.sampled_from([1, 1, 1, 1, 2, 2, 3, -50, 0, 10**18])
GOLD: Final = st.sampled_from([1, 2, 50, 99, 100, 700, 1_500, -1, 10**18])
TIERS: Final = st.sampled_from([1, 1, 1, 2, 3, 7, 8])
DRAWS: Final = st.sampled_from([WIN, LOSE]) | st.integers(0, 2**32 - 1)
REQUESTS: Final = st.none() | st.sampled_from([f"r-{number}" for number in range(15)])
WAITS: Final = st.sampled_from([1, 60, 60, HOUR_S, 5 * HOUR_S, DAY_S, DAY_S, 2 * DAY_S, 8 * DAY_S, -HOUR_S])

WORDS: Final[dict[str, object]] = {"actor": ROOT, "reason": "a test"}

AnyT = TypeVar("AnyT")
Asked = tuple[str, tuple[object, ...], object]
Seen = tuple[dict[str, "Document | None"], dict[str, int], "str | None"]


class Stories(RuleBasedStateMachine):
    """Four players, an admin, a clock, and whatever they may ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.books = RunningBooks()
        self.answers: dict[str, tuple[Asked, Receipt]] = {}
        self.latest_us = NOON_US
        self.story: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    @initialize()
    def open(self) -> None:
        self.world = self.run(World.open(economy=TIGHT))
        held = {"wooden_chest": 2, "ema_plaque": 2, "summoner_bell": 1, "lucky_charm": 1, "mana_potion": 2}
        for user_id in ("ada", "bo"):
            self.run(self.world.player(user_id, gold=4_000, gems=60, items=held))

    def teardown(self) -> None:
        try:
            report = self.run(audit_provider(self.world.provider))
            assert report.sound, str(report)
        finally:
            self.loop.close()

    def run(self, awaited: Coroutine[object, object, AnyT]) -> AnyT:
        return self.loop.run_until_complete(awaited)

    @invariant()
    def the_laws_hold(self) -> None:
        self.run(self.books.follow(self.world.provider))

    async def seen(self) -> Seen:
        """Everything that an act may change; the ledger by its newest row."""
        provider = self.world.provider
        users = {user_id: await provider.get_user(user_id) for user_id in await provider.user_ids()}
        newest = await provider.read_ledger(limit=1)
        return users, await provider.counters(), newest[0].entry_id if newest else None

    async def attempt(self, act: str, *arguments: object, **options: object) -> None:
        """Ask, and hold the outcome to what a refusal, a second click and a first one may do."""
        self.story.append((act, arguments, options))
        request_id = options.get("request_id")
        asking = (
            act,
            arguments,
            options.get("mana_potions"),
        )  # What a draw is says nothing of what is asked.
        asked, first = self.answers.get(str(request_id), (None, None))
        if act == "admin.set_stock":  # What is due comes first, and is nobody's act.
            await self.world.services.store.restock()
        before = await self.seen()
        try:
            receipt = await self.world.ask(act, *arguments, **options)
        except RefusedError:
            assert first is None
            assert await self.seen() == before
        except RequestMismatchError:
            assert asked not in {None, asking}
            assert await self.seen() == before
        else:
            if first is not None:
                assert (asked, receipt) == (asking, first)
                assert await self.seen() == before
            else:
                assert await self.seen() != before
                if request_id is not None:
                    self.answers[str(request_id)] = (asking, receipt)

    @rule(user=USERS, item=ITEMS, units=UNITS, request_id=REQUESTS)
    def purchase(self, user: str, item: str, units: int, request_id: str | None) -> None:
        self.run(self.attempt("store.purchase", user, item, units, request_id=request_id))

    @rule(user=USERS, item=ITEMS, units=UNITS, request_id=REQUESTS)
    def sell(self, user: str, item: str, units: int, request_id: str | None) -> None:
        self.run(self.attempt("store.sell", user, item, units, request_id=request_id))

    @rule(user=USERS, item=ITEMS, units=UNITS, draw=DRAWS, request_id=REQUESTS)
    def use(self, user: str, item: str, units: int, draw: int, request_id: str | None) -> None:
        draws = (draw,) * MOST_AT_ONCE
        self.run(self.attempt("store.use", user, item, units, draws=draws, request_id=request_id))

    @rule(user=USERS, receiver=USERS, item=ITEMS, units=UNITS, request_id=REQUESTS)
    def gift(self, user: str, receiver: str, item: str, units: int, request_id: str | None) -> None:
        self.run(self.attempt("store.gift", user, receiver, item, units, request_id=request_id))

    @rule(user=USERS, request_id=REQUESTS)
    def claim(self, user: str, request_id: str | None) -> None:
        self.run(self.attempt("daily.claim", user, request_id=request_id))

    @rule(user=USERS, receiver=USERS, amount=GOLD, request_id=REQUESTS)
    def transfer(self, user: str, receiver: str, amount: int, request_id: str | None) -> None:
        self.run(self.attempt("bank.transfer", user, receiver, amount, request_id=request_id))

    @rule(user=USERS, packs=UNITS, request_id=REQUESTS)
    def buy_gems(self, user: str, packs: int, request_id: str | None) -> None:
        self.run(self.attempt("bank.buy_gems", user, packs, request_id=request_id))

    @rule(user=USERS, count=st.sampled_from([1, 1, 10, 2]), draw=DRAWS, request_id=REQUESTS)
    def summon(self, user: str, count: int, draw: int, request_id: str | None) -> None:
        draws = [(draw + number * 2_654_435_761) % 2**32 for number in range(2 * count)]
        self.run(self.attempt("summon.summon", user, count, draws=draws, request_id=request_id))

    @rule(user=USERS, tier=TIERS, mana_potions=st.sampled_from([0, 0, 1]), draw=DRAWS, request_id=REQUESTS)
    def battle(self, user: str, tier: int, mana_potions: int, draw: int, request_id: str | None) -> None:
        options: dict[str, object] = {"mana_potions": mana_potions, "draw": draw, "request_id": request_id}
        self.run(self.attempt("battle.fight", user, tier, **options))

    @rule(user=USERS, request_id=REQUESTS)
    def train(self, user: str, request_id: str | None) -> None:
        self.run(self.attempt("progress.train", user, request_id=request_id))

    @rule(user=USERS, business=st.sampled_from(["cafe", "dojo", "bank"]), request_id=REQUESTS)
    def invest(self, user: str, business: str, request_id: str | None) -> None:
        self.run(self.attempt("progress.invest", user, business, request_id=request_id))

    @rule(user=USERS, request_id=REQUESTS)
    def collect(self, user: str, request_id: str | None) -> None:
        self.run(self.attempt("progress.collect", user, request_id=request_id))

    @rule(
        user=USERS,
        what=st.sampled_from(["gold", "gems"]) | ITEMS,
        amount=st.integers(-300, 300) | st.sampled_from([2**53, -(2**53)]),
        request_id=REQUESTS,
    )
    def grant(self, user: str, what: str, amount: int, request_id: str | None) -> None:
        self.run(self.attempt("admin.grant", user, what, amount, **WORDS, request_id=request_id))

    @rule(
        item=ITEMS,
        price=st.sampled_from([None, 90, 150, 1_500, 10**6, 1, 0, -5, 2**53]),
        request_id=REQUESTS,
    )
    def price(self, item: str, price: int | None, request_id: str | None) -> None:
        self.run(self.attempt("admin.set_price", item, price, **WORDS, request_id=request_id))

    @rule(item=ITEMS, units=st.sampled_from([0, 1, 7, 40, -1]), request_id=REQUESTS)
    def stock(self, item: str, units: int, request_id: str | None) -> None:
        self.run(self.attempt("admin.set_stock", item, units, **WORDS, request_id=request_id))

    @rule(act=st.sampled_from(["reset", "freeze", "unfreeze", "unfreeze"]), user=USERS, request_id=REQUESTS)
    def discipline(self, act: str, user: str, request_id: str | None) -> None:
        self.run(self.attempt(f"admin.{act}", user, **WORDS, request_id=request_id))

    @rule(number=st.integers(0, 10**6))
    def click_again(self, number: int) -> None:
        """The same act with the same request id, whatever happened meanwhile."""
        if self.story:
            act, arguments, options = self.story[number % len(self.story)]
            self.run(self.attempt(act, *arguments, **options))

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.latest_us = max(self.latest_us, self.world.clock.us)
        self.world.clock.advance(seconds)
        if seconds < 0:  # See ``reload``.
            counters = self.run(self.world.provider.counters())
            began = max(counters[stock_since_counter(item_id)] for item_id in stocked_items(counters))
            self.world.clock.us = max(self.world.clock.us, began)

    @rule()
    def restock(self) -> None:
        before = self.run(self.world.provider.counters())
        for receipt in self.run(self.world.services.store.restock()):
            after = before[f"stock.{receipt.item_id}"] + receipt.units
            assert receipt.stock == after <= before[f"stock_first.{receipt.item_id}"]
        assert self.run(self.world.services.store.restock()) == []

    @rule(name=st.sampled_from(sorted(ECONOMIES)))
    def reload(self, name: str) -> None:
        # The audit tells what was sold before a stock began by its time, so none begins before the last sale.
        self.world.clock.us = max(self.world.clock.us, self.latest_us) + 1
        self.run(self.world.services.reload(ECONOMIES[name]))

    @rule()
    def restart(self) -> None:
        """Another process over the same store: nothing that counts was in the services."""
        before = self.world.services
        self.world = self.run(World.open(self.world.provider, before.overrides.economy, self.world.clock))
        assert self.world.services.executor.live.offers == before.executor.live.offers

    @rule(user=USERS, gold=st.integers(-1, 9_000), item=ITEMS, units=st.integers(-1, 2))
    def edit(self, user: str, gold: int, item: str, units: int) -> None:
        """A tool edits a document."""
        document: Document = {"gold": gold, "inventory": {item: units}, "hp": 5, "note": "edited"}
        before = self.run(self.seen())
        try:
            self.run(self.world.provider.save_user(user, document))
        except MisuseError:
            assert gold < 0 or units < 0
            assert self.run(self.seen()) == before

    @rule(users=st.permutations(["ada", "bo", "cy"]), gold=st.integers(0, 500), booked=st.integers(0, 500))
    def work(self, users: list[str], gold: int, booked: int) -> None:
        """A unit of work over two players, whose rows say the truth or not."""
        self.run(self.move(users[0], users[1], gold, booked))

    async def move(self, giver: str, taker: str, gold: int, booked: int) -> None:
        before = await self.seen()
        profile = await self.world.provider.profile(giver)
        had = 0 if profile is None else profile.gold
        try:
            async with Transaction(self.world.provider, giver, taker, clock=self.world.clock) as work:
                work.decr("gold", gold)
                work.incr("gold", gold, user_id=taker)
                if gold:
                    work.add_ledger_entry("transfer", currency="gold", amount=-gold, counterparty=taker)
                if booked:
                    work.add_ledger_entry(
                        "transfer", currency="gold", amount=booked, counterparty=giver, user_id=taker
                    )
                await work.commit()
        except MisuseError:
            assert booked != gold or gold > had
            assert await self.seen() == before
        else:
            assert booked == gold

    @rule(users=st.lists(USERS, min_size=2, max_size=6), item=ITEMS, again=st.integers(1, 3))
    def rush(self, users: list[str], item: str, again: int) -> None:
        """Many at the same moment: each act happens whole or is refused."""
        self.run(self.together(users, item, again))

    async def together(self, users: list[str], item: str, again: int) -> None:
        economy = self.world.services.executor.live.economy
        services = Services(SlowProvider(self.world.provider), economy, self.world.clock)
        buys = [services.store.purchase(user, item) for user in users for _ in range(again)]
        sends = [services.bank.transfer(user, users[0], 50) for user in users[1:]]
        claims = [services.daily.claim(users[0]) for _ in range(again)]
        for result in await asyncio.gather(*buys, *sends, *claims, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, RefusedError):
                assert not isinstance(result, ConflictError)
                raise result


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
