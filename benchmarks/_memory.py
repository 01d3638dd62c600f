"""The memory that a piece of work adds, in a process that did other work before: this one, or a pid's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")
_PEAK_IS_NOW: Final = "5"  # Of ``clear_refs``: man 5 proc_pid_clear_refs.


def forget_peak(pid: int | str = "self") -> float:
    """Let the peak begin anew where the memory stands, in MB."""
    (_PROCESSES / str(pid) / "clear_refs").write_text(_PEAK_IS_NOW, encoding="ascii")
    return peak_mb(pid)


def peak_mb(pid: int | str = "self") -> float:
    """The most memory since then, in MB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", (_PROCESSES / str(pid) / "status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1_024
