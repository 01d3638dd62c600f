"""The parts of docs/quickref.md and docs/modules.md that follow from the code.

``python -m tests.project.documents`` writes them anew; a test holds them equal.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any, Final

import typer

from kokoromichi.cli.app import app
from tests.project.checkout import PACKAGE, ROOT, modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCUMENTS: Final = ("quickref.md", "modules.md")
_PART: Final = re.compile(r"(<!-- from the code: (\w+) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def document(name: str) -> str:
    """A document with its parts as the code has them."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return _PART.sub(lambda found: "\n".join((found[1], *PARTS[found[2]](), "", "")), text)


def settings() -> Iterator[str]:
    """What .env.example says, one row for what a comment explains at once."""
    yield "| setting and default | what it says |"
    yield "|---|---|"
    blocks = (ROOT / ".env.example").read_text(encoding="utf-8").strip().split("\n\n")
    for lines in (block.splitlines() for block in blocks):
        names = [f"`{line}`" for line in lines if not line.startswith("#")]
        words = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
        if names:
            yield f"| {'<br>'.join(names)} | {words} |"


def programs() -> Iterator[str]:
    """Every command of the command line."""
    yield "| command | what it does |"
    yield "|---|---|"
    for name, command in sorted(
        _leaves(typer.main.get_command(app), "kokoromichi"), key=lambda found: found[0]
    ):
        yield f"| `{name}` | {(command.help or '').splitlines()[0]} |"


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Commands are click's, which typer brings along under a name of its own."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, child in below.items():
        yield from _leaves(child, f"{name} {word}")


def packages() -> Iterator[str]:
    """Every module by the first line of its docstring, a table for each folder."""
    folders: dict[str, list[str]] = {}
    for path in modules(PACKAGE):
        about = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]
        folder = f"## `{path.parent.relative_to(ROOT)}`"
        if path.name == "__init__.py":
            folders.setdefault(folder, []).insert(0, about)
        else:
            folders.setdefault(folder, []).append(f"| `{path.name}` | {about} |")
    for heading, (about, *rows) in folders.items():
        yield from (heading, "", about.replace("``", "`"), "")
        if rows:
            yield from ("| module | what it is |", "|---|---|")
            yield from (row.replace("``", "`") for row in rows)
            yield ""


PARTS: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "programs": programs,
    "settings": settings,
    "packages": packages,
}

if __name__ == "__main__":
    for each in DOCUMENTS:
        (ROOT / "docs" / each).write_text(document(each), encoding="utf-8")
