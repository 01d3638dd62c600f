"""Made-up runs for charts and reports, shaped like the baseline: a ledger that balances, and its streams.

Nothing here follows a rule of the game. Rows are drawn a day at a time, so that a full run of 500 players and
90 days takes a second or two, and every balance after a row is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from kokoromichi.core.kinds import CURRENCIES, KINDS, SYSTEM
from kokoromichi.core.schemas import ACTIVITY_SCHEMA, ECONOMY_HISTORY_SCHEMA, LEDGER_SCHEMA, PLAYERS_SCHEMA

START: Final = datetime(2026, 1, 5, tzinfo=timezone.utc)
HASH: Final = "00c0ffee00c0ffee"
OPENING_GOLD: Final = 10_000
ITEMS: Final[tuple[tuple[str, str, int, int, int], ...]] = (
    # item, category, gold, initial stock (-1: unlimited), target units
    ("health_potion", "potion", 100, -1, 6),
    ("mana_potion", "potion", 150, -1, 4),
    ("revive_scroll", "scroll", 500, -1, 2),
    ("experience_scroll", "scroll", 1_200, 1_000, 1),
    ("wisdom_tome", "scroll", 3_500, -1, 1),
    ("lucky_charm", "charm", 1_500, 250, 1),
    ("wooden_chest", "chest", 900, -1, 1),
    ("treasure_chest", "chest", 5_000, 100, 1),
    ("celestial_chest", "chest", 18_000, 30, 1),
    ("chocolate_box", "gift", 450, -1, 2),
    ("ukiyoe_print", "collectible", 8_000, 200, 0),
    ("dragon_statue", "collectible", 20_000, 80, 0),
)
ARCHETYPES: Final[tuple[tuple[str, float, float, int, float], ...]] = (
    # archetype, share of the players, sessions a day, gold kept (median), leaving a day
    ("casual", 0.40, 0.8, 4_300, 0.006),
    ("grinder", 0.15, 2.2, 4_100, 0.003),
    ("whale", 0.03, 2.2, 5_000, 0.002),
    ("hoarder", 0.10, 1.0, 19_000, 0.004),
    ("collector", 0.12, 1.1, 9_000, 0.004),
    ("investor", 0.08, 1.1, 42_000, 0.003),
    ("lapsed", 0.08, 0.9, 4_500, 0.02),
    ("alt_farmer", 0.04, 1.0, 5_000, 0.001),
)
DAILY: Final = np.array([1000, 1200, 1500, 2000, 2500, 3000, 5000, 1500, 1800, 2200])
ACTS_OF_KIND: Final = {"daily": "claim", "income": "collect", "sale": "sell", "purchase": "buy"} | {
    kind: kind for kind in ("battle", "use", "train", "invest", "exchange", "transfer")
}

Ints: TypeAlias = NDArray[np.int64]
Column: TypeAlias = "Ints | list[str]"

ROWS: Final = pl.Schema(
    dict.fromkeys(("day", "second", "player", "amount", "balance_after", "quantity"), pl.Int64())
    | dict.fromkeys(("kind", "currency", "item_id", "tx_id"), pl.String())
)
"""What a row is made of before it becomes a ledger's."""


class Run(NamedTuple):
    """The four frames of one made-up run, each in the schema of core."""

    ledger: pl.DataFrame
    activity: pl.DataFrame
    history: pl.DataFrame
    players: pl.DataFrame


