"""What one player does alone is stored by the plain function of memory as by its coroutine, and as safely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import ConflictError, FloorError, KokoroError, MisuseError
from kokoromichi.core.models import ChangeSet, CounterChange, Movement, UserChange
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, goods, money, rows, stored, with_player
from tests.contract.test_validation import MISFITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.models import FieldValue


def alone(
    version: int,
    *movements: Movement,
    fields: Mapping[str, FieldValue] | None = None,
    user_id: str = "ada",
    counters: tuple[CounterChange, ...] = (),
) -> ChangeSet[Committed]:
    """What ada, or somebody else, does alone."""
    user = UserChange(user_id, version, movements, fields)
    return ChangeSet(NOON_US + version, (user,), Committed(version, 0), counters)


ACTS = [
    alone(1, money(7, 107), fields={"streak": 3, "last_claim_us": NOON_US}),
    alone(2, Movement("purchase", "gold", -40, 67, "x", 2)),
    alone(3),
    alone(0, money(5, 5, currency="gems"), user_id="bo"),
    alone(4, goods("x", -4, "use"), money(9, 76, "reward"), fields={"collection": {"inari": 2}}),
    alone(5, counters=(CounterChange("stock.x", 3, creates=True),)),
    alone(6, counters=(CounterChange("stock.x", -2),)),
]


async def test_both_ways_store_the_same() -> None:
    plain, whole = MemoryProvider(), MemoryProvider()
    for provider in (plain, whole):
        await with_player(provider, "ada", gold=100, x=2)
    for act in ACTS:
        assert plain.apply_now(act) is act.answer
        assert await whole.apply(act) is act.answer
    assert await stored(plain) == await stored(whole)
    ada = await plain.profile("ada")
    assert ada is not None
    assert (ada.version, ada.gold, ada.inventory, ada.streak) == (7, 76, {}, 3)
    assert len({entry.tx_id for entry in await plain.read_ledger()}) == 5  # The act without a row has none.


REFUSED: dict[str, tuple[ChangeSet[Committed], type[KokoroError]]] = {
    **{
        name: (alone(1, money(7, 107), goods("z", 4), misfit), MisuseError)
        for name, misfit in MISFITS.items()
    },
    "an older version": (alone(0, money(1, 101)), ConflictError),
    "a newer version": (alone(2, money(1, 101)), ConflictError),
    "a version of nobody": (alone(1, money(1, 1), user_id="bo"), ConflictError),
    "a balance as a field": (alone(1, fields={"gold": 999}), MisuseError),
    "a counter that is not there": (
        alone(1, money(1, 101), counters=(CounterChange("stock.y", -1),)),
        ConflictError,
    ),
    "a counter below zero": (
        alone(1, money(1, 101), counters=(CounterChange("stock.y", -1, creates=True),)),
        FloorError,
    ),
    "no such field": (alone(1, money(1, 101), fields={"luck": 1}), MisuseError),
    "a malformed id": (alone(0, money(1, 1), user_id="../evil"), MisuseError),
}


@pytest.mark.parametrize("act", REFUSED)
async def test_an_act_that_cannot_be_stored_changes_nothing(act: str) -> None:
    provider = MemoryProvider()
    await with_player(provider, "ada", gold=100, x=2)
    before = await stored(provider)
    refused, error = REFUSED[act]
    with pytest.raises(error):
        provider.apply_now(refused)
    assert await stored(provider) == before
    provider.apply_now(alone(1, money(7, 107)))
    assert len({entry.tx_id for entry in await provider.read_ledger()}) == 2
    assert len(await rows(provider)) == len(before.ledger) + 1
