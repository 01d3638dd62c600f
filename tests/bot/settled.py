"""What is stored once the bot has ended, held against what its players were told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kokoromichi.analysis.stored import audit_provider, read_ledger
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.postgres import PostgresProvider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from tests.bot.standin import Asked

BOUGHT = "Bought"


class Settled:
    """The ledger's purchases, and the fate of each question.

    Attributes:
        purchases: Rows by request id.
        gold: By player.
    """

    def __init__(self) -> None:
        self.purchases: Counter[str] = Counter()
        self.gold: dict[str, int] = {}

    @classmethod
    async def read(cls, provider: DataProvider) -> Settled:
        """Read an open store, whose audit must be clean; no row charges without goods."""
        report = await audit_provider(provider)
        assert report.sound, str(report)
        found = cls()
        ledger = (await read_ledger(provider)).filter(kind="purchase")
        assert ((ledger["amount"] < 0) & (ledger["quantity"] > 0) & ledger["item_id"].is_not_null()).all()
        found.purchases.update(ledger["request_id"].to_list())
        for user_id in await provider.user_ids():
            profile = await provider.profile(user_id)
            assert profile is not None
            found.gold[user_id] = profile.gold
        return found

    def holds(self, asked: Iterable[Asked]) -> tuple[int, int]:
        """Hold what purchases were told of against those that happened.

        Returns:
            How many were acknowledged, and how many happened without a word: the bot was killed between.
        """
        questions = {str(one.id): one for one in asked}
        doubled = {request_id: rows for request_id, rows in self.purchases.items() if rows > 1}
        assert doubled == {}, "charged twice"
        assert self.purchases.keys() <= questions.keys(), "charged, and nobody asked"
        told = {request_id for request_id, one in questions.items() if acknowledged(one)}
        assert told <= self.purchases.keys(), "acknowledged and lost"
        refused = {request_id for request_id, one in questions.items() if one.said} - told
        assert not refused & self.purchases.keys(), "refused, and charged"
        return len(told), len(self.purchases.keys() - told)


def acknowledged(asked: Asked) -> bool:
    """Whether the player read that he bought something."""
    return any(BOUGHT in answer.text for answer in asked.said)


async def settled(folder: Path) -> Settled:
    """What the local files of a bot that has ended hold."""
    async with LocalJSONProvider(folder / "data") as provider:
        return await Settled.read(provider)


async def settled_in(database_url: str) -> Settled:
    """What a PostgreSQL database holds."""
    async with PostgresProvider(database_url, pool_size=(1, 2)) as provider:
        return await Settled.read(provider)
