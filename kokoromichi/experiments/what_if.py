"""Changes of an economy's numbers as a designer types them: ``training +20 %: train.price_gold * 1.2``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kokoromichi.core.errors import MisuseError
from kokoromichi.experiments.space import Scale, scale
from kokoromichi.options import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.simulation.scenario import Scenario

_AMOUNT: Final = r"-?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?"
_PART: Final = re.compile(rf"\s*(?P<path>[a-z0-9_.]+)\s*(?P<how>[=*])\s*(?P<number>{_AMOUNT})\s*")
_ENDS: Final = re.compile(
    rf"\s*(?P<path>[a-z0-9_.*]+)\s*=\s*(?P<how>\*?)\s*(?P<low>{_AMOUNT})?\s*:\s*(?P<high>{_AMOUNT})?\s*"
)
_NAMED: Final = re.compile(r"(?:(?P<name>[^=:]*):)?(?P<parts>.*)", re.DOTALL)


@dataclass(frozen=True)
class Change:
    """A named change of numbers.

    Attributes:
        name: For tables and charts.
        values: Numbers to set, by path.
        factors: Numbers to multiply, by path.
    """

    name: str
    values: Mapping[str, int | float]
    factors: Mapping[str, float]

    def applied(self, scenario: Scenario) -> Scenario:
        """The scenario with the change.

        Raises:
            EconomyError: A path is unknown, or a number is refused.
        """
        changed = scenario.with_economy(self.values) if self.values else scenario
        return changed.scaled(self.factors) if self.factors else changed


def read_change(text: str) -> Change:
    """Read ``NAME: PATH = NUMBER, PATH * FACTOR``; without a name, the changes are the name.

    Raises:
        MisuseError: It is none.
    """
    named = _NAMED.fullmatch(text)
    parts = [_PART.fullmatch(part) for part in (named["parts"] if named else "").split(",")]
    if named is None or not all(parts):
        raise MisuseError(
            f"{text!r} is no change; write PATH * FACTOR or PATH = NUMBER, with a name before a colon if you "
            'like: "training +20 %: train.price_gold * 1.2", "fee: transfer.fee_percent = 10"'
        )
    found = [part for part in parts if part is not None]
    return Change(
        (named["name"] or named["parts"]).strip(),
        once((part["path"], _number(part["number"])) for part in found if part["how"] == "="),
        once((part["path"], float(part["number"])) for part in found if part["how"] == "*"),
    )


def read_amounts(texts: Iterable[str]) -> dict[str, float]:
    """Read ``supply_gold=0.02`` and its like.

    Raises:
        MisuseError: One of them is none.
    """
    found = []
    for text in texts:
        part = _PART.fullmatch(text)
        if part is None or part["how"] != "=":
            raise MisuseError(f"{text!r} is no amount; write it like supply_gold=0.02")
        found.append((part["path"], float(part["number"])))
    return once(found)


def read_free(texts: Iterable[str]) -> dict[str, tuple[int, int] | Scale]:
    """Read ``opening.gold=5000:30000``, and ``daily.gold=*0.1:1.2`` for factors.

    Raises:
        MisuseError: One of them is none.
    """
    found: list[tuple[str, tuple[int, int] | Scale]] = []
    for text in texts:
        part = _ENDS.fullmatch(text)
        if part is None or not part["low"] or not part["high"]:
            message = f"{text!r} names no ends; write it like opening.gold=5000:30000 or daily.gold=*0.1:1.2"
            raise MisuseError(message)
        low, high = _number(part["low"]), _number(part["high"])
        if part["how"]:
            found.append((part["path"], scale(low, high)))
        elif isinstance(low, int) and isinstance(high, int):
            found.append((part["path"], (low, high)))
        else:
            raise MisuseError(
                f"{text!r}: amounts are whole numbers; for factors write {part['path']}=*{low}:{high}"
            )
    return once(found)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
