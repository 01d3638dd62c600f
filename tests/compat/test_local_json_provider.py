"""The first KoKoroMichi's tests of the local provider, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.providers.local_json import LocalJSONProvider

if TYPE_CHECKING:
    from pathlib import Path


async def test_save_and_get_user_tmp(tmp_path: Path) -> None:
    provider = LocalJSONProvider(data_dir=tmp_path, debounce_seconds=0.01)
    await provider.save_user("1", {"name": "Ada", "gold": 5})
    saved = await provider.get_user("1")
    await provider.close()
    again = LocalJSONProvider(data_dir=str(tmp_path))
    assert await again.get_user("1") == saved
    assert saved is not None
    assert (saved["name"], saved["gold"]) == ("Ada", 5)
    await again.close()


async def test_backup_and_ledger(tmp_path: Path) -> None:
    for gold in (5, 9):
        provider = LocalJSONProvider(data_dir=tmp_path, debounce_seconds=0)
        await provider.save_user("1", {"gold": gold})
        await provider.close()
    backups = [path for path in (tmp_path / "backups").rglob("*") if path.is_file()]
    assert backups
    async with LocalJSONProvider(data_dir=tmp_path) as provider:
        rows = await provider.read_ledger(user_id="1")
    assert [(row.amount, row.balance_after) for row in rows] == [(4, 9), (5, 5)]


@pytest.mark.parametrize("cache_ttl", [0.0, 0.01, 60.0])
async def test_cache_ttl(tmp_path: Path, cache_ttl: float) -> None:
    async with LocalJSONProvider(data_dir=tmp_path, debounce_seconds=0, cache_ttl=cache_ttl) as provider:
        await provider.save_user("1", {"gold": 5})
        for gold in (6, 7):
            await provider.save_user("1", {"gold": gold})
            seen = await provider.get_user("1")
            assert seen is not None
            assert seen["gold"] == gold
