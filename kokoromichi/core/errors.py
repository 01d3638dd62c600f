"""Every error a caller may meet, in four kinds: refused, lost a race, failed, misused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple


class Refusal(NamedTuple):
    """One reason for which the game says no.

    Attributes:
        code: Stable text code, as counted in the activity stream.
        sentence: What the player reads; its fields are ``numbers``.
        numbers: Names of the numbers that a refusal with this code carries, units last.
    """

    code: str
    sentence: str
    numbers: tuple[str, ...] = ()


class KokoroError(Exception):
    """The root of every error of this package."""


class RefusedError(KokoroError):
    """The game says no; nothing happened.

    Made of a ``Refusal`` and its numbers, in that order: a refusal is an everyday answer of a busy shop, so
    the error keeps to what ``BaseException`` stores by itself and spells nothing out until somebody reads it.
    """

    @property
    def refusal(self) -> Refusal:
        """The reason."""
        refusal: Refusal = self.args[0]
        return refusal

    @property
    def code(self) -> str:
        """The reason's stable text code."""
        return self.refusal.code

    @property
    def numbers(self) -> dict[str, int | str]:
        """The numbers of this refusal by name, units last."""
        return dict(zip(self.refusal.numbers, self.args[1:], strict=True))

    def __str__(self) -> str:
        """The player's sentence; a number in microseconds is told as a time."""
        return self.refusal.sentence.format(
            **{name: _in_words(name, value) for name, value in self.numbers.items()}
        )


def _in_words(name: str, value: int | str) -> str:
    if not name.endswith("_us"):
        return f"{value:,}" if type(value) is int else str(value)  # True is no number to group.
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=int(value))
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


class ConflictError(KokoroError):
    """Somebody else changed what this act had read; nothing happened, and it may be decided anew."""


class FloorError(KokoroError):
    """A counter would fall below its floor; nothing happened.

    Attributes:
        counter: The counter's name.
        available: Units that were left.
    """

    def __init__(self, counter: str, available: int) -> None:
        super().__init__(counter, available)  # As they came, so that the error can be pickled.
        self.counter = counter
        self.available = available

    def __str__(self) -> str:
        """Say which counter, and what was left."""
        return f"counter {self.counter} has only {self.available} left"


class StorageError(KokoroError):
    """The storage failed; nothing happened, unless it is a ``CommitUnknownError``."""


class ConfigurationError(StorageError):
    """The storage cannot be used as it is set up: starting again does not help, a person must act."""


class NoRoomError(StorageError):
    """The temporary folder is full, and the store is well: the sentence says where to make room."""


class UnpreparedError(ConfigurationError):
    """A store was opened to be read, and nobody has made it yet, or brought it up to date.

    Args:
        where: The store.
        version: Of what is stored; 0 where nothing is.
        known: The version of this code.
        grant: What the bot's user lacks for it, as a cure; empty where it may.

    Attributes:
        version: The same.
        grant: The same.
    """

    def __init__(self, where: str, version: int, known: int, grant: str = "") -> None:
        self.version = version
        self.grant = grant
        said = f"is of version {version}: the bot's next start brings it to version {known}"
        if not version:
            said = "holds nothing of KoKoroMichi yet: the bot's first start makes what is missing"
        super().__init__(f"{where} {said}{grant and ', which its user may not'}")


class InvalidProfileError(StorageError):
    """What is stored of one player was edited by another hand, and is no profile; the others are well."""


class CommitUnknownError(StorageError):
    """The storage failed after it was asked, so that the act may have happened or not.

    The same request id, sent again, has one effect and one answer.

    Attributes:
        request_id: The id to send again; None where there was none.
    """

    def __init__(self, request_id: str | None = None) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        """Say what to do."""
        if self.request_id is None:
            return "the outcome of a change is unknown: look at what is stored before it is made again"
        return f"the outcome of request {self.request_id} is unknown: ask again with the same request id"


class MisuseError(KokoroError):
    """The caller broke a rule of the interface; nothing happened, and the sentence says which rule."""


class RequestMismatchError(MisuseError):
    """The request id was used for another act.

    Attributes:
        request_id: The id in question.
    """

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        """Say what to do."""
        return (
            f"request id {self.request_id} was used before, by another act or too long ago: take a fresh one"
        )


class RequestFencedError(RequestMismatchError):
    """The request was refused while what was sent of it before might still arrive: its id is spent."""

    def __str__(self) -> str:
        """Say what to do."""
        return f"request id {self.request_id} was refused, and nothing of it happened: take a fresh one"
