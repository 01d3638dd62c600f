"""The faithful engine on small scenarios: sound ledgers, documented acts, budgets and limits kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl
import polars.selectors as cs
import pytest

from kokoromichi.core.kinds import KINDS, SYSTEM
from kokoromichi.core.schemas import (
    ACTIVITY_SCHEMA,
    DECISIONS,
    ECONOMY_HISTORY_SCHEMA,
    LEDGER_SCHEMA,
    PLAYERS_SCHEMA,
)
from kokoromichi.services.executor import CommandExecutor
from kokoromichi.simulation import faithful
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.price_change import PriceChange
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from kokoromichi.analysis.audit import AuditReport

SIMULATED: Final = {
    *("claim", "buy", "sell", "use", "gift", "transfer"),
    *("battle", "train", "invest", "collect", "exchange", "summon"),
}
"""Acts that synthetic players know."""
SPENDING: Final = {"purchase", "train", "exchange", "invest"}
"""Kinds of the rows that only a spend choice or a reached goal books."""


@dataclass(frozen=True)
class Seen:
    """One replication, read back."""

    scenario: Scenario
    ledger: pl.DataFrame
    activity: pl.DataFrame
    history: pl.DataFrame
    players: pl.DataFrame
    audit: AuditReport
    days_told: list[int]


def play(scenario: Scenario, seed: int = 5) -> Seen:
    days: list[int] = []
    played = asyncio.run(FaithfulEngine(scenario, seed).play(days.append))
    return Seen(
        scenario,
        played.ledger.with_columns(cs.enum().cast(pl.String)),
        played.activity.with_columns(cs.enum().cast(pl.String)),
        played.economy_history,
        played.players,
        played.states.audit(played.ledger),
        days,
    )


def scarce(players: int, days: int) -> Scenario:
    """A sale in the third week, scarce chests, and friends who share."""
    base = Scenario.load("baseline", players=players, days=days)
    population = base.population
    for archetype in population.archetypes:
        if not archetype.ring_transfer_gold:
            population = population.with_archetype(
                archetype.name, {"transfer_permille": 30, "gift_permille": 60}
            )
    sale = PriceChange(categories=("chest", "charm"), percent=70, from_day=14, days=7)
    scenario = base.with_population(population).replace(changes=(sale,))
    return scenario.with_economy({"store.treasure_chest.stock": 6, "store.treasure_chest.restock_units": 2})


@pytest.fixture(scope="module")
def month() -> Seen:
    """120 players for 30 days."""
    return play(scarce(120, 30))


def test_the_executor_of_a_simulation_books_what_that_of_the_bot_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scenario = scarce(60, 18)
    fast = play(scenario)
    monkeypatch.setattr(faithful, "MemoryExecutor", CommandExecutor)
    general = play(scenario)
    assert "too_poor" in set(fast.activity["code"])
    assert fast.ledger.equals(general.ledger)
    assert fast.activity.equals(general.activity)


def test_a_small_server_leaves_a_sound_ledger() -> None:
    observations = play(Scenario.load("baseline", players=40, days=10))
    assert observations.audit.sound, str(observations.audit)
    assert observations.days_told == list(range(10))
    assert observations.ledger.height > 2_000
    assert observations.players["archetype"].n_unique() == 8
    assert observations.players.height == 40


def test_a_longer_run_with_a_sale_is_sound_too(month: Seen) -> None:
    assert month.audit.sound, str(month.audit)


def test_every_frame_has_its_schema(month: Seen) -> None:
    assert month.ledger.schema == LEDGER_SCHEMA
    assert month.activity.schema == ACTIVITY_SCHEMA
    assert month.history.schema == ECONOMY_HISTORY_SCHEMA
    assert month.players.schema == PLAYERS_SCHEMA


def test_the_ledger_and_the_activity_are_in_the_order_of_time(month: Seen) -> None:
    assert month.ledger["at"].is_sorted()
    assert month.activity["at"].is_sorted()
    # Within one moment players come by number; the system restocks before them.
    moments = month.ledger.filter(pl.col("actor") != SYSTEM).select("at", "actor")
    assert moments.equals(moments.sort("at", "actor", maintain_order=True))


def test_every_act_and_every_kind_is_documented_and_seen(month: Seen) -> None:
    observations = set(month.activity["act"])
    assert observations <= SIMULATED | set(DECISIONS)
    assert observations >= (SIMULATED | set(DECISIONS)) - {"return"}
    assert set(month.ledger["kind"]) <= set(KINDS)


def test_decisions_carry_what_the_schema_promises(month: Seen) -> None:
    choices = month.activity.filter(pl.col("act") == "choice")
    others = month.activity.filter(pl.col("act") != "choice")
    known = {*month.scenario.economy.config.store, "train", "gems", "business", "save"}
    assert set(choices["outcome"]) <= known
    assert choices["outcome"].is_in(["save"]).any()
    assert (
        choices.select(pl.col("slot", "gold", "hold", "level", "units_held").null_count()).row(0) == (0,) * 5
    )
    assert choices["code"].null_count() == choices.height
    assert choices["units_held"].list.len().unique().to_list() == [23]
    assert others["slot"].null_count() == others.height
    assert set(others.filter(pl.col("act") == "battle", pl.col("code").is_null())["outcome"]) == {
        "won",
        "lost",
    }
    assert set(month.activity["economy_hash"]) == set(month.history["economy_hash"])
    assert len(set(month.activity["economy_hash"])) == 2


def test_a_session_is_one_player_s_and_its_number_runs(month: Seen) -> None:
    sessions = month.activity.filter(pl.col("act") == "session")
    assert sessions["session"].to_list() == list(range(sessions.height))
    within = month.activity.filter(~pl.col("act").is_in(["leave", "return"]))
    assert within.group_by("session").agg(pl.col("user_id").n_unique())["user_id"].max() == 1
    first = within.group_by("session", maintain_order=True).agg(pl.col("act").first())
    assert set(first["act"]) == {"session"}


def test_players_open_once_and_claim_at_most_once_a_day(month: Seen) -> None:
    per_player = month.ledger.filter(pl.col("kind") == "opening").group_by("user_id").len()
    assert set(per_player["len"]) == {2}  # Gold and gems.
    assert set(per_player["user_id"]) == set(month.activity["user_id"])
    opened = month.ledger.filter(pl.col("kind") == "opening", pl.col("currency") == "gold")
    arrivals = opened.select("user_id", day=(pl.col("at").dt.date() - month.scenario.start).dt.total_days())
    expected = month.players.filter(pl.col("user_id").is_in(arrivals["user_id"].implode()))
    assert arrivals.sort("user_id")["day"].to_list() == expected.sort("user_id")["arrival_day"].to_list()
    claims = month.activity.filter(pl.col("act") == "claim")  # Nobody tries again in a later session.
    assert claims.group_by("user_id", pl.col("at").dt.date()).len()["len"].max() == 1


def spending(month: Seen) -> pl.DataFrame:
    """The rows that choices and goals book, with what the spender's archetype never touches."""
    reserves = pl.DataFrame(
        {
            "archetype": [archetype.name for archetype in month.scenario.population.archetypes],
            "reserve_gold": [archetype.reserve_gold for archetype in month.scenario.population.archetypes],
        }
    )
    rows = month.ledger.filter(pl.col("kind").is_in(SPENDING), pl.col("currency") == "gold")
    return rows.join(month.players, on="user_id").join(reserves, on="archetype")


