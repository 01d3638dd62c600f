"""The table of mistakes stays true; ``python -m tests.simulation.mutants`` makes them."""

from __future__ import annotations

import re

import pytest

from tests.project.checkout import PACKAGE, ROOT
from tests.simulation.mutants import Mutant, mutants

MUTANTS = mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_can_still_be_made_and_its_test_is_there(mutant: Mutant) -> None:
    source = (PACKAGE / mutant.file).read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1
    compile(source.replace(mutant.old, mutant.new), mutant.file, "exec")
    path, _, name = mutant.test.partition("::")
    assert f"def {name.partition('[')[0]}" in (ROOT / "tests" / path).read_text(encoding="utf-8")


def test_each_piece_that_is_written_twice_names_its_mistake() -> None:
    text = (ROOT / "docs" / "adr" / "0014-two-engines.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"## What is written twice\n.*?\|---.*?\n(.*?)\n\n", text, re.DOTALL)
    named = [re.findall(r"`([a-z-]+)`", row.split("|")[4]) for row in table.splitlines()]
    arrays = {mutant.name for mutant in MUTANTS if "/compiled/" in mutant.file}
    assert all(named)
    assert {name for row in named for name in row} == arrays


def test_words_choose_mutants_by_name_or_file() -> None:
    assert mutants(["fold.py"]) == [mutant for mutant in MUTANTS if mutant.file.endswith("/fold.py")]
    assert [mutant.name for mutant in mutants(["to-nobody"])] == ["a-transfer-to-nobody"]
