"""What the workflow runs, .ci/run runs, and the Makefile alone has the commands."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
import yaml

from tests.project.checkout import ROOT, run

WORKFLOW: Final[dict[Any, Any]] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_bytes())
HOOKS: Final = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_bytes())
HOLDING_SLOW_ONES: Final = "$(grep --recursive --files-with-matches --include='test_*.py' mark.slow tests)"
ON: Final = WORKFLOW[True]
"""YAML takes the word for a boolean."""

JOBS: Final = ("lint", "test", "security")
"""The job of the image needs Docker, and the slow tests replay its steps; that of the dependencies needs a
register of holes, and that of the site minutes."""


def targets(job: str) -> list[str]:
    """What a job makes; it runs nothing else."""
    commands = [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]
    found = [re.fullmatch(r"make ([a-z-]+)", command) for command in commands]
    assert None not in found, commands
    return [target[1] for target in found if target]


def recipe(*goals: str) -> list[str]:
    """The commands of some targets, as make would run them in an environment that stands."""
    lines = run("make", "--dry-run", "--assume-old=.venv/.installed", *goals, cwd=ROOT).splitlines()
    return [line for line in lines if line.startswith(".venv/bin/")]


def test_the_workflow_has_a_job_for_each_kind_of_check() -> None:
    assert set(WORKFLOW["jobs"]) == {*JOBS, "image", "dependencies", "docs"}
    assert ON["push"]["branches"] == ["main", "develop"]
    assert "pull_request" in ON
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]


def test_ci_run_makes_what_the_workflow_makes() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    made = [
        target for line in re.findall(r"^for target in (.+); do$", script, re.M) for target in line.split()
    ]
    assert len(made) == len(set(made))
    assert set(made) == {target for job in JOBS for target in targets(job)}
    assert re.findall(r"^ *make (\S+)", script, re.M) == [".venv/.installed", '"$target"', '"$target"']


def test_nobody_may_write_and_no_checkout_keeps_a_key() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for job in WORKFLOW["jobs"].values():
        assert "permissions" not in job
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"] for step in checkouts] == [{"persist-credentials": False}]


@pytest.mark.parametrize("job", JOBS)
def test_every_job_runs_a_command(job: str) -> None:
    assert all(recipe(target) for target in targets(job))


def test_the_tests_and_the_slow_ones_are_all_tests() -> None:
    (quick,), (slow,), (every,) = map(recipe, ("test", "test-slow", "test-all"))
    assert (quick, slow) == (f'{every} -m "not slow"', f"{every} --dist loadfile -m slow {HOLDING_SLOW_ONES}")


def test_the_hooks_come_from_the_environment_and_check_what_make_checks() -> None:
    entries = [hook["entry"] for repository in HOOKS["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in HOOKS["repos"]} == {"local"}
    programs = {entry.split()[0] for entry in entries}
    assert {command.split()[0] for command in recipe("check", "security")} <= programs
