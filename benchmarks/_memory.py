"""The memory that a piece of work adds, in a process that has done other work before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROCESS: Final = Path("/proc/self")
_PEAK_IS_NOW: Final = "5"  # Of ``clear_refs``: man 5 proc_pid_clear_refs.


def forget_peak() -> float:
    """Let the peak begin anew where the memory stands, in MB."""
    (_PROCESS / "clear_refs").write_text(_PEAK_IS_NOW, encoding="ascii")
    return peak_mb()


def peak_mb() -> float:
    """The most memory since then, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", (_PROCESS / "status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1_024
