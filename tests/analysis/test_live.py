"""A real economy is read from its store as a simulation reads its own, as far as the bot can see."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Final
from zipfile import ZipFile

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from kokoromichi.analysis.groups import behaviour_groups
from kokoromichi.analysis.live import Live
from kokoromichi.analysis.metrics import METRICS, measured
from kokoromichi.analysis.metrics.by_day import ALL
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.observations import MissingObservationsError, Observations
from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.schemas import DECISIONS, ECONOMY_HISTORY_SCHEMA
from kokoromichi.settings import Settings
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_postgres_database
from tests.simulation.commands import DONE, USAGE, invoke

if TYPE_CHECKING:
    from pathlib import Path

DAYS: Final = 8
SCENARIO: Final = Scenario.load("sale_week", players=25, days=DAYS).with_sale(
    categories=["potion"], percent=50, from_day=4, days=2
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Observations]:
    """A store that synthetic players have played in, and what a bot would have noted of them."""
    folder = tmp_path_factory.mktemp("played")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATA_DIR", str(folder / "store"))
        run = simulate(SCENARIO, provider="local", seed=3, out=folder / "run")
    whole = run.observations[0].loaded()
    acts = whole.activity.filter(~pl.col("act").is_in(DECISIONS)).collect()

    async def note() -> None:
        async with LocalJSONProvider(folder / "store") as store:
            await store.append_observations("activity", acts.to_dicts())

    asyncio.run(note())
    seen = Observations.from_frames(whole.ledger, activity=acts, economy_history=whole.economy_history)
    return folder / "store", seen


def comparable(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that know no archetype, and nobody's name."""
    if {"user_id", "largest_user_id"} & {*frame.columns}:
        nameless = frame.drop("user_id", "counterparty", "largest_user_id", "archetype", strict=False)
        return nameless.sort(nameless.columns)
    return frame.filter(pl.col("archetype") == ALL) if "archetype" in frame.columns else frame


def test_every_metric_of_a_store_is_that_of_the_simulation_that_played_in_it(
    played: tuple[Path, Observations],
) -> None:
    store, seen = played
    live = Live(store)
    assert_frame_equal(live.headline, headline(seen))
    for name in METRICS:
        found, wanted = (comparable(frame) for frame in (live.metric(name), measured(name, seen)))
        assert_frame_equal(found, wanted)


def test_players_keep_their_ids_only_where_that_is_asked(
    played: tuple[Path, Observations], tmp_path: Path
) -> None:
    store, seen = played
    known = {*seen.ledger.collect()["user_id"]}
    hidden, other, named = Live(store), Live(store), Live(store, ids=True)
    rows = [{*live.metric("balances")["user_id"]} for live in (hidden, other, named)]
    assert rows[2] == known - {"system"}
    assert len(rows[0]) == len(rows[2])
    assert not rows[0] & rows[1]  # Each has a key of its own.
    streams = pl.concat(
        [hidden.observations.ledger.select("user_id"), hidden.observations.activity.select("user_id")]
    )
    assert {*streams.collect()["user_id"]} - {"system"} == rows[0]
    with ZipFile(hidden.to_excel(tmp_path / "live.xlsx")) as book:
        words = book.read("xl/sharedStrings.xml").decode()
    assert next(iter(rows[0])) in words
    assert "beyond the horizon" in words
    assert not [player for player in known - {"system"} if player in words]


def test_a_time_of_a_store_begins_with_the_balances_before_it(played: tuple[Path, Observations]) -> None:
    store, seen = played
    start = SCENARIO.start
    whole = measured("money_supply", seen)
    live = Live(store, since=str(start + dt.timedelta(days=3)), until=start + dt.timedelta(days=6))
    part = live.metric("money_supply")
    assert part["day"].n_unique() == 3
    same = whole.filter(pl.col("day").is_in(part["day"].implode()))
    assert_frame_equal(part.select("day", "currency", "supply"), same.select("day", "currency", "supply"))
    data = live.report_data()
    assert (data.days, data.before is not None, data.measured_from_day) == (3, True, 0)


def test_players_without_archetypes_are_told_apart_by_what_they_do(
    played: tuple[Path, Observations],
) -> None:
    store, _ = played
    live = Live(store, groups="spending")
    groups = live.metric("gains").group_by("archetype").agg(pl.col("players").first()).sort("archetype")
    assert groups["archetype"].to_list() == [ALL, "spending_low", "spending_middle", "spending_top"]
    assert groups["players"].to_list() == [15, 8, 6, 1]
    with pytest.raises(MisuseError, match="groups 'spendin' is unknown; near it: spending"):
        Live(store, groups="spendin")


