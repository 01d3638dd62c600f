"""What moves data is more patient than a command: what a dead client holds is free after a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from kokoromichi.core.errors import CommitUnknownError, StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.core.data_provider import DataProvider

T = TypeVar("T")

_TRIES: Final = 6
"""Of a store that waits some fifteen seconds each time: more than a minute."""


async def retry(store: DataProvider, act: Callable[[], Awaitable[T]]) -> T:
    """Do what stores all or nothing, and again while the store refuses it and yet can be read.

    Args:
        store: Where it is stored.
        act: May be called several times.

    Raises:
        StorageError: The store is away, or refused it every time.
    """
    for _ in range(_TRIES - 1):
        try:
            return await act()
        except CommitUnknownError:  # noqa: PERF203 - trying again is what the loop is for
            raise
        except StorageError:
            await store.counters()
    return await act()
