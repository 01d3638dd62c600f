"""Decisions as numba compiles them, and the arrays that compiled code takes."""

from __future__ import annotations

from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from kokoromichi.simulation.demand import PriceList

if TYPE_CHECKING:
    from collections.abc import Callable

    Decision = Callable[..., object]

numba = pytest.importorskip("numba", reason="numba (extra `fast`) is not installed: nothing to compile with")


@cache
def compiled(decision: Decision) -> Decision:
    """Compile a decision, and the functions it calls, from the very code that plain Python runs."""
    function = cast("FunctionType", decision)
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(names.get(name), FunctionType):
            names[name] = compiled(names[name])
    return cast("Decision", numba.njit(FunctionType(function.__code__, names, function.__name__)))


def as_array(value: object) -> object:
    """Lists become arrays, inside a price list too; the rest stays."""
    if isinstance(value, PriceList):
        return PriceList._make(as_array(field) for field in value)
    return np.array(value, dtype=np.int64) if isinstance(value, list) else value
