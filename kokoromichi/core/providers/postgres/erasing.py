"""A pseudonym in the place of a player's id, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kokoromichi.core.validation import FORGOTTEN

if TYPE_CHECKING:
    import asyncpg

    from kokoromichi.core.providers.postgres.connections import Connections

_ANSWER_S: Final = 600.0
"""It looks at every row of the ledger."""

_DONE: Final = "SELECT true FROM users WHERE user_id = $1"
_LOCKED: Final = "SELECT true FROM users WHERE user_id = $1 FOR UPDATE"
"""Whoever writes to them waits here, and finds them gone: their rows are all there, and no more come."""

_USER: Final = (
    "UPDATE users SET user_id = $2, version = version + 1, unknown = '{}', "
    "fields = fields || jsonb_build_object('name', '') WHERE user_id = $1"
)
_ROWS: Final = (
    "UPDATE ledger SET user_id = CASE user_id WHEN $1 THEN $2 ELSE user_id END, "
    "counterparty = CASE counterparty WHEN $1 THEN $2 ELSE counterparty END, "
    "actor = CASE actor WHEN $1 THEN $2 ELSE actor END, reason = replace(reason, $1, $2) "
    "WHERE user_id = $1 OR counterparty = $1 OR actor = $1 OR strpos(reason, $1) > 0"
)
_QUEUED: Final = "UPDATE unfolded SET user_id = $2 WHERE user_id = $1"
_ACTIVE: Final = "UPDATE active_players SET user_id = $2 WHERE user_id = $1"
_SEEN: Final = (
    "UPDATE observations SET seen = jsonb_set(seen, '{user_id}', to_jsonb($2::text)) "
    "WHERE seen->>'user_id' = $1"
)
_FORGET: Final = (
    "UPDATE requests SET digest = $3, answer = NULL WHERE request_id IN (SELECT request_id FROM ledger "
    "WHERE user_id = $2 OR counterparty = $2 OR actor = $2 OR strpos(reason, $2) > 0) "
    "OR strpos(answer::text, '\"' || $1 || '\"') > 0"
)


async def erase(connections: Connections, user_id: str, pseudonym: str) -> None:
    """Carry it out; what was done before is not done again, so that a lost connection may ask once more."""

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            if await connection.fetchval(_DONE, pseudonym):
                return
            await connection.fetchval(_LOCKED, user_id)
            for step in (_USER, _ROWS, _QUEUED, _ACTIVE, _SEEN):
                await connection.execute(step, user_id, pseudonym)
            await connection.execute(_FORGET, user_id, pseudonym, FORGOTTEN)

    await connections.read(work, _ANSWER_S)
