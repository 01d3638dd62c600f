"""The engines to choose from: which one plays a scenario, and why.

Both play the same story by the same rules and leave the same bytes; the compiled one is much faster (ADR 14
says how much) and needs numba (extra ``fast``).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation.faithful import FaithfulEngine
from kokoromichi.simulation.played import Written, require_equal
from kokoromichi.simulation.rehearsal import MEMORY, left_in, rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from kokoromichi.settings import Settings
    from kokoromichi.simulation.played import Played
    from kokoromichi.simulation.scenario import Scenario

T = TypeVar("T")

AUTO: Final = "auto"
FAITHFUL: Final = "faithful"
COMPILED: Final = "compiled"
BOTH: Final = "both"
ENGINES: Final = (AUTO, FAITHFUL, COMPILED, BOTH)

WORTH_COMPILING_PLAYER_DAYS: Final = 20_000
"""Below, the faithful engine is done before the other one is compiled: it plays so many in 3 seconds."""
LARGE_PLAYER_DAYS: Final = 300_000
"""From here on rows are written while they are played, and are never in memory all at once."""


class Chosen(NamedTuple):
    """The engine of a batch.

    Attributes:
        name: FAITHFUL, COMPILED or BOTH.
        why: In a few words.
    """

    name: str
    why: str

    def __str__(self) -> str:
        """As a manifest has it."""
        return f"{self.name} ({self.why})"


def choose(engine: str, scenario: Scenario, replications: int = 1, provider: str = MEMORY) -> Chosen:
    """The engine that plays a batch.

    Args:
        engine: A word of ``ENGINES``.
        scenario: What is simulated.
        replications: How often.
        provider: Where the players are stored.

    Raises:
        MisuseError: There is no such engine, or it was asked for and cannot play this.
    """
    if engine not in ENGINES:
        raise MisuseError(f"there is no engine {engine!r}: use {', '.join(ENGINES)}")
    if engine == FAITHFUL:
        return Chosen(FAITHFUL, "asked for")
    if provider != MEMORY:
        if engine == AUTO:
            return Chosen(FAITHFUL, f"auto: over {provider} the bot's own services play")
        message = (
            f"engine {engine!r} cannot play over {provider}: compiled acts know no store; use 'faithful'"
        )
        raise MisuseError(message)
    player_days = scenario.players * scenario.days * replications
    if engine == AUTO and player_days < WORTH_COMPILING_PLAYER_DAYS:
        return Chosen(FAITHFUL, f"auto: fewer than {WORTH_COMPILING_PLAYER_DAYS:,} player-days to play")
    obstacle = _obstacle(scenario)
    if engine == AUTO:
        return (
            Chosen(FAITHFUL, f"auto: {obstacle}")
            if obstacle
            else Chosen(COMPILED, "auto: numba is installed")
        )
    if obstacle:
        raise MisuseError(f"engine {engine!r} cannot play this: {obstacle}")
    return Chosen(engine, "asked for")


def _obstacle(scenario: Scenario) -> str:
    """Why a scenario cannot be compiled, and what would help; nothing where it can."""
    if find_spec("numba") is None or find_spec("platformdirs") is None:
        return 'numba is not installed; pip install "kokoromichi[fast]" makes it much faster'
    from kokoromichi.simulation.compiled.own_stages import obstacle  # noqa: PLC0415 - numba may be missing

    return obstacle(scenario)


def compile_once(scenario: Scenario, chosen: Chosen, on_step: Callable[[str], None]) -> None:
    """Compile the engine before it plays, so that every worker finds it on disk.

    Args:
        scenario: What will be played.
        chosen: Its engine; the faithful one has nothing to compile.
        on_step: Called with what is being done, where it takes a while.
    """
    if chosen.name == FAITHFUL:
        return
    from kokoromichi.simulation.compiled import compiling  # noqa: PLC0415 - numba may be missing
    from kokoromichi.simulation.compiled.engine import CompiledEngine  # noqa: PLC0415 - numba may be missing
    from kokoromichi.simulation.compiled.program import is_compiled  # noqa: PLC0415 - as above

    was_compiled = is_compiled(scenario.story())
    if not was_compiled:
        on_step("Compiling the engine (once)")
    with compiling.hastened():
        CompiledEngine(scenario.replace(days=1), 0).play()
    if not was_compiled:
        compiling.prune(compiling.cache_folder().parent)


def play(scenario: Scenario, seed: int, engine: str, store: Settings | None = None) -> Played:
    """Play one replication.

    Args:
        scenario: What is simulated.
        seed: Seed of the replication.
        engine: FAITHFUL, COMPILED or BOTH.
        store: The settings of the store to play over, with FAITHFUL; None for memory.

    Raises:
        EnginesDisagreeError: Both played, and left different rows.
        MisuseError: The store is not empty.
        StorageError: The store cannot be used, or failed on the way.
    """
    if store is not None:
        return _rehearsed(scenario, seed, store)
    if engine == FAITHFUL:
        return _awaited(FaithfulEngine(scenario, seed).play())
    from kokoromichi.simulation.compiled.engine import CompiledEngine  # noqa: PLC0415 - numba may be missing

    compiled = CompiledEngine(scenario, seed).play()
    if engine == BOTH:
        require_equal(_awaited(FaithfulEngine(scenario, seed).play()), compiled)
    return compiled


def play_into(
    scenario: Scenario, seed: int, engine: str, folder: Path, store: Settings | None = None
) -> Written:
    """Play one replication into the files of a folder; a large one of the compiled engine in parts.

    Raises:
        EnginesDisagreeError: Both played, and left different rows.
    """
    if engine == COMPILED and scenario.players * scenario.days >= LARGE_PLAYER_DAYS:
        from kokoromichi.simulation.compiled.streaming import stream  # noqa: PLC0415 - numba may be missing

        return stream(scenario, seed, folder)
    played = play(scenario, seed, engine, store)
    played.write(folder)
    return Written(played.ledger.height, played.activity.height, played.states.audit(played.ledger))


def _rehearsed(scenario: Scenario, seed: int, store: Settings) -> Played:
    """A Ctrl-C says what it leaves behind: here, what is finished is not kept."""
    try:
        return _awaited(rehearse(scenario, seed, store))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"Interrupted: {left_in(store.provider)}") from None


def _awaited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine answers, also in a notebook, whose thread has an event loop running already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        return elsewhere.submit(asyncio.run, coroutine).result()
