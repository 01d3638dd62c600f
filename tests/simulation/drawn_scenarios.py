"""Scenarios that hypothesis draws: economies and catalogues of any size, tight limits, odd players."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

from hypothesis import strategies as st
from pydantic_settings import BaseSettings, SettingsConfigDict

from kokoromichi.rules.economy import Economy, EconomyConfig, load_economy
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.price_change import PriceChange
from kokoromichi.simulation.price_list import SinkAct
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from kokoromichi.rules.catalogue import CatalogueItem


class Size(BaseSettings):
    """How much is held against each other, by environment variables that begin with ``KOKORO_ENGINE_``.

    Attributes:
        seeds: Of each shipped scenario.
        examples: Drawn scenarios.
        players: Of the shipped scenarios.
        days: Their horizon.
    """

    model_config = SettingsConfigDict(env_prefix="KOKORO_ENGINE_")

    seeds: int = 2
    examples: int = 10
    players: int = 40
    days: int = 12


SHIPPED: Final = load_economy(shipped_folder("data"))
STORE: Final[dict[str, dict[str, object]]] = {
    item_id: {field: getattr(item, field) for field in item.__dataclass_fields__}
    for item_id, item in SHIPPED.config.store.items()
}
PRICE: Final = st.one_of(st.integers(1, 300), st.integers(300, 9_000), st.integers(9_000, 100_000))
PERCENT: Final = st.integers(0, 100)


@dataclass(frozen=True)
class Sold:
    """An item of a drawn catalogue."""

    words: CatalogueItem
    numbers: dict[str, object]


@st.composite
def sold_items(draw: st.DrawFn) -> list[Sold]:
    """1 to 60 items, each like one that is shipped, with numbers of its own."""
    likes = draw(st.lists(st.sampled_from(SHIPPED.catalogue), min_size=1, max_size=60))
    sold = []
    for place, like in enumerate(likes):
        numbers = dict(STORE[like.id])
        if draw(st.booleans()):
            numbers["price_gold"] = draw(PRICE)
            numbers["limit"] = draw(st.sampled_from([None, None, 1, 2, 5, 30]))
            numbers["target_units"] = draw(st.integers(0, 12))
        if draw(st.integers(0, 2)) == 0:
            numbers["stock"] = draw(st.integers(0, 40))
            numbers["restock_units"], numbers["restock_days"] = (
                draw(st.integers(0, 9)),
                draw(st.integers(1, 6)),
            )
        if like.effect != "none" and draw(st.integers(0, 2)) == 0:
            numbers["effect_size"] = draw(st.integers(1, 100))
        sold.append(Sold(like.model_copy(update={"id": f"drawn_{place}_{like.id}"}), numbers))
    return sold


@st.composite
def economies(draw: st.DrawFn) -> Economy:
    """An economy with 1 to 60 items, up to 9 businesses, 1 to 12 tiers, and numbers that bind."""
    tree: dict[str, Any] = SHIPPED.config.tree()
    sold, tiers = draw(sold_items()), draw(st.integers(1, 12))
    tree["store"] = {item.words.id: item.numbers for item in sold}
    tree["business"] = {
        f"branch_{number}": {
            "price_gold": draw(st.integers(100, 40_000)),
            "income_gold_per_day": draw(st.integers(0, 5_000)),
        }
        for number in range(draw(st.integers(0, 9)))
    }
    cycle = draw(st.integers(1, 12))
    for section, numbers in _sections(tiers, cycle).items():
        tree[section] = {**tree[section], **{name: draw(number) for name, number in numbers.items()}}
    return Economy(EconomyConfig.from_tree(tree), tuple(item.words for item in sold), SHIPPED.waifus)


def _sections(tiers: int, cycle: int) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    def table(most: int, length: int, least: int = 0) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(least, most), min_size=length, max_size=length)

    return {
        "opening": {
            "gold": st.sampled_from([0, 500, 10_000, 200_000]),
            "gems": st.sampled_from([0, 100, 3_000]),
        },
        "daily": {
            "gold": table(4_000, cycle),
            "gems": table(120, cycle),
            "streak_window_h": st.integers(24, 72),
        },
        "battle": {
            "cooldown_s": st.sampled_from([0, 30, 61, 62, 600]),
            "daily_cap_gold": st.sampled_from([50, 300, 5_000]),
            "hp_cost": st.integers(0, 60),
            "tired_permille": st.integers(0, 500),
            "loss_xp_percent": PERCENT,
            "tier_level": table(60, tiers, 1).map(sorted),
            "tier_gold": table(200, tiers),
            "tier_xp": table(60, tiers),
            "xp_per_level": st.integers(5, 300),
        },
        "resale": {"percent": st.integers(0, 60)},
        "income": {"max_hours": st.integers(5, 200), "upkeep_percent": st.sampled_from([0, 1, 33, 50, 100])},
        "summon": {
            "price_gems": st.sampled_from([5, 50]),
            "ten_price_gems": st.sampled_from([20, 90, 450]),
            "pity_pulls": st.integers(1, 80),
            "pity_rarity": st.sampled_from(["R", "SR", "SSR", "UR"]),
        },
        "train": {
            "price_gold": st.integers(0, 300),
            "growth_percent": st.integers(0, 60),
            "xp": st.integers(1, 200),
        },
        "exchange": {"price_gold": st.sampled_from([100, 900, 5_000]), "gems": st.integers(1, 100)},
        "transfer": {
            "fee_percent": st.integers(0, 60),
            "daily_cap_gold": st.sampled_from([0, 30, 500, 5_000]),
        },
    }


KIND: Final = st.fixed_dictionaries(
    {
        "transfer_permille": st.integers(0, 400),
        "gift_permille": st.integers(0, 600),
        "slots": st.integers(1, 4),
        "fights": st.integers(0, 12),
        "goal_percent": st.sampled_from([0, 30, 100]),
        "goal_business": st.booleans(),
        "reserve_gold": st.sampled_from([0, 200, 3_000]),
    }
)
"""What differs in each archetype of a drawn population."""


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A scenario whose economy, catalogue, prices on the way, players and horizon are drawn."""
    base = Scenario.load(
        draw(st.sampled_from(["baseline", "alt_farm", "whale_heavy"])), players=draw(st.integers(20, 60))
    )
    economy = draw(economies())
    population = base.population
    for archetype in population.archetypes:
        population = population.with_archetype(archetype.name, draw(KIND))
    items = [item.id for item in economy.catalogue]
    changes = draw(
        st.lists(
            st.builds(
                PriceChange,
                items=st.lists(st.sampled_from(items), min_size=1, max_size=5).map(tuple),
                percent=st.integers(50, 200),
                from_day=st.integers(0, 10),
                days=st.one_of(st.none(), st.integers(1, 9)),
            ),
            max_size=2,
        )
    )
    return base.replace(
        economy=economy,
        population=population,
        days=draw(st.integers(5, 30)),
        changes=tuple(changes),
        closed=frozenset(draw(st.sets(st.sampled_from(get_args(SinkAct)), max_size=1))),
        leave_percent=draw(st.sampled_from([0, 100, 800])),
    )
