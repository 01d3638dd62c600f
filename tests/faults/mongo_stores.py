"""What the fault tests of MongoDB share: stores over one database, and failpoints."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from kokoromichi.core.errors import ConflictError
from kokoromichi.core.models import Movement
from tests.contract.stored import change, money, user
from tests.servers.mongo import server_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kokoromichi.core.models import ChangeSet
    from kokoromichi.core.providers.mongo import MongoDBProvider
    from kokoromichi.core.transactions import Committed

HURRIED: Final = (
    "?serverSelectionTimeoutMS=1500&connectTimeoutMS=500&socketTimeoutMS=400"
    "&serverMonitoringMode=poll&heartbeatFrequencyMS=500"
)
"""Options of a client that does not wait long."""


def bought(version: int, gold: int, request_id: str | None = None) -> ChangeSet[Committed]:
    """Ada buys a charm for 10 gold; ``gold`` is what she has afterwards."""
    row = Movement("purchase", "gold", -10, gold, "lucky_charm", 1)
    act = change(user("ada", version, row), request_id=request_id, digest="buy", answer=(gold, 0))
    if request_id is None:
        act.digest = ""
    return act


async def move(provider: MongoDBProvider, user_id: str, amount: int) -> bool:
    """Deposit, or withdraw where there is enough; reads anew after a conflict, as a service does."""
    while True:
        profile = await provider.profile(user_id)
        assert profile is not None
        if (after := profile.gold + amount) < 0:
            return False
        try:
            await provider.apply(change(user(user_id, profile.version, money(amount, after))))
        except ConflictError:
            continue
        return True


async def gold_of(provider: MongoDBProvider, user_id: str) -> int:
    """What a player has, in gold."""
    profile = await provider.profile(user_id)
    assert profile is not None
    return profile.gold


@contextmanager
def failing(mode: str | dict[str, int], *commands: str, **how: Any) -> Iterator[None]:
    """Let commands fail on the run's server: ``mode`` says how often, ``how`` in which way.

    A server without test commands (one of ``TEST_MONGO_URI``, perhaps) skips the test.
    """
    with MongoClient[dict[str, Any]](server_uri()) as client:
        data = {"failCommands": list(commands), "appName": "kokoromichi", **how}
        try:
            client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)
        except OperationFailure as failure:
            pytest.skip(f"backend: the server has no failpoints: {failure}")
        try:
            yield
        finally:
            client.admin.command("configureFailPoint", "failCommand", mode="off")
