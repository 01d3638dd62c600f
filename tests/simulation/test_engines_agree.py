"""Why the compiled engine is believed: what it leaves is what the faithful one leaves, row by row.

``KOKORO_ENGINE_SEEDS=50 KOKORO_ENGINE_EXAMPLES=500`` makes a campaign of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from kokoromichi.analysis.reading import REPLICATIONS
from kokoromichi.core.models import NEVER, UserProfile
from kokoromichi.rules.codes import MAX_BALANCE
from kokoromichi.services.live_economy import LiveEconomy
from kokoromichi.simulation import player_state, replication_jobs
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.played import EnginesDisagreeError, first_difference, require_equal
from kokoromichi.simulation.price_change import PriceChange
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.price_list import digest as digest_of
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from kokoromichi.simulation.story import STAGES
from tests.simulation.drawn_scenarios import Size, scenarios

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.simulation.played import Played
    from kokoromichi.simulation.run import Run

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

numba = pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: there is one engine")

from kokoromichi.simulation.compiled.compiling import cache_folder  # noqa: E402 - numba may be missing
from kokoromichi.simulation.compiled.engine import CompiledEngine  # noqa: E402 - numba may be missing
from kokoromichi.simulation.compiled.program import program_of  # noqa: E402 - numba may be missing

pytestmark = pytest.mark.usefixtures("compiled_engine")

SIZE: Final = Size()
WEIGHTS: Final = "dfae1e7aba86d698"
"""Digest of the weights that the digests of ledgers below belong to."""
SCENARIOS: Final = ("alt_farm", "baseline", "generous_daily", "no_sinks", "sale_week", "whale_heavy")
IN_ROWS: Final = [
    field
    for field in UserProfile.__dataclass_fields__
    if hasattr(player_state, field.upper()) and field != "businesses"
]
"""Numbers of a profile that the compiled engine keeps in a player's row."""


def assert_agree(scenario: Scenario, seed: int) -> Played:
    """Play on both engines: every frame and every number of every profile is the same."""
    faithful, compiled = FaithfulEngine(scenario, seed), CompiledEngine(scenario, seed)
    played, theirs = asyncio.run(faithful.play()), compiled.play()
    profiles = asyncio.run(profiles_of(faithful))
    require_equal(played, theirs)
    for player, user_id in enumerate(compiled.participants.user_ids):
        profile = profiles.get(user_id)
        assert kept_of(compiled, player) == (None if profile is None else kept_in(profile))
    return played


async def profiles_of(engine: FaithfulEngine) -> dict[str, UserProfile]:
    """Every player as the faithful engine's store has them."""
    return {profile.user_id: profile async for profile in engine.provider.profiles()}


def kept_in(profile: UserProfile) -> dict[str, object]:
    """What a store keeps of a player, but for names and versions."""
    numbers = {name: getattr(profile, name) for name in IN_ROWS}
    paid = {item: gold for item, gold in profile.paid_gold.items() if item in profile.inventory}
    goods = {"inventory": profile.inventory, "paid_gold": paid, "businesses": profile.businesses}
    return {**numbers, **goods, "collection": set(profile.collection)}


