"""A network between a store and its server: it loses a connection, and delivers what was sent on it later."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from typing_extensions import Self

_CHUNK: Final = 1 << 16
_READY: Final = b"Z\x00\x00\x00\x05I"
"""How PostgreSQL says that it has come to the end of what it was sent, outside of a transaction."""


class LateNetwork:
    """Passes everything on, but for one packet that it keeps.

    Args:
        url: The server's.

    Attributes:
        keeps: The first packet of a client that has these bytes in it is kept, and the client's side of its
            connection dies; None keeps nothing.
        lost: Set when it is kept.
        down: Whether new connections are refused.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._kept: asyncio.Future[tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.keeps: bytes | None = None
        self.lost = asyncio.Event()
        self.down = False

    async def __aenter__(self) -> Self:
        """Listen."""
        self._kept = asyncio.get_running_loop().create_future()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Hang up on everybody."""
        self._server.close()
        if self._kept is not None and self._kept.done():
            self._kept.result()[2].close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The server's, by way of this network."""
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._url.netloc.rpartition("@")
        return urlunsplit(self._url._replace(netloc=f"{user}@127.0.0.1:{port}".removeprefix("@")))

    async def deliver(self) -> bytes:
        """Deliver the packet that was kept, and wait until the server has come to its end."""
        assert self._kept is not None
        packet, reader, writer = await asyncio.wait_for(self._kept, 10)
        writer.write(packet)
        answer = b""
        while not answer.endswith(_READY):
            answer += await asyncio.wait_for(reader.read(_CHUNK), 10)
        writer.close()
        return answer

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.down:
            writer.transport.abort()
            return
        theirs = await asyncio.open_connection(self._url.hostname, self._url.port)
        back = asyncio.create_task(self._pass(theirs[0], writer))
        forth = asyncio.create_task(self._watch(reader, writer, *theirs, back))
        for task in (back, forth):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
        writer.close()

    async def _watch(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        back: asyncio.Task[None],
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.keeps is not None and self.keeps in data:
                    self.keeps = None
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)
                    assert self._kept is not None
                    self._kept.set_result((data, server_reader, server_writer))
                    self.lost.set()
                    writer.transport.abort()
                    return
                server_writer.write(data)
        server_writer.close()
