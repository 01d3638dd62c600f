"""Players who buy, transfer, give and run out of stock over a local provider, while others are erased."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from zlib import crc32

from kokoromichi.core.errors import ConflictError, RefusedError, StorageError
from tests.unit.service_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import Receipt
    from kokoromichi.services.bundle import Services

PLAYERS = 8


async def ask(services: Services, request_id: str) -> Receipt:
    """Do what a request id stands for: ``life:player:act`` decides all of it."""
    _, player, act = request_id.split(":")
    number, turn = int(player), int(act)
    user_id, friend = f"p{number % PLAYERS}", f"p{(number + 1 + turn) % PLAYERS}"
    if turn % 4 == 0:
        return await services.store.purchase(user_id, "health_potion", request_id=request_id)
    if turn % 4 == 1:
        return await services.bank.transfer(user_id, friend, 3 + turn, request_id=request_id)
    if turn % 4 == 2:
        return await services.store.gift(user_id, friend, "health_potion", request_id=request_id)
    return await services.store.purchase(user_id, "lucky_charm", request_id=request_id)  # Five there are.


def checksum(receipt: Receipt) -> int:
    """What tells one answer from another."""
    return crc32(receipt.encoded())


async def play_game(
    provider: DataProvider, life: str, players: int, told: Callable[[str, int], None]
) -> None:
    """Play until the process is killed."""
    world = await World.open(provider)

    async def player(number: int) -> None:
        for act in range(10_000):
            request_id = f"{life}:{number}:{act}"
            try:
                told(request_id, checksum(await ask(world.services, request_id)))
            except (RefusedError, ConflictError):
                continue
            except StorageError:
                return

    await asyncio.gather(*(player(number) for number in range(players)))


async def erase_on(provider: DataProvider, life: str, told: Callable[[str, int], None]) -> None:
    """Let one player after the other buy something, and be erased."""
    world = await World.open(provider)
    for number in range(10_000):
        user_id = f"8301210{life.zfill(4)}{number:04d}"
        await world.services.store.purchase(user_id, "health_potion", request_id=f"{life}:erased:{number}")
        await provider.erase(user_id, f"erased-{life}-{number}")
        told(f"erased:{user_id}", number)
