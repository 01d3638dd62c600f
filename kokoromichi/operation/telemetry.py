"""What the running bot counts for Prometheus: acts and commands, the gateway, the storage, the money supply.

No label names a player, a server or an item: a series more for each of them would outgrow any database of
metrics, and would tell who plays what.
"""

from __future__ import annotations

from collections import Counter as Tally
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
    write_to_textfile,
)

from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    KokoroError,
    MisuseError,
    RefusedError,
    StorageError,
)
from kokoromichi.core.kinds import CURRENCIES, KINDS
from kokoromichi.core.models import SECOND_US, Receipt
from kokoromichi.services.executor import CommandExecutor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from kokoromichi.core.models import ChangeSet
    from kokoromichi.core.reader import Reader
    from kokoromichi.services.executor import Arguments

AnswerT = TypeVar("AnswerT", bound=Receipt)

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DAY_S: Final = 86_400
_OUTCOMES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (RefusedError, "refused"),
    (ConflictError, "conflict"),
    (CommitUnknownError, "unknown"),
    (StorageError, "storage"),
    (KokoroError, "misused"),
)


def outcome_of(error: Exception) -> str:
    """In a word, what an error of ours means; ``unexpected`` where it is none."""
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "unexpected")


class Money(NamedTuple):
    """The economy at one moment, by currency.

    Attributes:
        supply: What players hold, by the ledger.
        faucets: What came into being on the UTC day of the moment.
        sinks: What was taken out on it.
        residual: Gold that players hold and the ledger does not explain; 0 in a sound store.
        players: How many accounts.
    """

    supply: dict[str, int]
    faucets: dict[str, int]
    sinks: dict[str, int]
    residual: int
    players: int


async def measure_money(reader: Reader, now_us: int) -> Money:
    """Sum up what is read of one moment, from the daily totals."""
    today = now_us // (_DAY_S * SECOND_US)
    supply, faucets, sinks = Tally[str](), Tally[str](), Tally[str]()
    for total in await reader.daily_totals():
        if total.currency is None:
            continue
        supply[total.currency] += total.gained - total.lost
        if total.day == today and KINDS[total.kind].role != "transfer":
            faucets[total.currency] += total.gained
            sinks[total.currency] += total.lost
    balances = await reader.balances()
    residual = sum(gold for _, gold in balances) - supply["gold"]
    return Money(dict(supply), dict(faucets), dict(sinks), residual, len(balances))


class Telemetry:
    """Every series of one process, in a registry of its own.

    Attributes:
        registry: What an exporter reads.
        on_admin_act: Called with each stored act that carries an admin's reason.
    """

    on_admin_act: Callable[[ChangeSet[Any]], None] = staticmethod(lambda _change: None)

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge, histogram = self._counter, self._gauge, self._histogram
        self._commands = counter("commands", "Commands by name and outcome.", "command", "outcome")
        self._command_s = histogram("command_seconds", "From a command to its answer.", "command")
        self._acts = counter("acts", "Acts of the game by outcome, of commands and clicks.", "act", "outcome")
        self._commits = counter("commits", "Acts that were stored: each is one transaction of the ledger.")
        self._commit_s = histogram("commit_seconds", "From a decision to its durable commit.")
        self._refusals = counter("refusals", "Acts that the game refused, by why.", "reason")
        self._failures = counter("storage_failures", "Acts that the storage failed, by how.", "outcome")
        self.storage_up = gauge("storage_up", "1 while the storage takes writes.")
        self.waiting = gauge("commits_waiting", "Commits on their way.")
        self.looked_s = gauge("look_timestamp_seconds", "When gateway and storage were looked at.")
        self.shards = gauge("gateway_shards", "Shards that this process has.")
        self.connected = gauge("gateway_shards_connected", "Those of them that are connected.")
        self.heartbeat_s = gauge("gateway_latency_seconds", "The slowest shard's heartbeat.")
        self._disconnects = counter("gateway_disconnects", "Connections to the gateway that were lost.")
        for outcome in ("storage", "unknown"):  # There from the start: an alert sees the first one too.
            self._failures.labels(outcome)
        self._money: dict[str, Gauge] = {}

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"kokoromichi_{name}", told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(f"kokoromichi_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, *labels: str) -> Histogram:
        return Histogram(f"kokoromichi_{name}", told, labels, registry=self.registry, buckets=_SECONDS)

    def command(self, name: str, outcome: str, elapsed_s: float | None) -> None:
        """A command has had its answer."""
        self._commands.labels(name, outcome).inc()
        if elapsed_s is not None:
            self._command_s.labels(name).observe(elapsed_s)

    def disconnected(self) -> None:
        """A connection to the gateway was lost."""
        self._disconnects.inc()

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """Count an act of the game by what becomes of it inside."""
        try:
            yield
        except Exception as error:
            outcome = outcome_of(error)
            self._acts.labels(name, outcome).inc()
            if isinstance(error, RefusedError):
                self._refusals.labels(error.code).inc()
            elif isinstance(error, StorageError):
                self._failures.labels(outcome).inc()
            raise
        self._acts.labels(name, "done").inc()

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Count and time a commit that succeeds inside."""
        begun_s = perf_counter()
        yield
        self._commits.inc()
        self._commit_s.observe(perf_counter() - begun_s)

    def tell_money(self, found: Money, at_us: int) -> None:
        """Show the economy; only the one process that measures it has these series."""
        if not self._money:
            self._money = {
                "supply": self._gauge("supply", "What players hold, by the ledger.", "currency"),
                "faucets": self._gauge("faucets_today", "What came into being this UTC day.", "currency"),
                "sinks": self._gauge("sinks_today", "What was taken out this UTC day.", "currency"),
                "residual": self._gauge("residual_gold", "Gold held that no ledger row explains."),
                "players": self._gauge("players", "Accounts, erased ones among them."),
                "at": self._gauge("economy_timestamp_seconds", "When the economy was measured."),
            }
        for name in ("supply", "faucets", "sinks"):
            for currency in CURRENCIES:
                self._money[name].labels(currency).set(getattr(found, name).get(currency, 0))
        self._money["residual"].set(found.residual)
        self._money["players"].set(found.players)
        self._money["at"].set(at_us / SECOND_US)

    def serve(self, port: int, host: str = "127.0.0.1") -> Callable[[], None]:
        """Answer Prometheus on a port of an address; returns what ends that.

        Raises:
            MisuseError: The port or the address cannot be had.
        """
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as taken:
            message = (
                f"METRICS_PORT {port} of METRICS_HOST {host} cannot be had ({taken.strerror}): name others"
            )
            raise MisuseError(message) from taken

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end

    def write(self, path: Path) -> None:
        """Write a textfile for node_exporter, whole; blocks.

        Raises:
            OSError: The disk says no.
        """
        write_to_textfile(str(path), self.registry)
        path.chmod(0o644)  # The exporter has an account of its own, and the file names nobody.

    def executor(self) -> type[CommandExecutor]:
        """An executor whose acts are counted here."""
        telemetry = self

        class Counted(CommandExecutor):
            async def retry_on_conflict(
                self,
                operation: str,
                user_id: str,
                arguments: Arguments,
                attempt: Callable[[], Awaitable[ChangeSet[Any]]],
                request_id: str | None,
            ) -> Any:
                with telemetry.act(operation):
                    return await super().retry_on_conflict(operation, user_id, arguments, attempt, request_id)

            async def _store(self, change: ChangeSet[AnswerT]) -> AnswerT:
                with telemetry.commit():
                    stored = await super()._store(change)
                if change.reason is not None:
                    telemetry.on_admin_act(change)
                return stored

        return Counted
