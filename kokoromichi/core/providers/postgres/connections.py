"""The pool of connections: opened with a sentence for every way in which it fails, and patient when lost."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import asyncpg

from kokoromichi.core.errors import ConfigurationError, MisuseError, StorageError
from kokoromichi.core.providers.postgres.schema import GRANT
from kokoromichi.core.providers.remote import Opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

T = TypeVar("T")

LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # The driver's, where the server's last word met a new question.
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""The connection is gone, or cannot be had now: asking again may help."""

TIMED_OUT: Final = (TimeoutError, asyncio.TimeoutError)
"""Two classes on Python 3.10."""

RETRIED: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The server took the transaction back to let another one through."""

_UNNAMED: Final = "the database of DATABASE_URL"

PAUSE_S: Final = 0.05
"""Between two tries of a server that is away."""


class Connections:
    """A pool to one schema of one database.

    Args:
        url: ``postgresql://user:password@host:port/database``; no message repeats its password.
        schema: Where the tables are.
        size: Least and most connections.
        prepare: What is to be done with the first connection: the tables are made, or looked at.
        patience_s: How long a call waits for a server that is away or busy, in seconds.
        lock_s: How long the server waits for a player, item or request that another session holds.

    Attributes:
        opening: Whether they are open; every call opens them first.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        size: tuple[int, int],
        prepare: Callable[[asyncpg.Connection], Awaitable[None]],
        *,
        patience_s: float,
        lock_s: float,
    ) -> None:
        self._url = url
        self._schema = schema
        self._size = size
        self.patience_s = patience_s
        self._lock_s = lock_s
        self._prepare = prepare
        self._pool: asyncpg.Pool | None = None
        self.opening = Opening(f"the provider of {self.where}", self._connect_all, self._drop)

    @property
    def where(self) -> str:
        """The database, its host and its user, without the password."""
        try:
            parts = urlsplit(self._url)
            host, port = parts.hostname or "localhost", parts.port or 5432
        except ValueError:
            return _UNNAMED
        if not parts.scheme.startswith("postgres") or "@" in parts.path + parts.query + parts.fragment:
            return _UNNAMED  # What it calls a host may be half of a password that was not quoted.
        database, user = parts.path.strip("/") or "(default)", parts.username or "(default)"
        return f"database {database} at {host}:{port} as {user}"

    async def _connect_all(self) -> None:
        """Let the tables be prepared and fill the pool.

        Raises:
            StorageError: The database cannot be used.
        """
        if not self._url:
            message = "DATABASE_URL is empty: set it to postgresql://user:password@host:5432/database"
            raise ConfigurationError(message)
        least, most = self._size
        if not 0 <= least <= most or not most:
            message = f"DATABASE_POOL_MIN is {least} and DATABASE_POOL_MAX is {most}; swap them"
            raise ConfigurationError(message)
        try:
            first = await self._connect()
            try:
                await self._look(first)
                await self._prepare(first)
            finally:
                await first.close()
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=least,
                max_size=most,
                init=_set_codec,
                reset=_keep,
                timeout=self.patience_s,
                server_settings=self._settings,
            )
        except asyncpg.ClientConfigurationError as error:
            if "root certificate file" in str(error):  # The driver's only word for it.
                raise ConfigurationError(f"{self.where}: {_NO_ROOT}") from None
            raise self.failed(error) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError, *TIMED_OUT) as error:
            raise self.failed(error) from None  # Its traceback would show the URL, and the password in it.

    async def connect(self) -> asyncpg.Connection:
        """A connection beside the pool, which is the caller's to close."""
        await self.opening.ready()
        connection = await self._connect()
        try:
            await _set_codec(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._url, timeout=self.patience_s, server_settings=self._settings)

    @property
    def _settings(self) -> dict[str, str]:
        return {
            "application_name": "kokoromichi",
            "search_path": f'"{self._schema}", pg_temp',
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "default_transaction_isolation": "read committed",
            "synchronous_commit": "on",  # Whatever the database's default is: what returned is durable.
            "lock_timeout": f"{self._lock_s * 1_000:.0f}ms",  # A dead client may be in a transaction.
            "idle_in_transaction_session_timeout": "30s",  # Nor must we.
        }

    async def _look(self, connection: asyncpg.Connection) -> None:
        encoding = await connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            message = f"{self.where} is encoded in {encoding}: create it with ENCODING 'UTF8'"
            raise ConfigurationError(message)

    async def close(self) -> None:
        """Let the calls under way end, and close; closing twice is harmless."""
        await self.opening.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), self.patience_s)
            except TIMED_OUT:
                pool.terminate()

    def _drop(self) -> None:
        """Forget a pool whose event loop has ended, and with it every connection."""
        self._pool = None

    def check_open(self) -> asyncpg.Pool:
        """The pool.

        Raises:
            MisuseError: It is not open.
        """
        if self._pool is None:
            message = f"the provider of {self.where} is closed: await open() before its next use"
            raise MisuseError(message)
        return self._pool

    @asynccontextmanager
    async def connection(self, timeout_s: float) -> AsyncIterator[asyncpg.Connection]:
        """A connection to use; waits for a free one, and lets nobody have one again that failed.

        Raises:
            MisuseError: It was closed.
            StorageError: This is the first use, and the database cannot be used.
        """
        await self.opening.ready()
        pool = self.check_open()
        connection = await pool.acquire(timeout=timeout_s)
        try:
            yield connection
        except (*LOST, *TIMED_OUT):
            connection.terminate()
            raise
        finally:
            await pool.release(connection)

    async def read(
        self, work: Callable[[asyncpg.Connection], Awaitable[T]], answer_s: float | None = None
    ) -> T:
        """Do what may be done twice: a lost connection does it again.

        Args:
            work: What to do.
            answer_s: The server's time for it, in seconds, after which its connection counts as lost; our
                patience when left out.

        Raises:
            StorageError: The database is away for longer than our patience, or refuses.
            MisuseError: A value is one that it cannot hold.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience_s
        while True:
            try:
                async with self.connection(max(deadline - loop.time(), PAUSE_S)) as connection:
                    with cut_off(connection, answer_s or self.patience_s):
                        return await work(connection)
            except (*LOST, *TIMED_OUT, *RETRIED) as error:  # noqa: PERF203 - it is what the loop is for
                if loop.time() + PAUSE_S >= deadline:
                    raise self.failed(error) from error
                await asyncio.sleep(PAUSE_S)
            except asyncpg.DataError as error:
                message = f"the database cannot hold this value: {error}"
                raise MisuseError(message) from error
            except asyncpg.PostgresError as error:
                raise self.failed(error) from error

    async def stream(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do what is done once, since it hands out results on the way or may not happen twice; see ``read``.

        Raises:
            StorageError: The database is away or refuses.
            asyncpg.PostgresError: A value is one that the database cannot hold; its caller knows which.
        """
        try:
            async with self.connection(self.patience_s) as connection:
                return await work(connection)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise
        except (asyncpg.PostgresError, *LOST, *TIMED_OUT) as error:
            raise self.failed(error) from error

    def failed(self, error: Exception) -> StorageError:
        """An error of the driver, as one sentence: what, where, and the cure."""
        if isinstance(error, FileNotFoundError) and not urlsplit(self._url).hostname:
            return StorageError(f"{self.where}: {_NO_SOCKET}")
        for kinds, what in _FOR_A_PERSON:
            if isinstance(error, kinds):
                return ConfigurationError(f"{self.where}: {what}")
        if isinstance(error, OSError) and "rejected SSL upgrade" in str(error):
            return ConfigurationError(f"{self.where}: {_NO_TLS}")
        for kinds, what in _SENTENCES:
            if isinstance(error, kinds):
                return StorageError(f"{self.where}: {what}")
        if isinstance(error, asyncpg.PostgresError):
            return StorageError(f"{self.where}: the server says {error.sqlstate}: {error.args[0]}")
        message = f"{self.where}: {type(error).__name__}; is DATABASE_URL right, and the server up?"
        return StorageError(message)


