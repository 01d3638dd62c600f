"""The compiled form of a story: the loop with the chain of its stages in it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from kokoromichi.simulation import streams
from kokoromichi.simulation.compiled import draws, loop
from kokoromichi.simulation.compiled.compiling import Compiler, cache_folder
from kokoromichi.simulation.player_state import STAGE
from kokoromichi.simulation.story import NOTHING, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.simulation.story import Stage


class Program(NamedTuple):
    """The functions of ``loop`` that Python calls, as numba's dispatchers."""

    begin_day: Any
    play_day: Any
    close_day: Any


@lru_cache(maxsize=4)
def program_of(stages: tuple[Stage, ...]) -> Program:
    """The program of a story; that of the shipped one is kept on disk."""
    compiler = compiler_of(stages)
    return Program(*(compiler.entry(getattr(loop, name)) for name in Program._fields))


@lru_cache(maxsize=4)
def compiler_of(stages: tuple[Stage, ...]) -> Compiler:
    """The compiler of a story; with a stage of one's own it minds the ends of arrays."""
    return Compiler({loop.ask: chain_of(stages), streams.draw: draws.draw}, shipped=stages is STAGES)


def is_compiled(stages: tuple[Stage, ...]) -> bool:
    """Whether the program of a story need not be compiled any more."""
    if program_of(stages).play_day.signatures:
        return True
    return stages is STAGES and any(cache_folder().rglob("*.nbc"))


def chain_of(stages: tuple[Stage, ...]) -> Callable[..., int]:
    """``loop.ask`` as a chain of branches: compiled code cannot index a table of functions."""
    lines = ["def ask(state, scene):", "    while True:", "        stage = state[STAGE]"]
    for number in range(len(stages)):
        lines += [f"        {'elif' if number else 'if'} stage == {number}:"]
        lines += [f"            act = stage_{number}(state, scene)"]
    lines += ["        else:", "            act = -1", "        if act != NOTHING:", "            return act"]
    scope: dict[str, Any] = {"STAGE": STAGE, "NOTHING": NOTHING}
    scope.update({f"stage_{number}": stage for number, stage in enumerate(stages)})
    exec("\n".join(lines), scope)  # noqa: S102 - made of the table alone
    made: Callable[..., int] = scope["ask"]
    return made
