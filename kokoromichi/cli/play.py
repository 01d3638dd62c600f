"""``kokoromichi play``: the bot's commands in a terminal, over the local provider; no token, no network."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from kokoromichi.core.clock import moment_of, us_of
from kokoromichi.core.errors import MisuseError
from kokoromichi.operation.exits import USAGE, exit_on_error
from kokoromichi.operation.starting import owner_only

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from kokoromichi.bot import KokoroBot
    from kokoromichi.chat.console.clock import SkippingClock
    from kokoromichi.chat.console.http_client import Choice, Posted

T = TypeVar("T")

_PROMPT: Final = "▸"
_LEAVE: Final = {"quit", "exit"}
_MOST_DAYS: Final = 366
"""So many are skipped at once at the most."""
_WELCOME: Final = """[bold #8e5bd0]KoKoroMichi[/] in a terminal: the bot's own commands, without Discord.
You are [bold magenta]{name}[/]. Try [cyan]daily[/], [cyan]store[/], [cyan]buy {item} 2[/], \
[cyan]inventory[/], [cyan]help[/].
[cyan]as bob[/] lets another player speak, [cyan]tomorrow[/] skips a day, [cyan]tomorrow 30[/] as many, \
[cyan]quit[/] ends. What is played is kept in [bold]{folder}[/].
"""


def play(
    player: Annotated[
        str, typer.Option(help="Who plays first, and owns the server: 1 to 11 of a-z, 0-9 and _.")
    ] = "alice",
    data_dir: Annotated[
        Path | None, typer.Option(help="The folder of what players do; DATA_DIR when left out.")
    ] = None,
    economy: Annotated[
        Path | None, typer.Option(help="A folder with an economy; ECONOMY_DIR when left out.")
    ] = None,
) -> None:
    """Play in the terminal, or replay the commands that stand on standard input, one a line.

    The local provider keeps what is played. With a script, the exit code is 2 where a line was no command.
    """
    with exit_on_error(), owner_only():
        from kokoromichi.chat.console.clock import SkippingClock  # noqa: PLC0415 - --help stays fast

        clock = SkippingClock()
        bot = _built(data_dir, economy, clock)
        with _running_loop() as loop:
            terminal = Terminal(bot, clock, player, loop)
            terminal.open()
            try:
                terminal.welcome()
                terminal.run()
            finally:
                terminal.close()
    if terminal.strangers and not terminal.interactive:
        raise typer.Exit(USAGE)


def _built(data_dir: Path | None, economy_dir: Path | None, clock: SkippingClock) -> KokoroBot:
    """The bot as the settings have it, but with players in the local store and text commands."""
    from kokoromichi.settings import Settings  # noqa: PLC0415 - --help stays fast

    settings = Settings()
    if settings.log_level == Settings.model_fields["log_level"].default:
        # A log belongs to a server; here it would stand in the game.
        logging.getLogger().setLevel(logging.ERROR)
    try:
        from kokoromichi.bot import create_bot  # noqa: PLC0415 - --help stays fast
    except ModuleNotFoundError as missing:
        message = f"playing needs {missing.name}: pip install 'kokoromichi[bot]'"
        raise MisuseError(message) from missing
    changed: dict[str, object] = {
        "provider": "local",
        "mirror_dir": None,
        "text_commands": True,
        "shard_count": 1,
        "shard_ids": (),
    }
    changed |= {} if data_dir is None else {"data_dir": data_dir}
    changed |= {} if economy_dir is None else {"economy_dir": economy_dir}
    return create_bot(settings.model_copy(update=changed), clock=clock)


@contextmanager
def _running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread of its own: the terminal's line editor keeps the main one, and Ctrl-C with it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="bot")
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_tasks() -> None:
    """End what waits for its time, as ``asyncio.run`` would: buttons that nobody has pressed yet."""
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


class Terminal:
    """Where the players type.

    Args:
        bot: What answers them; not open yet.
        clock: The bot's.
        name: Who speaks first.
        loop: Where the bot runs.

    Attributes:
        interactive: Whether somebody types, and no script.
        strangers: How many lines were no command.
    """

    def __init__(
        self, bot: KokoroBot, clock: SkippingClock, name: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        from kokoromichi.chat.console.guild import FakeGuild  # noqa: PLC0415 - --help stays fast

        self.interactive = sys.stdin.isatty()
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        self.strangers = 0
        self._bot = bot
        self._clock = clock
        self._name = name.casefold()
        self._loop = loop
        self._console = Console(highlight=False)
        self._posted: SimpleQueue[Posted | None] = SimpleQueue()
        """Messages as the bot posts them, to be drawn by this thread; None after the last of an answer."""
        self._guild = FakeGuild(bot, name, self._posted.put)
        self._choices: tuple[int, tuple[Choice, ...]] = (0, ())
        self._pictures: Path | None = None

    def open(self) -> None:
        """Log the bot in and seat the players.

        Raises:
            StorageError: The folder cannot be used, or another process holds it.
        """
        self._wait(self._bot.provider.open())
        if newest := self._wait(self._bot.provider.read_ledger(limit=1)):
            self._clock.catch_up(us_of(newest[0].at))  # Before the bot holds the ledger against its clock.
        try:
            self._wait(self._guild.open())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the bot and its storage: all is flushed."""
        self._wait(self._guild.close())

    def welcome(self) -> None:
        """Say who plays, and what to type."""
        folder = escape(str(self._bot.settings.data_dir))
        item = next(iter(self._bot.services.live.offers), "item")
        said = _WELCOME.format(name=self._name, item=item, folder=folder)
        self._console.print(said, soft_wrap=True)

    def run(self) -> None:
        """Carry out line after line, until the last one or ``quit``."""
        lines = self._typed() if self.interactive else self._replayed()
        for line in lines:
            if line.strip().casefold() in _LEAVE:
                return
            self._carry_out(line.strip().lstrip("\ufeff!/ "))  # A file from Windows may begin with a mark.

    def _typed(self) -> Iterator[str]:
        self._prepare_editor()
        with suppress(EOFError):
            while True:
                yield input(f"\001\033[1;35m\002{self._name}\001\033[0m\002 {_PROMPT} ")
        self._console.print()

    def _replayed(self) -> Iterator[str]:
        """A script's lines; blank ones and those after ``#`` are passed over."""
        for line in sys.stdin:
            if line.strip() and not line.lstrip().startswith("#"):
                self._console.print(f"[bold magenta]{self._name}[/] {_PROMPT} {escape(line.strip())}")
                yield line

    def _carry_out(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if not line:
            return
        if word.casefold() == "as":
            self._hand_over(*rest.split(maxsplit=1))
        elif word.casefold() == "tomorrow":
            self._skip(rest.strip() or "1")
        elif line.isdecimal():
            self._press(line)
        elif self._guild.knows(word):
            self._answered(self._guild.say(self._name, line))
        else:
            near = [f"[cyan]{name}[/]" for name in self._guild.near(word)] or ["[cyan]help[/]"]
            self._complain(f"There is no command {escape(word)}. Did you mean {', '.join(near)}?")

    def _hand_over(self, name: str = "", line: str = "") -> None:
        """Let another player speak: from now on, or for one line."""
        before, self._name = self._name, name.casefold()
        try:
            self._wait(self._guild.join(self._name))
        except MisuseError as error:
            self._complain(f"{escape(str(error))}. Write [cyan]as NAME[/] or [cyan]as NAME COMMAND[/].")
            line = ""
            self._name = before
        if line:
            self._carry_out(line)
            self._name = before

    def _skip(self, days: str) -> None:
        """Go on some days later, with the store filled up as it would be by then."""
        if days not in map(str, range(1, _MOST_DAYS + 1)):
            self._complain(f"Write [cyan]tomorrow[/] or [cyan]tomorrow DAYS[/], from 1 to {_MOST_DAYS}.")
            return
        self._clock.skip(int(days))
        self._wait(self._bot.services.store.restock())
        self._console.print(f"It is {moment_of(self._clock.now_us()):%A, %d %B %Y, %H:%M} UTC now.")

    def _press(self, number: str) -> None:
        message_id, choices = self._choices
        by_number = {str(place): choice.custom_id for place, choice in enumerate(choices, start=1)}
        if number in by_number:
            self._answered(self._guild.press(self._name, message_id, by_number[number]))
        else:
            self._complain("There is nothing to choose by that number.")

    def _complain(self, text: str) -> None:
        self.strangers += 1
        self._console.print(text)

    def _answered(self, work: Coroutine[Any, Any, None]) -> None:
        """Draw what is posted until an answer is complete; what came while somebody typed stands before it.

        It is drawn in this thread: where the terminal is gone, this one ends, and closes the bot in order.
        """
        answer = asyncio.run_coroutine_threadsafe(work, self._loop)
        answer.add_done_callback(lambda _done: self._posted.put(None))
        while (message := self._posted.get()) is not None:
            self._draw(message)
        answer.result()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _draw(self, message: Posted) -> None:
        from kokoromichi.chat.console.drawing import drawn  # noqa: PLC0415 - --help stays fast

        for part in drawn(message, self._bot.services.now_us(), self._saved):
            self._console.print(part)
        if message.choices or message.message_id == self._choices[0]:
            self._choices = (message.message_id, message.choices)

    def _saved(self, name: str, data: bytes) -> str:
        """Write a picture to a file of its own, and say where it is."""
        if self._pictures is None:
            self._pictures = Path(tempfile.mkdtemp(prefix="kokoromichi-"))
        stem, dot, ending = name.rpartition(".")
        number = len(list(self._pictures.iterdir())) + 1
        path = self._pictures / Path(f"{stem}-{number}{dot}{ending}").name
        path.write_bytes(data)
        return str(path)

    def _prepare_editor(self) -> None:
        """History, and completion by Tab, where Python was built with a line editor."""
        try:
            import readline  # noqa: PLC0415 - not every platform has it
        except ModuleNotFoundError:
            return
        found: list[str] = []

        def completed(typed: str, state: int) -> str | None:
            if state == 0:
                words = readline.get_line_buffer()[: readline.get_endidx()].split(" ")
                found[:] = self._wait(
                    self._guild.offered(self._name, [word for word in words[:-1] if word] + [typed])
                )
            return f"{found[state]} " if state < len(found) else None

        readline.set_completer_delims(" ")
        readline.set_completer(completed)
        readline.parse_and_bind("tab: complete")
