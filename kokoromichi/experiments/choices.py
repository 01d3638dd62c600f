"""Spend choices as they were seen, with everything that decided them: what a fit of tastes reads.

A choice row says what was chosen, from what purse, at what level and with what held. What it does not say is
read from the ledger before it, in the same way for every row, whatever was chosen: how many businesses were
owned, and what was in stock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.bot_stream import session_rows
from kokoromichi.rules.pricing import train_cost_gold
from kokoromichi.simulation.price_list import need_levels, needs_of
from kokoromichi.simulation.weights import NEED_ONE, TRAIN_PARTS, TRAIN_STEPS, purse_bucket, purse_of_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.experiments.logit import Floats, Ints
    from kokoromichi.rules.economy import Economy
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.scenario import Scenario

SERVICES: Final = ("train", "gems", "business")
"""What gold buys besides items, behind them in every table, as the choice rows name it."""
_ONLY_SALES: Final = (
    "no spend choice was seen, and no session of a bot that ended, but sales at the most: they tell neither "
    "who looked and did not buy, nor from what purse; set ACTIVITY_SAMPLING above 0 for some weeks"
)
_PURSE_GOLD: Final = 10_000
_PAYBACK_POWER: Final = 1.5
_WHO: Final = "nobody knows here who follows which archetype: name that of all players as archetype"


@dataclass(frozen=True, eq=False)
class Choices:
    """The choices of one archetype.

    Attributes:
        archetype: With the numbers that its players are believed to have.
        alternatives: The items in catalogue order, then ``SERVICES``.
        groups: [alternative]: what shares a liking: the category of an item, or the service.
        day: [row]: UTC days since the epoch.
        chosen: [row]: place in ``alternatives``; their number where nothing was bought.
        offset: [row, alternative]: need and appeal, in utils; minus infinity where it could not be bought.
        store_price: [row, alternative]: minus the logarithm of a store price over the one remembered.
        own_cost: The same of training, and of the days in which a business repays.
        log_purse: [row]: of the purse over 10,000 gold.
        rows: What was seen, in the same order, with what is read from the ledger beside it.
        slots: Choices of a session; 1 where each of them was seen.
        session: [row]: the session, where only purchases and stops were seen; see ``Menu``.
    """

    archetype: Archetype
    alternatives: tuple[str, ...]
    groups: tuple[str, ...]
    day: Ints
    chosen: Ints
    offset: Floats
    store_price: Floats
    own_cost: Floats
    log_purse: Floats
    rows: pl.DataFrame
    slots: int = 1
    session: Ints | None = None

    def part(self, rows: Ints) -> Choices:
        """Some of the rows."""
        return replace(
            self,
            day=self.day[rows],
            chosen=self.chosen[rows],
            offset=self.offset[rows],
            store_price=self.store_price[rows],
            own_cost=self.own_cost[rows],
            log_purse=self.log_purse[rows],
            rows=self.rows[rows],
            session=None if self.session is None else self.session[rows],
        )

    def under(self, base: Scenario, economy: Economy) -> Choices:
        """What the same players would have chosen from in the same places under another list of prices."""
        offset, store_price, own_cost = _under(self.rows, self.archetype, base, economy)
        return replace(self, offset=offset, store_price=store_price, own_cost=own_cost)


def seen_choices(runs: Sequence[Observations], base: Scenario, everyone: str | None = None) -> list[Choices]:
    """The choices of each archetype of a base that was seen choosing, in the base's order.

    Where no run has choice rows, those of a bot are read: purchases and stops; see ``bot_stream``.

    Args:
        runs: What was seen of one economy, once or in several replications.
        base: Whose catalogue, limits and remembered prices players are believed to have.
        everyone: The archetype of all, where nobody knows who is who.

    Raises:
        MissingObservationsError: Activity or economy history was not observed.
        MisuseError: Nobody was seen choosing, nobody knows who is who, or what was sold is not what the base
            sells.
    """
    known = [_known(seen, everyone) for seen in runs]
    rows = _together([_rows(seen, base, choice_rows) for seen in known])
    slots = {one.name: 1 for one in base.population.archetypes}
    if rows.is_empty():
        rows = _together([_rows(seen, base, partial(session_rows, base=base)) for seen in known])
        slots = {one.name: one.slots for one in base.population.archetypes}
    if rows.is_empty():
        raise MisuseError(_ONLY_SALES)
    economies = {name: economy for seen in runs for name, economy in _economies(seen, base).items()}
    archetypes = [one for one in base.population.archetypes if (rows["archetype"] == one.name).any()]
    if unknown := sorted(set(rows["archetype"]) - {one.name for one in archetypes}):
        raise MisuseError(
            f"the base has no archetype {unknown[0]!r}: calibrate with the scenario that was played"
        )
    return [
        _choices(rows.filter(archetype=one.name), one, base, economies, slots[one.name]) for one in archetypes
    ]


def _together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """All rows; each replication's sessions have numbers of their own."""
    apart = [part.with_columns(pl.col("session") + (run << 32)) for run, part in enumerate(parts)]
    return pl.concat(apart)


