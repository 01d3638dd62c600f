"""Paths into the economy: ``store.health_potion.price_gold``, ``store.*.price_gold``, ``daily.gold.0``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Final

from kokoromichi.options import plain
from kokoromichi.rules.findings import ECONOMY_FILE, NO_NEW_SECTION, EconomyError, Finding, shown

Tree = dict[str, object]
"""The economy as nested dicts and lists of plain values, to be edited and validated again."""

Change = Callable[[str, object], object]
"""Given the full path and what stands there, returns what shall stand there."""

Factor = int | float | Decimal | Fraction

_ALIKE: Final = 0.75
"""From here on a word may be another one, mistyped."""

ANY: Final = "*"
"""Stands for every key at its place in a path."""


def edit(tree: Tree, path: str, change: Change) -> None:
    """Change what stands at a path of a tree, in place.

    Args:
        tree: Nested dicts and lists.
        path: Keys joined by dots; ``*`` stands for every key, a number for a place in a list.
        change: Called once for each place that the path names.

    Raises:
        EconomyError: Nothing stands at the path; the message lists the nearest paths.
    """
    if not _edit(tree, path.split("."), change, ""):
        raise EconomyError((_unknown(tree, path),))


def _edit(tree: object, parts: Sequence[str], change: Change, before: str) -> int:
    """Change every place that the parts name below a node, and count them."""
    head, rest = parts[0], parts[1:]
    changed = 0
    if isinstance(tree, dict):
        for key in [key for key in tree if head in (ANY, key)]:
            if rest:
                changed += _edit(tree[key], rest, change, f"{before}{key}.")
            else:
                tree[key] = change(before + key, tree[key])
                changed += 1
    elif isinstance(tree, list) and not rest:
        for place in [place for place in range(len(tree)) if head in (ANY, str(place))]:
            tree[place] = change(f"{before}{place}", tree[place])
            changed += 1
    return changed


def _unknown(tree: Tree, path: str) -> Finding:
    known = tuple(dict.fromkeys(_paths(tree)))
    alike = _with_a_word_of(path, known)
    near = difflib.get_close_matches(path, known, n=3) or alike[:3] or tree
    more = "" if alike else f"; {NO_NEW_SECTION}"
    text = f"is no number of the economy; near it: {', '.join(near)}{more}"
    return Finding(ECONOMY_FILE, path, "", "known_path", text)


def _with_a_word_of(path: str, known: Sequence[str]) -> list[str]:
    """Paths in which a word stands that is nearly one of the path's first part: what was to be named."""
    asked = _words(path.partition(".")[0])
    return [
        one
        for one in known
        if any(difflib.get_close_matches(word, asked, cutoff=_ALIKE) for word in _words(one))
    ]


def _words(path: str) -> list[str]:
    return path.replace("_", ".").split(".")


def _paths(tree: object, before: str = "") -> Iterator[str]:
    """Every path to a number, and beside it the same path over all keys of its section."""
    if not isinstance(tree, dict):
        yield before
        return
    for key, value in tree.items():
        yield from _paths(value, f"{before}.{key}" if before else key)
        if isinstance(value, dict) and before:
            yield from _paths(value, f"{before}.{ANY}")


def to(value: object) -> Change:
    """Build the change that sets a value, be it a notebook's: numpy integers and tuples are accepted."""
    new = plain_tree(value)
    return lambda _path, _old: new


def plain_tree(value: object) -> object:
    """A notebook's numbers and sequences as a file has them."""
    if isinstance(value, Mapping):
        return {key: plain_tree(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_tree(inner) for inner in value]
    return plain(value)


def times(factor: Factor) -> Change:
    """Build the change that multiplies, rounded half up; lists and sections number by number.

    What is unlimited stays so.

    Args:
        factor: At least 0 and finite. A float means the decimal that it is written as, so that 1.005 x 100 is
            100.5 and not 100.49999999999999.
    """

    def change(path: str, old: object) -> object:
        exact = _exact(path, factor)
        if isinstance(old, dict):
            return {key: change(f"{path}.{key}", inner) for key, inner in old.items()}
        if isinstance(old, list):
            return [change(f"{path}.{place}", inner) for place, inner in enumerate(old)]
        if old is None:
            return None
        if not isinstance(old, int):
            raise EconomyError(
                (Finding(ECONOMY_FILE, path, shown(old), "has_number", "is no number to scale"),)
            )
        return (2 * old * exact.numerator + exact.denominator) // (2 * exact.denominator)

    return change


def _exact(path: str, factor: Factor) -> Fraction:
    try:
        if not isinstance(factor, bool) and isfinite(factor) and factor >= 0:
            return (
                Fraction(factor)
                if isinstance(factor, (int, Fraction, Decimal))
                else Fraction(repr(float(factor)))
            )
    except TypeError:
        pass
    text = "is no factor; give a finite number of at least 0"
    raise EconomyError((Finding(ECONOMY_FILE, path, shown(factor), "right_factor", text),))
