"""What a player is asked before it is done: whatever is large for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.chat.context import Context

LARGE: Final = {"gold": 1_000, "gems": 100}
"""So much and less is never asked for, however poor its player is."""
_SHOWN_PLAYERS: Final = 10_000


class ShownPrices:
    """The prices that each player read last, in a list or in a question: no other is charged unseen."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, dict[str, int]] = OrderedDict()

    def note(self, player_id: str, prices_gold: Mapping[str, int]) -> None:
        """Remember what a player is shown, by id, beside what they were shown before."""
        self._of[player_id] = {**self._of.pop(player_id, {}), **prices_gold}
        if len(self._of) > _SHOWN_PLAYERS:
            self._of.popitem(last=False)

    def price_gold(self, player_id: str, thing_id: str) -> int | None:
        """The price of a thing that a player was shown last, or None where they never were."""
        return self._of.get(player_id, {}).get(thing_id)


async def is_large(ctx: Context, cost: int, currency: str = "gold") -> bool:
    """Whether an act costs more than half of its player's gold or gems, and more than ``LARGE``.

    What they cannot pay is not large: it is refused, and no question is needed for that.
    """
    if cost <= LARGE[currency]:
        return False
    held: int = getattr(await ctx.own(), currency)
    return cost <= held < 2 * cost
