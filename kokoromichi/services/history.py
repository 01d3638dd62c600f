"""What happened to a player's money and goods: their own ledger rows, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.validation import checked_user_id

if TYPE_CHECKING:
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import LedgerEntry


class HistoryService:
    """Reads the ledger for a player.

    Args:
        provider: Where the ledger is.
    """

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider

    async def page(
        self, user_id: str, kind: str | None = None, before: str | None = None, limit: int = 10
    ) -> list[LedgerEntry]:
        """One's own rows, newest first.

        Args:
            user_id: Whose.
            kind: Only rows of this kind; an unknown one has none.
            before: Only rows older than this ``entry_id``: the last one of the page before.
            limit: Rows of a page, 1 to 1,000; who asks for one more than they show knows whether more follow.

        Raises:
            MisuseError: The id is malformed.
        """
        return await self._provider.read_ledger(
            user_id=checked_user_id(user_id), kind=kind, before=before, limit=limit
        )
