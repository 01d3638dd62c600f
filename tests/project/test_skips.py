"""A test that skips for want of a backend is a failure in CI, and only there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.project.checkout import ROOT, finished

if TYPE_CHECKING:
    from pathlib import Path

PASSED: Final = 0
FAILED: Final = 1

AT_RUN: Final = """
import pytest

def test_other() -> None:
    pass

@pytest.mark.skipif(True, reason="backend: no server")
def test_backend() -> None:
    pass
"""
AT_IMPORT: Final = AT_RUN + "\npytest.skip('Backend server is not there', allow_module_level=True)\n"
FOR_ANOTHER_REASON: Final = AT_RUN.replace("backend: ", "this Python has ")


@pytest.mark.parametrize(
    ("code", "in_ci", "expected"),
    [
        (AT_RUN, "true", FAILED),
        (AT_IMPORT, "true", 2),
        (FOR_ANOTHER_REASON, "true", PASSED),
        (AT_RUN, "", PASSED),
    ],
)
def test_a_missing_backend(code: str, in_ci: str, expected: int, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_backend.py").write_text(code, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    done = finished(*command, cwd=tmp_path, CI=in_ci, PYTEST_ADDOPTS="")
    assert done.returncode == expected, done.stdout
    assert ("every backend must be there" in done.stdout) == (expected != PASSED)
