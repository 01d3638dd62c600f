"""The files: small, well named, and without a word about the machine that they were written on."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.project.checkout import PACKAGE, ROOT, modules, tracked

LONGEST_FILE_LINES: Final = 350
LONG_FOR_A_REASON: Final = {
    "bot.py": "the bot's start and end, and what it is put together from",
    "chat/context.py": "a command's whole life with its author, whom everything that it says goes through",
    "chat/texts.py": "every word of the bot is one table, to be translated at once",
    "core/models.py": "what is stored, and the one shape of a change, are read together",
    "core/providers/postgres/connections.py": "every way to reach a server, and what is said when none does",
    "services/admin.py": "what an admin may do is one class, checked in one place",
    "services/executor.py": "the one road of every act, from its request to its receipt",
    "simulation/compiled/acts.py": "each act upon arrays, one like the other, beside its rule",
    "simulation/demand.py": "one model of choice, from weights to units",
    "simulation/population.py": "one file's shape with every check of it",
    "simulation/story.py": "a session is one story: its stages are read one after the other",
}
LONGEST_FUNCTION_LINES: Final = 60
NAMELESS: Final = {"utils.py", "helpers.py", "common.py"}
OTHER_PEOPLES: Final = "|".join(
    (
        r"(?<![\w.*])/(?:root|home|work|Users)/",
        r"[A-Z]:\\Users\\",
        "pypi" + r"\.org",
        "python" + "hosted",
        "npm" + r"js\.",
        "index" + "-url",
    )
)
BINARY: Final = {".png", ".parquet"}


def test_a_long_module_of_the_package_has_a_reason() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(PACKAGE)}
    long = {
        path.relative_to(PACKAGE).as_posix() for path, lines in lengths.items() if lines > LONGEST_FILE_LINES
    }
    assert long == LONG_FOR_A_REASON.keys()


def test_no_function_of_the_package_is_long() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules(PACKAGE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION_LINES
    ]
    assert long == []


def test_every_module_has_a_name_that_says_something() -> None:
    found = [path for path in modules(PACKAGE, ROOT / "tests") if path.name in NAMELESS]
    assert found == []


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path.suffix not in BINARY
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(OTHER_PEOPLES, line)
    ]
    assert found == []
