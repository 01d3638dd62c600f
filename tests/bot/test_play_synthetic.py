"""What synthetic players do by the bot's commands over PostgreSQL is what they do in a simulation.

A bot does not see who somebody is (archetype, cohort, day of arrival), that they leave for good or come back,
what they wish for, what their goal and reserve are, and when they think of buying and do not.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.live import Live
from kokoromichi.analysis.metrics import METRICS, measured
from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.metrics.presence import NO_PRESENCE
from kokoromichi.analysis.observations import MissingObservationsError, Observations
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.schemas import DECISIONS, SIGHTINGS
from kokoromichi.experiments.bot_stream import session_rows
from kokoromichi.rules.acts import SESSION_GAP_S
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.scenario import Scenario
from tests.bot.synthetic import BotEngine, Known, named
from tests.experiments.recovery import as_a_bot_sees
from tests.servers.postgres import fresh_postgres_database

if TYPE_CHECKING:
    from kokoromichi.simulation.played import Played

_SIZE: Final = os.environ.get("KOKORO_PLAYERS_X_DAYS", "12x4")  # noqa: TID251 - the campaign's size
"""As in ``300x20``, which takes some minutes."""
PLAYERS, DAYS = map(int, _SIZE.split("x"))
SEED: Final = 3


@pytest.fixture(scope="module")
def both() -> tuple[Known, Live, Played]:
    """The same players at the bot, as their store shows them, and in a simulation."""
    scenario = Scenario.load("baseline", players=PLAYERS, days=DAYS)
    url = asyncio.run(fresh_postgres_database())
    engine = BotEngine(scenario, SEED, lambda clock: PostgresProvider(url, clock=clock))
    known = asyncio.run(engine.play_at_the_bot())
    return known, Live(url, ids=True), asyncio.run(FaithfulEngine(scenario, SEED).play())


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Enums as text."""
    return frame.with_columns(pl.col(pl.Enum).cast(pl.String))


def without_thoughts(activity: pl.DataFrame) -> pl.DataFrame:
    """Without what no command shows: leaving, wishes, and every choice but the first look at the store.

    A wish after the last act may make two sessions one that are half an hour apart but for seconds.
    """
    looked = pl.int_range(pl.len()).over("session", "act") == 0
    return activity.filter(~pl.col("act").is_in((*NO_PRESENCE, "wish")), (pl.col("act") != "choice") | looked)


def without_ids(ledger: pl.DataFrame) -> pl.DataFrame:
    """Without those that every store makes for itself."""
    return plain(ledger).drop("entry_id", "tx_id", "request_id")


def test_the_ledger_is_that_of_the_simulation(both: tuple[Known, Live, Played]) -> None:
    known, _, simulated = both
    assert_frame_equal(without_ids(known.ledger), without_ids(simulated.ledger))
    assert known.ledger["kind"].n_unique() > 5


def test_what_players_did_and_thought_is_that_of_the_simulation(both: tuple[Known, Live, Played]) -> None:
    known, _, simulated = both
    assert_frame_equal(plain(known.activity), plain(simulated.activity))


def test_every_metric_that_the_bot_can_see_is_that_of_the_simulation(
    both: tuple[Known, Live, Played],
) -> None:
    _, live, simulated = both
    seen = Observations.from_frames(
        plain(simulated.ledger),
        activity=without_thoughts(plain(simulated.activity)),
        economy_history=simulated.economy_history,
    )
    assert_frame_equal(live.headline, headline(seen))
    for name in METRICS:
        found, wanted = (_of_all(frame) for frame in (live.metric(name), measured(name, seen)))
        assert_frame_equal(named(found), wanted, check_row_order=False)


