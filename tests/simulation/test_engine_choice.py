"""Which engine plays, who decides it, and what a run's folder says of it: its bytes are the same."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import orjson
import pytest

from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation import engines, story
from kokoromichi.simulation.driver import Pause
from kokoromichi.simulation.engines import Chosen, choose
from kokoromichi.simulation.played import EnginesDisagreeError
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.simulate import BatchError, simulate
from tests.simulation.commands import SEED, TINY, USAGE, digests, invoke

if TYPE_CHECKING:
    from pathlib import Path

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba (extra `fast`) is not installed")
SMALL: Final = Scenario.load("baseline", players=24, days=6)
LARGE: Final = Scenario.load("baseline", players=500, days=90)


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)


@needs_numba
def test_what_is_worth_it_is_compiled_of_its_own_accord() -> None:
    assert choose("auto", LARGE) == Chosen("compiled", "auto: numba is installed")
    assert str(choose("auto", LARGE)) == "compiled (auto: numba is installed)"


def test_what_is_played_before_an_engine_is_compiled_is_not() -> None:
    assert str(choose("auto", SMALL, 8)) == ("faithful (auto: fewer than 20,000 player-days to play)")


def test_replications_count_when_compiling_is_worth_it() -> None:
    assert choose("auto", SMALL, 1_000).why != choose("auto", SMALL, 1).why


@pytest.mark.usefixtures("without_numba")
def test_without_numba_everything_is_played_and_says_what_would_make_it_fast() -> None:
    chosen = choose("auto", LARGE)
    assert chosen.name == "faithful"
    assert 'pip install "kokoromichi[fast]" makes it much faster' in chosen.why


@pytest.mark.parametrize("engine", ["compiled", "both"])
@pytest.mark.usefixtures("without_numba")
def test_what_cannot_be_compiled_is_refused_where_it_was_asked_for(engine: str, tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=f"engine '{engine}' cannot play this: numba is not installed; pip"):
        simulate(SMALL, engine=engine, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_engine_that_there_is_not_is_refused() -> None:
    with pytest.raises(MisuseError, match="there is no engine 'fast': use auto, faithful, compiled, both"):
        simulate(SMALL, engine="fast")


@needs_numba
@pytest.mark.usefixtures("compiled_engine")
def test_a_run_leaves_the_same_bytes_from_every_engine(tmp_path: Path) -> None:
    found = {}
    for engine, workers in [("faithful", "serial"), ("compiled", "serial"), ("both", "process:1")]:
        run = simulate(
            SMALL, replications=2, seed=SEED, engine=engine, workers=workers, out=tmp_path / engine
        )
        assert run.manifest["engine"] == f"{engine} (asked for)"
        assert run.sound
        files = digests(run.folder)
        del files["manifest.json"]
        found[engine] = files
    assert found["faithful"] == found["compiled"] == found["both"]


@needs_numba
@pytest.mark.usefixtures("compiled_engine")
def test_a_run_goes_on_with_another_engine_and_says_so(tmp_path: Path) -> None:
    simulate(SMALL, replications=1, seed=SEED, engine="faithful", out=tmp_path / "one")
    run = simulate(SMALL, replications=2, seed=SEED, engine="compiled", out=tmp_path / "one")
    assert run.manifest["engine"] == "faithful (asked for), then compiled (asked for)"
    again = simulate(SMALL, replications=2, seed=SEED, engine="compiled", out=tmp_path / "one")
    assert again.manifest["engine"] == run.manifest["engine"]
    whole = simulate(SMALL, replications=2, seed=SEED, engine="faithful", out=tmp_path / "two")
    files = [digests(folder.folder) for folder in (again, whole)]
    for each in files:
        del each["manifest.json"]
    assert files[0] == files[1]


@needs_numba
@pytest.mark.usefixtures("compiled_engine")
def test_engines_that_differ_stop_the_batch_and_show_the_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slower = {story.ACT_GAP_S: Pause(story.ACT_GAP_S), story.BATTLE_GAP_S: Pause(story.BATTLE_GAP_S + 1)}
    monkeypatch.setattr("kokoromichi.simulation.session._PAUSES", slower)
    with pytest.raises(
        BatchError, match=r"EnginesDisagreeError: the engines differ in row \d+ of activity"
    ) as raised:
        simulate(SMALL, replications=1, seed=SEED, engine="both", out=tmp_path)
    assert isinstance(raised.value.__cause__, EnginesDisagreeError)


@needs_numba
@pytest.mark.usefixtures("compiled_engine")
def test_the_command_line_takes_an_engine(tmp_path: Path) -> None:
    result = invoke("simulate", "baseline", *TINY, "--engine", "both", "--out", tmp_path / "run")
    assert result.exit_code == 0
    manifest = orjson.loads((tmp_path / "run" / "manifest.json").read_bytes())
    assert manifest["engine"] == "both (asked for)"


def test_the_command_line_refuses_an_engine_that_there_is_not(tmp_path: Path) -> None:
    result = invoke("simulate", "baseline", *TINY, "--engine", "warp", "--out", tmp_path / "run")
    assert result.exit_code == USAGE
    assert "use auto, faithful, compiled, both" in result.stderr
