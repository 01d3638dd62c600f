"""Whether stages of one's own can be compiled: found out before anything is played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
from numba.core.errors import NumbaError

from kokoromichi.simulation.compiled.compiling import hastened
from kokoromichi.simulation.compiled.engine import CompiledEngine
from kokoromichi.simulation.compiled.program import compiler_of

if TYPE_CHECKING:
    from kokoromichi.simulation.scenario import Scenario


def obstacle(scenario: Scenario) -> str:
    """Which stage of a scenario cannot be compiled, and why; nothing where all can."""
    if not scenario.stages:
        return ""
    state, scene = CompiledEngine(scenario.replace(days=1), 0).first_scene()
    types = tuple(map(numba.typeof, (state, scene)))
    compiler = compiler_of(scenario.story())
    for name, stage in scenario.stages.items():
        try:
            with hastened():
                compiler.inner(stage).compile(types)
        except (NumbaError, ValueError) as error:  # noqa: PERF203 - beside compiling, a try costs nothing
            return f"its stage {name!r} cannot be compiled: {_first_words(error)}"
    return ""


def _first_words(error: Exception) -> str:
    """The line of numba's long message that says what it is about."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next(line for line in lines if not line.startswith(("Failed in", "During:", "File")))
    return "it makes a list, an array or a text of its own" if told.startswith("NRT required") else told
