"""From settings to a provider, and the first KoKoroMichi's doors to the process's own one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.errors import MisuseError
from kokoromichi.core.providers import PROVIDERS, provider_class
from kokoromichi.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document
    from kokoromichi.core.providers.remote import NotesErasures

_provider: DataProvider | None = None


def build_provider(
    settings: Settings, *, read_only: bool = False, clock: Clock | None = None
) -> DataProvider:
    """A provider as the settings ask for it, not yet open; a remote one is given the local folder.

    Args:
        settings: Which, and what it is told.
        read_only: Whether a local folder is only read, as of one moment, beside whoever owns it, and whether
            the opening of a database makes nothing and brings nothing up to date.
        clock: What tells the provider the time; the system's when left out.

    Raises:
        MisuseError: There is no such provider.
    """
    if settings.provider not in PROVIDERS:
        message = f"PROVIDER is {settings.provider!r}; there are: {', '.join(sorted(PROVIDERS))}"
        raise MisuseError(message)
    build: Callable[..., DataProvider] = provider_class(settings.provider)
    arguments = _arguments(settings)
    if settings.provider != "memory":
        arguments["read_only"] = read_only
    return build(clock=clock, **arguments)


def _arguments(settings: Settings) -> dict[str, object]:
    """What the settings say to the chosen provider."""
    if settings.provider == "local":
        return {
            "data_dir": settings.data_dir,
            "debounce_seconds": settings.debounce_seconds,
            "cache_ttl": settings.cache_ttl,
        }
    if settings.provider not in {"mongo", "postgres"}:
        return {}
    remote: dict[str, object] = {"beside": _folder_of(settings), "erasures": _erasures_of(settings)}
    if settings.provider == "mongo":
        return {"uri": settings.mongo_uri.get_secret_value(), **remote}
    pool = (settings.database_pool_min, settings.database_pool_max)
    return {"database_url": settings.database_url.get_secret_value(), "pool_size": pool, **remote}


def _erasures_of(settings: Settings) -> NotesErasures:
    """The list of erasures, which outlives the database."""
    from kokoromichi.core.providers.local.erasing import ErasureList  # noqa: PLC0415 - it loads SQLite

    return ErasureList(settings.data_dir)


def _folder_of(settings: Settings) -> DataProvider:
    """The folder beside a remote provider: the mirror's, or else the one of DATA_DIR; not open."""
    folder = settings.mirror_dir or settings.data_dir
    return build_provider(settings.model_copy(update={"provider": "local", "data_dir": folder}))


def get_provider() -> DataProvider:
    """The process's own provider, built from the environment on first use."""
    global _provider  # noqa: PLW0603 - the first KoKoroMichi's signature names no owner
    if _provider is None:
        _provider = build_provider(Settings())
    return _provider


async def get_user_async(user_id: str | int) -> Document | None:
    """A player as a document, from the process's own provider."""
    return await get_provider().get_user(user_id)


async def save_user_async(user_id: str | int, data: Document) -> None:
    """Store a player's document in the process's own provider; see ``DataProvider.save_user``."""
    await get_provider().save_user(user_id, data)


async def get_game_data_async(section: str) -> Document | None:
    """A section's document, from the process's own provider."""
    return await get_provider().get_game_data(section)


async def save_game_data_async(section: str, data: Document) -> None:
    """Store a section's document in the process's own provider."""
    await get_provider().save_game_data(section, data)
