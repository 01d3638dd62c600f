"""From settings to a provider, and the first KoKoroMichi's doors to the process's own one."""

from __future__ import annotations

import pytest

from kokoromichi.core import provider_manager
from kokoromichi.core.errors import ConflictError, MisuseError
from kokoromichi.core.provider_manager import (
    build_provider,
    get_game_data_async,
    get_provider,
    get_user_async,
    save_game_data_async,
    save_user_async,
)
from kokoromichi.core.providers import PROVIDERS, provider_class
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed, begin_transaction
from kokoromichi.services.store import StoreService
from kokoromichi.settings import Settings
from tests.contract.stored import Row, rows


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked for the process's provider yet, and the environment chooses memory."""
    monkeypatch.setattr(provider_manager, "_provider", None)
    monkeypatch.setenv("PROVIDER", "memory")
    monkeypatch.delenv("ECONOMY_DIR", raising=False)


def test_every_provider_of_the_table_is_built_by_its_name() -> None:
    for name in PROVIDERS:
        assert type(build_provider(Settings(provider=name))) is provider_class(name)


def test_an_unknown_provider_is_named_with_those_that_there_are() -> None:
    with pytest.raises(MisuseError, match=f"PROVIDER is 'oracle'; there are: {', '.join(sorted(PROVIDERS))}"):
        build_provider(Settings(provider="oracle"))
    with pytest.raises(KeyError):
        provider_class("oracle")


def test_the_process_has_one_provider_of_the_environments_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "memory")
    first = get_provider()
    assert type(first) is MemoryProvider
    monkeypatch.setenv("PROVIDER", "oracle")
    assert get_provider() is first


def test_a_wrong_choice_is_told_at_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER", "oracle")
    with pytest.raises(MisuseError, match="PROVIDER is 'oracle'"):
        get_provider()


async def test_the_references_doors_reach_the_same_store() -> None:
    assert await get_user_async("ada") is None
    await save_user_async("ada", {"gold": 50})
    document = await get_user_async("ada")
    assert document is not None
    assert (document["gold"], document["version"]) == (50, 1)
    with pytest.raises(ConflictError):
        await save_user_async("ada", {**document, "version": 0})
    assert await get_game_data_async("events") is None
    await save_game_data_async("events", {"days": 3})
    assert await get_game_data_async("events") == {"days": 3}
    assert await get_provider().user_ids() == ["ada"]


async def test_begin_transaction_is_over_the_process_s_provider() -> None:
    for _ in range(2):
        async with begin_transaction("ada", "r-1") as work:
            work.incr("gold", 5)
            work.add_ledger_entry("grant", currency="gold", amount=5)
            assert await work.commit() == Committed(5, 0)
    assert await rows(get_provider()) == [Row("grant", "ada", "gold", 5, 5)]


async def test_a_store_service_alone_is_over_the_process_s_provider() -> None:
    store = StoreService()
    success, _message, gold = await store.purchase_item("ada", "health_potion")
    assert success
    assert await store.get_user_inventory("ada") == {"health_potion": 1}
    document = await get_user_async("ada")
    assert document is not None
    assert document["gold"] == gold
