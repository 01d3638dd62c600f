"""From plain functions to compiled ones: the very code objects, each function they call in its compiled form.

Compiled code lies in a cache under a folder named by the sources and by numba: numba's own cache does not
notice that a function in another file was edited, and would play by an old rule.
"""

from __future__ import annotations

import gc
import hashlib
import shutil
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import numba
import numpy as np
from platformdirs import user_cache_path

from kokoromichi.simulation.functions import read_globals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Function = Callable[..., Any]

_PACKAGE: Final = Path(__file__).parents[2]
_COMPILED: Final = ("core", "rules", "simulation")
"""Folders from which something is compiled: an edit elsewhere compiles nothing anew."""
KEPT_FOLDERS: Final = 8
"""Several checkouts share them, and each of these megabytes is found again in a second."""
_INNER: Final = {
    "nogil": True,
    "_nrt": False,  # One reference count an array a call costs fourteen times the play.
    "forceinline": True,
    "no_cpython_wrapper": True,  # Nobody calls an inner function from Python: half of the time to compile.
    "no_cfunc_wrapper": True,
}


_njit: Final[Any] = numba.njit
"""Any, because its types know neither ``_nrt`` nor what leaves the wrappers out."""


@cache
def sources_hash() -> str:
    """16 hex digits over the sources that may be compiled, and numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(path for folder in _COMPILED for path in (_PACKAGE / folder).rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where the compiled form of these sources lies."""
    return user_cache_path("kokoromichi", appauthor=False) / "compiled" / sources_hash()


def prune(folders: Path, most: int = KEPT_FOLDERS) -> None:
    """Remove the compiled forms of sources that were edited since, but for the newest few."""
    newest_first = sorted(folders.iterdir(), key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
    for folder in newest_first[most:]:
        shutil.rmtree(folder, ignore_errors=True)


class Compiler:
    """Compiles functions and whatever they call, each once.

    Args:
        replacing: Functions that have another form in compiled code, by the plain one.
        shipped: Whether all of them are the package's: then entry functions are kept on disk, and no place in
            an array is held against its end.
    """

    def __init__(self, replacing: Mapping[Function, Function], *, shipped: bool = True) -> None:
        self._replacing = replacing
        self._shipped = shipped
        self._made: dict[Function, Any] = {}

    def entry(self, function: Function) -> Any:
        """The compiled form of a function that Python calls, as numba's dispatcher."""
        numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined] # Not in its types.
        options = {"cache": self._shipped, "boundscheck": not self._shipped, "nogil": True, "_nrt": False}
        return _njit(self._clone(function), **options)

    def inner(self, function: Function) -> Any:
        """The compiled form of a function that only compiled code calls."""
        if function not in self._made:
            clone = self._clone(self._replacing.get(function, function))
            self._made[function] = _njit(clone, boundscheck=not self._shipped, **_INNER)
        return self._made[function]

    def _clone(self, function: Function) -> Function:
        """The function with all that it calls compiled; numbers as ``int64``: a literal compiles anew."""
        plain = cast("FunctionType", function)
        names = dict(plain.__globals__)
        for name in read_globals(plain):
            if isinstance(names.get(name), FunctionType):
                names[name] = self.inner(names[name])
        names = {name: np.int64(value) if type(value) is int else value for name, value in names.items()}
        return FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__, plain.__closure__)


@cache
def alone(function: Function) -> Any:
    """The compiled form of a function that belongs to no story."""
    return Compiler({}).entry(function)


@contextmanager
def hastened() -> Iterator[None]:
    """Less to do while compiling: no garbage collection, and of LLVM's passes those of its first level.

    Both are an eighth of the time; what comes out is as fast, since ``forceinline`` has done most for it.
    """
    was_on, level = gc.isenabled(), numba.config.OPT  # type: ignore[attr-defined] # Not in its types.
    gc.disable()
    numba.config.OPT = type(level)(1)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        numba.config.OPT = level  # type: ignore[attr-defined]
        if was_on:
            gc.enable()
