"""The faithful engine over a real store: its ledger is memory's, and the store had to be empty."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Final

import polars as pl
import pytest

from kokoromichi.core.clock import SystemClock
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.services.bundle import Services
from kokoromichi.settings import Settings
from kokoromichi.simulation.played import first_difference
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import simulate
from tests.contract.stored import stored
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_postgres_database
from tests.simulation.commands import DONE, INTERRUPTED, SEED, STORAGE_FAILED, USAGE, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import AnswerT, ChangeSet
    from kokoromichi.simulation.run import Run

SCENARIO: Final = Scenario.load("alt_farm", players=12, days=4)
STORES: Final = ("local", "mongo", "postgres")
OWN_IDS: Final = ("entry_id", "tx_id", "request_id")
"""Each store numbers its rows and commits as it likes."""
ASKED: Final = ("simulate", "baseline", "--players", "6", "--days", "2", "--provider", "local")


@pytest.fixture
def named(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store by name, of which the settings name an empty one."""
    provider: str = request.param
    if provider == "local":
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "store"))
    elif provider == "mongo":
        monkeypatch.setenv("MONGO_URI", fresh_database())
    else:
        monkeypatch.setenv("DATABASE_URL", asyncio.run(fresh_postgres_database()))
    return provider


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the settings name for the local store."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return simulate(SCENARIO, replications=1, seed=SEED, out=tmp_path_factory.mktemp("memory"))


def frames(run: Run) -> dict[str, pl.DataFrame]:
    """Everything that a replication left, without a store's own ids; items by name."""
    target = run.folder / "replications/000"
    found = {path.stem: pl.read_parquet(path) for path in sorted(target.rglob("*.parquet"))}
    return {name: frame.drop(OWN_IDS, strict=False) for name, frame in found.items()}


@pytest.mark.parametrize("named", STORES, indirect=True)
def test_a_run_over_a_store_leaves_the_rows_that_it_leaves_in_memory(
    named: str, in_memory: Run, tmp_path: Path
) -> None:
    run = simulate(SCENARIO, seed=SEED, provider=named, out=tmp_path / "run")
    assert run.sound
    assert (run.manifest["provider"], run.manifest["replications"]) == (named, 1)
    assert run.manifest["engine"] == f"faithful (auto: over {named} the bot's own services play)"
    theirs = frames(in_memory)
    assert {"transfer", "fee", "train", "opening"} <= set(theirs["ledger"]["kind"])
    for name, frame in frames(run).items():
        assert first_difference(frame, theirs[name]) is None, name
    stays = build_provider(Settings().model_copy(update={"provider": named}))
    assert asyncio.run(rows_in(stays)) == theirs["ledger"].height


async def rows_in(store: DataProvider) -> int:
    """How many ledger rows a store holds."""
    async with store:
        return await store.ledger_rows()


@pytest.mark.parametrize("named", STORES, indirect=True)
@pytest.mark.parametrize("holds", ["a player", "a bot's stock", "a section"])
def test_a_store_that_holds_something_is_refused_and_stays_as_it_was(
    named: str, holds: str, tmp_path: Path
) -> None:
    store = build_provider(Settings().model_copy(update={"provider": named}))

    async def fill() -> object:
        async with store:
            if holds == "a player":
                await store.save_user("ada", {"gold": 5})
            elif holds == "a section":
                await store.save_game_data("events", {"days": 3})
            else:
                await Services(store, SCENARIO.economy, SystemClock()).start()
            return await stored(store)

    async def found() -> object:
        async with store:
            return await stored(store)

    before = asyncio.run(fill())
    with pytest.raises(MisuseError, match=r"is not empty, .* name an empty (folder|database) \("):
        simulate(SCENARIO, provider=named, out=tmp_path / "run")
    assert asyncio.run(found()) == before


@pytest.mark.parametrize("engine", ["compiled", "both"])
def test_compiled_acts_know_no_store(folder: Path, engine: str) -> None:
    with pytest.raises(MisuseError, match=f"engine '{engine}' cannot play over local: .* use 'faithful'"):
        simulate(SCENARIO, provider="local", engine=engine)
    assert not folder.exists()


def test_a_store_holds_one_replication(folder: Path) -> None:
    with pytest.raises(MisuseError, match="one replication: over local use replications=1"):
        simulate(SCENARIO, provider="local", replications=2)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("local", r"DATA_DIR is not set: name an empty folder \(DATA_DIR\)"),
        ("mongo", r"MONGO_URI is not set: name an empty database"),
        ("postgres", r"DATABASE_URL is not set: name an empty database"),
        ("oracle", "there is no provider 'oracle': use local, memory, mongo, postgres"),
    ],
)
def test_no_store_is_played_in_that_nobody_named(
    provider: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "MONGO_URI", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MisuseError, match=said):
        simulate(SCENARIO, provider=provider)
    assert not list(tmp_path.iterdir())


def test_the_command_line_rehearses_once_in_a_store(folder: Path, tmp_path: Path) -> None:
    result = invoke(*ASKED, "--out", tmp_path / "run")
    assert (result.exit_code, result.stderr) == (DONE, "")
    assert "The local store holds the run's players" in result.stdout
    again = invoke(*ASKED, "--out", tmp_path / "other")
    assert again.exit_code == USAGE
    assert f"{folder} is not empty" in again.stderr


def fail_after(monkeypatch: pytest.MonkeyPatch, commits: int, what: BaseException | signal.Signals) -> None:
    """Let the local store answer so many commits, and then fail, or the user press Ctrl-C."""
    apply, left = LocalJSONProvider.apply, iter(range(commits))

    async def failing(store: LocalJSONProvider, change: ChangeSet[AnswerT]) -> AnswerT:
        if next(left, None) is None:
            if isinstance(what, BaseException):
                raise what
            signal.raise_signal(what)
        return await apply(store, change)

    monkeypatch.setattr(LocalJSONProvider, "apply", failing)


LEFT: Final = "a part of the run is left in the store: name an empty folder (DATA_DIR) for the next one\n"


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        (StorageError("the disk is full"), STORAGE_FAILED, f"Error: the disk is full; {LEFT}"),
        (signal.SIGINT, INTERRUPTED, f"Error: Interrupted: {LEFT}"),
    ],
    ids=["storage", "ctrl_c"],
)
def test_what_ends_a_rehearsal_says_what_it_leaves(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: BaseException | signal.Signals,
    code: int,
    said: str,
) -> None:
    fail_after(monkeypatch, 40, what)
    result = invoke(*ASKED, "--players", "20", "--days", "9", "--out", tmp_path / "run")
    assert (result.exit_code, result.stderr) == (code, said)
    assert not list((tmp_path / "run/replications").glob("*"))
    monkeypatch.undo()
    rows = asyncio.run(rows_in(LocalJSONProvider(folder)))
    assert 40 <= rows < 400  # The store was closed in order: it opens, with what was committed.


def test_a_store_that_cannot_be_reached_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://kokoro:secret-7@127.0.0.1:1/kokoro")
    result = invoke(*ASKED[:-1], "postgres", "--out", tmp_path / "run")
    assert result.exit_code == STORAGE_FAILED
    assert "127.0.0.1:1 as kokoro: the server cannot be reached; start it" in result.stderr
    assert "secret-7" not in result.stderr
