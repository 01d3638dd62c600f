"""Errors: four kinds, sentences that say what to do, and the same thing after a trip to another process."""

from __future__ import annotations

import pickle

import pytest

from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    FloorError,
    KokoroError,
    MisuseError,
    Refusal,
    RefusedError,
    RequestMismatchError,
    StorageError,
)

TOO_POOR = Refusal("too_poor", "Need {need} {currency}, have {have}.", ("need", "have", "currency"))
ERRORS: list[tuple[KokoroError, str]] = [
    (RefusedError(TOO_POOR, 900, 20, "gold"), "Need 900 gold, have 20."),
    (RefusedError(Refusal("self_transfer", "You cannot send to yourself.")), "You cannot send to yourself."),
    (ConflictError("player ada has version 2, not 1"), "player ada has version 2, not 1"),
    (FloorError("stock.lucky_charm", 3), "counter stock.lucky_charm has only 3 left"),
    (StorageError("the disk is full"), "the disk is full"),
    (
        CommitUnknownError("r-1"),
        "the outcome of request r-1 is unknown: ask again with the same request id",
    ),
    (MisuseError("begin() must come first"), "begin() must come first"),
    (
        RequestMismatchError("r-1"),
        "request id r-1 was used before, by another act or too long ago: take a fresh one",
    ),
]


@pytest.mark.parametrize(("error", "sentence"), ERRORS, ids=lambda value: type(value).__name__)
def test_an_error_says_its_sentence_here_and_in_a_worker(error: KokoroError, sentence: str) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what a process pool does with it
    assert str(error) == str(again) == sentence
    assert type(again) is type(error)
    assert vars(again) == vars(error)


def test_a_refusal_carries_its_code_and_its_numbers_by_name() -> None:
    error = RefusedError(TOO_POOR, 900, 20, "gold")
    assert (error.refusal, error.code) == (TOO_POOR, "too_poor")
    assert error.numbers == {"need": 900, "have": 20, "currency": "gold"}


def test_a_refusal_without_its_numbers_does_not_hide_that() -> None:
    with pytest.raises(ValueError, match="zip"):
        str(RefusedError(TOO_POOR, 900))


def test_refused_failed_raced_and_misused_are_kinds_of_their_own() -> None:
    kinds = (RefusedError, ConflictError, FloorError, StorageError, MisuseError)
    for kind in kinds:
        assert issubclass(kind, KokoroError)
        assert not any(issubclass(kind, other) for other in kinds if other is not kind)
    assert issubclass(CommitUnknownError, StorageError)
    assert issubclass(RequestMismatchError, MisuseError)
