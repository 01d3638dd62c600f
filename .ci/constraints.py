"""Renew constraints.txt: resolve every extra on every interpreter, and write down what pip chose.

Run it from the checkout, with the interpreters in ascending order:

    python3 .ci/constraints.py python3.10 python3.11 python3.12 python3.13
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PIN: Final = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")
HEAD: Final = """\
# The versions that CI and `make` install, for Python 3.10 to 3.13: every package of every extra, found by
# resolving it on each of the four. CONTRIBUTING.md says how to renew it.
"""


def main(interpreters: list[str]) -> None:
    """Write constraints.txt for the interpreters, which are names or paths of Python, oldest first."""
    chosen = dict(map(_resolve, interpreters))
    names = sorted({name for versions in chosen.values() for name in versions})
    lines = [line for name in names for line in _lines(name, chosen)]
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def _resolve(interpreter: str) -> tuple[str, dict[str, str]]:
    """Return an interpreter's version (3.10) and the version of each package that pip chooses for it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"{ROOT}[all,dev,docs]"], check=True)
        version = _output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
        frozen = _output(python, "-m", "pip", "freeze")
    pins = [PIN.fullmatch(line) for line in frozen.splitlines() if not line.startswith("kokoromichi ")]
    return version, {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in pins if pin}


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _lines(name: str, chosen: dict[str, dict[str, str]]) -> list[str]:
    """Return a package's pins: one a version that an interpreter uses, marked where there are several."""
    pythons = list(chosen)
    versions = {python: packages[name] for python, packages in chosen.items() if name in packages}
    if len(set(versions.values())) == 1:
        return [f"{name}=={next(iter(versions.values()))}"]
    lines = []
    for version in dict.fromkeys(versions.values()):
        users = [pythons.index(python) for python, used in versions.items() if used == version]
        bounds = [f"python_version >= '{pythons[users[0]]}'"] if users[0] else []
        if users[-1] + 1 < len(pythons):
            bounds.append(f"python_version < '{pythons[users[-1] + 1]}'")
        lines.append(f"{name}=={version}; {' and '.join(bounds)}")
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