def test_the_bot_notes_the_acts_and_none_of_what_only_a_simulation_knows(
    both: tuple[Known, Live, Played],
) -> None:
    _, live, simulated = both
    noted = named(live.observations.activity.collect())
    known = plain(simulated.activity)
    assert {*known["act"]} >= {*DECISIONS} - {*NO_PRESENCE}  # Nobody may leave or return in a few days.
    assert not {*noted["act"]} & {*DECISIONS}
    acts = ["user_id", "at", "act", "code"]
    assert_frame_equal(
        noted.filter(~pl.col("act").is_in(SIGHTINGS)).select(acts),
        known.filter(~pl.col("act").is_in(DECISIONS)).select(acts),
    )
    with pytest.raises(MissingObservationsError, match="players"):
        live.observations.require("a table by archetype", "players")


def test_purchases_are_noted_as_they_were_chosen(both: tuple[Known, Live, Played]) -> None:
    _, live, simulated = both
    noted = named(live.observations.activity.collect())
    chosen = plain(simulated.activity).filter(pl.col("act") == "choice", pl.col("outcome") != "save")
    purchases = noted.filter(pl.col("slot").is_not_null(), pl.col("act") != "end")
    # Who takes a manual first trains five seconds after the choice.
    found = chosen.join(purchases, on=["user_id", "at", "outcome"])
    assert found.height > 0.8 * chosen.height
    assert_stood_alike(found)
    shown = noted.filter(act="shown")
    found = chosen.unique(["user_id", "at"], keep="first").join(shown, on=["user_id", "at"])
    assert found.height > 0
    assert_stood_alike(found)


def test_a_calibration_reads_of_the_bot_what_it_reads_of_the_simulation(
    both: tuple[Known, Live, Played],
) -> None:
    known, live, simulated = both
    base = Scenario.load("baseline")
    at_the_bot = replace(
        live.observations.mapped(named), players=known.players.lazy(), has_players=True, grouped_by=""
    )
    thought = Observations.from_frames(
        plain(simulated.ledger),
        activity=simulated.activity,
        economy_history=simulated.economy_history,
        players=plain(simulated.players),
    )
    order = ["user_id", "at"]
    # A simulation does not say what level a training at the end led to.
    level = pl.when(pl.col("outcome") != "save").then("level")
    columns = [*order, "outcome", "gold", "archetype", level]
    found, wanted = (
        session_rows(seen, base=base).sort(order, maintain_order=True).select(columns)
        for seen in (at_the_bot, as_a_bot_sees(thought))
    )
    returned = within_half_an_hour(simulated)
    found, wanted = (rows.filter(~pl.col("user_id").is_in(returned)) for rows in (found, wanted))
    # In a long time some sessions are cut by the bot's end, or are one where the simulation has two.
    few = wanted.height // 100
    assert found.join(wanted, on=wanted.columns, how="anti", nulls_equal=True).height <= few
    assert wanted.height - few <= found.height <= wanted.height
    assert found["outcome"].n_unique() > 3


def within_half_an_hour(simulated: Played) -> list[str]:
    """Who began a session so soon after another one that the bot took both for one."""
    acts = plain(simulated.activity).filter(~pl.col("act").is_in(NO_PRESENCE))
    gap = acts.select("user_id", "act", quiet=pl.col("at").diff().over("user_id"))
    soon = gap.filter(pl.col("quiet") < dt.timedelta(seconds=SESSION_GAP_S), act="session")
    return soon["user_id"].unique().to_list()


def assert_stood_alike(found: pl.DataFrame) -> None:
    """The bot saw purse, level and units as the simulation knows them."""
    columns = ("gold", "level", "units_held")
    noted = found.select(pl.col(f"{name}_right").alias(name) for name in columns)
    assert_frame_equal(found.select(columns), noted)


def _of_all(frame: pl.DataFrame) -> pl.DataFrame:
    """Without what goes by archetype, which a bot does not know."""
    if {"user_id", "largest_user_id"} & {*frame.columns}:
        return frame.drop("archetype", strict=False)
    return frame.filter(pl.col("archetype") == ALL) if "archetype" in frame.columns else frame
