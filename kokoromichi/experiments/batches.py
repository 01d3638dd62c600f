"""Many scenarios under many seeds, a row of totals a run; any run can be played again with its whole ledger.

The folder of a batch holds ``batch.json``, which says everything that decides its numbers, and one file of
rows for each shard: a run is a row as soon as it is done. Whatever is there is readable, and the same command
again plays only what is missing.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from inspect import unwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from kokoromichi.analysis.metrics import first_measured_day
from kokoromichi.analysis.metrics.headline import headline
from kokoromichi.analysis.observations import Observations
from kokoromichi.core.errors import KokoroError, MisuseError
from kokoromichi.experiments.batch_jobs import KEEPS, SUMMARY, Job, numbers_of_run, own_numbers
from kokoromichi.experiments.batch_runs import BATCH, Batch, read_batch
from kokoromichi.experiments.shards import Shard
from kokoromichi.options import one_of, whole, whole_seed
from kokoromichi.simulation import engines
from kokoromichi.simulation.dispatch import each_done
from kokoromichi.simulation.functions import code_hash, fingerprint
from kokoromichi.simulation.lines import add_line, held, mend, without_infinity
from kokoromichi.simulation.manifest import definition, short_hash, words
from kokoromichi.simulation.notebook import Watched
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.workers import SERIAL, THREAD, require_sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kokoromichi.experiments.batch_jobs import OwnNumber
    from kokoromichi.experiments.seed_runs import Numbers

_MAY_DIFFER: Final = {"replications", "engines"}


class RunDiffersError(KokoroError):
    """A run that was played again does not show the totals that the batch has of it."""


def batch(  # noqa: PLR0913 - as simulate
    scenarios: Mapping[str, Scenario] | Sequence[Scenario],
    *,
    replications: int = 1,
    seed: int = 1,
    workers: str | None = None,
    engine: str = engines.AUTO,
    out: str | Path | None = None,
    shard: str = "1/1",
    keep: str = SUMMARY,
    metrics: Sequence[str] = (),
    on_done: Callable[[int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Batch:
    """Play scenarios under common seeds and keep one row of totals a run.

    Args:
        scenarios: By name, or under the names that they have; each is played under the same seeds.
        replications: How often each.
        seed: Of the batch: replication n is that of ``simulate`` under the same seed.
        workers: As ``simulate`` takes it; threads where all is compiled and else this process, when left out.
        engine: As ``simulate`` takes it.
        out: Folder; what is done there is not played again. A temporary one, which goes with the answer, when
            left out.
        shard: ``i/n``: play only the runs of the i-th of n commands that share the folder.
        keep: Of each run ``summary``, its row alone; ``ledger``, its ledger, prices and players too; ``all``,
            everything that ``simulate`` keeps. ``Batch.observations(run)`` reads it.
        metrics: Names of your own metrics (``@km.metric``) that answer one number: columns of the rows.
        on_done: Called with the number of each run of this shard that is done, also in an earlier command.
        on_step: Called with what is done before the first one, where that takes a while.

    Returns:
        The batch; a run that failed is a row of ``failures()`` and stops no other.

    Raises:
        MisuseError: There is no scenario, a word or number is refused, or the folder holds something else.
    """
    named, own = _named(scenarios), own_numbers(metrics)
    count, keep = whole("replications", replications, 1, 1_000_000), one_of("keep", keep, KEEPS)
    part, chosen = Shard.read(shard), _engines(named.values(), engine, count)
    workers = workers or _usual_workers(chosen)
    require_sendable(workers, _functions(named, own))
    wanted = _manifest(named, chosen, seed, count, keep, own)
    folder = Path(tempfile.mkdtemp(prefix="kokoromichi-") if out is None else out)
    _claim(folder, wanted)
    found = Batch(folder)
    if out is None:
        weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
    missing, watched = part.of(found.missing()), Watched("A batch", len(part.of(range(found.planned))))
    done = on_done or watched.done
    for run in {*part.of(range(found.planned))} - {*missing}:
        done(run)
    if missing:
        _compile(named, chosen, on_step or watched.step)
    jobs = [_job(found, named, chosen, own, run) for run in missing]
    for run in _rows(jobs, workers, folder / part.file_name):
        done(run)
    return found


def _rows(jobs: Sequence[Job], workers: str, path: Path) -> Iterator[int]:
    """Play jobs and write a row of each, be it why it failed; yields the number of each that is written."""
    with held(path):
        mend(path)
        for job, future in each_done(numbers_of_run, jobs, workers):
            error = future.exception()
            if error is None:
                add_line(path, {"run": job.run, "numbers": without_infinity(future.result())})
            else:
                add_line(path, {"run": job.run, "error": type(error).__name__, "message": str(error)})
            yield job.run


def replay(folder: str | Path, run: int, out: str | Path | None = None) -> Observations:
    """Play one run of a batch again and keep its whole ledger.

    Args:
        folder: The batch's.
        run: Its number, from 0.
        out: Folder of the files, which ``kokoromichi audit`` and ``report`` read; ``replay-<run>`` in the
            batch's folder when left out, where an earlier replay is replaced. Another folder must be empty.

    Returns:
        What the run showed.

    Raises:
        MisuseError: There is no such run, its scenario has stages of one's own, or the folder is not empty.
        RunDiffersError: Its totals are not those that the batch has: other code plays it now.
    """
    found = Batch(folder)
    number = whole("run", run, 0, found.planned - 1)
    scenario, seed = found.scenario_of(number), found.seed_of(number)
    chosen = engines.choose(engines.AUTO, scenario)
    target = Path(out) if out is not None else found.folder / f"replay-{number}"
    if out is not None and target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise MisuseError(f"{target} is not empty: choose an empty folder for the replay")
    last_day = scenario.start + dt.timedelta(days=scenario.days - 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        playing = Path(beside) / target.name
        playing.mkdir()
        engines.play_into(scenario, seed, chosen.name, playing)
        seen = Observations.scan(playing).over(scenario.start, last_day).loaded()
        _require_same(found, number, headline(seen, first_measured_day(scenario.days)).row(0, named=True))
        shutil.rmtree(target, ignore_errors=True)
        playing.rename(target)
    return Observations.scan(target).over(scenario.start, last_day)


def _require_same(found: Batch, number: int, now: Numbers) -> None:
    wanted = found.numbers_of(number)
    if wanted is not None and (odd := _differing(wanted, now)):
        changed = found.manifest["code_hash"] != code_hash()
        why = "the code has changed since" if changed else "please report it"
        raise RunDiffersError(f"run {number} shows another {odd} than the batch has ({wanted[odd]}): {why}")


_ROUNDING: Final = 1e-9


def _differing(wanted: Numbers, now: Numbers) -> str | None:
    """The first number that differs by more than the order of a sum can make it."""
    for name, other in now.items():  # A metric of one's own may not be there any more.
        value = wanted[name]
        if value == other:
            continue
        if value is None or other is None or not abs(value - other) <= _ROUNDING * max(1.0, abs(value)):
            return name
    return None


def _named(scenarios: Mapping[str, Scenario] | Sequence[Scenario]) -> dict[str, Scenario]:
    listed = list(scenarios.values() if isinstance(scenarios, Mapping) else scenarios)
    if not listed or not all(isinstance(one, Scenario) for one in listed):
        raise MisuseError("a batch needs scenarios: km.batch({'base': km.Scenario.load('baseline')})")
    if isinstance(scenarios, Mapping):
        return dict(scenarios)
    names = [scenario.name for scenario in listed]
    if twin := next((name for name in names if names.count(name) > 1), None):
        raise MisuseError(
            f"two scenarios are called {twin!r}: pass them by name, batch({{'name': scenario}})"
        )
    return dict(zip(names, listed, strict=True))


def _engines(scenarios: Iterable[Scenario], engine: str, replications: int) -> list[engines.Chosen]:
    listed = list(scenarios)
    return [engines.choose(engine, scenario, replications * len(listed)) for scenario in listed]


def _usual_workers(chosen: Sequence[engines.Chosen]) -> str:
    return THREAD if all(choice.name == engines.COMPILED for choice in chosen) else SERIAL


def _compile(
    named: Mapping[str, Scenario], chosen: Sequence[engines.Chosen], on_step: Callable[[str], None]
) -> None:
    """Once for each story that is played."""
    by_story = {scenario.story(): place for place, scenario in enumerate(named.values())}
    for place in by_story.values():
        engines.compile_once([*named.values()][place], chosen[place], on_step)


def _job(
    found: Batch,
    named: Mapping[str, Scenario],
    chosen: Sequence[engines.Chosen],
    own: tuple[OwnNumber, ...],
    run: int,
) -> Job:
    place = run % len(named)
    name, folder = found.scenarios[place], found.folder.absolute()
    return Job(
        run, name, named[name], found.seed_of(run), chosen[place].name, own, found.manifest["keep"], folder
    )


def _functions(named: Mapping[str, Scenario], own: Sequence[OwnNumber]) -> dict[str, Callable[..., object]]:
    """What of one's own must be sent to the workers, by what it is called."""
    stages = {
        f"stage {stage!r} of {name!r}": function
        for name, scenario in named.items()
        for stage, function in scenario.stages.items()
    }
    return {**stages, **{f"metric {number.name!r}": number.measure for number in own}}


