"""Compiled code is never older than its sources: in a copy of the package, in processes of their own."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.project.checkout import PACKAGE, run

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: there is nothing to compile")

from kokoromichi.simulation.compiled.compiling import prune

PROGRAM: Final = """
import numpy as np
from kokoromichi.simulation.compiled.compiling import Compiler, cache_folder
from kokoromichi.simulation.story import sent_today_gold
entry = Compiler({}).entry(sent_today_gold)
print(entry(np.zeros(40, np.int64)), sum(entry.stats.cache_hits.values()), cache_folder())
"""
"""Calls a rule in another file than the compiled function's own: numba does not look there."""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package, which the test edits."""
    shutil.copytree(PACKAGE, tmp_path / "kokoromichi", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def answer(folder: Path) -> tuple[int, int, str]:
    """What a rule says in a new process, how often it was found on disk, and where."""
    here = {"PYTHONPATH": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    said, hits, where = run(sys.executable, "-c", PROGRAM, cwd=folder, **here).split()
    return int(said), int(hits), where


def test_an_edited_rule_is_played_by_the_next_process(copied: Path) -> None:
    before, again = answer(copied), answer(copied)
    assert before[:2] == (0, 0)
    assert again == (0, 1, before[2])
    rule = copied / "kokoromichi" / "rules" / "daily.py"
    source = rule.read_text(encoding="utf-8")
    rule.write_text(source + "\n\ndef counted_today(now_us, day, gold):\n    return 7\n", encoding="utf-8")
    edited = answer(copied)
    assert edited[:2] == (7, 0)
    assert edited[2] != before[2]
    rule.write_text(source, encoding="utf-8")
    assert answer(copied) == again


def test_one_byte_of_a_source_is_another_folder(copied: Path) -> None:
    before = answer(copied)[2]
    with (copied / "kokoromichi" / "rules" / "codes.py").open("a", encoding="utf-8") as file:
        file.write(" ")
    assert answer(copied)[2] != before


def test_of_older_sources_the_newest_few_stay_compiled(tmp_path: Path) -> None:
    for age_s in range(5):
        folder = tmp_path / f"{age_s}"
        folder.mkdir()
        (folder / "rule.nbc").touch()
        os.utime(folder, (1_000 - age_s, 1_000 - age_s))
    prune(tmp_path, 2)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["0", "1"]
