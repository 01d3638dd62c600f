"""What decides the bytes of a run, as its folder's manifest has it, and what tells one run from another."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import orjson

from kokoromichi.analysis.reading import MANIFEST
from kokoromichi.core.errors import MisuseError
from kokoromichi.rules.catalogue import CatalogueItem, WaifuSheet
from kokoromichi.rules.economy import Economy, EconomyConfig
from kokoromichi.rules.economy_laws import economy_findings
from kokoromichi.simulation import engines
from kokoromichi.simulation.functions import code_hash, fingerprint
from kokoromichi.simulation.price_list import build_price_list, digest
from kokoromichi.simulation.rehearsal import MEMORY
from kokoromichi.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PACKAGES: Final = ("kokoromichi", "numpy", "polars", "pydantic")
_DECIDES: Final = ("scenario_hash", "words_hash", "code_hash", "seed")
_READ: Final = {"scenario_hash", "seed", "replications", "findings", "days", "definition"}


def manifest(
    scenario: Scenario,
    seed: int,
    replications: int,
    engine: str = engines.FAITHFUL,
    provider: str = MEMORY,
) -> dict[str, object]:
    """Everything that decides the bytes of a batch, and beside it the engine, which does not."""
    tables = build_price_list(scenario.population, scenario.economy, scenario.closed)
    described = definition(scenario)
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "scenario_hash": short_hash(described),
        "economy_hash": scenario.economy.hash,
        "words_hash": short_hash([*words(scenario.economy).values()]),
        "code_hash": code_hash(),
        "weights_digest": digest(tables),
        "days": scenario.days,
        "players": scenario.players,
        "seed": seed,
        "replications": replications,
        "engine": engine,
        "provider": provider,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "findings": [
            asdict(finding) for finding in (*economy_findings(scenario.economy), *scenario.findings())
        ],
        "definition": described,
    }


def definition(scenario: Scenario) -> dict[str, object]:
    """A scenario as JSON has it; stages of one's own by their fingerprint."""
    described = scenario.model_dump(mode="json", exclude={"economy", "closed"})
    described["closed"] = sorted(scenario.closed)  # A set has another order in every process.
    if scenario.stages:
        described["stages"] = {name: fingerprint(stage) for name, stage in sorted(scenario.stages.items())}
    described["economy"] = scenario.economy.config.tree()
    return described


def words(economy: Economy) -> dict[str, list[dict[str, object]]]:
    """The catalogue and the characters: what an item does is decided there."""
    return {
        "catalogue": [sheet.model_dump(mode="json") for sheet in economy.catalogue],
        "waifus": [sheet.model_dump(mode="json") for sheet in economy.waifus],
    }


def rebuilt(described: Mapping[str, object], sheets: Mapping[str, Sequence[object]]) -> Scenario:
    """The scenario of a ``definition`` and its ``words``, without stages of one's own."""
    fields: dict[str, Any] = {name: value for name, value in described.items() if name != "economy"}
    tree: Any = described["economy"]
    economy = Economy(
        EconomyConfig.from_tree(tree),
        tuple(CatalogueItem.model_validate(sheet) for sheet in sheets["catalogue"]),
        tuple(WaifuSheet.model_validate(sheet) for sheet in sheets["waifus"]),
    )
    return Scenario.model_validate({**fields, "economy": economy})


def short_hash(described: object) -> str:
    """16 hex digits over what JSON holds."""
    return hashlib.sha256(orjson.dumps(described, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def identity_of(told: Mapping[str, Any]) -> str:
    """What tells a run's replications from those of another one, by its manifest."""
    return short_hash([told.get(key) for key in _DECIDES])


def read_manifest(folder: Path) -> dict[str, Any]:
    """What decided the bytes of the run in a folder.

    Raises:
        MisuseError: The folder's manifest is of another program, or torn.
    """
    path = folder / MANIFEST
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        message = f"{path} cannot be read ({error}): remove the folder, or choose another one with --out"
        raise MisuseError(message) from error
    if not isinstance(found, dict) or not found.keys() >= _READ:
        message = f"{path} describes no run: choose another folder"
        raise MisuseError(message)
    return found
