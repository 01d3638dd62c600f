"""Truths that a calibration is to find again, and how far from each it lands, in its own standard errors.

Among the quick tests there are a few truths of a small server; the campaign is the same test with
``CALIBRATION_TRUTHS=200 CALIBRATION_PLAYERS=500 CALIBRATION_DAYS=90 CALIBRATION_ENGINE=compiled``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from pydantic_settings import BaseSettings, SettingsConfigDict

from kokoromichi.analysis.observations import Observations
from kokoromichi.core.schemas import ACTIVITY_SCHEMA
from kokoromichi.experiments.calibrate import calibrate
from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario

LIKINGS: Final = ("potion", "scroll", "charm", "chest", "gift", "collectible", "train", "gems", "business")
CATEGORIES: Final = LIKINGS[:6]
PURCHASES: Final = ("buy", "train", "exchange", "invest")


class Size(BaseSettings):
    """How much is played.

    Attributes:
        truths: Drawn.
        first: Seed of the first one; a campaign may be played in parts.
        players: Of one archetype.
        days: Horizon.
        engine: As for ``simulate``.
    """

    model_config = SettingsConfigDict(env_prefix="CALIBRATION_")

    truths: int = 5
    first: int = 0
    players: int = 60
    days: int = 28
    engine: str = "faithful"

    @property
    def full(self) -> bool:
        """Whether there are enough truths to judge each coefficient by itself."""
        return self.truths >= 100


def only(archetype: str, players: int, days: int) -> Scenario:
    """The baseline with players of one archetype alone."""
    base = Scenario.load("baseline", days=days)
    cohorts = tuple(
        cohort.model_copy(update={"players": players})
        for cohort in base.population.cohorts
        if cohort.archetype == archetype
    )
    return base.with_population(base.population.model_copy(update={"cohorts": cohorts}))


def with_moving_prices(scenario: Scenario) -> Scenario:
    """A category a week at 80 or 120 %."""
    for week in range(scenario.days // 7):
        percent = (80, 120)[(week // 6 + week) % 2]
        category = CATEGORIES[week % 6]
        scenario = scenario.with_sale(percent=percent, from_day=7 * week, days=7, categories=[category])
    return scenario


def drawn(scenario: Scenario, archetype: str, dice: np.random.Generator) -> Scenario:
    """The scenario with other tastes: likings with a spread of 0.3 utils, beta and omega with one of 0.15."""
    now = next(one for one in scenario.population.archetypes if one.name == archetype)
    changes = {f"asc_{name}": getattr(now, f"asc_{name}") + dice.normal(0, 0.3) for name in LIKINGS}
    changes["beta"] = now.beta * np.exp(dice.normal(0, 0.15))
    changes["omega"] = max(0.1, now.omega + dice.normal(0, 0.15))
    plain: dict[str, Any] = {name: float(value) for name, value in changes.items()}
    return scenario.with_archetype(archetype, **plain)


def seen_of(scenario: Scenario, seed: int, engine: str) -> Observations:
    """One replication."""
    played = engines.play(scenario, seed, engine)
    return Observations.from_frames(
        played.ledger,
        activity=played.activity,
        economy_history=played.economy_history,
        players=played.players,
    )


def as_a_bot_sees(seen: Observations) -> Observations:
    """What a bot would have noted of players without goals; ``tests.bot`` holds a real one to that."""
    stood = ("gold", "level", "units_held", "economy_hash")
    activity = seen.activity.with_columns(pl.col(pl.Enum).cast(pl.String)).sort("at", maintain_order=True)
    choices = activity.filter(act="choice").select("user_id", "session", "at", "outcome", *stood).collect()
    acts = activity.filter(pl.col("act").is_in(PURCHASES), pl.col("code").is_null()).collect()
    bought = acts.drop("outcome", *stood).join_asof(
        choices.filter(pl.col("outcome") != "save"),
        on="at",
        by=["user_id", "session"],
        check_sortedness=False,
    )
    place = pl.int_range(pl.len()).over("session")
    # A training at the end leads to the level of the next choice, unless a battle between has won it.
    led_to = pl.col("level").shift(-1).over("user_id").fill_null(pl.col("level"))
    level = pl.when(pl.col("outcome") == "train").then(led_to).otherwise("level")
    ends = choices.with_columns(level=level).group_by("session", maintain_order=True).last()
    rows = (
        choices.group_by("session", maintain_order=True).first().with_columns(act=pl.lit("shown")),
        bought.with_columns(slot=place),
        ends.with_columns(act=pl.lit("end"), outcome=pl.lit("quiet")),
    )
    noted = pl.concat(rows, how="diagonal")
    return Observations.from_frames(
        seen.ledger,
        activity=noted.match_to_schema(ACTIVITY_SCHEMA, missing_columns="insert", extra_columns="ignore"),
        economy_history=seen.economy_history,
        players=seen.players,
    )


def recovered(size: Size, archetype: str = "casual") -> pl.DataFrame:
    """Each truth once as a simulation sees it, and once as a bot does.

    Returns:
        ``by`` (``simulation`` or ``bot``), ``coefficient``, ``truth``, ``estimate``, ``se``, ``z``, where it
        is identified.
    """
    dice = np.random.default_rng(11 + size.first)
    base = with_moving_prices(only(archetype, size.players, size.days))
    parts = []
    for number in range(size.first, size.first + size.truths):
        scenario = drawn(base, archetype, dice)
        truth = next(one for one in scenario.population.archetypes if one.name == archetype).model_dump()
        truth |= {"beta_store": truth["beta"], "beta_costs": truth["beta"]}
        whole = seen_of(scenario, number, size.engine)
        for by, seen in (("simulation", whole), ("bot", as_a_bot_sees(whole))):
            table = calibrate(seen, base).table().filter("identified")
            known = pl.Series([truth[name] for name in table["coefficient"]], dtype=pl.Float64)
            parts.append(table.select("coefficient", "estimate", "se", by=pl.lit(by), truth=known))
    return pl.concat(parts).with_columns(z=(pl.col("estimate") - pl.col("truth")) / pl.col("se"))
