"""A state machine over everything that moves units or prices: no sequence of them mints gold.

The law, per item and over all players together: gold from sales <= gold paid + list worth of what was granted
or found. Units of which nobody knows what was paid count as found by the first act that touches them. What a
chest pays when it is opened is no sale. CI plays some histories; the campaign is the same test with a larger
number: ``KOKORO_EXAMPLES=2000 python -m pytest tests/unit/test_resale_machine.py``.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kokoromichi.core.errors import RefusedError
from kokoromichi.rules.economy_laws import check_economy
from kokoromichi.services.receipts import PurchaseReceipt, SaleReceipt
from tests.unit.service_world import DAY_S, ECONOMY, HOUR_S, LOSE, ROOT, WIN, World

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kokoromichi.core.models import Receipt
    from kokoromichi.rules.economy import Economy

EXAMPLES: Final = int(os.environ.get("KOKORO_EXAMPLES", "60"))  # noqa: TID251 - the campaign's size

NAMES: Final = ("flower_bouquet", "health_potion", "ema_plaque", "wooden_chest")
_DEARER: Final = {"flower_bouquet": 1_701, "health_potion": 333, "ema_plaque": 4_999, "wooden_chest": 2_000}


def priced(percent: int) -> Economy:
    """The pinned economy while a scheduled sale, or a rise, is in force."""
    prices = {name: ECONOMY.config.store[name].price_gold * percent // 100 for name in NAMES}
    return ECONOMY.with_values({f"store.{name}.price_gold": price for name, price in prices.items()})


DEARER: Final = ECONOMY.with_values({f"store.{name}.price_gold": price for name, price in _DEARER.items()})
ECONOMIES: Final = {"listed": ECONOMY, "dearer": DEARER, "sale": priced(70), "rise": priced(1_000)}

USERS: Final = st.sampled_from(["ada", "bo", "cy", "di"])
ITEMS: Final = st.sampled_from(NAMES)
UNITS: Final = st.sampled_from([1, 1, 2, 3, 7, 20])
PRICES: Final = st.sampled_from([None, 1, 50, 71, 99, 141, 150, 700, 1_301, 10**6]) | st.integers(1, 3_000)
WORDS: Final[dict[str, object]] = {"actor": ROOT, "reason": "a test"}

AnyT = TypeVar("AnyT")
Unknown = Counter[tuple[str, str]]


class Histories(RuleBasedStateMachine):
    """Four players, an admin who sets prices, files that are reloaded, and days that pass."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.entered: Counter[str] = Counter()
        self.sold: Counter[str] = Counter()
        self.listed = ECONOMY

    @initialize()
    def open(self) -> None:
        self.world = self.run(World.open())
        for user in ("ada", "bo"):
            self.run(self.world.player(user, gold=50_000, items={"flower_bouquet": 3, "ema_plaque": 1}))

    def teardown(self) -> None:
        self.loop.close()

    def run(self, awaited: Awaitable[AnyT]) -> AnyT:
        return self.loop.run_until_complete(awaited)

    async def unknown(self) -> Unknown:
        """Units of which nobody knows what was paid, by player and item."""
        found: Unknown = Counter()
        for user in await self.world.provider.user_ids():
            profile = await self.world.profile(user)
            for item, units in profile.inventory.items():
                if item not in profile.paid_gold:
                    found[user, item] = units
        return found

    def list_gold(self, item: str) -> int:
        return self.listed.config.store[item].price_gold

    def attempt(self, act: str, *arguments: object, **options: object) -> Receipt | None:
        """What an act answers, or None where it is refused; units that it priced first count as found."""
        before = self.run(self.unknown())
        try:
            receipt = self.run(self.world.ask(act, *arguments, **options))
        except RefusedError:
            assert self.run(self.unknown()) == before
            return None
        after = self.run(self.unknown())
        for (user, item), units in before.items():
            if (user, item) not in after and act != "admin.reset":
                self.entered[item] += units * self.list_gold(item)
        return receipt

    @invariant()
    def no_gold_was_minted(self) -> None:
        held: Counter[str] = Counter()
        for user in self.run(self.world.provider.user_ids()):
            profile = self.run(self.world.profile(user))
            held.update(profile.paid_gold)
            assert profile.paid_gold.keys() <= profile.inventory.keys()
        for item in NAMES:
            # What is still held may be sold later: so the law holds after any number of further steps.
            assert self.sold[item] + held[item] <= self.entered[item]

    @rule(user=USERS, item=ITEMS, units=UNITS)
    def purchase(self, user: str, item: str, units: int) -> None:
        receipt = self.attempt("store.purchase", user, item, units)
        if isinstance(receipt, PurchaseReceipt):
            self.entered[item] += receipt.cost_gold

    @rule(user=USERS, item=ITEMS, units=UNITS)
    def sell(self, user: str, item: str, units: int) -> None:
        receipt = self.attempt("store.sell", user, item, units)
        if isinstance(receipt, SaleReceipt):
            self.sold[item] += receipt.paid_gold

    @rule(user=USERS, item=ITEMS, units=st.integers(1, 3), draw=st.sampled_from([WIN, LOSE]))
    def use(self, user: str, item: str, units: int, draw: int) -> None:
        self.attempt("store.use", user, item, units, draws=(draw,) * 3)

    @rule(user=USERS, draw=st.sampled_from([WIN, LOSE]))
    def battle(self, user: str, draw: int) -> None:
        """It drinks potions."""
        self.attempt("battle.fight", user, 1, draw=draw)

    @rule(user=USERS, receiver=USERS, item=ITEMS, units=UNITS)
    def gift(self, user: str, receiver: str, item: str, units: int) -> None:
        self.attempt("store.gift", user, receiver, item, units)

    @rule(user=USERS, item=ITEMS, units=st.sampled_from([1, 2, 5, -1, -3]))
    def grant(self, user: str, item: str, units: int) -> None:
        if self.attempt("admin.grant", user, item, units, **WORDS) and units > 0:
            self.entered[item] += units * self.list_gold(item)

    @rule(user=USERS)
    def reset(self, user: str) -> None:
        self.attempt("admin.reset", user, **WORDS)

    @rule(item=ITEMS, price=PRICES)
    def price(self, item: str, price: int | None) -> None:
        receipt = self.attempt("admin.set_price", item, price, **WORDS)
        lowest = self.list_gold(item) * 70 // 100
        assert receipt is None or price is None or price >= lowest

    @rule(name=st.sampled_from(sorted(ECONOMIES)))
    def reload(self, name: str) -> None:
        self.world.clock.advance(1)
        self.listed = ECONOMIES[name]
        self.run(self.world.services.reload(self.listed))

    @rule(seconds=st.sampled_from([60, HOUR_S, DAY_S, 30 * DAY_S]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(user=USERS, gold=st.sampled_from([5_000, 1_000_000]))
    def earn(self, user: str, gold: int) -> None:
        self.attempt("admin.grant", user, "gold", gold, **WORDS)

    @rule(user=USERS, item=ITEMS, units=UNITS)
    def edit(self, user: str, item: str, units: int) -> None:
        """A tool, or an older version, stores units and says nothing of what was paid."""
        stored = self.run(self.world.provider.get_user(user)) or {"inventory": {}}
        inventory = {**stored["inventory"], item: units}  # type: ignore[dict-item] # The door knows documents.
        self.run(self.world.provider.save_user(user, {"inventory": inventory}))


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_files_of_the_histories_are_sound() -> None:
    check_economy(ECONOMY)
    check_economy(DEARER)
