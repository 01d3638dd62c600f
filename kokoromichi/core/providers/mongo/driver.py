"""The one file that knows Motor: its calls are those of ``pymongo.AsyncMongoClient``, save for those here.

What a failure says to an operator is written here as well: what, where, and the cure, and never a secret.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qsl

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    CollectionInvalid,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.errors import (
    ConfigurationError as InvalidOptionError,
)
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from kokoromichi.core.errors import ConfigurationError, MisuseError, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorCollection

    Stored: TypeAlias = dict[str, Any]
    """A document as the driver brings it: values of BSON, keys of text."""

    Collection: TypeAlias = AsyncIOMotorCollection[Stored]
    MongoSession: TypeAlias = AsyncIOMotorClientSession

DATABASE: Final = "kokoromichi"
"""Where a URI names no database."""

MOST_CONNECTIONS: Final = 20

_OPTIONS: Final[dict[str, int]] = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 10_000,  # A client that died inside its transaction may block others for a minute.
    "waitQueueTimeoutMS": 10_000,
    "maxPoolSize": MOST_CONNECTIONS,
}
"""What holds where the URI does not say otherwise."""

_AUTHENTICATION_FAILED: Final = 18
_UNAUTHORIZED: Final = 13
_WRITE_CONFLICT: Final = 112
_MOMENT_IS_GONE: Final = {239, 246, 251, 290}
"""SnapshotTooOld, SnapshotUnavailable, NoSuchTransaction, TransactionExceededLifetimeLimitSeconds."""

_VERSIONS: Final = "schema_version"

NO_TRANSACTIONS: Final = (
    "has no transactions, and a commit needs them: start mongod as a replica set (mongod --replSet rs0, then "
    'once: mongosh --eval "rs.initiate()") and put ?replicaSet=rs0 into MONGO_URI'
)


class MongoDriver:
    """A client of one database; it connects when it is told to, and not before.

    Attributes:
        where: Host and database, for messages: the URI without user, password and options.
    """

    def __init__(self, uri: str) -> None:
        self.where = location_of(uri)
        self._uri = uri
        self._client: AsyncIOMotorClient[Stored] | None = None
        self._collections: dict[str, Collection] = {}
        self._pins = False  # Whether a snapshot session of this server was seen to stand still.

    async def connect(self) -> None:
        """Connect, and make sure of an answer and of transactions.

        Raises:
            StorageError: The server is down, refuses the password, or has no transactions.
            MisuseError: The URI is malformed.
        """
        given = {name.lower() for name, _ in parse_qsl(self._uri.partition("?")[2])}
        options: dict[str, Any] = {
            name: value for name, value in _OPTIONS.items() if name.lower() not in given
        }
        if not self._uri.startswith(("mongodb://", "mongodb+srv://")):
            raise MisuseError(_MALFORMED)  # The driver would take it for a host.
        try:
            self._client = AsyncIOMotorClient(self._uri, appname=DATABASE, **options)
        except (InvalidURI, InvalidOptionError, ValueError):
            raise MisuseError(_MALFORMED) from None  # The driver's own words may quote the password.
        try:
            await self._verify()
        except BaseException:
            await self.close()
            raise

    async def _verify(self) -> None:
        admin = self._connected().admin
        try:
            with failures(self.where):
                await admin.command("ping")
                hello = await admin.command("hello")
        except StorageError as error:
            if isinstance(error.__cause__, ServerSelectionTimeoutError):
                await self._verify_set()
            raise
        if "setName" not in hello and hello.get("msg") != "isdbgrid":  # Neither a replica set nor its router.
            raise ConfigurationError(f"MongoDB at {self.where} {NO_TRANSACTIONS}")

    async def _verify_set(self) -> None:
        """Whether a server is there after all, of another replica set than the one that the URI names."""
        named = parse_uri(self._uri)["options"].get("replicaSet")
        if named is None:
            return
        alone: AsyncIOMotorClient[Stored] = AsyncIOMotorClient(
            self._uri, directConnection=True, replicaSet=None, serverSelectionTimeoutMS=1_000
        )
        try:
            found = (await alone.admin.command("hello")).get("setName")
        except PyMongoError:
            return
        finally:
            alone.close()
        if found is not None and found != named:
            raise ConfigurationError(
                f"MongoDB at {self.where} is of the replica set {found}, and MONGO_URI names {named}: "
                "correct replicaSet in MONGO_URI"
            )

    async def close(self) -> None:
        """Let go of the connections; closing twice is harmless."""
        self.drop()

    def drop(self) -> None:
        """Close at once, also where the event loop of the client has ended."""
        if self._client is not None:
            self._client.close()
            self._client = None
            self._collections.clear()

    def collection(self, name: str) -> Collection:
        """A collection whose reads are of what is durable, and whose writes are durable when they return."""
        client = self._connected()
        if name not in self._collections:
            self._collections[name] = client.get_default_database(DATABASE).get_collection(
                name,
                read_preference=ReadPreference.PRIMARY,
                read_concern=ReadConcern("majority"),
                write_concern=WriteConcern("majority", j=True),
            )
        return self._collections[name]

    async def make(self, names: Iterable[str]) -> None:
        """Create the collections that are missing, so that no transaction has to."""
        database = self._connected().get_default_database(DATABASE)
        there = set(await database.list_collection_names())
        for name in names:
            if name not in there:
                try:
                    await database.create_collection(name)
                except CollectionInvalid:
                    continue  # Somebody else was faster.
                except OperationFailure as failure:
                    if failure.code != _NAMESPACE_EXISTS:
                        raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MongoSession]:
        """A session inside a transaction; one that is not committed inside is aborted."""
        session = await self._connected().start_session()
        try:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
                max_commit_time_ms=10_000,
            )
            yield session
        finally:
            await (
                session.end_session()
            )  # Leaving Motor's own context would abort while the loop stands still.

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[MongoSession]:
        """A session whose reads are all of this moment.

        The server keeps what was overwritten for ``minSnapshotHistoryWindowInSeconds`` (300): what is read
        later than that fails. A server without snapshot sessions (before 5.0), or one that accepts them and
        yet reads what stands, reads in a transaction, which it ends after
        ``transactionLifetimeLimitSeconds`` (60).
        """
        if not self._pins:
            self._pins = await self._try_snapshot()
        async with self._snapshot_session() if self._pins else self.transaction() as session:
            await self.collection(_VERSIONS).find_one(session=session)  # The first read chooses the moment.
            yield session

    async def _try_snapshot(self) -> bool:
        """Whether a write is unseen by a snapshot session that was there before."""
        marks, mark = self.collection(_VERSIONS), {"_id": "snapshot"}
        try:
            async with self._snapshot_session() as session:
                before = await marks.find_one(mark, session=session)
                await marks.update_one(mark, {"$inc": {"tries": 1}}, upsert=True)
                return await marks.find_one(mark, session=session) == before
        except (InvalidOptionError, OperationFailure):
            return False

    @asynccontextmanager
    async def _snapshot_session(self) -> AsyncIterator[MongoSession]:
        session = await self._connected().start_session(snapshot=True)
        try:
            yield session
        finally:
            await session.end_session()

    async def kill(self, sessions: list[Stored]) -> None:
        """End sessions of this client, and abort what they have begun."""
        await self._connected().admin.command("killSessions", sessions)

    def _connected(self) -> AsyncIOMotorClient[Stored]:
        if self._client is None:
            message = f"the provider of MongoDB at {self.where} is closed: await open() before its next use"
            raise MisuseError(message)
        return self._client


_NAMESPACE_EXISTS: Final = 48

_MALFORMED: Final = (
    "MONGO_URI is malformed: it looks like mongodb://user:password@host:27017/database?replicaSet=rs0, "
    "and characters such as : / ? # @ in user or password are written as %3A %2F %3F %23 %40"
)


def location_of(uri: str) -> str:
    """Host and database of a URI, even of a malformed one, without what may be secret."""
    address = uri.rpartition("@")[2] if "@" in uri else uri.partition("://")[2]
    return address.partition("?")[0].rstrip("/")


def is_transient(error: PyMongoError) -> bool:
    """Whether a statement that failed so before its commit may be tried again, all of its transaction."""
    return isinstance(error, ConnectionFailure) or error.has_error_label("TransientTransactionError")


def storage_error(where: str, error: PyMongoError) -> StorageError:
    """What an operator reads of a driver's error: what, where, and the cure."""
    if isinstance(error, ConnectionFailure):
        return StorageError(
            f"MongoDB at {where} does not answer: start it, or correct MONGO_URI and the network"
        )
    if isinstance(error, InvalidOptionError):  # An address is asked of DNS with the first question.
        return StorageError(
            f"MongoDB at {where} is not found by that name, or is too old for its driver: correct the host "
            "of MONGO_URI or the network, or bring the server up to date"
        )
    code = error.code if isinstance(error, OperationFailure) else None
    if code == _AUTHENTICATION_FAILED:
        return ConfigurationError(f"MongoDB at {where} refuses the user or the password: correct MONGO_URI")
    if code == _WRITE_CONFLICT:
        return StorageError(
            f"MongoDB at {where}: another client has long held the same player or item, so nothing of this "
            "happened. What a client that died has begun the server ends after a minute: try again then"
        )
    if code in _MOMENT_IS_GONE:
        return StorageError(
            f"MongoDB at {where} no longer has the moment that was being read (code {code}): ask again when "
            "it is less busy, or raise its minSnapshotHistoryWindowInSeconds (before MongoDB 5.0, "
            "transactionLifetimeLimitSeconds)"
        )
    if code == _UNAUTHORIZED:
        return ConfigurationError(f"MongoDB at {where} forbids this to the user: give it the role readWrite")
    name = type(error).__name__ if code is None else f"code {code}"
    return StorageError(f"MongoDB at {where} failed ({name}): see its log, and try again")


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Turn a driver's error into a ``StorageError``."""
    try:
        yield
    except PyMongoError as error:
        raise storage_error(where, error) from error
