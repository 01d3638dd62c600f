"""What a bot sees of spend choices: the purchases of a session and its stop, each with what it was made from.

It sees no choice to save. A session of an archetype that may choose ``slots`` times, and that bought k times,
has saved in the others, before, between or after its purchases; ``logit`` sums over all the ways.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from kokoromichi.rules.pricing import train_cost_gold
from kokoromichi.simulation.demand import trainings_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kokoromichi.analysis.observations import Observations
    from kokoromichi.simulation.archetypes import Archetype
    from kokoromichi.simulation.scenario import Scenario

_KINDS: Final = {"buy": "purchase", "train": "train", "exchange": "exchange", "invest": "invest"}
"""The ledger's kind of each act by which gold is spent on what may be chosen."""
_STOOD: Final = ("at", "gold", "level", "units_held", "economy_hash")
_AFTER: Final = timedelta(microseconds=1)
"""A stop comes after the purchase before it."""
_SCHEMA: Final = {
    "user_id": pl.String(),
    "at": pl.Datetime("us", "UTC"),
    "outcome": pl.String(),
    "gold": pl.Int64(),
    "hold": pl.Int64(),
    "level": pl.Int64(),
    "units_held": pl.List(pl.Int64()),
    "economy_hash": pl.String(),
    "archetype": pl.String(),
    "session": pl.Int64(),
}


def sees_goals(archetype: Archetype) -> bool:
    """Whether an archetype sets gold aside for goals, which no bot sees: its sessions cannot be read."""
    return archetype.goal_percent > 0


def session_rows(seen: Observations, *, base: Scenario) -> pl.DataFrame:
    """The purchases of each session, and behind them its stop as an outcome ``save``, by session.

    A session whose end the bot did not see, because it was closed, is left out; so are the players of an
    archetype with goals. Trainings that one choice leads to are one purchase. Of a session of more purchases
    than its archetype has slots the first ones are taken.

    Args:
        seen: With activity of a bot, and players.
        base: Whose archetypes, reserves and slots players are believed to have.
    """
    players = {one.name: one for one in base.population.archetypes if not sees_goals(one)}
    sessions = _sessions(seen).filter(pl.col("archetype").is_in(list(players)))
    items = [item.id for item in base.economy.catalogue]
    rows: list[dict[str, Any]] = []
    for number, session in enumerate(sessions.iter_rows(named=True)):
        archetype = players[session["archetype"]]
        shared = {"archetype": archetype.name, "hold": archetype.reserve_gold, "session": number}
        rows += [{**row, **shared} for row in _states(session, archetype, base, items)]
    return pl.DataFrame(rows, _SCHEMA, orient="row")


def _sessions(seen: Observations) -> pl.DataFrame:
    """A row for each session that went quiet: who, the end, the last look at the store, the purchases."""
    noted = seen.activity.filter(pl.col("code").is_null()).collect()
    key = ("user_id", "session")
    ends = noted.filter(act="end", outcome="quiet").select(*key, end=pl.struct(_STOOD))
    looks = noted.filter(act="shown").sort("at", maintain_order=True)
    looks = looks.group_by(key, maintain_order=True).agg(look=pl.struct(_STOOD).first())
    bought = noted.filter(pl.col("act").is_in(list(_KINDS)), pl.col("gold").is_not_null())
    columns = pl.struct(*_STOOD, "outcome", "gold_left", "units_bought")
    bought = (
        _with_what_it_left(bought, seen)
        .sort("slot")
        .group_by(key, maintain_order=True)
        .agg(purchases=columns)
    )
    players = seen.players.select("user_id", "archetype").collect()
    whole = ends.join(looks, on=key, how="left").join(bought, on=key, how="left").join(players, on="user_id")
    return whole.sort(pl.col("end").struct.field("at"), "user_id")


def _with_what_it_left(bought: pl.DataFrame, seen: Observations) -> pl.DataFrame:
    """Purchases when the ledger has them, with the gold that they left and the units that they brought."""
    spent = seen.ledger.filter(pl.col("kind").is_in(list(_KINDS.values())), pl.col("currency") == "gold")
    rows = spent.select(
        "user_id", "kind", "at", booked="at", gold_left="balance_after", units_bought="quantity"
    )
    kinds = bought.with_columns(kind=pl.col("act").replace_strict(_KINDS)).sort("at", maintain_order=True)
    booked = rows.sort("at", maintain_order=True).collect()
    joined = kinds.join_asof(booked, on="at", by=["user_id", "kind"], check_sortedness=False)
    return joined.drop_nulls("booked").with_columns(at="booked")


def _states(
    session: dict[str, Any], archetype: Archetype, base: Scenario, items: list[str]
) -> Iterator[dict[str, Any]]:
    """The choices of one session that were seen."""
    purchases = [*_chosen(session["purchases"] or (), archetype, base)][: archetype.slots]
    shared = {"user_id": session["user_id"]}
    for purchase in purchases:
        yield {**shared, **{name: purchase[name] for name in _STOOD}, "outcome": purchase["outcome"]}
    if len(purchases) == archetype.slots:
        return
    if not purchases:
        stop = session["look"] or session["end"]
        if stop["gold"] is not None:
            yield {**shared, **{name: stop[name] for name in _STOOD}, "outcome": "save"}
        return
    last = session["purchases"][-1]
    units = list(last["units_held"])
    if last["outcome"] in items:
        units[items.index(last["outcome"])] += last["units_bought"]
    yield {
        **shared,
        "at": last["at"] + _AFTER,
        "gold": last["gold_left"],
        "level": session["end"]["level"],
        "units_held": units,
        "economy_hash": last["economy_hash"],
        "outcome": "save",
    }


def _chosen(
    purchases: Sequence[dict[str, Any]], archetype: Archetype, base: Scenario
) -> Iterator[dict[str, Any]]:
    """Purchases that were chosen: of trainings in a row the first of as many as one choice leads to."""
    train, following = base.economy.config.train, 0
    for purchase in purchases:
        if purchase["outcome"] != "train":
            following = 0
        elif following:
            following -= 1
            continue
        else:
            cost_gold = train_cost_gold(purchase["level"], train.price_gold, train.growth_percent)
            following = trainings_wanted(cost_gold, purchase["gold"], archetype.reserve_gold) - 1
        yield purchase
