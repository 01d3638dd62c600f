"""A PostgreSQL whose disk fills and gets room again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import StorageError
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.faults.full_disk import file_system, fill_up
from tests.servers.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user may pass through; those of ``tmp_path`` are pytest's alone."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


async def test_a_server_whose_disk_is_full_is_not_well_before_a_purchase_meets_it(folder: Path) -> None:
    with file_system(folder / "small", 200) as small:
        small.chmod(0o777)
        server = PostgresServer(outlives_power=False, place=small)
        server.start()
        try:
            async with PostgresProvider(server.url, pool_size=(1, 1)) as provider:
                await provider.probe()
                ballast = fill_up(small)
                with pytest.raises(StorageError, match="the server's disk is full"):
                    await provider.probe()
                ballast.unlink()
                await provider.probe()
        finally:
            server.remove()
