"""What several metrics start from, computed once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from kokoromichi.analysis.observations import Observations

P = ParamSpec("P")


def shared(
    function: Callable[Concatenate[Observations, P], pl.LazyFrame],
) -> Callable[Concatenate[Observations, P], pl.LazyFrame]:
    """Let observations that are in memory keep what a function reads from them.

    Args:
        function: Takes observations first, and options that are hashable.

    Returns:
        The function; over observations that are ``loaded`` it answers a frame that is computed already.
    """

    @wraps(function)
    def called(observations: Observations, /, *args: P.args, **kwargs: P.kwargs) -> pl.LazyFrame:
        if observations.computed is None:
            return function(observations, *args, **kwargs)
        asked = (function, args, tuple(kwargs.items()))
        if asked not in observations.computed:
            observations.computed[asked] = function(observations, *args, **kwargs).collect()
        return observations.computed[asked].lazy()

    return called
