"""Every notebook runs from top to bottom at a small size, draws, and is committed without output."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.project.checkout import ROOT, run

NOTEBOOKS: Final = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL: Final = 'PLAYERS, DAYS, REPLICATIONS, ROUNDS, SEED, WORKERS = 40, 8, 2, 0, 7, "serial"'
SHOWN: Final = {
    "01_first_run": (5, 3),
    "02_compare": (3, 1),
    "03_tune": (2, 5),
    "04_live_economy": (4, 3),
    "05_extend": (3, 3),
}
"""How many charts and tables each notebook shows at least."""
EXECUTE: Final = Path(sys.executable).parent / "jupyter-execute"
"""In a process of its own: to import what runs notebooks takes seconds, wherever tests are collected."""


def code_cells(path: Path) -> list[dict[str, Any]]:
    cells = orjson.loads(path.read_bytes())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def executed(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The outputs of a notebook that was run in a folder, with its parameters made small."""
    notebook = orjson.loads(path.read_bytes())
    (size,) = (cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", ()))
    size["source"] = SMALL
    small = folder / path.name
    small.write_bytes(orjson.dumps(notebook))
    run(EXECUTE, "--inplace", "--timeout=300", "--kernel_name=python3", small, cwd=folder)
    return [output for cell in code_cells(small) for output in cell["outputs"]]


def test_there_is_a_first_notebook() -> None:
    assert NOTEBOOKS[0].name == "01_first_run.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_committed(path: Path) -> None:
    cells = code_cells(path)
    assert cells
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)


@pytest.mark.usefixtures("compiled_engine")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_draws(path: Path, tmp_path: Path) -> None:
    outputs = executed(path, tmp_path)
    assert not [output for output in outputs if output["output_type"] in ("error", "stream")]
    told = "".join(part for output in outputs for part in output.get("data", {}).get("text/plain", ()))
    assert re.search(r"(?m)^\w.*: (\d+) of \1 runs, \d+ s", told), told
    pictures = [output for output in outputs if "image/svg+xml" in output.get("data", {})]
    tables = [output for output in outputs if "text/html" in output.get("data", {})]
    charts, frames = SHOWN[path.stem]
    assert len(pictures) >= charts
    assert len(tables) >= frames
