"""The fixtures of the contract suite: every test runs once for each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.clock import ManualClock
from kokoromichi.core.providers import PROVIDERS
from tests.contract.makers import MAKERS
from tests.contract.stored import NOON_US

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider


@pytest.fixture
def clock() -> ManualClock:
    """A clock at noon of a day, UTC."""
    return ManualClock(NOON_US)


@pytest.fixture(params=sorted(PROVIDERS))
def closed(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> DataProvider:
    """A fresh provider that nobody has opened."""
    return MAKERS[request.param](clock, tmp_path)


@pytest.fixture
async def provider(closed: DataProvider) -> AsyncIterator[DataProvider]:
    """A fresh provider, open."""
    async with closed:
        yield closed
