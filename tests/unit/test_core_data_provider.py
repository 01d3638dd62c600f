"""What a provider does that implements only what it must: it says what it has no part in."""

from __future__ import annotations

import pytest

from kokoromichi.core.bulk_load import Batch
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers.memory import MemoryProvider
from tests.unit.passing_providers import PassingProvider

PLAIN = PassingProvider(MemoryProvider())


@pytest.mark.parametrize("call", ["sync_local_to_remote", "sync_remote_to_local", "migrate_local_to_remote"])
async def test_it_has_no_remote_store(call: str) -> None:
    with pytest.raises(MisuseError, match=f"{call}: the provider 'passing' has no remote store"):
        await getattr(PLAIN, call)()


async def test_it_takes_no_part_in_copies() -> None:
    sentence = "the provider 'passing' takes no part in copies"
    with pytest.raises(MisuseError, match=f"sections: {sentence}"):
        await PLAIN.sections()
    with pytest.raises(MisuseError, match=f"stored_responses: {sentence}"):
        PLAIN.stored_responses()
    with pytest.raises(MisuseError, match=f"load: {sentence}"):
        await PLAIN.load(Batch())
    with pytest.raises(MisuseError, match=f"mark_mirror: {sentence}"):
        await PLAIN.mark_mirror("another")


async def test_it_has_no_files_to_adopt() -> None:
    with pytest.raises(MisuseError, match="adopt: the provider 'passing' has no files"):
        await PLAIN.adopt()


async def test_it_opens_and_closes_without_a_word() -> None:
    async with PLAIN as opened:
        assert opened is PLAIN