_POOLER: Final = (
    "a pooler such as PgBouncer stands before the server and does not keep one session for us; point "
    "DATABASE_URL to the server itself, since we pool connections ourselves"
)
_NO_SOCKET: Final = "the server's socket is not there; start it, or correct the host of DATABASE_URL"
_NO_ROOT: Final = (
    "sslmode in DATABASE_URL verifies the server's certificate, and the file of its authority is not there; "
    "name it by sslrootcert"
)
_NO_TLS: Final = (
    "the server speaks no TLS, and sslmode in DATABASE_URL asks for it; turn ssl on in the server, or take "
    "sslmode out where the network is your own"
)
_FOR_A_PERSON: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "the server refuses this user or password; correct DATABASE_URL, or the password in the server",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "there is no such database; create it (createdb), or correct DATABASE_URL",
    ),
    (
        (asyncpg.InsufficientPrivilegeError,),
        f"the user may not do this; {GRANT}",
    ),
    (
        (
            asyncpg.ProtocolViolationError,
            asyncpg.DuplicatePreparedStatementError,
            asyncpg.InvalidSQLStatementNameError,
        ),
        _POOLER,
    ),
    (
        (asyncpg.UndefinedObjectError, asyncpg.CantChangeRuntimeParamError),
        (
            "the server does not know an option of DATABASE_URL; take out what stands behind its ? and is no "
            "sslmode, such as channel_binding"
        ),
    ),
    (
        (asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError, asyncpg.UndefinedColumnError),
        (
            "another program has tables of the same names there; make a database for KoKoroMichi alone "
            "(createdb), and point DATABASE_URL to it"
        ),
    ),
    (
        (asyncpg.ClientConfigurationError, ValueError),
        "DATABASE_URL is malformed; it is postgresql://user:password@host:5432/database",
    ),
    (
        (ssl.SSLError,),
        (
            "the server's certificate is not trusted; name the file of its authority in DATABASE_URL by "
            "sslrootcert, and the host as the certificate does"
        ),
    ),
    (
        (FileNotFoundError, PermissionError),
        "a certificate's file that DATABASE_URL names cannot be read; correct sslrootcert, sslcert or sslkey",
    ),
)
"""Errors that starting again does not cure."""