def test_no_choice_and_no_goal_takes_gold_below_the_reserve(month: Seen) -> None:
    rows = spending(month)
    assert set(rows["kind"]) == SPENDING
    assert rows.filter(pl.col("balance_after") < pl.col("reserve_gold")).is_empty()


def test_one_unit_never_costs_more_than_what_may_be_spent(month: Seen) -> None:
    """The first row that follows a choice is the unit chosen: its price is at most gold - hold."""
    kinds = {"train": "train", "gems": "exchange", "business": "invest"}
    choices = month.activity.filter(pl.col("act") == "choice", pl.col("outcome") != "save").select(
        "user_id",
        "at",
        "outcome",
        pl.col("outcome").replace_strict(kinds, default="purchase").alias("kind"),
        "gold",
        "hold",
        choice=pl.int_range(pl.len()),
    )
    bought = spending(month).select(
        "user_id",
        "kind",
        "item_id",
        "balance_after",
        paid_at="at",
        unit_gold=-pl.col("amount") // pl.col("quantity").fill_null(1),
        amount=pl.col("amount"),
    )
    paid = choices.join(bought, on=["user_id", "kind"])
    # A manual that is read before the training takes one act, 5 seconds.
    paid = paid.filter((pl.col("paid_at") - pl.col("at")).dt.total_seconds().is_between(0, 5))
    paid = paid.sort("choice", "paid_at").group_by("choice", maintain_order=True).first()
    assert paid["choice"].to_list() == choices["choice"].to_list()
    assert paid.filter(pl.col("kind") == "purchase", pl.col("item_id") != pl.col("outcome")).is_empty()
    assert paid.filter(pl.col("unit_gold") > pl.col("gold") - pl.col("hold")).is_empty()
    assert paid.filter(pl.col("gold") + pl.col("amount") != pl.col("balance_after")).is_empty()