@dataclass
class _World:
    rng: np.random.Generator
    purses: dict[str, Ints]
    owned: Ints
    stock: Ints
    rows: list[pl.DataFrame] = field(default_factory=list)
    step: int = 0

    @property
    def gold(self) -> Ints:
        """Gold of each player."""
        return self.purses["gold"]

    def move(self, day: int, who: Ints, kind: str, amount: Ints, currency: str = "gold") -> None:
        """Book one row a player, by which a balance moves."""
        self.purses[currency][who] += amount
        self._book(
            day,
            who,
            kind,
            currency=[currency] * len(who),
            amount=amount,
            balance_after=self.purses[currency][who],
        )

    def hand(self, day: int, who: Ints, kind: str, item: Ints, units: Ints, gold: Ints | None = None) -> None:
        """Book one row a player, by which items move, against gold where a kind has a price."""
        self.owned[who, item] += units
        columns: dict[str, Column] = {"item_id": [ITEMS[index][0] for index in item], "quantity": units}
        if gold is not None:
            self.gold[who] += gold
            columns |= {"currency": ["gold"] * len(who), "amount": gold, "balance_after": self.gold[who]}
        self._book(day, who, kind, **columns)

    def restock(self, day: int) -> None:
        """Fill limited stock up again, half of what is gone."""
        start = np.array([row[3] for row in ITEMS])
        units = np.where(start > 0, (start - self.stock + 1) // 2, 0)
        item = np.flatnonzero(units)
        self.stock[item] += units[item]
        names = [ITEMS[index][0] for index in item]
        self._book(day, np.full(len(item), -1), "restock", item_id=names, quantity=units[item])

    def _book(self, day: int, who: Ints, kind: str, **columns: Column) -> None:
        self.step += 1
        if len(who):
            second = np.maximum(who, 0) % 60_000 + self.step * 5
            base = {"day": np.full(len(who), day), "second": second, "kind": [kind] * len(who), "player": who}
            self.rows.append(pl.DataFrame({**base, **columns}))

    def send(self, day: int, giver: int, receiver: int, gold: int, fee: int) -> None:
        """Book a transfer: both legs and the fee are one transaction."""
        first = len(self.rows)
        self.move(day, np.array([giver]), "transfer", np.array([fee - gold]))
        self.move(day, np.array([receiver]), "transfer", np.array([gold - fee]))
        self.move(day, np.array([giver]), "fee", np.array([-fee]))
        tx = pl.lit(f"t-{day}-{self.step}").alias("tx_id")
        self.rows[first:] = [rows.with_columns(tx) for rows in self.rows[first:]]


def synthetic_run(seed: int = 1, *, players: int = 500, days: int = 90) -> Run:
    """Make one run up.

    Args:
        seed: Draws of the run.
        players: How many there are, ids ``p00000`` and on.
        days: Horizon in days from ``START``.
    """
    rng = np.random.default_rng(seed)
    kind_of = np.searchsorted(np.cumsum([row[1] for row in ARCHETYPES]) * players - 1e-9, np.arange(players))
    arrival = np.where(rng.random(players) < 0.7, 0, rng.integers(1, 30, players))
    stays = rng.geometric(np.array([row[4] for row in ARCHETYPES])[kind_of])
    taste = np.array([row[3] for row in ARCHETYPES])[kind_of] * rng.lognormal(0, 0.5, players)
    purses = {currency: np.zeros(players, np.int64) for currency in CURRENCIES}
    stock = np.array([row[3] if row[3] >= 0 else 1 << 40 for row in ITEMS])
    world = _World(rng, purses, np.zeros((players, len(ITEMS)), np.int64), stock)
    for day in range(days):
        _one_day(world, day, kind_of, arrival, stays, taste)
    ledger = _ledger(pl.concat([pl.DataFrame(schema=ROWS), *world.rows], how="diagonal"))
    archetypes = [ARCHETYPES[index][0] for index in kind_of]
    dimension = pl.DataFrame(
        {
            "user_id": _names(np.arange(players)),
            "archetype": archetypes,
            "cohort": [
                f"{name}-{'first' if came == 0 else 'later'}"
                for name, came in zip(archetypes, arrival, strict=True)
            ],
            "arrival_day": arrival,
        },
        schema=PLAYERS_SCHEMA,
    )
    return Run(ledger, _activity(ledger, rng), economy_history(), dimension)


def _one_day(
    world: _World, day: int, kind_of: Ints, arrival: Ints, stays: Ints, taste: NDArray[np.float64]
) -> None:
    rng = world.rng
    world.step = 0
    arrived = np.flatnonzero(arrival == day)
    if len(arrived):
        world.move(day, arrived, "opening", np.full(len(arrived), OPENING_GOLD))
        world.move(day, arrived, "opening", np.full(len(arrived), 100), "gems")
    if day % 7 == 6:
        world.restock(day)
    rate = np.array([row[2] for row in ARCHETYPES])[kind_of]
    here = (
        (arrival <= day)
        & (day - arrival < stays)
        & ((rng.random(len(arrival)) > np.exp(-1.3 * rate)) | (arrival == day))
    )
    who = np.flatnonzero(here)
    if not len(who):
        return
    world.move(day, who, "daily", DAILY[(day + who) % 10])
    world.move(day, who, "daily", DAILY[(day + who) % 10] // 100, "gems")
    owners = who[kind_of[who] == 5]
    if len(owners) and day > 20:
        income = 500 * rng.integers(1, 9, len(owners))
        world.move(day, owners, "income", income)
        world.move(day, owners, "upkeep", -(income // 2))
    for _ in range(4):
        fighters = who[rng.random(len(who)) < rate[who] / 2.5]
        world.move(day, fighters, "battle", 15 * rng.integers(2, 10, len(fighters)))
    chests = who[(world.owned[who, 6] > 0) & (rng.random(len(who)) < 0.8)]
    world.hand(day, chests, "use", np.full(len(chests), 6), np.full(len(chests), -1))
    world.move(day, chests, "reward", 90 * rng.integers(2, 9, len(chests)))
    _spend(world, day, who, taste)
    _trade(world, day, who)


def _spend(world: _World, day: int, who: Ints, taste: NDArray[np.float64]) -> None:
    rng = world.rng
    prices = np.array([row[2] for row in ITEMS])
    weights = np.array([18, 10, 6, 7, 2, 5, 9, 2.4, 0.5, 7, 1.2, 0.5])
    for _ in range(3):
        purse = world.gold[who] - taste[who] * (0.4 + 0.6 * rng.random(len(who)))
        buyers = who[(purse > 100) & (rng.random(len(who)) < 0.75)]
        item = rng.choice(len(ITEMS), len(buyers), p=weights / weights.sum())
        can = (prices[item] <= world.gold[buyers] * 0.8) & (world.stock[item] > len(buyers) // 20)
        item = item[can]
        np.subtract.at(world.stock, item, 1)
        world.hand(day, buyers[can], "purchase", item, np.ones(len(item), np.int64), -prices[item])
    for kind, cost, chance in (
        ("train", 300, 0.9),
        ("train", 280, 0.6),
        ("exchange", 4_000, 0.22),
        ("invest", 10_000, 0.012),
    ):
        purse = world.gold[who] - taste[who] * 0.6
        payers = who[(purse > cost) & (rng.random(len(who)) < chance)]
        world.move(day, payers, kind, np.full(len(payers), -cost))
        if kind == "exchange":
            world.move(day, payers, kind, np.full(len(payers), 100), "gems")
    pullers = who[world.purses["gems"][who] >= 450]
    world.move(day, pullers, "summon", np.full(len(pullers), -450), "gems")


def _trade(world: _World, day: int, who: Ints) -> None:
    rng = world.rng
    sellers = who[(world.owned[who, 0] > 3) & (rng.random(len(who)) < 0.05)]
    potion, one_less = np.zeros(len(sellers), np.int64), np.full(len(sellers), -1)
    world.hand(day, sellers, "sale", potion, one_less, np.full(len(sellers), 40))
    givers = who[(world.gold[who] > 3_000) & (rng.random(len(who)) < 0.01)]
    main = np.arange(0, len(world.gold), 125)
    for giver in givers:
        world.send(day, int(giver), int(rng.choice(main)), 2_000, 100)


def _names(players: Ints) -> list[str]:
    return [f"p{player:05d}" for player in players]


def _ledger(rows: pl.DataFrame) -> pl.DataFrame:
    at = pl.lit(START) + pl.duration(days=pl.col("day"), seconds=pl.col("second"))
    books = {name: kind.book for name, kind in KINDS.items()}
    text = pl.lit(None, dtype=pl.String)
    return (
        rows.with_columns(
            at=at.cast(LEDGER_SCHEMA["at"]),
            entry_id=pl.format("e{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(9)),
        )
        .sort("at", "entry_id", maintain_order=True)
        .with_columns(
            pl.when(pl.col("player") < 0)
            .then(pl.lit(SYSTEM))
            .otherwise(pl.format("p{}", pl.col("player").cast(pl.String).str.zfill(5)))
            .alias("user_id"),
            pl.coalesce("tx_id", pl.format("t{}", "entry_id")).alias("tx_id"),
            pl.col("kind").replace_strict(books).alias("book"),
        )
        .with_columns(
            text.alias("counterparty"),
            pl.col("user_id").alias("actor"),
            pl.format("r{}", "entry_id").alias("request_id"),
            text.alias("reason"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in LEDGER_SCHEMA.items())
    )


def _activity(ledger: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    acts = ledger.filter(
        pl.col("kind").is_in(list(ACTS_OF_KIND)), pl.col("currency").ne_missing("gems")
    ).select(
        "user_id", "at", act=pl.col("kind").replace_strict(ACTS_OF_KIND), code=pl.lit(None, dtype=pl.String)
    )
    codes = np.array(["too_poor", "over_limit", "sold_out", "cooling_down"])
    refused = acts.sample(
        fraction=0.02, seed=int(rng.integers(1 << 30)), with_replacement=False
    ).with_columns(pl.col("at") + timedelta(seconds=1), pl.lit("buy").alias("act"))
    refused = refused.with_columns(
        pl.Series("code", rng.choice(codes, refused.height, p=[0.55, 0.2, 0.15, 0.1]))
    )
    sessions = (
        acts.group_by("user_id", pl.col("at").dt.truncate("1d"))
        .agg()
        .with_columns(act=pl.lit("session"), code=pl.lit(None, dtype=pl.String))
    )
    blanks = {
        name: pl.lit(None, dtype=ACTIVITY_SCHEMA[name])
        for name in ("slot", "outcome", "gold", "hold", "level", "units_held")
    }
    return (
        pl.concat([acts, refused, sessions.select(acts.columns)])
        .sort("at", "user_id", "act", maintain_order=True)
        .with_columns(**blanks, economy_hash=pl.lit(HASH), session=pl.int_range(pl.len()))
        .select(pl.col(name).cast(dtype) for name, dtype in ACTIVITY_SCHEMA.items())
    )


def economy_history() -> pl.DataFrame:
    """Return the numbers in force from ``START`` on: prices, stocks and targets of ``ITEMS``, the opening."""
    rows = [
        (HASH, START, measure, item, category, value)
        for item, category, price, stock, target in ITEMS
        for measure, value in (("price_gold", price), ("initial_stock", stock), ("target_units", target))
    ]
    return pl.DataFrame(
        [*rows, (HASH, START, "opening_gold", "gold", None, OPENING_GOLD)],
        schema=ECONOMY_HISTORY_SCHEMA,
        orient="row",
    )
