"""Every notebook runs from top to bottom at a small size, draws, and is committed without output."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
SMALL = 'PLAYERS, DAYS, REPLICATIONS, SEED, WORKERS = 40, 8, 2, 7, "serial"'


def read(path: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def test_there_is_a_first_notebook() -> None:
    assert NOTEBOOKS[0].name == "01_first_run.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_committed(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_draws(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    (size,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    size.source = SMALL
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type in ("error", "stream")]
    pictures = [output for output in outputs if "image/svg+xml" in output.get("data", {})]
    tables = [output for output in outputs if "text/html" in output.get("data", {})]
    assert len(pictures) >= 5  # Supply, flows, waits, balances, and waits once more.
    assert len(tables) >= 3  # Health, metrics, before and after.
    assert list(tmp_path.glob("*.html"))
