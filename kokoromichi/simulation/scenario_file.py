"""The file of a scenario, read into what a scenario is made of."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kokoromichi.options import near
from kokoromichi.rules.acts import act_name
from kokoromichi.rules.economy import Economy, load_config, load_economy
from kokoromichi.rules.findings import NO_NEW_SECTION, EconomyError, Finding
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.setup_files import SetupError, beside, find_file, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TABLES: Final = ("values", "scaled", "items", "business")
_KEYS: Final = ("file", *_TABLES, "without_items", "tiers")


def read_scenario(
    name_or_path: str | Path, *, players: int | None, economy: str | Path | None
) -> tuple[str, dict[str, object]]:
    """Read a scenario's file, and the files that it names.

    Args:
        name_or_path: Name of a shipped one, or the path of a ``.toml`` file.
        players: Size of the population; the file's, or the population's own, when left out.
        economy: A folder with an economy, or a TOML file of its numbers, instead of the scenario's.

    Returns:
        The file's name, and the fields of a scenario, not validated yet.

    Raises:
        SetupError: There is none of this name, or a file is refused: file, field, value and cure.
        EconomyError: The economy is refused.
    """
    path = find_file("scenarios", name_or_path)
    tree, file = read_toml(path), str(path)
    size = _optional_int(tree.pop("players", None), file) if players is None else players
    section = _economy_section(tree.get("economy", {}), file)
    population = _population(tree.pop("population", "default"), path, size)
    found = read_economy(economy or _beside(path, section))
    with _naming(file):
        listed = _extended(found, section)
    # Players remember the prices before the scenario changes them, or its changes would move nothing.
    for item_id in section.get("without_items", ()):
        population = population.without_item(item_id)
    tree["population"] = population.liking(_appeal(section)).remembering(listed)
    with _naming(file):
        tree["economy"] = listed.with_values(section.get("values", {})).scaled(section.get("scaled", {}))
    tree["closed"] = _closed(tree.get("closed", []), file)
    return file, {"name": path.stem, **tree}


def read_economy(path: str | Path | None) -> Economy:
    """Read an economy.

    Args:
        path: A folder of the three files; a TOML file of numbers, which keeps the shipped words; None for the
            shipped economy.

    Raises:
        EconomyError: A file is missing or refused: file, field, value and cure.
    """
    if path is None:
        return load_economy(shipped_folder("data"))
    if Path(path).is_dir():
        return load_economy(path)
    words = load_economy(shipped_folder("data"))
    return Economy(load_config(path), words.catalogue, words.waifus)


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """Say of what is refused within that the scenario's file asks for it."""
    try:
        yield
    except EconomyError as error:
        raise EconomyError(
            Finding(file, f"economy: {found.field}", found.value, found.law, found.text)
            for found in error.findings
        ) from None


def _extended(economy: Economy, section: Mapping[str, Any]) -> Economy:
    """An economy with the items, businesses and tiers that a scenario adds, without those that it takes."""
    for item_id in section.get("without_items", ()):
        economy = economy.without_item(item_id)
    for item_id, numbers in section.get("items", {}).items():
        given = {"like": None, **{name: number for name, number in numbers.items() if name != "appeal"}}
        economy = economy.with_item(item_id, **given)
    for business_id, numbers in section.get("business", {}).items():
        economy = economy.with_business(business_id, numbers)
    for numbers in section.get("tiers", ()):
        economy = economy.with_tier(numbers)
    return economy


def _appeal(section: Mapping[str, Any]) -> dict[str, object]:
    items: Mapping[str, Mapping[str, object]] = section.get("items", {})
    return {item_id: numbers["appeal"] for item_id, numbers in items.items() if "appeal" in numbers}


def _population(named: object, scenario: Path, players: int | None) -> Population:
    """The population that a scenario names, or describes as a table of what differs from another."""
    if isinstance(named, str):
        return Population.load(beside(scenario, named), players)
    if isinstance(named, dict):
        return Population.described(named, scenario, players)
    text = "must be the name of a population, a path, or a table of what differs"
    raise SetupError.of(str(scenario), "population", named, text)


def _optional_int(value: object, file: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise SetupError.of(file, "players", value, "must be a whole number")


def _closed(value: object, file: str) -> frozenset[object]:
    if not isinstance(value, list) or not all(isinstance(act, str) for act in value):
        raise SetupError.of(file, "closed", value, 'must be a list of acts, such as ["buy", "train"]')
    return frozenset(map(act_name, value))


def _economy_section(section: object, file: str) -> dict[str, Any]:
    if not isinstance(section, dict):
        raise SetupError.of(file, "economy", section, f"must be a table of {', '.join(_KEYS)}")
    if unknown := [key for key in section if key not in _KEYS]:
        text = f"is no part of a scenario's economy; {near(unknown[0], _KEYS)}; {NO_NEW_SECTION}"
        raise SetupError.of(file, f"economy.{unknown[0]}", section[unknown[0]], text)
    shapes = {**dict.fromkeys(_TABLES, dict), "file": str, "without_items": list, "tiers": list}
    for key, value in section.items():
        if not isinstance(value, shapes[key]):
            text = "must be a path" if key == "file" else f"must be a {_SHAPES[shapes[key]]}"
            raise SetupError.of(file, f"economy.{key}", value, text)
    if odd := [tier for tier in section.get("tiers", []) if not isinstance(tier, dict)]:
        raise SetupError.of(file, "economy.tiers", odd[0], "must be tables, [[economy.tiers]]")
    for key in ("items", "business"):
        for name, numbers in section.get(key, {}).items():
            if not isinstance(numbers, dict):
                text = f"must be a table of numbers, [economy.{key}.{name}]"
                raise SetupError.of(file, f"economy.{key}.{name}", numbers, text)
    return section


_SHAPES: Final[dict[type, str]] = {dict: "table of numbers", list: "list"}


def _beside(scenario: Path, section: Mapping[str, object]) -> Path | None:
    return scenario.parent / str(section["file"]) if "file" in section else None
