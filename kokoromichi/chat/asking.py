"""What a player is asked before it is done: whatever is large for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kokoromichi.chat.context import Context

LARGE_GOLD: Final = 1_000
"""So much and less is never asked for, however poor its player is."""


async def is_large(ctx: Context, cost_gold: int) -> bool:
    """Whether an act costs more than half of its player's gold, and more than ``LARGE_GOLD``.

    What they cannot pay is not large: it is refused, and no question is needed for that.
    """
    if cost_gold <= LARGE_GOLD:
        return False
    gold = (await ctx.own()).gold
    return cost_gold <= gold < 2 * cost_gold
