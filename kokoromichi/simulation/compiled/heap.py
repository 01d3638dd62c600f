"""A heap of integers in an array: who acts next among the sessions that are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kokoromichi.simulation.compiled.columns import IntArray


def push(heap: IntArray, size: int, key: int) -> None:
    """Add a key to the first ``size`` places, which are a heap, and one more."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if heap[above] <= key:
            break
        heap[place] = heap[above]
        place = above
    heap[place] = key


def pop(heap: IntArray, size: int) -> int:
    """Take the least key of the first ``size`` places, at least one; the rest is a heap of one less."""
    least, last = heap[0], size - 1
    key = heap[last]
    place = 0
    while 2 * place + 1 < last:
        below = 2 * place + 1
        if below + 1 < last and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= key:
            break
        heap[place] = heap[below]
        place = below
    heap[place] = key
    return int(least)