def test_who_did_the_same_is_in_the_same_group() -> None:
    rows = [("ada", 10), ("bo", 10), ("cy", 10), ("di", 40)]
    ledger = pl.DataFrame(
        [
            (
                f"{number}",
                dt.datetime(2026, 1, 5, tzinfo=dt.timezone.utc),
                "opening",
                user,
                "gold",
                gold,
                user,
            )
            for number, (user, gold) in enumerate(rows)
        ],
        ["entry_id", "at", "kind", "user_id", "currency", "amount", "actor"],
        orient="row",
    )
    blank = dict.fromkeys(("tx_id", "book", "balance_after", "item_id", "quantity"))
    missing = pl.DataFrame([{**blank, "counterparty": None, "request_id": None, "reason": None}])
    seen = Observations.from_frames(ledger.join(missing, how="cross"))
    groups = behaviour_groups(seen, "wealth")
    assert groups["archetype"].to_list() == ["wealth_low"] * 3 + ["wealth_middle"]


def test_what_can_be_read_is_read_alike(played: tuple[Path, Observations]) -> None:
    store, _ = played
    ways = [
        Live(LocalJSONProvider(store)),
        Live(Settings(provider="local", data_dir=store)),
        Live(store.parent / "run"),
    ]
    assert [live.name for live in ways] == ["local", "local", "run"]
    supplies = [live.metric("money_supply").select("day", "currency", "supply") for live in ways]
    assert supplies[0].equals(supplies[1])
    assert supplies[0].equals(supplies[2])


@pytest.mark.parametrize(
    ("source", "since", "said"),
    [
        ("redis://there", None, "redis:// is the address of no store; use postgresql:// or mongodb://"),
        ("nowhere", None, "nowhere is no folder"),
        ("nowhere", "May", "since is 'May'; use a date such as '2026-10-01'"),
        ("nowhere", 20250101, "since is 20250101; use a date such as '2026-10-01'"),
    ],
)
def test_what_cannot_be_read_is_refused(source: str, since: object, said: str) -> None:
    with pytest.raises(MisuseError, match=said):
        Live(source, since=since)  # type: ignore[arg-type]  # As a notebook passes it.


def test_groups_of_no_kind_are_refused_before_anything_is_read() -> None:
    with pytest.raises(MisuseError, match="groups 'session' is unknown; near it: sessions"):
        Live("nowhere", groups="session")


@pytest.mark.parametrize("store", ["local", "mongo", "postgres"])
def test_every_store_is_read_by_its_address_and_what_nobody_noted_is_missed_by_name(
    store: str, tmp_path: Path
) -> None:
    if store == "local":
        address, settings = str(tmp_path), Settings(provider=store, data_dir=tmp_path)
    elif store == "mongo":
        address = fresh_database()
        settings = Settings(provider=store, mongo_uri=SecretStr(address))
    else:
        address = asyncio.run(fresh_postgres_database())
        settings = Settings(provider=store, database_url=SecretStr(address))
    provider = build_provider(settings)

    async def play() -> None:
        async with provider:
            await provider.save_user("ada", {"gold": 5})
            await provider.append_observations("economy_history", [price])

    price = dict(
        zip(ECONOMY_HISTORY_SCHEMA, ("0", moment_of(0), "price_gold", "silk", "gift", 7), strict=True)
    )
    asyncio.run(play())
    live = Live(address)
    assert (live.name, live.metric("money_supply")["supply"].to_list()) == (store, [5])
    assert live.metric("days_to_afford")["price_gold"].unique().to_list() == [7]
    with pytest.raises(MissingObservationsError, match="refusals needs the stream activity"):
        live.metric("refusals")


def test_a_price_s_changes_are_events_of_the_live_economy(played: tuple[Path, Observations]) -> None:
    store, _ = played
    axes = Live(store).plot.event("health_potion")
    changed = [f"{SCENARIO.start + dt.timedelta(days=day)}: " for day in (4, 6)]
    _, legend = axes.get_legend_handles_labels()
    assert [said[: len(changed[0])] for said in legend] == changed


def test_the_command_line_reports_a_store_beside_its_bot(
    played: tuple[Path, Observations], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = played
    monkeypatch.chdir(tmp_path)
    asked = invoke("report", "--provider", "local", "--data-dir", store)
    assert (asked.exit_code, asked.stdout) == (DONE, "The report: report.html\n")
    page = (tmp_path / "report.html").read_text()
    assert "players are grouped by sessions" in page
    assert not [player for player in {*seen.ledger.collect()["user_id"]} - {"system"} if player in page]
    both = invoke("report", store, "--provider", "local")
    assert (both.exit_code, both.stderr.count("a folder or a store")) == (USAGE, 1)
