"""A scenario's players, replayed under several seeds."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kokoromichi.analysis.reading import REPLICATIONS
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.options import whole, whole_seed
from kokoromichi.simulation import engines
from kokoromichi.simulation.manifest import identity_of, manifest
from kokoromichi.simulation.notebook import Watched
from kokoromichi.simulation.rehearsal import MEMORY, store_settings
from kokoromichi.simulation.replication_jobs import Failed, Job, prepare, run_jobs
from kokoromichi.simulation.run import Run
from kokoromichi.simulation.scenario import require_scenario
from kokoromichi.simulation.workers import require_sendable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kokoromichi.simulation.scenario import Scenario

MOST_REPLICATIONS: Final = 1_000
_REPLICATIONS: Final = 8


class BatchError(StorageError):
    """Some replications failed; those that are done are kept, and a rerun plays the others."""


def usual_replications(provider: str) -> int:
    """How often a scenario is played where nobody says."""
    return _REPLICATIONS if provider == MEMORY else 1


def _checked(scenario: object, replications: object, seed: object, provider: str) -> tuple[int, int]:
    require_scenario("simulate", scenario)
    asked = usual_replications(provider) if replications is None else replications
    count = whole("replications", asked, 1, MOST_REPLICATIONS)
    if provider != MEMORY and count != 1:
        raise MisuseError(f"a store holds one replication: over {provider} use replications=1")
    return count, whole_seed(seed)


def _raise_first(failed: list[Failed], replications: int, left: str) -> None:
    job, error = failed[0]
    if job.store is not None:
        raise error
    message = (
        f"{len(failed)} of {replications} replications failed, the first one (number {job.replication}) "
        f"with {type(error).__name__}: {error}; {left}"
    )
    raise BatchError(message) from error


def simulate(  # noqa: PLR0913 - a designer names what they ask for
    scenario: Scenario,
    *,
    replications: int | None = None,
    seed: int = 1,
    workers: str = "serial",
    out: str | Path | None = None,
    replace: bool = False,
    engine: str = engines.AUTO,
    provider: str = MEMORY,
    on_done: Callable[[Job, Mapping[str, object]], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Run:
    """Replay a scenario's players under several seeds.

    Args:
        scenario: What is simulated.
        replications: How often, 1 to 1,000; when left out 8, or 1 over a store.
        seed: Seed of the batch; the same one gives the same bytes, whatever the workers.
        workers: ``serial``; ``process`` (one a core) or ``process:N``, in a script only under
            ``if __name__ == "__main__":``, since each worker imports the script anew; ``thread`` or
            ``thread:N``, which the compiled engine alone makes faster; ``dask`` or ``dask:N``, a Dask cluster
            of this machine's own (extra ``cluster``), or ``tcp://host:port``, one whose workers see ``out``.
        out: Folder of the results; what is done there already is not played again. A temporary one, which
            goes with the run, when left out.
        replace: Play over another run that the folder holds; without it, that is an error.
        engine: ``faithful``, through the bot's own services; ``compiled``, much faster, for which
            numba must be there (extra ``fast``); ``both``, which stops at the first row in which they differ;
            ``auto``, compiled where that can be and is worth it. The bytes are the same; the manifest says
            which one it was, and why.
        provider: Where the players are stored: ``memory``; or ``local``, ``postgres`` or ``mongo``, an empty
            store that the bot's settings name, which keeps one replication, played in this process.
        on_done: Called with each replication that is done, and its summary.
        on_step: Called with what is done before the first one, where that takes a while.

    Raises:
        MisuseError: Too few or too many replications, a seed beyond 64 bits, unknown workers, an engine or
            workers that cannot play this, or the folder or the store holds something else.
        StorageError: The store cannot be used, or failed on the way.
        BatchError: A replication failed; the others are kept.
    """
    count, seed = _checked(scenario, replications, seed, provider)
    workers, store = workers if provider == MEMORY else "serial", store_settings(provider)
    require_sendable(workers, {f"stage {name!r}": stage for name, stage in scenario.stages.items()})
    chosen = engines.choose(engine, scenario, count, provider)
    folder = Path(tempfile.mkdtemp(prefix="kokoromichi-") if out is None else out)
    told = manifest(scenario, seed, count, str(chosen), provider)
    prepare(folder, told, replace=replace)
    played, identity = folder / REPLICATIONS, identity_of(told)
    jobs = [Job(scenario, seed, number, played, chosen.name, store, identity) for number in range(count)]
    watched = Watched(f"Simulating {scenario.name}", count)
    if not all(job.target.is_dir() for job in jobs):
        engines.compile_once(scenario, chosen, on_step or watched.step)
    failed = list(run_jobs(jobs, workers, on_done or watched.done))
    if failed:
        _raise_first(failed, count, _what_is_left(folder, out))
    run = Run(folder)
    if out is None:
        run.remove_folder_when_unused()
    return run


def _what_is_left(folder: Path, out: str | Path | None) -> str:
    if out is None:
        shutil.rmtree(folder, ignore_errors=True)
        return "the others are lost: name a folder, out=, and a rerun plays only the rest"
    return f"the others are in {folder}, and a rerun plays the rest"
