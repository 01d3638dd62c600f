"""One door: every option of every call is taken as what it is meant for, or refused in a sentence."""

from __future__ import annotations

import datetime as dt
import math
import runpy
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

import kokoromichi as km
from kokoromichi.analysis.charts import CHARTS
from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.options import CHECKS
from kokoromichi.core.errors import MisuseError
from kokoromichi.options import between, ends, near, percent
from kokoromichi.options import day as whole_day
from kokoromichi.rules.findings import FindingsError
from tests.simulation.commands import invoke

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAYS: Final = 5
BASE: Final = km.Scenario.load("baseline", players=12, days=DAYS)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> km.Run:
    """In a folder whose name is a pattern to whoever does not read it as a path."""
    folder = tmp_path_factory.mktemp("run") / "results [v2] *?"
    return km.simulate(BASE, replications=1, seed=2, out=folder)


def test_the_command_line_names_a_folder_as_it_is_called(run: km.Run) -> None:
    players = ("--players", 12, "--days", DAYS, "--replications", 1, "--seed", 2)
    told = invoke("simulate", *map(str, players), "--workers", "serial", "--no-report", "--out", run.folder)
    assert f"kokoromichi report {run.folder} draws it" in told.stdout


METRIC_REFUSALS: Final = [
    ("flows", {"first_day": 999}, "first_day is 999, which was not observed; use 0 to 4, or a date from"),
    ("flows", {"first_day": -5}, "use 0 to 4"),
    ("flows", {"last_day": dt.date(2026, 3, 1)}, "last_day is 2026-03-01, which was not observed"),
    ("flows", {"first_day": 1.5}, "a number of days after the first one, or a date such as"),
    ("flows", {"first_day": "2026-01-20"}, "or a date such as datetime.date(2026, 1, 20)"),
    ("flows", {"first_day": True}, "first_day is True"),
    ("flows", {"first_day": np.array([1, 2])}, "first_day is array([1, 2])"),
    ("flows", {"frst_day": 1}, "flows has no option 'frst_day'; near it: first_day"),
    ("price_index", {"period_days": 0}, "period_days is 0; use a whole number from 1 to"),
    ("cohort_balances", {"currency": "Gold"}, "currency 'Gold' is unknown; near it: gold"),
    ("floows", {}, "there is no metric 'floows'; near it: flows"),
]