def _manifest(
    named: Mapping[str, Scenario],
    chosen: Sequence[engines.Chosen],
    seed: int,
    replications: int,
    keep: str,
    own: Sequence[OwnNumber],
) -> dict[str, object]:
    sheets = {name: words(scenario.economy) for name, scenario in named.items()}
    hashes = {name: short_hash(sheet) for name, sheet in sheets.items()}
    return {
        "seed": whole_seed(seed),
        "replications": replications,
        "code_hash": code_hash(),
        "keep": keep,
        "metrics": {number.name: fingerprint(unwrap(number.measure)) for number in own},
        "engines": sorted({choice.name for choice in chosen}),
        "scenarios": {
            name: {"definition": definition(scenario), "words_hash": hashes[name]}
            for name, scenario in named.items()
        },
        "words": {hashes[name]: sheet for name, sheet in sheets.items()},
    }


def _claim(folder: Path, wanted: dict[str, object]) -> None:
    """Take up the batch that was begun in a folder, with as many replications as are asked for now."""
    path, asked = folder / BATCH, orjson.loads(orjson.dumps(wanted))
    if path.is_file():
        found = read_batch(path)
        if odd := [key for key in asked if key not in _MAY_DIFFER and found.get(key) != asked[key]]:
            raise MisuseError(
                f"{folder} holds another batch ({', '.join(odd)} differ): choose another folder with --out"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise MisuseError(f"{folder} is not empty and holds no {BATCH}: choose an empty folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{BATCH}.{os.getpid()}"
    temporary.write_bytes(orjson.dumps(asked, option=orjson.OPT_INDENT_2))
    temporary.replace(path)
