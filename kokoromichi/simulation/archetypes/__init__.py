"""The archetypes: one file and one line each. They do not know one another."""

from __future__ import annotations

import importlib
from typing import Final

from kokoromichi.simulation.archetypes._parameters import CATEGORIES, Archetype

__all__ = ["ARCHETYPES", "CATEGORIES", "Archetype", "load_archetype"]

ARCHETYPES: Final[dict[str, str]] = {
    "casual": "kokoromichi.simulation.archetypes.casual:PARAMETERS",
    "grinder": "kokoromichi.simulation.archetypes.grinder:PARAMETERS",
    "whale": "kokoromichi.simulation.archetypes.whale:PARAMETERS",
    "hoarder": "kokoromichi.simulation.archetypes.hoarder:PARAMETERS",
    "collector": "kokoromichi.simulation.archetypes.collector:PARAMETERS",
    "investor": "kokoromichi.simulation.archetypes.investor:PARAMETERS",
    "lapsed": "kokoromichi.simulation.archetypes.lapsed:PARAMETERS",
    "alt_farmer": "kokoromichi.simulation.archetypes.alt_farmer:PARAMETERS",
}
"""Where each archetype is: ``module:attribute``."""


def load_archetype(name: str) -> Archetype:
    """Import an archetype's parameters.

    Raises:
        KeyError: There is no archetype of this name.
    """
    module, attribute = ARCHETYPES[name].split(":")
    archetype: Archetype = getattr(importlib.import_module(module), attribute)
    return archetype
