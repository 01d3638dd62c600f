"""What the tests of the simulation share: the runs of the campaign, played once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.campaign import Campaign, Size


@pytest.fixture(scope="session")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """The campaign in the size that the environment asks for."""
    size = Size()
    return Campaign(size, tmp_path_factory.mktemp("campaign") if size.out is None else Path(size.out))
