"""The wheel carries the shipped economy, and the code finds it where there is no checkout."""

from __future__ import annotations

import sys
import sysconfig
import venv
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.project.checkout import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED: Final = {
    "data": ("data", ("economy.toml", "store_catalog.json", "waifus.json")),
    "scenarios": ("simulations/scenarios", ("*.toml",)),
    "populations": ("simulations/populations", ("*.toml",)),
}
PROBE: Final = """
from kokoromichi.rules.economy import load_economy
from kokoromichi.settings import shipped_folder

economy = load_economy(shipped_folder("data"))
print(shipped_folder("data"))
print(economy.config.hash, len(economy.catalogue), len(economy.waifus))
print(sorted(path.name for path in shipped_folder("scenarios").glob("*.toml")))
print(sorted(path.name for path in shipped_folder("populations").glob("*.toml")))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and the packages of this environment, but not this checkout."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    fresh = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", fresh, "install", "--quiet", "--no-index", "--no-deps")
    run(*pip, wheel, cwd=folder)
    (site,) = folder.glob("lib/*/site-packages")
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return fresh


def expected(name: str) -> dict[str, bytes]:
    folder, patterns = SHIPPED[name]
    return {path.name: path.read_bytes() for pattern in patterns for path in (ROOT / folder).glob(pattern)}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_wheel_carries_the_files_of_the_checkout(name: str, wheel: Path) -> None:
    prefix = f"kokoromichi/_shipped/{name}/"
    with zipfile.ZipFile(wheel) as archive:
        carried = {
            entry.removeprefix(prefix): archive.read(entry)
            for entry in archive.namelist()
            if entry.startswith(prefix)
        }
    assert len(carried) >= 1
    assert carried == expected(name)


def test_the_wheel_carries_nothing_else_but_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "kokoromichi",
        f"{wheel.name.split('-py3')[0]}.dist-info",
    }
    assert "kokoromichi/py.typed" in names


def test_the_installed_wheel_loads_the_shipped_economy(python: Path, tmp_path: Path) -> None:
    folder, counts, *names = run(python, "-I", "-c", PROBE, cwd=tmp_path).splitlines()
    assert folder.startswith(str(python.parents[1]))
    here = run(sys.executable, "-I", "-c", PROBE, cwd=tmp_path).splitlines()
    assert [counts, *names] == here[1:]
    assert not here[0].startswith(str(python.parents[1]))


def test_the_installed_command_answers(python: Path, tmp_path: Path) -> None:
    assert "simulate" in run(python.parent / "kokoromichi", "--help", cwd=tmp_path)
