"""The command line in each of its forms, and what it says where a driver is not installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.project.checkout import ROOT, finished

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

FORMS: Final = [("-m", "kokoromichi"), ("-m", "kokoromichi.cli")]
WITHOUT: Final = """
import sys

class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing)
"""
DRIVERS: Final = {"postgres": ("asyncpg",), "mongo": ("motor",)}
ASKED: Final = """
import sys
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.provider_manager import get_provider

try:
    get_provider()
except MisuseError as error:
    sys.stderr.write(str(error))
    sys.exit(2)
"""
COMMANDS: Final = {
    "bot": ("-m", "kokoromichi", "bot"),
    "bot module": ("-m", "kokoromichi.bot"),
    "migrate": ("-m", "kokoromichi", "migrate", "--provider", "{provider}", "--data-dir", "old"),
    "script": (
        str(ROOT / "scripts" / "migrate_json_to_db.py"), "--provider", "{provider}", "--data-dir", "old"
    ),
    "audit": ("-m", "kokoromichi", "audit", "--provider", "{provider}"),
    "get_provider": ("-c", ASKED),
}  # fmt: skip


ASKED_FOR: Final = [*((command, "mongo") for command in COMMANDS), ("get_provider", "postgres")]
"""Which driver is missing is found in one place; each command says it in its own way."""


def python(folder: Path, *words: str, **variables: str) -> CompletedProcess[str]:
    path = f"{folder}:{ROOT}"
    return finished(sys.executable, *words, cwd=folder, PYTHONPATH=path, COLUMNS="200", **variables)


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_every_form_runs_and_fails_as_the_command_does(form: tuple[str, str], tmp_path: Path) -> None:
    helped = python(tmp_path, *form, "--help")
    assert (helped.returncode, "simulate" in helped.stdout) == (0, True), helped.stderr
    wrong = python(tmp_path, *form, "audit", "--nonsense")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--nonsense" in wrong.stderr


@pytest.mark.parametrize(("command", "provider"), ASKED_FOR)
def test_a_driver_that_is_missing_is_told_with_its_extra(command: str, provider: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(refused=DRIVERS[provider]), "utf-8")
    (tmp_path / "old" / "users").mkdir(parents=True)
    asked = [word.format(provider=provider) if word == "{provider}" else word for word in COMMANDS[command]]
    done = python(
        tmp_path,
        *asked,
        PROVIDER=provider,
        DATABASE_URL="postgresql://u:p@127.0.0.1:1/d",
        DISCORD_TOKEN=provider,
    )
    assert done.returncode == 2, done.stderr
    assert f"PROVIDER {provider} needs {DRIVERS[provider][0]}: pip install 'kokoromichi[{provider}]'" in (
        done.stderr
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", DRIVERS)
def test_the_readme_names_the_extra_of_each_driver(provider: str) -> None:
    assert f"kokoromichi[{provider}]" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_bot_without_discord_names_its_extra(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(refused=("discord",)), "utf-8")
    done = python(tmp_path, "-m", "kokoromichi", "bot")
    assert (done.returncode, done.stderr.count("pip install 'kokoromichi[bot]'")) == (2, 1), done.stderr
