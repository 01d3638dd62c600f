"""The providers, as text, so that a driver is imported only when it is chosen."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider

PROVIDERS: Final[dict[str, str]] = {
    "local": "kokoromichi.core.providers.local_json:LocalJSONProvider",
    "memory": "kokoromichi.core.providers.memory:MemoryProvider",
    "mongo": "kokoromichi.core.providers.mongo:MongoDBProvider",
    "postgres": "kokoromichi.core.providers.postgres:PostgresProvider",
}


def provider_class(name: str) -> type[DataProvider]:
    """The class behind a key of ``PROVIDERS``.

    Raises:
        KeyError: There is no such provider.
        MisuseError: Its driver is not installed.
    """
    module, _, attribute = PROVIDERS[name].partition(":")
    try:
        chosen: type[DataProvider] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as missing:
        message = f"PROVIDER {name} needs {missing.name}: pip install 'kokoromichi[{name}]'"
        raise MisuseError(message) from missing
    return chosen
