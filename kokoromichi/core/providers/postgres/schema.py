"""The tables of a database, made and brought up to date by numbered steps."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import ConfigurationError, UnpreparedError
from kokoromichi.core.kinds import BOOKS

if TYPE_CHECKING:
    import asyncpg

_LOG: Final = logging.getLogger(__name__)

_STEPS: Final = tuple(sorted(Path(__file__).parent.glob("step_*.sql")))
"""Step n brings a database from version n - 1 to n; one that was ever shipped is never edited."""

_LOCK: Final = 0x4B6F4D69
"""The advisory lock of whoever upgrades; the second half is the schema's own."""


_MAY_CREATE: Final = """
SELECT CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
    ELSE has_schema_privilege(to_regnamespace($1), 'CREATE') END
"""
GRANT: Final = "grant it CREATE on the database and its schema, and its tables"
"""The cure where the bot's user may not make tables."""


async def check(connection: asyncpg.Connection, schema: str, where: str) -> None:
    """Refuse a database whose tables are not those of this code; none is made.

    Args:
        connection: Whose ``search_path`` is ``schema``.
        schema: Where the tables are.
        where: What a message calls the database.

    Raises:
        UnpreparedError: There are none, or older ones.
        ConfigurationError: They are newer.
    """
    version = await _version(connection)
    if version < len(_STEPS):
        may = await connection.fetchval(_MAY_CREATE, f'"{schema}"')
        raise UnpreparedError(where, version, len(_STEPS), "" if may else GRANT)
    _refuse_newer(version, where)


async def upgrade(connection: asyncpg.Connection, schema: str) -> None:
    """Make what is missing, in one transaction under a lock: of two processes that start, one waits.

    Args:
        connection: Whose ``search_path`` is ``schema``.
        schema: Well formed; it is made when it is not there.

    Raises:
        ConfigurationError: The database is of a newer version than this code.
    """
    if await _version(connection) == len(_STEPS) and not await _missing_books(connection):
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = 0")
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _LOCK, schema)
        if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", f'"{schema}"'):
            await connection.execute(f'CREATE SCHEMA "{schema}"')
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version int NOT NULL)")
        version = await _version(connection)
        _refuse_newer(version, f"schema {schema} of the database")
        connection.add_log_listener(_pass_on)
        for number, step in enumerate(_STEPS[version:], start=version + 1):
            if version:
                _LOG.info("the tables are brought to version %d of %d", number, len(_STEPS))
            await connection.execute(step.read_text(encoding="utf-8"))
        connection.remove_log_listener(_pass_on)
        await connection.execute("DELETE FROM schema_version")
        await connection.execute("INSERT INTO schema_version VALUES ($1)", len(_STEPS))
        for book in await _missing_books(connection):
            await connection.execute(
                f"CREATE TABLE ledger_{book} PARTITION OF ledger FOR VALUES IN ('{book}')"
            )


def _refuse_newer(version: int, where: str) -> None:
    if version > len(_STEPS):
        message = (
            f"{where} has version {version}, and this code knows {len(_STEPS)}: upgrade the package "
            "kokoromichi, or restore a backup of before the upgrade"
        )
        raise ConfigurationError(message)


def _pass_on(_connection: object, said: asyncpg.PostgresLogMessage) -> None:
    """How far a long step has come."""
    _LOG.info("%s", said.message)


async def _version(connection: asyncpg.Connection) -> int:
    if await connection.fetchval("SELECT to_regclass('schema_version') IS NULL"):
        return 0
    return await connection.fetchval("SELECT max(version) FROM schema_version") or 0


async def _missing_books(connection: asyncpg.Connection) -> list[str]:
    found = await connection.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = to_regclass('ledger')"
    )
    names = {name for (name,) in found}
    return [book for book in BOOKS if f"ledger_{book}" not in names]
