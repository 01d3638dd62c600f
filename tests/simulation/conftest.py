"""What the tests of the simulation share: the runs of the campaign, and a tiny one, played once a session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import shared_folder
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
    return Answered(folder, invoke("simulate", "baseline", *TINY, "--report", "--out", folder))


@pytest.fixture
def played(answered: Answered) -> Path:
    """The folder of that run, which no test changes."""
    return answered.folder


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
