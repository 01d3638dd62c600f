"""A MongoDB server for the tests: SecantusDB, started on first use, stopped by its pid.

It speaks MongoDB's wire protocol, with transactions, write conflicts, unique indexes and failpoints.
``TEST_MONGO_URI`` points the same tests at another server; what they make there are databases of their own,
which they drop.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

USER: Final = "kokoro"
PASSWORD: Final = "sakura-7"
_START_S: Final = 120.0
_STOP_S: Final = 10.0


class MongoServer:
    """One server over a folder of its own, on 127.0.0.1.

    Args:
        options: The server's own, such as ``--standalone``.
        place: Where its folder is made; with other temporary files when left out.

    Attributes:
        uri: Of the server, without a database.
    """

    def __init__(self, *options: str, place: Path | None = None) -> None:
        if find_spec("secantus") is None:
            pytest.skip("backend: SecantusDB is not installed, and TEST_MONGO_URI is not set")
        self._home = Path(tempfile.mkdtemp(prefix="kokoromichi-mongo-", dir=place))
        self._process: subprocess.Popen[bytes] | None = None
        self._options = options
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The server's pid."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self, *options: str) -> None:
        """Start, with further options, and wait until it takes connections."""
        command = [sys.executable, "-m", "secantus", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", str(self._home / "data"), "--log-level", "WARNING"]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options, *options], cwd=self._home, stdout=log, stderr=log
            )
        end = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, (self._home / "log").read_text(encoding="utf-8")
            assert time.monotonic() < end, "the server does not come up"
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it as a power cut does, without a last word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it, and remove its folder."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self._home, ignore_errors=True)


def campaign(name: str, *, small: int) -> int:
    """The size of a campaign of faults: of an environment variable, or the small one of every day."""
    return int(os.environ.get(name, small))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def server_uri() -> str:
    """The server of this run: the one of ``TEST_MONGO_URI``, or one that this call starts."""
    if given := os.environ.get("TEST_MONGO_URI"):
        return given
    server = MongoServer("--enable-test-commands")
    atexit.register(server.remove)
    server.start()
    return server.uri


_MADE: Final[list[str]] = []


def fresh_database(uri: str | None = None) -> str:
    """A server's URI with a database that nobody has; without a URI, of the run's server, to be dropped."""
    name = f"test_{uuid.uuid4().hex}"
    if uri is None:
        uri = server_uri()
        if not _MADE and "TEST_MONGO_URI" in os.environ:
            atexit.register(_drop_databases)
        _MADE.append(name)
    return urlunsplit(urlsplit(uri)._replace(path=f"/{name}"))


def _drop_databases() -> None:
    with MongoClient[dict[str, object]](server_uri(), serverSelectionTimeoutMS=2_000) as client:
        for name in _MADE:
            try:
                client.drop_database(name)
            except PyMongoError:  # noqa: PERF203 - a handful, at the end
                return  # It is gone, and with it what was made there.
