"""What the tests of the simulation share: the runs of the campaign, and a tiny one, played once a session."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from kokoromichi.simulation import engines
from kokoromichi.simulation.scenario import Scenario
from tests.simulation.campaign import Campaign, Size
from tests.simulation.commands import TINY, invoke

if TYPE_CHECKING:
    from typer.testing import Result


@dataclass(frozen=True)
class Answered:
    """A run, and what the command said that played it."""

    folder: Path
    result: Result


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """A tiny run of the command line."""
    folder = tmp_path_factory.mktemp("cli") / "new" / "run"
    return Answered(folder, invoke("simulate", "baseline", *TINY, "--out", folder))


@pytest.fixture
def played(answered: Answered) -> Path:
    """The folder of that run, which no test changes."""
    return answered.folder


@pytest.fixture(scope="session")
def compiled_engine(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    """The compiled engine, where numba is there: compiled by one process of a test run, for all of them."""
    if find_spec("numba") is None:
        return
    with FileLock(shared_folder(tmp_path_factory, worker_id) / "compiled.lock"):
        scenario = Scenario.load("baseline", players=2, days=1)
        engines.compile_once(scenario, engines.choose(engines.COMPILED, scenario), lambda _what: None)


@pytest.fixture(scope="session")
def campaign(
    compiled_engine: None,  # noqa: ARG001 - for what it leaves on disk
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Campaign:
    """The campaign in the size that the environment asks for; all processes of a test run share its runs."""
    size = Size()
    folder = shared_folder(tmp_path_factory, worker_id) / "campaign"
    return Campaign(size, folder if size.out is None else Path(size.out))


def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of a test run have in common."""
    mine = tmp_path_factory.getbasetemp()
    return mine if worker_id == "master" else mine.parent
