"""Logging: one line an event, in UTC, on standard error."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.logging_config import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the root logger to the next test as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_says_when_how_grave_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")
    record = logging.LogRecord("kokoromichi.bot", logging.WARNING, "", 0, "%d items", (3,), None)
    record.created = 1_773_144_000.25
    logging.getLogger().handle(record)
    assert capsys.readouterr().err == "2026-03-10T12:00:00Z WARNING kokoromichi.bot: 3 items\n"


@pytest.mark.parametrize(("level", "heard"), [("WARNING", ["loud"]), ("INFO", ["loud", "soft"])])
def test_below_the_level_nothing_is_heard(
    capsys: pytest.CaptureFixture[str], level: str, heard: list[str]
) -> None:
    configure_logging(level)
    logging.getLogger("kokoromichi").warning("loud")
    logging.getLogger("kokoromichi").info("soft")
    assert re.findall(r": (\w+)$", capsys.readouterr().err, re.MULTILINE) == heard


def test_configuring_twice_says_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    configure_logging()
    logging.getLogger("kokoromichi").info("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.parametrize(("level", "heard"), [("DEBUG", ["deep", "soft"]), ("warning", []), (None, ["soft"])])
def test_without_a_level_the_settings_say_it(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    level: str | None,
    heard: list[str],
) -> None:
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("LOG_LEVEL", level)
    configure_logging()
    logging.getLogger("kokoromichi").debug("deep")
    logging.getLogger("kokoromichi").info("soft")
    assert re.findall(r": (\w+)$", capsys.readouterr().err, re.MULTILINE) == heard
