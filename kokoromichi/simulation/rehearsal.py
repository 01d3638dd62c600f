"""A replication over a real store: a rehearsal of the operator's own database, which must be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers import PROVIDERS
from kokoromichi.settings import Settings
from kokoromichi.simulation.faithful import FaithfulEngine

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.simulation.played import Played
    from kokoromichi.simulation.scenario import Scenario

MEMORY: Final = "memory"
_NAMED_BY: Final = {"local": "data_dir", "mongo": "mongo_uri", "postgres": "database_url"}
"""The setting that names each store: none is played in by default."""
_EMPTY_ONE: Final = {
    "local": "an empty folder (DATA_DIR)",
    "mongo": "an empty database (MONGO_URI)",
    "postgres": "an empty database (DATABASE_URL)",
}


def store_settings(provider: str) -> Settings | None:
    """The operator's settings of the store to play over; None for the memory of this process.

    Args:
        provider: A key of ``PROVIDERS``.

    Raises:
        MisuseError: There is no such provider, or the settings do not name its folder or database.
    """
    if provider == MEMORY:
        return None
    if provider not in PROVIDERS:
        raise MisuseError(f"there is no provider {provider!r}: use {', '.join(sorted(PROVIDERS))}")
    settings = Settings()
    named_by = _NAMED_BY[provider]
    if named_by not in settings.model_fields_set:
        raise MisuseError(f"{named_by.upper()} is not set: name {_EMPTY_ONE[provider]} for the run")
    return settings.model_copy(update={"provider": provider})


def left_in(provider: str) -> str:
    """What to say of a store in which a run ended before its last day."""
    return f"a part of the run is left in the store: name {_EMPTY_ONE[provider]} for the next one"


async def rehearse(scenario: Scenario, seed: int, settings: Settings) -> Played:
    """Play one replication through the services over the store of the settings, and leave it there.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        settings: As ``store_settings`` answers them.

    Raises:
        MisuseError: The store holds something already.
        StorageError: The store cannot be used, or failed on the way; then it holds a part of the run.
    """
    engine = FaithfulEngine(scenario, seed, lambda clock: build_provider(settings, clock=clock))
    async with engine.provider as store:
        await _require_empty(store)
        try:
            return await engine.play()
        except StorageError as error:
            raise StorageError(f"{error}; {left_in(store.name)}") from error


async def _require_empty(store: DataProvider) -> None:
    """Synthetic players never mix with others, nor with what a bot has put on the shelf."""
    if (
        await store.user_ids()
        or await store.ledger_rows()
        or await store.counters()
        or await store.sections()
    ):
        message = f"{store.where} is not empty, and a run never mixes with what is stored: name "
        raise MisuseError(message + _EMPTY_ONE[store.name])