_SENTENCES: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        "the database is read-only, as a standby is; point DATABASE_URL to the primary",
    ),
    ((asyncpg.DiskFullError,), "the server's disk is full, and nothing of this happened; make room there"),
    (
        (asyncpg.TooManyConnectionsError,),
        "the server has no connection left; lower DATABASE_POOL_MAX, or raise its max_connections",
    ),
    (
        (asyncpg.LockNotAvailableError,),
        (
            "another session has long held the same player, item or request, so nothing of this happened; "
            "let a recount end, or look for an open transaction in pg_stat_activity, and try again"
        ),
    ),
    (
        TIMED_OUT,
        (
            "no connection was free in time, or the server did not answer; raise DATABASE_POOL_MAX, or look "
            "at the server's load"
        ),
    ),
    (LOST, "the server cannot be reached; start it, or correct the host and port of DATABASE_URL"),
)


@contextmanager
def cut_off(connection: asyncpg.Connection, after_s: float) -> Iterator[None]:
    """End a connection on which no answer comes: the driver's own timeout asks a silent server first."""
    timer = asyncio.get_running_loop().call_later(after_s, connection.terminate)
    try:
        yield
    finally:
        timer.cancel()


async def _set_codec(connection: asyncpg.Connection) -> None:
    """JSONB travels as JSON text behind a version byte; we write the bytes, and read values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda encoded: b"\x01" + encoded,
        decoder=lambda stored: json.loads(stored[1:]),
    )


async def _keep(_connection: asyncpg.Connection) -> None:
    """Nothing is to be reset: no call leaves a setting or a transaction, and a reset is a round trip."""
