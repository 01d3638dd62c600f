"""A question that was put to the bot, and everything that it answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bot.standin.payloads import Payload, User

_EPHEMERAL = 1 << 6


class Answer(NamedTuple):
    """One thing that the bot did about a question.

    Attributes:
        kind: ``deferred``, ``response``, ``choices``, ``followup``, ``edit``, ``deleted`` or ``message``.
        message_id: Of the message that it made, changed or took away; 0 for none.
        shown: What the message holds since.
        after_s: Since the question was put, in seconds.
    """

    kind: str
    message_id: int
    shown: Payload
    after_s: float

    @property
    def text(self) -> str:
        """Every word that it shows: content, embeds and labels."""
        return "\n".join(_words(self.shown))

    @property
    def ephemeral(self) -> bool:
        """Whether only who asked sees it."""
        return bool(self.shown.get("flags", 0) & _EPHEMERAL)


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
        acknowledged: Whether the interaction has its one callback.
        refused: How many callbacks were refused, because it had one already.
        thinking: Whether a message shows that the bot thinks.
    """

    def __init__(self, asked_id: int, user: User, guild_id: int, event: Payload) -> None:
        self.id = asked_id
        self.user = user
        self.event = event
        self.guild_id = guild_id
        self.answers: list[Answer] = []
        self.acknowledged = False
        self.refused = 0
        self.thinking = False
        self.original = 0
        self._flags = 0
        self._begun_s = time.perf_counter()
        self._changed = asyncio.Event()

    def note(self, kind: str, message_id: int, shown: Payload) -> None:
        """Remember something that the bot did, and wake whoever waits for it."""
        self.answers.append(Answer(kind, message_id, shown, time.perf_counter() - self._begun_s))
        self._changed.set()

    def think(self, message_id: int, flags: int) -> None:
        """Show that the bot thinks: the next thing that it says takes this message's place and secrecy."""
        self.thinking = True
        self.original, self._flags = message_id, flags
        self.note("deferred", message_id, {"flags": flags})

    def spoken(self, shown: Payload) -> Payload:
        """What is shown in the place of the thought: as secret as the thought was."""
        self.thinking = False
        return {**shown, "flags": shown.get("flags", 0) & ~_EPHEMERAL | self._flags & _EPHEMERAL}

    @property
    def said(self) -> list[Answer]:
        """Answers that show something."""
        return [answer for answer in self.answers if answer.kind not in {"deferred", "deleted"}]

    @property
    def text(self) -> str:
        """Every word of the last thing that was said."""
        return self.said[-1].text

    @property
    def messages(self) -> dict[int, str]:
        """What stands there in the end: words by message, without those that were taken away."""
        standing: dict[int, str] = {}
        for answer in self.answers:
            if answer.kind == "deleted":
                standing.pop(answer.message_id, None)
            elif answer.kind != "deferred":
                standing[answer.message_id] = answer.text
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
