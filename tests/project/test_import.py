"""``import kokoromichi`` is quick: it brings names, and the weight comes with the first use."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from tests.project.checkout import run

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_CPU_S: Final = 0.15
TRIES: Final = 5
HEAVY: Final = {"discord", "matplotlib", "numpy", "pandas", "polars", "pydantic", "scipy"}
PROBE: Final = """
import json, sys, time
began = time.process_time()
import kokoromichi
cpu_s = time.process_time() - began
print(json.dumps({"cpu_s": cpu_s, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def test_importing_the_package_takes_little_time_and_nothing_heavy(tmp_path: Path) -> None:
    seen = [json.loads(run(sys.executable, "-c", PROBE, cwd=tmp_path)) for _ in range(TRIES)]
    assert HEAVY.intersection(seen[0]["modules"]) == set()
    assert min(one["cpu_s"] for one in seen) < LIMIT_CPU_S


def test_the_bot_starts_without_what_only_pictures_need(tmp_path: Path) -> None:
    """Matplotlib would take half of its start; the first picture brings it, in a thread."""
    probe = (
        "import importlib, sys; from kokoromichi.bot import extension_names; "
        "[importlib.import_module(name) for name in extension_names()]; print('matplotlib' in sys.modules)"
    )
    assert run(sys.executable, "-c", probe, cwd=tmp_path).strip() == "False"
