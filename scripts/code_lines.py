"""Count lines of code that hold a token: without docstrings, blank lines and comments.

``python scripts/code_lines.py [folder ...]`` prints one line a folder below each, and the sum.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """How many lines of a module's source hold code."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
            ):
                held.difference_update(range(statement.lineno, (statement.end_lineno or 0) + 1))
    return len(held)


def main() -> None:
    """Count what the arguments name; the package when there are none."""
    for root in map(Path, sys.argv[1:] or ["kokoromichi"]):
        lines: Counter[str] = Counter()
        for path in sorted(root.rglob("*.py")):
            lines[str(path.relative_to(root).parts[0])] += code_lines(path.read_text(encoding="utf-8"))
        for name, count in lines.items():
            sys.stdout.write(f"{count:7,} {root / name}\n")
        sys.stdout.write(f"{lines.total():7,} {root}\n")


main()
