"""KoKoroMichi: a Discord RPG economy, and the laboratory in which its designers tune it.

``import kokoromichi as km`` gives the notebook's vocabulary. Names are looked up when they are first used,
so that importing the package does no I/O and loads none of the heavy libraries.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kokoromichi.analysis.ledger import Ledger
    from kokoromichi.analysis.live import Live
    from kokoromichi.analysis.observations import Observations
    from kokoromichi.analysis.own import own_chart as chart
    from kokoromichi.analysis.own import own_metric as metric
    from kokoromichi.analysis.targets import Targets
    from kokoromichi.core.schemas import LEDGER_SCHEMA
    from kokoromichi.experiments.batch_runs import Batch
    from kokoromichi.experiments.batches import batch, replay
    from kokoromichi.experiments.calibrate import calibrate
    from kokoromichi.experiments.compare import compare
    from kokoromichi.experiments.comparison import Comparison
    from kokoromichi.experiments.explore import explore
    from kokoromichi.experiments.price_plans import plan_prices
    from kokoromichi.experiments.robustness import plausible
    from kokoromichi.experiments.sensitivity import sensitivity
    from kokoromichi.experiments.sobol import sobol
    from kokoromichi.experiments.space import scale
    from kokoromichi.experiments.tune import tune
    from kokoromichi.rules.economy import Economy, load_economy
    from kokoromichi.simulation.population import Population
    from kokoromichi.simulation.run import Run
    from kokoromichi.simulation.scenario import Scenario
    from kokoromichi.simulation.simulate import simulate

__version__ = "0.1.0"

_NAMES = {
    "Batch": "kokoromichi.experiments.batch_runs",
    "Comparison": "kokoromichi.experiments.comparison",
    "Economy": "kokoromichi.rules.economy",
    "LEDGER_SCHEMA": "kokoromichi.core.schemas",
    "Ledger": "kokoromichi.analysis.ledger",
    "Live": "kokoromichi.analysis.live",
    "Observations": "kokoromichi.analysis.observations",
    "Population": "kokoromichi.simulation.population",
    "Run": "kokoromichi.simulation.run",
    "Scenario": "kokoromichi.simulation.scenario",
    "batch": "kokoromichi.experiments.batches",
    "calibrate": "kokoromichi.experiments.calibrate",
    "chart": "kokoromichi.analysis.own",
    "compare": "kokoromichi.experiments.compare",
    "plan_prices": "kokoromichi.experiments.price_plans",
    "Targets": "kokoromichi.analysis.targets",
    "explore": "kokoromichi.experiments.explore",
    "plausible": "kokoromichi.experiments.robustness",
    "replay": "kokoromichi.experiments.batches",
    "scale": "kokoromichi.experiments.space",
    "sensitivity": "kokoromichi.experiments.sensitivity",
    "sobol": "kokoromichi.experiments.sobol",
    "tune": "kokoromichi.experiments.tune",
    "load_economy": "kokoromichi.rules.economy",
    "metric": "kokoromichi.analysis.own",
    "simulate": "kokoromichi.simulation.simulate",
}

_DECORATORS = {"chart": "own_chart", "metric": "own_metric"}
"""What the vocabulary calls otherwise: here they make one's own, there they would be taken for the lookup."""

__all__ = [
    "LEDGER_SCHEMA",
    "Batch",
    "Comparison",
    "Economy",
    "Ledger",
    "Live",
    "Observations",
    "Population",
    "Run",
    "Scenario",
    "Targets",
    "__version__",
    "batch",
    "calibrate",
    "chart",
    "compare",
    "explore",
    "load_economy",
    "metric",
    "plan_prices",
    "plausible",
    "replay",
    "scale",
    "sensitivity",
    "simulate",
    "sobol",
    "tune",
]


def __getattr__(name: str) -> Any:
    """Import a name of the vocabulary on first use."""
    if name not in _NAMES:
        message = f"module 'kokoromichi' has no attribute {name!r}; it has {', '.join(_NAMES)}"
        raise AttributeError(message)
    return getattr(import_module(_NAMES[name]), _DECORATORS.get(name, name))


def __dir__() -> list[str]:
    """The vocabulary, for completion."""
    return __all__