def test_purchases_cost_the_price_in_force(month: Seen) -> None:
    prices = month.history.filter(pl.col("measure") == "price_gold").sort("effective_from")
    purchases = month.ledger.filter(pl.col("kind") == "purchase").sort("at")
    priced = purchases.join_asof(
        prices.select("effective_from", "value", item_id="key"),
        left_on="at",
        right_on="effective_from",
        by="item_id",
        check_sortedness=False,
    )
    assert priced["value"].null_count() == 0
    assert (priced["amount"] == -priced["value"] * priced["quantity"]).all()
    chests = priced.filter(pl.col("item_id") == "wooden_chest")
    assert set(chests["value"]) == {900, 630}


def test_no_purchase_goes_over_a_limit(month: Seen) -> None:
    store = month.scenario.economy.config.store
    limits = pl.DataFrame({"item_id": list(store), "limit": [item.limit for item in store.values()]})
    held = month.ledger.filter(pl.col("item_id").is_not_null(), pl.col("user_id") != SYSTEM)
    held = held.with_columns(held=pl.col("quantity").cum_sum().over("user_id", "item_id")).join(
        limits, on="item_id"
    )
    assert (held["held"] >= 0).all()
    purchases = held.filter(pl.col("kind") == "purchase", pl.col("limit").is_not_null())
    assert purchases.height > 100
    assert purchases.filter(pl.col("held") > pl.col("limit")).is_empty()


def test_no_purchase_goes_over_the_stock_and_chests_do_run_out(month: Seen) -> None:
    first = month.history.filter(pl.col("measure") == "initial_stock", pl.col("value") >= 0)
    initial = dict(first.select("key", "value").unique().rows())
    moves = month.ledger.filter(
        pl.col("kind").is_in(["purchase", "restock"]), pl.col("item_id").is_in(list(initial))
    ).with_columns(
        moved=pl.when(pl.col("kind") == "restock").then("quantity").otherwise(-pl.col("quantity")),
        initial=pl.col("item_id").replace_strict(initial, return_dtype=pl.Int64),
    )
    left = moves.with_columns(left=pl.col("initial") + pl.col("moved").cum_sum().over("item_id"))
    assert (left["left"] >= 0).all()
    assert (left["left"] <= left["initial"]).all()
    assert left.filter(pl.col("item_id") == "treasure_chest")["left"].min() == 0
    assert (moves["kind"] == "restock").any()


def test_who_is_away_does_nothing(month: Seen) -> None:
    left = month.activity.filter(pl.col("act") == "leave")
    assert left.height > 5
    for user_id, at in left.select("user_id", "at").iter_rows():
        after = month.activity.filter(pl.col("user_id") == user_id, pl.col("at") > at)
        assert after.is_empty() or after["act"][0] == "return"


def test_a_refusal_is_data_and_the_session_goes_on() -> None:
    capped = Scenario.load("baseline", players=40, days=8).with_economy({"battle.daily_cap_gold": 60})
    observations = play(capped)
    assert observations.audit.sound, str(observations.audit)
    refused = observations.activity.filter(pl.col("act") == "battle", pl.col("code").is_not_null())
    assert set(refused["code"]) == {"daily_cap"}
    assert refused["session"].is_unique().all()  # Who has met the cap fights no more in this session.
    wishes = observations.activity.filter(pl.col("act") == "wish")
    assert refused.join(wishes, on="session", how="anti").is_empty()
    earned = observations.ledger.filter(pl.col("kind") == "battle").group_by(
        "user_id", pl.col("at").dt.date()
    )
    assert earned.agg(pl.col("amount").sum())["amount"].max() == 60


def test_a_fault_of_the_store_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(_self: object, _user_id: str) -> object:
        message = "the disk is full"
        raise OSError(message)

    monkeypatch.setattr("kokoromichi.services.daily.DailyService.claim", breaks)
    with pytest.raises(OSError, match="disk is full"):
        play(Scenario.load("baseline", players=5, days=1))
