"""The first KoKoroMichi's examples of use, run as written but for ``kokoromichi.`` before an import."""

from __future__ import annotations

import ast
import inspect
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from kokoromichi.core import provider_manager
from kokoromichi.core.data_manager import data_manager
from kokoromichi.core.provider_manager import get_provider, get_user_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LOCAL = """
from core.providers.local_json import LocalJSONProvider
provider = LocalJSONProvider(data_dir="data")
user_data = await provider.get_user("user_id")
"""
MONGO = """
from core.providers.mongo import MongoDBProvider
provider = MongoDBProvider()
user_data = await provider.get_user("user_id")
"""
POSTGRES = """
from core.providers.postgres import PostgresProvider
provider = PostgresProvider()
user_data = await provider.get_user("user_id")
"""
STORE = """
from services.store import StoreService
store = StoreService()
success, msg, balance = await store.purchase_item("user_id", "health_potion", 1)
"""
COMMAND = """
try:
    data = await get_user_async(user_id)
except:
    data = data_manager.get_user_data(user_id)
"""


@pytest.fixture(autouse=True)
async def _own_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[None]:
    """A process that nobody has asked for anything, in an empty folder, with nothing set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(provider_manager, "_provider", None)
    for name in ("PROVIDER", "DATA_DIR", "ECONOMY_DIR"):
        monkeypatch.delenv(name, raising=False)
    yield
    await get_provider().close()


async def run(snippet: str, **names: object) -> dict[str, Any]:
    """Run a snippet that may await, and answer what it has named."""
    prefixed = snippet.replace("from ", "from kokoromichi.")
    code = compile(prefixed, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(code, CodeType)
    scope: dict[str, Any] = dict(names)
    waiting = FunctionType(code, scope)()
    if inspect.isawaitable(waiting):
        await waiting
    return scope


async def test_the_local_provider_answers() -> None:
    named = await run(LOCAL)
    assert named["user_data"] is None
    await named["provider"].save_user("user_id", {"gold": 5})
    await named["provider"].close()
    named = await run(LOCAL)
    assert named["user_data"]["gold"] == 5
    await named["provider"].close()


async def test_mongo_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("motor", reason="backend: motor is not installed")
    from tests.servers.mongo import fresh_database  # noqa: PLC0415 - it needs the driver

    monkeypatch.setenv("MONGO_URI", fresh_database())
    named = await run(MONGO)
    assert named["user_data"] is None
    await named["provider"].save_user("user_id", {"gold": 5})
    await named["provider"].close()
    named = await run(MONGO)
    assert named["user_data"]["gold"] == 5
    await named["provider"].close()


async def test_postgres_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("asyncpg", reason="backend: asyncpg is not installed")
    from tests.servers.postgres import server_url  # noqa: PLC0415 - it needs the driver

    monkeypatch.setenv("DATABASE_URL", server_url())
    named = await run(POSTGRES)
    assert await named["provider"].get_user("user_id") == named["user_data"]
    await named["provider"].close()


async def test_the_store_sells() -> None:
    named = await run(STORE)
    assert named["success"] is True
    assert named["msg"].startswith("Bought 1 x health_potion for ")
    document = await get_user_async("user_id")
    assert document is not None
    assert (document["gold"], document["inventory"]) == (named["balance"], {"health_potion": 1})


@pytest.mark.parametrize("user_id", ["1", 123456789012345678])
async def test_a_command_asks_as_it_did(user_id: str | int) -> None:
    names = {"get_user_async": get_user_async, "data_manager": data_manager, "user_id": user_id}
    assert (await run(COMMAND, **names))["data"] is None
    await get_provider().save_user(user_id, {"gold": 5})
    assert (await run(COMMAND, **names))["data"]["gold"] == 5
