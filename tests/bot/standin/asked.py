"""A question that was put to the bot, and everything that it answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from kokoromichi.chat.console.payloads import EPHEMERAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kokoromichi.chat.console.payloads import Payload
    from tests.bot.standin.ids import User


class Answer(NamedTuple):
    """One thing that the bot did about a question.

    Attributes:
        kind: ``deferred``, ``response``, ``choices``, ``followup``, ``edit``, ``deleted`` or ``message``.
        shown: The message that it made, changed or took away, or the choices.
        after_s: Since the question was put, in seconds.
    """

    kind: str
    shown: Payload
    after_s: float

    @property
    def text(self) -> str:
        """Every word that it shows: content, embeds and labels."""
        return "\n".join(_words(self.shown))

    @property
    def ephemeral(self) -> bool:
        """Whether only who asked sees it."""
        return bool(self.shown.get("flags", 0) & EPHEMERAL)


def _words(shown: Payload) -> Iterator[str]:
    if shown.get("content"):
        yield shown["content"]
    for embed in shown.get("embeds") or ():
        for part in ("title", "description"):
            if embed.get(part):
                yield embed[part]
        for field in embed.get("fields", ()):
            yield f"{field['name']}: {field['value']}"
        if "footer" in embed:
            yield embed["footer"]["text"]
    for row in shown.get("components") or ():
        for part in row.get("components", ()):
            if part.get("label"):
                yield f"[{part['label']}]"


class Asked:
    """A question, by interaction or message.

    Attributes:
        id: Of the interaction or the message.
        user: Who asked.
        event: What was sent to the bot, so that it can be sent again.
        guild_id: Where.
        answers: What the bot did, in order.
        refused: How many callbacks were refused, because it had one already.
    """

    def __init__(self, asked_id: int, user: User, guild_id: int, event: Payload) -> None:
        self.id = asked_id
        self.user = user
        self.event = event
        self.guild_id = guild_id
        self.answers: list[Answer] = []
        self.refused = 0
        self._begun_s = time.perf_counter()
        self._changed = asyncio.Event()

    def note(self, kind: str, shown: Payload) -> None:
        """Remember something that the bot did, and wake whoever waits for it."""
        self.answers.append(Answer(kind, shown, time.perf_counter() - self._begun_s))
        self._changed.set()

    @property
    def thinking(self) -> bool:
        """Whether the last that the bot showed is that it thinks."""
        return bool(self.answers) and self.answers[-1].kind == "deferred"

    @property
    def said(self) -> list[Answer]:
        """Answers that show something."""
        return [answer for answer in self.answers if answer.kind not in {"deferred", "deleted"}]

    @property
    def text(self) -> str:
        """Every word of the last thing that was said."""
        return self.said[-1].text

    @property
    def messages(self) -> dict[str, str]:
        """What stands there in the end: words by message, without those that were taken away."""
        standing: dict[str, str] = {}
        for answer in self.answers:
            if answer.kind == "deleted":
                standing.pop(answer.shown["id"], None)
            elif answer.kind not in {"deferred", "choices"}:
                standing[answer.shown["id"]] = answer.text
        return standing

    def refuse(self) -> None:
        """Turn a callback away: there was one already."""
        self.refused += 1
        self._changed.set()

    async def answered(self, timeout_s: float = 60, *, times: int = 1) -> Asked:
        """Wait until the bot has said something so many times."""
        return await self.until(lambda asked: len(asked.said) >= times, timeout_s)

    async def until(self, done: Callable[[Asked], bool], timeout_s: float = 60) -> Asked:
        """Wait until something is true of what the bot did.

        Raises:
            AssertionError: It is not, for so long.
        """
        end_s = time.perf_counter() + timeout_s
        while not done(self):
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), end_s - time.perf_counter())
            except asyncio.TimeoutError:
                told = [f"{answer.kind}: {answer.text}" for answer in self.answers]
                message = f"the bot did {told} alone, {self.refused} refused, about {self.event['d']!r}"
                raise AssertionError(message) from None
        return self
