"""The owner's channel when much happens at once, and when Discord cannot be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from kokoromichi.chat.delivery import CONTENT_CHARS
from kokoromichi.chat.reporting import HELD, LINE_CHARS, Reporting
from kokoromichi.operation.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable


class Channel:
    """Keeps what is sent; stands in for the bot too, which has no other channel.

    Attributes:
        sent: The messages.
        failures: What the next messages fail with.
    """

    def __init__(self, *failures: Exception) -> None:
        self.sent: list[str] = []
        self.failures = [*failures]

    async def wait_until_ready(self) -> None:
        """It is."""

    def get_partial_messageable(self, _channel_id: int) -> Channel:
        """This one, whichever is asked for."""
        return self

    async def send(self, text: str) -> None:
        """Keep a message, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(text)


async def told(channel: Channel, lines: list[str], is_over: Callable[[], bool]) -> None:
    """Let lines be told, and wait until it is over."""
    reporting = Reporting(channel, Telemetry(), 1, pause_s=0.001)  # type: ignore[arg-type]  # All it uses.
    await reporting.cog_load()
    for line in lines:
        reporting.tell(line)
    for _ in range(5_000):
        if is_over():
            break
        await asyncio.sleep(0.001)
    await reporting.cog_unload()


@pytest.mark.parametrize("failure", [aiohttp.ClientConnectionError("away"), OSError("away")])
async def test_what_the_network_did_not_bring_is_told_once_it_is_back(failure: Exception) -> None:
    channel = Channel(failure)
    await told(channel, ["an act"], lambda: bool(channel.sent))
    assert channel.sent == ["an act"]


async def test_more_lines_than_a_message_holds_are_told_by_the_next_the_count_first() -> None:
    channel = Channel()
    lines = [f"act {number} {'x' * 90}" for number in range(HELD + 100)]
    await told(channel, lines, lambda: any(lines[HELD - 1] in text for text in channel.sent))
    first, *rest = "\n".join(channel.sent).split("\n")
    assert first == "… and 100 more"
    assert rest == lines[:HELD]
    assert max(map(len, channel.sent)) <= CONTENT_CHARS


async def test_a_line_that_no_message_holds_is_cut() -> None:
    channel = Channel()
    lines = ["x" * 3 * CONTENT_CHARS] * (HELD + 1)
    await told(channel, lines, lambda: len(channel.sent) == HELD)
    assert len(channel.sent[0]) == len("… and 1 more\n") + LINE_CHARS
