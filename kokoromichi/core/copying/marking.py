"""A store that is being filled says so: a bot that played on half of an economy would make two of it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kokoromichi.core.data_provider import DataProvider

MARK: Final = "moving"
"""The section that says so: of this one store, and no part of a copy."""


async def mark_moving(target: DataProvider, source: str) -> None:
    """Mark a store as being filled, until ``mark_moved``.

    Args:
        target: The store.
        source: What it is filled from, in words.
    """
    await target.save_game_data(MARK, {"from": source})


@asynccontextmanager
async def marked_unless_failed(
    target: DataProvider, source: str, failure: type[BaseException] = BaseException
) -> AsyncIterator[None]:
    """Mark a store before it is changed: what fails before that takes the mark back.

    Args:
        target: The store.
        source: What it is filled from, in words.
        failure: What is raised inside only where nothing was changed yet.
    """
    former = await target.get_game_data(MARK) or {}
    await mark_moving(target, source)
    try:
        yield
    except failure:
        await target.save_game_data(MARK, former)
        raise


async def mark_moved(target: DataProvider) -> None:
    """Everything is there."""
    await target.save_game_data(MARK, {})


async def refuse_half_moved(provider: DataProvider) -> None:
    """Make sure that a store is whole.

    Raises:
        ConfigurationError: It was being filled, and that never ended.
    """
    if mark := await provider.get_game_data(MARK):
        message = (
            f"{provider.where} was being filled from {mark.get('from')}, and not to the end: give the same "
            "`kokoromichi migrate` or `restore` again, which goes on where it stopped, and start the bot then"
        )
        raise ConfigurationError(message)