@pytest.mark.parametrize(("name", "options", "said"), METRIC_REFUSALS)
def test_an_option_of_a_metric_that_cannot_be_is_refused_with_the_cure(
    run: km.Run, name: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(MisuseError) as refused:
        run.metric(name, **options)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


CHART_REFUSALS: Final = [
    ("supply", {"currency": "Gold"}, "near it: gold"),
    ("waits", {"item_id": "tresure_chest"}, "item_id 'tresure_chest' is unknown; near it: treasure_chest"),
    ("days_to_afford", {"archetype": "casul"}, "near it: casual"),
    ("flows", {"days_a_bar": 0}, "days_a_bar is 0; use a whole number from 1 to"),
    ("ratio", {"target": 1}, "such as (None, 0.6)"),
    ("ratio", {"target": (1.05, 0.85)}, "the lower end first"),
    ("balances", {"opening": -1}, "opening is -1; use a whole number from 0"),
    ("suply", {}, "there is no chart 'suply'; near it: supply"),
]


@pytest.mark.parametrize(("name", "options", "said"), CHART_REFUSALS)
def test_an_option_of_a_chart_that_cannot_be_is_refused_with_the_cure(
    run: km.Run, name: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises(MisuseError) as refused:
        getattr(run.plot, name)(**options)
    assert said in str(refused.value)


CALL_REFUSALS: Final[list[tuple[Callable[[], object], str]]] = [
    (lambda: km.simulate(BASE, seed=1.5), "seed is 1.5; use a whole number of 64 bits"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: km.simulate(BASE, seed=True), "seed is True"),
    (lambda: km.Live(5), "Live is given 5; give it a folder, or the address of a store"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: km.calibrate("x"), "give it a run, or what was seen of one"),  # type: ignore[arg-type]  # A text, no run.
    (lambda: km.calibrate([], "baseline"), "calibrate is given 'baseline'; give it a scenario"),  # type: ignore[arg-type]  # A text, no scenario.
    (lambda: km.simulate(BASE, seed=np.array([1, 2])), "seed is array([1, 2])"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: between("share", np.array([0.5, 0.6]), 0, 1), "share is array([0.5, 0.6])"),
    (lambda: between("share", np.str_("0.5"), 0, 1), "use a number between 0 and 1"),
    (lambda: ends("band", (0, 10**400)), "band is (0, 1000"),
    (lambda: whole_day("since", dt.datetime(2026, 1, 6, 13)), "use a date such as"),  # noqa: DTZ001 - a moment without a zone
    (lambda: km.simulate("baseline"), "give it a scenario: km.Scenario.load('baseline')"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: km.Scenario.load("baseline", days=1.5), "days = 1.5: must be a whole number"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: km.Scenario.load("baseline", players=2.5), "players = 2.5: must be a whole number"),  # type: ignore[arg-type]  # The mistake itself.
    (lambda: km.Scenario.load("baselin"), "'baselin': is unknown; near it: baseline"),
    (lambda: km.Population.load("defualt"), "near it: default"),
    (lambda: BASE.replace(dayss=3), "dayss = 3: is no field here; near it: days"),
    (lambda: BASE.population.with_archetype("casual", {"betta": 1}), "no field here; near it: beta"),
    (lambda: BASE.population.with_archetype("casul", {}), "near it: casual"),
    (lambda: BASE.with_item("x", "tresure_chest"), "near it: treasure_chest"),
    (
        lambda: BASE.with_sale(items="tresure_chest", percent=70, from_day=1),
        "'tresure_chest', which is not sold; near it: treasure_chest",
    ),
    (lambda: percent("percent", 0.7), "percent is 0.7; write 70 for 70 %"),
    (lambda: percent("percent", 0), "percent is 0; use a whole number from 1 to 10,000"),
]


@pytest.mark.parametrize(("call", "said"), CALL_REFUSALS)
def test_what_a_call_cannot_take_is_refused_with_the_cure(call: Callable[[], object], said: str) -> None:
    with pytest.raises((MisuseError, FindingsError)) as refused:
        call()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_integers_of_numpy_are_integers(run: km.Run) -> None:
    scenario = km.Scenario.load("baseline", players=np.int64(12), days=np.int32(DAYS))  # type: ignore[arg-type]  # Numpy, as notebooks have it.
    assert scenario == BASE
    again = km.simulate(scenario, replications=np.int64(1), seed=np.uint8(2))  # type: ignore[arg-type]  # np
    assert again.metric("flows", first_day=np.int64(1)).equals(run.metric("flows", first_day=1))
    crowd = BASE.population.with_archetype("casual", {"slots": np.int16(2)})
    assert crowd == BASE.population.with_archetype("casual", {"slots": 2})


def test_a_band_takes_the_numbers_of_any_library_and_may_be_open() -> None:
    assert ends("gini", (Decimal("0.1"), np.int64(1))) == (0.1, 1.0)
    assert ends("gini", [None, np.float64(0.6)]) == (-math.inf, 0.6)


def test_a_moment_stands_for_the_utc_day_that_it_begins() -> None:
    east = dt.timezone(dt.timedelta(hours=2))
    assert whole_day("since", dt.datetime(2026, 1, 6, 2, tzinfo=east)) == dt.date(2026, 1, 6)
    with pytest.raises(MisuseError, match="use a date such as"):
        whole_day("since", dt.datetime(2026, 1, 6, tzinfo=east))


def test_a_day_may_be_a_date_or_a_number(run: km.Run) -> None:
    by_date = run.metric("flows", first_day=dt.date(2026, 1, 7), last_day=dt.date(2026, 1, 8))
    assert by_date.equals(run.metric("flows", first_day=2, last_day=3))
    assert by_date["day"].unique().sort().to_list() == [dt.date(2026, 1, 7), dt.date(2026, 1, 8)]


def test_a_folder_with_the_signs_of_a_pattern_is_a_folder(run: km.Run) -> None:
    assert run.report().path.is_file()
    assert run.metric("money_supply").height > 0
    assert km.Ledger.scan(run.folder / "replications/000").frame.collect().height > 0


def test_every_option_of_every_metric_and_chart_passes_the_door() -> None:
    from inspect import signature  # noqa: PLC0415

    functions = [*(metric(name) for name in METRICS), *(entry.draw for entry in CHARTS.values())]
    options = {name for function in functions for name in list(signature(function).parameters)[1:]}
    assert options - {"ax"} == set(CHECKS)
    assert all(hasattr(function, "__wrapped__") for function in functions)


def test_many_names_are_not_all_listed() -> None:
    names = [f"item_{number}" for number in range(40)]
    assert near("zzz", names).endswith("item_11 and 28 more")
    assert near("item_7", names).startswith("near it: item_7")
    assert near("x", []) == "there are none"


SCRIPT: Final = "import kokoromichi as km\nBASE = km.Scenario.load('baseline', players=2, days=1)\n"


def test_a_script_without_its_guard_is_refused_in_a_sentence_before_workers_run_it(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(SCRIPT + "km.simulate(BASE, replications=2, workers='process:2')\n")
    with pytest.raises(
        MisuseError, match=r"study.py anew: put what it does under if __name__ == "
    ) as refused:
        runpy.run_path(str(script), run_name="__main__")
    assert "\n" not in str(refused.value)


def test_a_script_with_its_guard_is_told_from_one_without(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        SCRIPT + "from kokoromichi.simulation.workers import unguarded_script\n"
        "if __name__ == '__main__':\n    assert unguarded_script() is None\n    done = True\n"
        "else:\n    done = False\nfound = unguarded_script()\n"
    )
    names = runpy.run_path(str(script), run_name="__main__")
    assert names["done"]
    assert names["found"] == str(script)
