"""What is stored once the bot has ended, held against what its players were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kokoromichi.analysis.provider_state import audit_provider, read_ledger
from kokoromichi.core.kinds import SYSTEM
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.postgres import PostgresProvider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider
    from tests.bot.standin import Asked

DONE: Final = ("Bought\n", "Sold\n", "Daily reward\n", "Transfer\n")
"""The title of the answer to an act that has happened; before it stands at most who else is told."""


class Settled:
    """What players did, as the ledger has it; who only looked has an account since, which is no act.

    Attributes:
        acts: How many transactions there are, by request id.
    """

    def __init__(self, acts: dict[str, int]) -> None:
        self.acts = acts

    @classmethod
    async def read(cls, provider: DataProvider) -> Settled:
        """Read an open store, whose audit must be clean; no row charges without goods."""
        report = await audit_provider(provider)
        assert report.sound, str(report)
        ledger = (await read_ledger(provider)).filter(
            pl.col("user_id") != SYSTEM, ~pl.col("request_id").str.ends_with(":open")
        )
        bought = ledger.filter(kind="purchase")
        assert ((bought["amount"] < 0) & (bought["quantity"] > 0) & bought["item_id"].is_not_null()).all()
        acts = ledger.group_by("request_id").agg(pl.col("tx_id").n_unique())
        return cls(dict(acts.iter_rows()))

    def holds(self, asked: Iterable[Asked]) -> tuple[int, int]:
        """Hold what players were told against what happened.

        Returns:
            How many acts were acknowledged, and how many happened without a word: the bot was killed between.
        """
        questions = {str(one.id): one for one in asked}
        doubled = {request_id: times for request_id, times in self.acts.items() if times > 1}
        assert doubled == {}, "happened twice"
        assert self.acts.keys() <= questions.keys(), "happened, and nobody asked"
        told = {request_id for request_id, one in questions.items() if acknowledged(one)}
        assert told <= self.acts.keys(), "acknowledged and lost"
        refused = {request_id for request_id, one in questions.items() if one.said} - told
        assert not refused & self.acts.keys(), "refused, and happened"
        return len(told), len(self.acts.keys() - told)


def acknowledged(asked: Asked) -> bool:
    """Whether the player read that it happened."""
    return any(f"\n{title}" in f"\n{answer.text}" for answer in asked.said for title in DONE)


async def settled(folder: Path) -> Settled:
    """What the local files of a bot that has ended hold."""
    async with LocalJSONProvider(folder / "data") as provider:
        return await Settled.read(provider)


async def settled_in(database_url: str) -> Settled:
    """What a PostgreSQL database holds."""
    async with PostgresProvider(database_url, pool_size=(1, 2)) as provider:
        return await Settled.read(provider)