def _known(seen: Observations, everyone: str | None) -> Observations:
    """The same with the archetype of each player."""
    seen.require("calibrate", "activity", "economy_history")
    if seen.has_players:
        return seen
    if everyone is None:
        raise MisuseError(_WHO)
    players = seen.activity.select("user_id").unique().collect()
    unknown = pl.lit(None, pl.String)
    named = players.with_columns(archetype=pl.lit(everyone), cohort=unknown, arrival_day=pl.lit(0, pl.Int64))
    return replace(seen, players=named.lazy(), has_players=True)


def choice_rows(seen: Observations) -> pl.DataFrame:
    """Every choice, as a simulation has them: a row each, by time."""
    choices = seen.activity.filter(pl.col("act") == "choice", pl.col("level").is_not_null())
    columns = ("user_id", "at", "outcome", "gold", "hold", "level", "units_held", "economy_hash")
    rows = choices.select(columns).join(seen.players.select("user_id", "archetype"), on="user_id")
    return rows.with_columns(session=pl.lit(None, pl.Int64)).sort("at", maintain_order=True).collect()


def _rows(seen: Observations, base: Scenario, read: Callable[[Observations], pl.DataFrame]) -> pl.DataFrame:
    """What was seen of choices, with businesses and stock as they were before each."""
    rows = read(seen).with_row_index("order").sort("at", maintain_order=True)
    ledger = seen.ledger.sort("at", maintain_order=True)
    invested = ledger.filter(pl.col("kind") == "invest")
    owned = invested.select("user_id", "at", owned=pl.int_range(pl.len()).over("user_id") + 1)
    rows = rows.join_asof(
        owned.collect(), on="at", by="user_id", allow_exact_matches=False, check_sortedness=False
    )
    return rows.with_columns(_left(rows["at"], ledger, base)).sort("order").drop("order")


def _left(at: pl.Series, ledger: pl.LazyFrame, base: Scenario) -> list[pl.Series]:
    """Units left of each item before each instant, a column an item that has an end."""
    moved = ledger.filter(pl.col("kind").is_in(["purchase", "restock"]))
    sign = pl.when(pl.col("kind") == "restock").then(1).otherwise(-1)
    moves = moved.select("at", "item_id", units=sign * pl.col("quantity")).collect()
    columns = []
    for item_id, numbers in base.economy.config.store.items():
        if numbers.stock is not None:
            mine = moves.filter(item_id=item_id)
            left = numbers.stock + np.concatenate([[0], np.cumsum(mine["units"].to_numpy())])
            places = np.searchsorted(mine["at"].to_numpy(), at.to_numpy(), side="left")
            columns.append(pl.Series(f"left.{item_id}", left[places].astype(np.int64)))
    return columns


def _economies(seen: Observations, base: Scenario) -> dict[str, Economy]:
    """The economy behind each hash: the base's, at the prices that history tells."""
    prices = seen.economy_history.filter(pl.col("measure") == "price_gold").collect()
    economies = {}
    for (name,), mine in prices.group_by("economy_hash", maintain_order=True):
        found = dict(zip(mine["key"], mine["value"], strict=True))
        if list(found) != list(base.economy.config.store):
            raise MisuseError(
                "the base sells other items than were seen: calibrate with the scenario that was played"
            )
        values = {f"store.{item_id}.price_gold": price for item_id, price in found.items()}
        economies[str(name)] = base.economy.with_values(values)
    return economies


class _Offer(NamedTuple):
    """What stands in a price list for one archetype; each [alternative] but ``needs`` [item, level]."""

    needs: Floats
    prices: Ints
    store_price: Floats


def _offer(base: Scenario, economy: Economy, archetype: Archetype) -> _Offer:
    population, catalogue = base.population, economy.catalogue
    store = [economy.config.store[item.id] for item in catalogue]
    needs = np.array(needs_of(archetype, catalogue, store, need_levels(store)))
    prices = np.array([item.price_gold for item in store])
    remembered = [population.reference_prices[item.id] for item in catalogue]
    pack = economy.config.exchange.price_gold / population.reference_pack_gold
    store_price = -np.log(np.array([*(prices / remembered), 1, pack, 1]))
    return _Offer(needs.reshape(len(store), -1) / NEED_ONE, prices, store_price)