def kept_of(engine: CompiledEngine, player: int) -> dict[str, object] | None:
    """The same of an engine's arrays."""
    arrays, economy = engine.players, engine.scenario.economy
    row, held = arrays.rows[player], arrays.held[player]
    if not row[player_state.JOINED]:
        return None
    items = [item.id for item in economy.catalogue]
    since_us = zip(economy.config.business, arrays.owned[player], arrays.since_us[player], strict=True)
    characters = LiveEconomy(economy).character_ids
    return {
        **{name: row[getattr(player_state, name.upper())] for name in IN_ROWS},
        "inventory": {items[place]: held[place] for place in np.flatnonzero(held)},
        "paid_gold": {items[place]: arrays.paid_gold[player][place] for place in np.flatnonzero(held)},
        "businesses": {name: since for name, owned, since in since_us if owned},
        "collection": {characters[place] for place in np.flatnonzero(arrays.copies[player])},
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_shipped_scenario_leaves_the_same_from_both_engines(name: str) -> None:
    scenario = Scenario.load(name, players=SIZE.players, days=SIZE.days)
    for seed in range(SIZE.seeds):
        assert assert_agree(scenario, seed).ledger.height > 10 * SIZE.players


@settings(max_examples=SIZE.examples, deadline=None, suppress_health_check=list(HealthCheck))
@given(scenarios())
def test_a_drawn_scenario_leaves_the_same_from_both_engines(scenario: Scenario) -> None:
    assert_agree(scenario, 1)


def test_sales_stock_friends_and_businesses_leave_the_same_from_both_engines() -> None:
    played = assert_agree(crowded(), 3)
    acts = set(played.activity["act"])
    assert acts >= {"transfer", "gift", "invest", "collect", "summon", "sell", "exchange", "leave", "return"}
    assert {"daily_cap", "too_poor", None} <= set(played.activity["code"])
    assert set(played.ledger["kind"]) >= {"restock", "transfer", "fee", "gift"}


def crowded() -> Scenario:
    """Cheap businesses, scarce chests, a sale, and friends who share."""
    base = Scenario.load("baseline", players=90, days=30)
    population = base.population
    for archetype in population.archetypes:
        changes = {"transfer_permille": 60, "gift_permille": 200, "return_chance": 30_000}
        population = population.with_archetype(archetype.name, changes)
    sale = PriceChange(categories=("chest", "charm"), percent=70, from_day=9, days=7)
    cheap = {f"business.{name}.price_gold": 2_000 for name in base.economy.config.business}
    scarce = {
        "store.wooden_chest.stock": 3,
        "store.wooden_chest.restock_units": 1,
        "store.wooden_chest.restock_days": 2,
    }
    tight = {"battle.daily_cap_gold": 200, "opening.gold": 30_000}
    scenario = base.with_population(population).with_economy({**cheap, **scarce, **tight})
    return scenario.replace(changes=(sale,), leave_percent=800)


def test_who_is_refused_at_first_has_no_account_on_either_engine() -> None:
    """A purse that opens nearly full holds no reward: a player is unknown until a battle pays what it can."""
    base = Scenario.load("baseline", players=40, days=5)
    population = base.population
    for archetype in population.archetypes:
        population = population.with_archetype(archetype.name, {"transfer_permille": 500})
    full = base.with_population(population).with_economy({"opening.gold": MAX_BALANCE - 90})
    played = assert_agree(full, 1)
    acts = set(played.activity.select("act", "code").rows())
    assert acts >= {("claim", "balance_cap"), ("transfer", "unknown_player"), ("battle", None)}


def test_the_chunks_that_the_columns_are_emptied_in_change_nothing() -> None:
    scenario = Scenario.load("baseline", players=40, days=12)
    require_equal(CompiledEngine(scenario, 2).play(), CompiledEngine(scenario, 2, chunk_rows=2_048).play())


def test_one_thread_and_two_leave_the_same_bytes(tmp_path: Path) -> None:
    scenario = Scenario.load("baseline", players=30, days=8)
    one, two = (
        simulate(scenario, replications=4, workers=workers, engine="compiled", out=tmp_path / workers[-1:])
        for workers in ("thread:1", "thread:2")
    )
    assert len({str(files) for files in files_of(one)}) == 4
    assert files_of(one) == files_of(two)


def files_of(run: Run) -> list[object]:
    """The digests of the files of each replication."""
    folders = sorted((run.folder / REPLICATIONS).iterdir())
    return [(replication_jobs.summary_of(folder) or {})["files"] for folder in folders]


@pytest.mark.parametrize(
    ("name", "ledger", "activity"),
    [
        ("baseline", "76d80d2dc1ba38a0", "636b0dae06fc5e2a"),
        ("alt_farm", "8354ff8748477164", "9e75d07f081625f6"),
    ],
)
def test_both_engines_leave_what_they_have_always_left(name: str, ledger: str, activity: str) -> None:
    """A change of rules or story changes both alike: then these digests change with it, on purpose."""
    scenario = Scenario.load(name, players=60, days=20)
    if digest_of(build_price_list(scenario.population, scenario.economy)) != WEIGHTS:
        pytest.skip("the exponential function of this machine gives other weights, and so other choices")
    played = CompiledEngine(scenario, 1).play()
    assert (digest(played.ledger), digest(played.activity.drop("level", "units_held", "economy_hash"))) == (
        ledger,
        activity,
    )


def digest(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.write_csv().encode()).hexdigest()[:16]


def test_no_reference_is_counted_in_compiled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One count an array a call costs fourteen times the play, and says nothing."""
    program = list(cache_folder().rglob("*.nbc"))
    assert {path.name.split("-")[0] for path in program} >= {
        "frames.write_digits",
        "loop.begin_day",
        "loop.play_day",
        "loop.close_day",
    }
    assert not any(b"NRT_incref" in path.read_bytes() for path in program)
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    assert numba.njit(cache=True)(counted)(np.ones(3)).sum() == 3
    (path,) = tmp_path.rglob("*.nbc")
    assert b"NRT_incref" in path.read_bytes()  # This is where it would be seen.


def counted(array: Floats) -> Floats:
    """Whoever is given an array back holds one more reference to it."""
    return array


def test_one_form_of_the_program_plays_every_economy() -> None:
    assert_agree(Scenario.load("alt_farm", players=10, days=3), 1)
    assert [len(entry.signatures) for entry in program_of(STAGES)] == [1, 1, 1]


def test_the_first_row_that_differs_is_shown_with_what_the_player_did() -> None:
    scenario = Scenario.load("baseline", players=10, days=3)
    played = CompiledEngine(scenario, 1).play()
    place = played.ledger.height // 2
    changed = played.ledger.with_columns(
        amount=pl.when(pl.int_range(pl.len()) == place)
        .then(pl.col("amount").fill_null(0) + 1)
        .otherwise("amount")
    )
    other = type(played)(changed, played.states, played.activity, played.economy_history, played.players)
    user_id, at = played.ledger.row(place, named=True)["user_id"], played.ledger["at"][place]
    with pytest.raises(EnginesDisagreeError, match=f"row {place} of ledger") as raised:
        require_equal(played, other)
    told = str(raised.value).splitlines()
    assert user_id in told[1]
    assert user_id in told[2]
    assert str(at) in told[-2]
    assert told[-1].startswith("take engine='faithful'")


def test_a_missing_row_is_a_difference_too() -> None:
    frame = pl.DataFrame({"user_id": ["ada", "bo"], "gold": [1, None]})
    assert first_difference(frame, frame) is None
    assert first_difference(frame, frame.head(1)) == 1
    assert first_difference(frame.head(0), frame) == 0
    assert first_difference(frame, frame.with_columns(gold=pl.lit(1))) == 1


def test_nobody_has_played_before_the_first_day() -> None:
    engine = CompiledEngine(Scenario.load("baseline", players=5, days=1), 1)
    assert [kept_of(engine, player) for player in range(5)] == [None] * 5
    assert (engine.players.rows[:, player_state.HP_AT_US] == NEVER).all()
