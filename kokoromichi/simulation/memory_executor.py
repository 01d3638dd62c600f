"""The executor of a simulation: over a store in memory nobody comes between reading and storing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kokoromichi.core.errors import ConflictError, FloorError
from kokoromichi.services.executor import CommandExecutor

if TYPE_CHECKING:
    from kokoromichi.core.providers.memory import MemoryProvider
    from kokoromichi.services.executor import AnswerT, Arguments, Decide


class MemoryExecutor(CommandExecutor):
    """Reads, decides and stores in one step that waits for nothing.

    Without a request id there is no answer to look up, and without an ``await`` no conflict to meet: neither
    digest nor retries are needed. Whatever is not so plain takes ``CommandExecutor``'s road, with the same
    rows in the ledger. What passes here in one step is not shown to ``watch``: only the longer road calls it.
    """

    provider: MemoryProvider

    async def act(
        self,
        operation: str,
        user_id: str,
        arguments: Arguments,
        decide: Decide[AnswerT],
        request_id: str | None = None,
    ) -> AnswerT:
        """See ``CommandExecutor.act``."""
        if request_id is None:
            profile = self.provider.profile_now(user_id)
            if profile is not None and not profile.frozen and not profile.opening_due:
                change = decide(profile, self.clock.now_us(), arguments)
                try:
                    return self.provider.apply_now(change)
                except (ConflictError, FloorError):
                    pass  # The road below says which counter is missing or empty.
        return await super().act(operation, user_id, arguments, decide, request_id)
