"""How long a player waits for ``/buy``, against a bot of plain discord.py that only answers.

Over real sockets: both bots run in processes of their own, a stand-in for Discord each asks them in turns,
so that the machine is as busy for the one as for the other. A wait lasts from question to answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

from _storage_local import fsync_ms

from tests.bot.bot_process import BotProcess, bare
from tests.bot.standin import StandIn, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot.standin import Asked

GOAL_P50: Final = 1.5
AT_ONCE: Final = 50
PLAYERS: Final = 400
"""So many that no one of them meets the limit against spam."""
USERS: Final = [User(10_000 + number) for number in range(PLAYERS)]


class Side:
    """One of the two bots.

    Args:
        discord: The stand-in that asks it.
        only_answers: Whether it is the bot of plain discord.py.
    """

    def __init__(self, discord: StandIn, *, only_answers: bool) -> None:
        self._discord = discord
        self._only_answers = only_answers
        self._users: Iterator[User] = cycle(USERS)
        self.alone_ms: list[float] = []
        self.crowd_ms: list[float] = []

    def ask(self) -> Asked:
        """Put the next question."""
        user = next(self._users)
        if self._only_answers:
            return self._discord.slash(user, "say", words="2 x Health Potion for 200 gold.")
        return self._discord.slash(user, "buy", item="health_potion", quantity=1)

    async def wait_ms(self, at_once: int) -> list[float]:
        """Put questions at once, and say how long each was waited for."""
        asked = [self.ask() for _ in range(at_once)]
        for one in asked:
            await one.answered()
            assert self._only_answers or one.text.startswith("Bought"), one.text
        return [one.said[0].after_s * 1_000 for one in asked]


async def measured(repeats: int, alone: int, disk: Path | None) -> tuple[Side, Side, list[float]]:
    """Both sides, asked in turns: alone, then as a crowd; and what a sync of the disk took."""
    syncs_ms = []
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        async with StandIn() as ours, StandIn() as theirs:
            game = BotProcess(ours, Path(folder), LOG_LEVEL="INFO")
            plain = BotProcess(theirs, Path(folder), bare(theirs, log_level="INFO"))
            async with game, plain:
                sides = Side(ours, only_answers=False), Side(theirs, only_answers=True)
                for _ in range(PLAYERS // AT_ONCE):  # Accounts are opened, connections are made.
                    for side in sides:
                        await side.wait_ms(AT_ONCE)
                    await asyncio.sleep(0.1)
                for _ in range(repeats):
                    for side in sides:
                        for _ in range(alone):
                            side.alone_ms += await side.wait_ms(1)
                    for side in sides:
                        side.crowd_ms += await side.wait_ms(AT_ONCE)
                    syncs_ms.append(fsync_ms(Path(folder)))
                return (*sides, syncs_ms)


def p99(times_ms: list[float]) -> float:
    """What one in a hundred waited for longer."""
    return statistics.quantiles(times_ms, n=100)[98]


def main() -> None:
    """Measure; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--alone", type=int, default=25, help="questions one after the other, in a repeat")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; the system's temporary one")
    options = parser.parse_args()
    ours, plain, syncs_ms = asyncio.run(measured(options.repeats, options.alone, options.folder))
    sync_ms = statistics.median(syncs_ms)
    print(f"  a sync of this disk: {sync_ms:.2f} ms")
    answer: dict[str, object] = {
        "benchmark": "bot",
        "questions": len(ours.alone_ms),
        "fsync_ms": round(sync_ms, 3),
    }
    for name, at_once in (("alone_ms", 1), ("crowd_ms", AT_ONCE)):
        for quantile, of in (("p50", statistics.median), ("p99", p99)):
            mine, theirs = of(getattr(ours, name)), of(getattr(plain, name))
            print(
                f"  {quantile}, {at_once:>2} at once: buy {mine:7.2f} ms, bare {theirs:7.2f} ms,"
                f" {mine / theirs:.2f} times"
            )
            key = f"{quantile}_at_{at_once}"
            answer |= {
                f"{key}_ms": round(mine, 2),
                f"{key}_bare_ms": round(theirs, 2),
                f"{key}_ratio": round(mine / theirs, 2),
            }
    print(json.dumps({**answer, "goal_p50_at_1_ratio": GOAL_P50}))


if __name__ == "__main__":
    main()
