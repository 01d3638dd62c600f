"""What keeps players: something new, and a wish that is within reach. Days as ``leave_chance`` reads them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.models import DAY_US
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.rules.economy import RARITIES
from kokoromichi.services.bundle import Services
from kokoromichi.simulation import engines
from kokoromichi.simulation.demand import BUSINESS, NONE
from kokoromichi.simulation.driver import Driver
from kokoromichi.simulation.player_state import BEST_TIER, GOAL, GOAL_DAY, NOVEL_DAY, WANT_DAY
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.session import Session
from kokoromichi.simulation.streams import (
    MAX_PULLS,
    SESSION_BATTLES,
    SESSION_CHOICES,
    SESSION_DRAWS,
    SESSION_PULLS,
    SESSION_WISH,
)
from kokoromichi.simulation.world import World
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from collections.abc import Sequence

BASELINE: Final = Scenario.load("baseline", players=40, days=90)
NEVER_SO_RARE: Final = 2**32 - 1
"""A draw that sends, sells and gives nothing, and loses a battle."""
TODAY: Final = 50
BEFORE: Final = 7
"""When a player last had something new, or could afford a wish."""


@dataclass
class Evening:
    """One session of one player, on a day when nothing has been new for long.

    Attributes:
        archetype: Who plays.
        gold: Balance in gold; ``gems`` likewise.
        draws: By slot, what is drawn; elsewhere ``NEVER_SO_RARE``.
        tier: Highest battle tier fought so far.
        once_held: Items of which a copy was held before.
        goal: What is saved for.
        pity: Pulls without a guaranteed rarity.
    """

    archetype: str = "casual"
    gold: int = 400
    gems: int = 0
    draws: dict[int, int] = field(default_factory=dict)
    tier: int = 6
    once_held: set[int] = field(default_factory=set)
    goal: int = NONE
    pity: int = 0

    def days(self) -> tuple[int, int]:
        """Play it; the last day of a novelty, and of an affordable wish."""
        return asyncio.run(self._played())

    async def _played(self) -> tuple[int, int]:
        clock = ManualClock(us_of_day(TODAY))
        provider = MemoryProvider(clock)
        services = Services(provider, BASELINE.economy, clock)
        await services.start()
        world = World(BASELINE, 1, services)
        await world.take_stock()
        names = [kind.name for kind in BASELINE.population.archetypes]
        player = world.participants.archetypes.index(names.index(self.archetype))
        user_id = world.user_ids[player]
        await provider.save_user(user_id, {"gold": self.gold, "gems": self.gems, "pity": self.pity})
        state, items = world.states[player], len(world.items)
        state[NOVEL_DAY] = state[WANT_DAY] = BEFORE
        state[BEST_TIER], state[GOAL], state[GOAL_DAY] = self.tier, self.goal, TODAY
        for item in self.once_held:
            world.shared.once_held[player * items + item] = 1
        numbers = [self.draws.get(slot, NEVER_SO_RARE) for slot in range(SESSION_DRAWS)]
        driver = Driver(clock)
        # The second session of the day: it begins without a claim, with the gold that is there.
        driver.add(clock.us, player, Session(world, player, TODAY, 1, numbers, 1).play())
        await driver
        return state[NOVEL_DAY], state[WANT_DAY]


def us_of_day(day: int) -> int:
    """Noon of a day of the scenario."""
    return NOON_US - NOON_US % DAY_US + day * DAY_US + DAY_US // 2


def pulls(rarities: Sequence[str]) -> dict[int, int]:
    """The draws that find these rarities, the other pulls of ten the commonest."""
    thresholds = (0, *LIVE.pool.thresholds)
    wanted = [thresholds[RARITIES.index(rarity)] for rarity in rarities]
    wanted += [0] * (MAX_PULLS - len(wanted))
    return {SESSION_PULLS + number: draw for number, draw in enumerate(wanted)}


SERVICES: Final = Services(MemoryProvider(), BASELINE.economy)
LIVE: Final = SERVICES.executor.live
TEN_GEMS: Final = BASELINE.economy.config.summon.ten_price_gems


def test_an_evening_like_any_other_is_nothing_new() -> None:
    assert Evening().days()[0] == BEFORE


@pytest.mark.parametrize("rarity", RARITIES)
@pytest.mark.parametrize("place", [0, MAX_PULLS - 1])
def test_a_pull_is_a_novelty_from_ssr_on(rarity: str, place: int) -> None:
    drawn = pulls(["N"] * place + [rarity])
    novel_day, _ = Evening(gems=TEN_GEMS, draws=drawn).days()
    assert novel_day == (TODAY if rarity in {"SSR", "UR", "LR", "Mythic"} else BEFORE)


def test_ten_pulls_of_sr_are_nothing_new() -> None:
    assert Evening(gems=TEN_GEMS, draws=pulls(["SR"] * MAX_PULLS)).days()[0] == BEFORE


def test_the_pull_that_pity_guarantees_is_a_novelty() -> None:
    pity = BASELINE.economy.config.summon.pity_pulls - MAX_PULLS
    assert Evening(gems=TEN_GEMS, draws=pulls([]), pity=pity - 1).days()[0] == BEFORE
    assert Evening(gems=TEN_GEMS, draws=pulls([]), pity=pity).days()[0] == TODAY


def test_who_cannot_pay_for_ten_pulls_has_none() -> None:
    assert Evening(gems=TEN_GEMS - 1, draws=pulls(["Mythic"])).days()[0] == BEFORE


def test_a_new_tier_is_a_novelty_and_a_known_one_is_not() -> None:
    """Level 1 fights the lowest tier, won or lost."""
    for draw in (0, NEVER_SO_RARE):
        fights = {SESSION_BATTLES + number: draw for number in range(3)}
        assert Evening(tier=-1, draws=fights).days()[0] == TODAY
        assert Evening(tier=0, draws=fights).days()[0] == BEFORE


def item(item_id: str) -> int:
    return list(LIVE.offers).index(item_id)


def test_a_reached_goal_is_a_novelty_also_of_a_copy_that_was_held_before() -> None:
    plaque, potion = item("ema_plaque"), item("wisdom_tome")
    for goal, once_held in ((plaque, {plaque}), (potion, set[int]()), (BUSINESS, set[int]())):
        assert Evening("hoarder", gold=40_000, goal=goal, once_held=once_held).days()[0] == TODAY


def test_a_first_copy_of_what_is_kept_is_a_novelty_and_a_second_is_not() -> None:
    """Casual players have no goals: what they buy, they chose."""
    kept = [number for number, flag in enumerate(World(BASELINE, 1, SERVICES).tables.kept) if flag]
    found = set()
    for draw in range(0, 2**32, 2**32 // 23):
        drawn = {SESSION_CHOICES + slot: draw for slot in range(2)}
        first, _ = Evening(gold=6_000, draws=drawn).days()
        again, _ = Evening(gold=6_000, draws=drawn, once_held=set(kept)).days()
        assert again == BEFORE
        found.add(first)
    assert found == {BEFORE, TODAY}


@pytest.mark.parametrize("draw", [0, 2**30, 2**31, 3 * 2**30])
def test_a_wish_within_reach_is_remembered_and_one_beyond_is_not(draw: int) -> None:
    assert Evening(gold=2**40, draws={SESSION_WISH: draw}).days()[1] == TODAY
    assert Evening(gold=0, draws={SESSION_WISH: draw}).days()[1] == BEFORE


@pytest.fixture(scope="module")
def wishless(compiled_engine: None) -> pl.DataFrame:  # noqa: ARG001 - for what it leaves on disk
    """Who left and came back where nothing can be afforded, nobody leaves unbidden and all return at once.

    So each leaving is one for want of a wish or of something new, and no streak ever breaks.
    """
    base = Scenario.load("baseline", players=400, days=70)
    population = base.population
    for kind in population.archetypes:
        population = population.with_archetype(kind.name, {"leave_chance": 0, "return_chance": 100_000})
    scenario = base.with_population(population)
    scenario = scenario.scaled({"store.*.price_gold": 10_000}).with_economy({"daily.streak_window_h": 8_760})
    played = engines.play(scenario, 4, engines.choose(engines.AUTO, scenario).name)
    turns = played.activity.filter(pl.col("act").is_in(["leave", "return"]))
    return turns.select("user_id", "act", day=(pl.col("at").dt.date() - scenario.start).dt.total_days())


def test_who_comes_back_has_a_wish_s_grace_again(wishless: pl.DataFrame) -> None:
    """``want_day`` and ``novel_day`` are the day of the return: three days of peace."""
    back = wishless.filter(pl.col("act") == "return").select("user_id", returned=pl.col("day") + 1)
    left = wishless.filter(pl.col("act") == "leave")
    assert left.height > 100
    later = left.join(back, on="user_id").filter(pl.col("day") >= pl.col("returned"))
    waits = later.select(pl.col("day") - pl.col("returned"))["day"]
    assert waits.len() > 50
    assert waits.min() == 4  # The first day on which a wish is more than three days old.
