"""The shipped economy is data: no module knows an item, a business or a character by its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.rules.economy import load_economy
from kokoromichi.settings import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(__file__).parents[2] / "kokoromichi"
ECONOMY: Final = load_economy(shipped_folder("data"))
IDS: Final = {
    *(item.id for item in ECONOMY.catalogue),
    *(waifu.id for waifu in ECONOMY.waifus),
    *ECONOMY.config.business,
}

KNOWN: Final = {
    # Where published runs drew what these chests held; see the table's own text.
    "simulation/streams.py": {"wooden_chest", "treasure_chest", "celestial_chest"},
    # What the first KoKoroMichi's files may hold, whatever is sold today.
    "core/reference/union.py": {"cafe", "dojo", "shop", "guild_hall", "spa"},
    # Another name of the command `store`.
    "commands/shop.py": {"shop"},
}
"""Names that stand in the code all the same, by module."""


def _texts(module: ast.Module) -> Iterator[str]:
    """The strings of a module, docstrings apart: an example may name what is shipped."""
    told = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_no_module_names_an_item_a_business_or_a_character() -> None:
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        texts = _texts(ast.parse(path.read_text(encoding="utf-8")))
        if named := {word for text in texts for word in re.findall(r"\w+", text)} & IDS:
            found[path.relative_to(PACKAGE).as_posix()] = named
    assert found == KNOWN
