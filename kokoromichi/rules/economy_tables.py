"""The tables of docs/economy.md, made from the models, so that the document cannot say another thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kokoromichi.core.kinds import KINDS
from kokoromichi.rules.acts import ACTOR, ACTS
from kokoromichi.rules.catalogue import EFFECTS
from kokoromichi.rules.codes import CODE_NAMES, MAX_BALANCE, OK
from kokoromichi.rules.economy import CONFIG
from kokoromichi.rules.economy_laws import LAWS
from kokoromichi.rules.economy_paths import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kokoromichi.rules.acts import Act, Row
    from kokoromichi.rules.economy import Economy, EconomyConfig
    from kokoromichi.rules.economy_paths import Tree

    Schema = Mapping[str, object]

_ROLES: Final = {
    "faucet": "in",
    "sink": "out",
    "transfer": "neither",
    "item": "items only",
    "stock": "stock only",
    "admin": "neither",
    "correction": "by its sign",
}


def document(text: str, economy: Economy) -> str:
    """Bring the tables of a document up to date.

    Args:
        text: Markdown; a table stands between ``<!-- table: name -->`` and ``<!-- end -->``.
        economy: Where the defaults are read from.

    Returns:
        The text with every table of ``numbers``, ``store``, ``effects``, ``laws``, ``kinds`` and ``acts``
        made anew.
    """
    tables = {
        "numbers": numbers_table(economy.config),
        "store": store_table(economy),
        "effects": effects_table(),
        "laws": laws_table(),
        "kinds": kinds_table(),
        "acts": acts_table(),
    }
    for name, table in tables.items():
        start, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        before, opened, rest = text.partition(start)
        if opened:
            text = f"{before}{opened}{table}{end}{rest.partition(end)[2]}"
    return text


def numbers_table(config: EconomyConfig) -> str:
    """Tabulate every number: path, unit, range, shipped value, meaning; ``*`` in a path stands for an id."""
    schema = cast("Schema", CONFIG.json_schema())
    tree = config.tree()
    rows = (
        (f"`{path}`", unit, between, _shipped(tree, path), str(leaf["description"]))
        for path, leaf in _leaves(schema, schema, "")
        for unit, between in (_unit_and_range(leaf),)
    )
    return _table(("number", "unit", "range", "shipped", "meaning"), rows)


def store_table(economy: Economy) -> str:
    """Tabulate the items: what each costs, how many there are, and what it does."""
    rows = []
    for item in economy.catalogue:
        numbers = economy.config.store[item.id]
        counts = (numbers.limit, numbers.stock)
        limit, stock = ("-" if count is None else f"{count:,}" for count in counts)
        restock = f"{numbers.restock_units} / {numbers.restock_days} d" if numbers.restock_units else "-"
        target, size = (
            f"{count:,}" if count else "-" for count in (numbers.target_units, numbers.effect_size)
        )
        words = (f"`{item.id}`", item.category, f"{numbers.price_gold:,}")
        rows.append((*words, limit, stock, restock, target, item.use, f"`{item.effect}`", size))
    supply = ("limit", "stock", "restock", "target")
    return _table(("item", "category", "price, gold", *supply, "use", "effect", "effect size"), rows)


def effects_table() -> str:
    """Tabulate the effects: when each works, the unit of its size, and what it does."""
    rows = ((f"`{effect.name}`", effect.use, effect.unit or "-", effect.text) for effect in EFFECTS.values())
    return _table(("effect", "use", "unit of the size", "what it does"), rows)


def laws_table() -> str:
    """Tabulate the laws that ``economy_findings`` checks."""
    rows = ((f"`{law.__name__}`", str(law.__doc__)) for law in LAWS)
    return _table(("law", "what it says"), rows)


def kinds_table() -> str:
    """Tabulate the ledger's kinds: the book of each and what it does to the supply."""
    rows = ((f"`{kind.name}`", f"`{kind.book}`", _ROLES[kind.role]) for kind in KINDS.values())
    return _table(("kind", "book", "gold and gems"), rows)


def acts_table() -> str:
    """Tabulate the acts: what the rule may say, which items it moves, and its rows in their order."""
    rows = []
    for act in ACTS.values():
        said = ", ".join(f"`{CODE_NAMES[code]}`" for code in act.codes if code != OK)
        moved = ", ".join(_moved(row) for row in act.rows if row.units)
        booked = ", ".join(_booked(row) for row in act.rows)
        rows.append((f"`{act.name}`", f"`{_rule_name(act)}`", said or "-", moved or "-", booked or "-"))
    return _table(("act", "rule", "refusals", "items that move", "rows, in their order"), rows)


def _rule_name(act: Act) -> str:
    return f"{act.decide.__module__.rpartition('.')[2]}.{act.decide.__name__}"


def _moved(row: Row) -> str:
    what = f"the item with `{row.effect}`" if row.effect else "the item"
    return f"{what}, by `{row.units}`{_of_whom(row)}"


def _booked(row: Row) -> str:
    what = " and ".join(filter(None, (row.currency, "items" if row.units else "")))
    return f"`{row.kind}` of {what}{_of_whom(row)}"


def _of_whom(row: Row) -> str:
    return "" if row.whose == ACTOR else " (the other player)"


def _leaves(root: Schema, node: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Find every number of a JSON schema, with its path."""
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        node = cast("Mapping[str, Schema]", root["$defs"])[name]
    if "properties" in node:
        for name, child in cast("Mapping[str, Schema]", node["properties"]).items():
            yield from _leaves(root, child, f"{path}.{name}" if path else name)
    elif "patternProperties" in node:
        (child,) = cast("Mapping[str, Schema]", node["patternProperties"]).values()
        yield from _leaves(root, child, f"{path}.*")
    else:
        yield path, node


def _unit_and_range(leaf: Schema) -> tuple[str, str]:
    """Tell a number's unit and range; a list or a mapping has those of each of its numbers."""
    number = leaf
    if "enum" in leaf:
        return "rarity", ", ".join(cast("list[str]", leaf["enum"]))
    if "items" in leaf:
        number = cast("Schema", leaf["items"])
    elif "additionalProperties" in leaf:
        number = cast("Schema", leaf["additionalProperties"])
    elif "anyOf" in leaf:
        number = cast("list[Schema]", leaf["anyOf"])[0]
    least, most = cast("int", number["minimum"]), cast("int", number["maximum"])
    each = ", each" if "items" in leaf or "additionalProperties" in leaf else ""
    return f"{number['unit']}{each}", f"{least:,} to {'2^53 - 1' if most == MAX_BALANCE else f'{most:,}'}"


def _shipped(tree: Tree, path: str) -> str:
    section, *keys = path.split(".")
    if section == "store":
        return "by item, below"
    value = tree[section]
    if ANY in keys:
        value = {name: numbers[keys[-1]] for name, numbers in cast("Mapping[str, Tree]", value).items()}
    else:
        value = cast("Tree", value)[keys[0]]
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:,}" for name, number in value.items())
    if isinstance(value, list):
        return " ".join(f"{number:,}" for number in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (header, ("---",) * len(header), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
