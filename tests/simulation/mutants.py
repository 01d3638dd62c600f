"""Mistakes that a test must find, ``mutants.toml``: made and tested one by one in a copy.

``python -m tests.simulation.mutants`` tells of each how it was found, in a line, and ends with 1 where one
was not; with words behind it, only of those whose name or file holds one of them. First the unchanged copy
passes the same tests. It leaves its compiled form in the cache, where a mutant that is played by stale code
would find it.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.project.checkout import ROOT, finished, tracked

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE: Final = Path(__file__).with_suffix(".toml")


class Mutant(NamedTuple):
    """One mistake.

    Attributes:
        name: What it comes to, in words with hyphens.
        file: Where it is made, in the package.
        old: What stands there, once.
        new: What stands there instead.
        test: The test that must fail, in ``tests``.
    """

    name: str
    file: str
    old: str
    new: str
    test: str


def mutants(words: Sequence[str] = ()) -> list[Mutant]:
    """Those whose name or file holds one of the words; all of them without a word."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    every = [Mutant(name, **fields) for name, fields in table.items()]
    return [mutant for mutant in every if not words or any(word in str(mutant[:2]) for word in words)]


class Copy:
    """A copy of the checkout, with a cache of its own.

    Args:
        folder: Where it lies; empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._compiled = folder / ".cache" / "kokoromichi" / "compiled"
        for path in tracked():
            copied = folder / path.relative_to(ROOT)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)

    def tested(self, *tests: str) -> subprocess.CompletedProcess[str]:
        """How tests end, in a new process that stops at the first failure."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
        here = {"PYTHONPATH": str(self._folder), "XDG_CACHE_HOME": str(self._folder / ".cache")}
        return finished(*command, *(f"tests/{test}" for test in tests), cwd=self._folder, **here)

    def found(self, mutant: Mutant) -> str | None:
        """The test that fails by a mistake; None where none does."""
        path, compiled = self._folder / "kokoromichi" / mutant.file, set(self._compiled.glob("*"))
        source = path.read_text(encoding="utf-8")
        path.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
        failed = re.search(r"^FAILED tests/(\S+)", self.tested(mutant.test).stdout, re.MULTILINE)
        path.write_text(source, encoding="utf-8")
        for folder in set(self._compiled.glob("*")) - compiled:
            shutil.rmtree(folder)  # Of many, the oldest would go: that of the unchanged sources.
        return failed[1] if failed else None


def main(words: Sequence[str]) -> int:
    """Play the mutants that are asked for; 1 where one survives."""
    chosen, survivors = mutants(words), []
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        unchanged = copy.tested(*dict.fromkeys(mutant.test for mutant in chosen))
        if unchanged.returncode:
            say(f"unchanged, the copy fails:\n{unchanged.stdout}{unchanged.stderr}")
            return 1
        say(f"unchanged: {unchanged.stdout.splitlines()[-1]}")
        for mutant in chosen:
            start = time.perf_counter()
            test = copy.found(mutant)
            survivors += [] if test else [mutant.name]
            verdict = f"found by {test}" if test else f"SURVIVES {mutant.test}"
            say(f"{mutant.name} ({mutant.file}): {verdict}, {time.perf_counter() - start:.0f} s")
    say(f"{len(chosen) - len(survivors)} of {len(chosen)} mutants found; survivors: {survivors or 'none'}")
    return 1 if survivors else 0


def say(line: str) -> None:
    """Tell it at once: a campaign takes its time."""
    print(line, flush=True)  # noqa: T201 - a command of the developers' own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
