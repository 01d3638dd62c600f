"""What numbers depend on in code: the package's sources, and a function with the globals that it reads."""

from __future__ import annotations

import dis
import hashlib
import pickle  # nosec B403 # asks whether a function can be written, and reads none
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, cast

import cloudpickle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read_globals(function: FunctionType) -> set[str]:
    """The globals that a function reads; ``co_names`` holds its attributes too."""
    return {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}


def fingerprint(function: Callable[..., object]) -> str:
    """16 hex digits over a function, the functions it calls, and the numbers it reads; comments count not."""
    return hashlib.sha256("\n".join(_parts(cast("FunctionType", function), set())).encode()).hexdigest()[:16]


def travels(function: Callable[..., object]) -> bool:
    """Whether a function can be sent to another process, be it one of a notebook or of another function."""
    try:
        cloudpickle.dumps(function)
    except (pickle.PicklingError, TypeError):  # What it holds cannot be written.
        return False
    return True


def code_hash() -> str:
    """16 hex digits over the package: whoever edits a rule or an archetype gets a run of its own."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted((*package.rglob("*.py"), *package.rglob("*.toml"))):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _parts(function: FunctionType, known: set[FunctionType]) -> Iterator[str]:
    if function in known:
        return
    known.add(function)
    yield repr((function.__name__, _code(function.__code__), function.__defaults__))
    yield repr([cell.cell_contents for cell in function.__closure__ or ()])
    for name in sorted(read_globals(function)):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType):
            yield name
            yield from _parts(value, known)
        else:
            yield f"{name} = {value!r}"


def _code(code: CodeType) -> tuple[object, ...]:
    """What of a code object decides what it does; lines and file names do not."""
    constants = tuple(_code(value) if isinstance(value, CodeType) else value for value in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants
