"""README.md is true: its commands exist, its example runs, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.project.checkout import ROOT, SCRIPT, help_of, run

if TYPE_CHECKING:
    from pathlib import Path

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
SMALL: Final = {"days": 8, "players": 40, "replications": 5, "rounds": 0, "count": 2}
PLAYED: Final = (
    "simulate",
    "baseline",
    "--days=8",
    "--players=12",
    "--provider=local",
    "--workers=serial",
    "--out=run",
    "--no-report",
)
"""What leaves the store that the example reads."""
TARGETS: Final = "simulate test test-slow test-all campaign check security hooks pins bench lab docs help"
LINK: Final = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#]+)[^)]*\)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """The words of each line of README's shell blocks that starts a program, the program left out."""
    lines = [shlex.split(line, comments=True) for block in blocks("bash") for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0].rpartition("/")[2] == program]


def test_readme_names_the_two_commands() -> None:
    named = [words[0] for words in commands("make")]
    assert named.count("simulate") == named.count("test") == 1


def test_every_target_exists_and_is_explained() -> None:
    helped = {line.split()[1] for line in run("make", "--no-print-directory", cwd=ROOT).splitlines()}
    assert helped == set(TARGETS.split())
    assert {words[0] for words in commands("make")} <= helped


@pytest.mark.parametrize("words", commands("kokoromichi"), ids=" ".join)
def test_every_command_and_its_options_exist(words: list[str]) -> None:
    names = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
    command = names if names[0] in {"economy", "ledger"} else names[:1]
    text = help_of(*command)
    assert [word for word in words if word.startswith("--") and word not in text] == []


@pytest.mark.usefixtures("compiled_engine")
def test_the_example_runs(tmp_path: Path) -> None:
    run(SCRIPT, *PLAYED, cwd=tmp_path, DATA_DIR="data")
    example = "\n".join(blocks("python"))
    for name, value in SMALL.items():
        example, found = re.subn(rf"\b{name}=\d+", f"{name}={value}", example)
        assert found, f"the example sets no {name}"
    run(sys.executable, "-c", example, cwd=tmp_path, MPLBACKEND="agg")
    assert list(tmp_path.glob("*.html")) != []


def test_every_link_leads_to_a_file() -> None:
    assert [target for target in LINK.findall(README) if not (ROOT / target).exists()] == []
