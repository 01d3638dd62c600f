"""From plain functions to compiled ones: the very code objects, each function they call in its compiled form.

Compiled code lies in a cache under a folder named by the sources and by numba: numba's own cache does not notice
that a function in another file was edited, and would play by an old rule.
"""

from __future__ import annotations

import dis
import gc
import hashlib
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import numba
import numpy as np
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Function = Callable[..., Any]

_PACKAGE: Final = Path(__file__).parents[2]
_INNER: Final = {
    "nogil": True,
    "_nrt": False,  # One reference count an array a call costs fourteen times the play.
    "forceinline": True,
    "no_cpython_wrapper": True,  # Nobody calls an inner function from Python: half of the time to compile.
    "no_cfunc_wrapper": True,
}


@cache
def sources_hash() -> str:
    """16 hex digits over the package's sources and numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where the compiled form of these sources lies."""
    return user_cache_path("kokoromichi", appauthor=False) / "compiled" / sources_hash()


class Compiler:
    """Compiles functions and whatever they call, each once.

    Args:
        replacing: Functions that have another form in compiled code, by the plain one.
        cached: Whether entry functions are kept on disk.
    """

    def __init__(self, replacing: Mapping[Function, Function], *, cached: bool = True) -> None:
        self._replacing = replacing
        self._cached = cached
        self._made: dict[Function, Function] = {}

    def entry(self, function: Function) -> Function:
        """The compiled form of a function that Python calls."""
        numba.config.CACHE_DIR = str(cache_folder())
        return cast("Function", numba.njit(self._clone(function), cache=self._cached, nogil=True, _nrt=False))

    def inner(self, function: Function) -> Function:
        """The compiled form of a function that only compiled code calls."""
        if function not in self._made:
            clone = self._clone(self._replacing.get(function, function))
            self._made[function] = cast("Function", numba.njit(clone, **_INNER))
        return self._made[function]

    def _clone(self, function: Function) -> Function:
        """The function with all that it calls compiled; numbers as ``int64``: a literal compiles anew."""
        plain = cast("FunctionType", function)
        names = dict(plain.__globals__)
        for name in read_globals(plain):
            if isinstance(names.get(name), FunctionType):
                names[name] = self.inner(names[name])
        names = {name: np.int64(value) if type(value) is int else value for name, value in names.items()}
        return FunctionType(plain.__code__, names, plain.__name__)


def read_globals(function: FunctionType) -> set[str]:
    """The globals that a function reads; ``co_names`` holds its attributes too."""
    return {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}


class without_collection:
    """Garbage collection off while compiling: it costs a tenth of it."""

    def __enter__(self) -> None:
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()
