"""How the contract suite makes a fresh provider of each kind: one line more for one provider more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from tests.servers.mongo import fresh_database
from tests.servers.postgres import fresh_schema, server_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider

Make: TypeAlias = "Callable[[Clock, Path], DataProvider]"
"""A clock and an empty folder of its own: a provider that is not yet open, and stores nothing yet."""

MAKERS: Final[dict[str, Make]] = {
    "local": lambda clock, folder: LocalJSONProvider(folder, clock=clock),
    "memory": lambda clock, _folder: MemoryProvider(clock),
    "mongo": lambda clock, _folder: MongoDBProvider(fresh_database(), clock),
    "postgres": lambda clock, _folder: PostgresProvider(
        server_url(), clock=clock, pool_size=(1, 20), schema=fresh_schema()
    ),
}
"""By the keys of ``PROVIDERS``."""
