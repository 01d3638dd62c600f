"""mesa-frames' own wealth game, a like job: agents as one frame, each with wealth gives one unit a step.

It records nothing but the wealth that is left: no rows, no reasons, no draws that can be played again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

WEALTH: Final = 10
"""Units of each agent at the start: hardly anybody has none in so few steps, so a step is a gift of each."""


def wealth_game() -> Callable[[int, int], Callable[[], object]] | None:
    """Makes a game of so many agents and steps, ready to be played; None where mesa-frames is not there."""
    try:
        import mesa_frames  # noqa: PLC0415 - an optional rival
    except ImportError:
        return None

    class Givers(mesa_frames.AgentSetPolars):  # type: ignore[misc] # It is not typed.
        """All agents."""

        def step(self) -> None:
            """Each who has some gives one unit to anybody."""
            self.select(self.wealth > 0)
            taken = self.agents.sample(n=len(self.active_agents), with_replacement=True)
            self["active", "wealth"] -= 1
            units = taken.group_by("unique_id").len()
            self[units, "wealth"] += units["len"]

    def ready(agents: int, steps: int) -> Callable[[], object]:
        game = mesa_frames.ModelDF()
        wealth = pl.DataFrame({"unique_id": range(agents), "wealth": [WEALTH] * agents})
        game.agents += Givers(game).add(wealth)

        def play() -> object:
            for _ in range(steps):
                game.agents.do("step")
            return game

        return play

    return ready