def _choices(
    rows: pl.DataFrame, archetype: Archetype, base: Scenario, economies: dict[str, Economy], slots: int
) -> Choices:
    offset = np.empty((rows.height, len(base.economy.catalogue) + len(SERVICES)))
    store_price, own_cost = np.empty_like(offset), np.empty_like(offset)
    numbered = rows.with_row_index("row")
    for (name,), mine in numbered.group_by("economy_hash", maintain_order=True):
        under = _under(mine, archetype, base, economies[str(name)])
        for table, part in zip((offset, store_price, own_cost), under, strict=True):
            table[mine["row"].to_numpy()] = part
    catalogue = base.economy.catalogue
    alternatives = (*(item.id for item in catalogue), *SERVICES)
    places = pl.Series([*alternatives, "save"])
    chosen = rows["outcome"].replace_strict(places, pl.int_range(len(places), eager=True)).to_numpy()
    buckets = np.array([purse_of_bucket(purse_bucket(gold)) for gold in rows["gold"]])
    session = None if rows["session"].has_nulls() else rows["session"].to_numpy()
    began = rows["at"] if session is None else rows.select(pl.col("at").first().over("session"))["at"]
    seen = Choices(
        archetype,
        alternatives,
        (*(item.category for item in catalogue), *SERVICES),
        began.dt.epoch("d").to_numpy().astype(np.int64),
        chosen.astype(np.int64),
        offset,
        store_price,
        own_cost,
        np.log(buckets / _PURSE_GOLD),
        rows,
        slots,
        session,
    )
    return seen if session is None else seen.part(_possible(seen, session))


def _possible(seen: Choices, session: Ints) -> Ints:
    """Rows of the sessions in which nothing was bought that the archetype would not have touched.

    Who really plays may spend their reserve, or see another list than was in force a moment later.
    """
    padded = np.column_stack([seen.offset, np.zeros(len(session))])
    odd = session[np.isinf(padded[np.arange(len(session)), seen.chosen])]
    return np.flatnonzero(~np.isin(session, odd))


def _under(
    rows: pl.DataFrame, archetype: Archetype, base: Scenario, economy: Economy
) -> tuple[Floats, Floats, Floats]:
    """Offset, store price and own cost of the rows under one economy."""
    offer = _offer(base, economy, archetype)
    items, spendable = len(offer.prices), (rows["gold"] - rows["hold"]).to_numpy()
    offset = np.full((rows.height, items + len(SERVICES)), -np.inf)
    own_cost = np.zeros_like(offset)
    held = np.array(rows["units_held"].to_list())
    need = offer.needs[np.arange(items), np.minimum(held, offer.needs.shape[1] - 1)]
    left = np.column_stack(
        [
            rows[f"left.{item.id}"] if f"left.{item.id}" in rows.columns else np.ones(rows.height)
            for item in economy.catalogue
        ]
    )
    appeal = np.array([base.population.appeal.get(item.id, 0.0) for item in economy.catalogue])
    sold = (offer.prices <= spendable[:, None]) & (left > 0) & (need > 0) & ("buy" not in base.closed)
    offset[:, :items] = np.where(sold, np.log(np.where(need > 0, need, 1)) + appeal, -np.inf)
    services = (_train(rows, base, economy), _gems(base, economy), _business(rows, base, economy))
    for place, (cost_gold, price) in enumerate(services, items):
        offset[:, place] = np.where(cost_gold <= spendable, 0.0, -np.inf)
        own_cost[:, place] = price
    return offset, np.broadcast_to(offer.store_price, offset.shape), own_cost


def _train(rows: pl.DataFrame, base: Scenario, economy: Economy) -> tuple[Floats, Floats]:
    """Cost in gold, and the logarithm that the demand model takes of it."""
    train = economy.config.train
    costs = [train_cost_gold(level, train.price_gold, train.growth_percent) for level in rows["level"]]
    cost_gold = np.array(costs)
    steps = np.clip(TRAIN_PARTS * cost_gold // base.population.reference_train_gold, 1, TRAIN_STEPS - 1)
    return np.where("train" in base.closed, np.inf, cost_gold), -np.log(steps / TRAIN_PARTS)


def _gems(base: Scenario, economy: Economy) -> tuple[Floats, Floats]:
    price_gold = np.inf if "exchange" in base.closed else economy.config.exchange.price_gold
    return np.asarray(price_gold), np.asarray(0.0)


def _business(rows: pl.DataFrame, base: Scenario, economy: Economy) -> tuple[Floats, Floats]:
    """Of the cheapest business that is not owned yet: players open them in this order."""
    upkeep_percent = economy.config.income.upkeep_percent
    businesses = sorted(economy.config.business.values(), key=lambda one: one.price_gold)
    prices = np.array([*(float(one.price_gold) for one in businesses), np.inf])
    net = [one.income_gold_per_day - one.income_gold_per_day * upkeep_percent // 100 for one in businesses]
    days = [max(one.price_gold // max(gold, 1), 1) for one, gold in zip(businesses, net, strict=True)]
    payback = np.array([*days, 1]) / base.population.reference_payback_days
    owned = np.minimum(rows["owned"].fill_null(0).to_numpy(), len(businesses))
    closed = "invest" in base.closed
    return np.where(closed, np.inf, prices[owned]), -_PAYBACK_POWER * np.log(payback[owned])
