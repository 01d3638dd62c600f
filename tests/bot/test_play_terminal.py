"""``kokoromichi play`` at a terminal: what somebody types, and how it ends."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tests.project.checkout import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S: Final = 60
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x01\x02\x07\r]")


class Typist:
    """Somebody at a terminal.

    Args:
        keyboard: The other end of the game's terminal.
        process: The game.
    """

    def __init__(self, keyboard: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._keyboard = keyboard
        self._shown = b""
        self._read_chars = 0

    def types(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def sees(self, text: str) -> None:
        """Wait for a text after the last one that was waited for."""
        until = time.monotonic() + PATIENCE_S
        while (place := self._screen().find(text, self._read_chars)) < 0:
            assert time.monotonic() < until, f"{text!r} did not come: {self._screen()!r}"
            if select.select([self._keyboard], [], [], 1)[0]:
                self._shown += os.read(self._keyboard, 65_536)
        self._read_chars = place + len(text)

    def interrupts(self) -> None:
        """Press Ctrl-C, and again after a while: Python may miss one that comes just as it begins to wait."""
        while self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(5)

    def _screen(self) -> str:
        return _CONTROL.sub("", self._shown.decode(errors="ignore"))


@contextmanager
def seated(folder: Path) -> Iterator[Typist]:
    """The game in a terminal of its own."""
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        ("env", "TERM=xterm", "COLUMNS=100", SCRIPT, "play", "--data-dir", folder / "players"),
        cwd=folder,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    try:
        yield Typist(keyboard, process)
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)


def test_tab_completes_commands_items_and_players_and_ctrl_d_leaves(tmp_path: Path) -> None:
    with seated(tmp_path) as alice:
        alice.sees("alice ▸ ")
        alice.types("as bob balance\n")
        alice.sees("10,000 gold")
        alice.sees("alice ▸ ")
        alice.types("transf\tbo\t1k\n")
        alice.sees("transfer bob 1k")
        alice.sees("left your purse for @bob")
        alice.types("buy heal\t2\n")
        alice.sees("buy health_potion 2")
        alice.sees("2 × Health Potion")
        alice.types("as bob\n")
        alice.sees("bob ▸ ")
        alice.types("\x04")
        assert alice.process.wait(PATIENCE_S) == 0


def test_ctrl_c_leaves_with_a_sentence(tmp_path: Path) -> None:
    with seated(tmp_path) as alice:
        alice.sees("alice ▸ ")
        alice.interrupts()
        alice.sees("Interrupted.")
        assert alice.process.wait(PATIENCE_S) == 130


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    with seated(tmp_path) as alice:
        alice.sees("alice ▸ ")
        alice.types("buy health_potion 3\n")
        alice.sees("Balance: 9,700 gold.")
        alice.process.kill()
    with seated(tmp_path) as alice:
        alice.types("inventory\n")
        alice.sees("3 × Health Potion")
        alice.types("quit\n")
        assert alice.process.wait(PATIENCE_S) == 0
