"""What all tests share: hypothesis profiles, a compiled engine; and in CI a missing backend is a failure."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}

_UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A machine that is shared says nothing about a test by being slow."""

settings.register_profile("local", _UNHURRIED)
settings.register_profile("ci", _UNHURRIED, max_examples=50, derandomize=True, print_blob=True)
settings.register_profile("campaign", _UNHURRIED, max_examples=2_000, print_blob=True)
settings.load_profile("ci" if IN_CI else "local")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, fail a test that was skipped with a reason that starts with "backend"."""
    report = yield
    _refuse_missing_backend(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, fail a module that skipped itself with a reason that starts with "backend"."""
    report = yield
    _refuse_missing_backend(report)
    return report


def _refuse_missing_backend(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not IN_CI or not report.skipped or not isinstance(report.longrepr, tuple):
        return
    reason = str(report.longrepr[2]).removeprefix("Skipped: ")
    if reason.lower().startswith("backend"):
        report.outcome = "failed"
        report.longrepr = f"in CI every backend must be there: {reason}"


@pytest.fixture(scope="session")
def compiled_engine() -> None:
    """The compiled engine, where numba is there: compiled by one process for all test runs."""
    if find_spec("numba") is None:
        return
    from kokoromichi.simulation import engines  # noqa: PLC0415 - most tests need no engine
    from kokoromichi.simulation.compiled.compiling import cache_folder  # noqa: PLC0415 - it imports numba
    from kokoromichi.simulation.scenario import Scenario  # noqa: PLC0415 - most tests need no scenario

    kept = cache_folder().parent
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_suffix(".lock")):
        scenario = Scenario.load("baseline", players=2, days=1)
        engines.compile_once(scenario, engines.choose(engines.COMPILED, scenario), lambda _what: None)


def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of a test run have in common."""
    mine = tmp_path_factory.getbasetemp()
    return mine if worker_id == "master" else mine.parent
