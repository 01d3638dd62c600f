"""One player's act through the plain function of memory is what it is as a change set, and as safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import ConflictError, KokoroError, MisuseError
from kokoromichi.core.models import Movement, Step
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed
from tests.contract.stored import NOON_US, goods, money, rows, stored, with_player
from tests.contract.test_validation import MISFITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kokoromichi.core.models import FieldValue


def step(
    version: int, *movements: Movement, fields: Mapping[str, FieldValue] | None = None, user_id: str = "ada"
) -> Step[Committed]:
    """An act of ada, or of somebody else."""
    return Step(user_id, version, movements, fields, at_us=NOON_US + version, answer=Committed(version, 0))


STEPS = [
    step(1, money(7, 107), fields={"streak": 3, "last_claim_us": NOON_US}),
    step(2, Movement("purchase", "gold", -40, 67, "x", 2)),
    step(3),
    step(0, money(5, 5, currency="gems"), user_id="bo"),
    step(4, goods("x", -4, "use"), money(9, 76, "reward"), fields={"collection": {"inari": 2}}),
]


async def test_steps_store_what_their_change_sets_store() -> None:
    plain, whole = MemoryProvider(), MemoryProvider()
    for provider in (plain, whole):
        await with_player(provider, "ada", gold=100, x=2)
    for act in STEPS:
        assert plain.apply_now(act) is act.answer
        assert await whole.apply(act.change()) is act.answer
    assert await stored(plain) == await stored(whole)
    ada = await plain.profile("ada")
    assert ada is not None
    assert (ada.version, ada.gold, ada.inventory, ada.streak) == (5, 76, {}, 3)
    assert len({entry.tx_id for entry in await plain.read_ledger()}) == 5  # The step without a row has none.


REFUSED: dict[str, tuple[Step[Committed], type[KokoroError]]] = {
    **{
        name: (step(1, money(7, 107), goods("z", 4), misfit), MisuseError) for name, misfit in MISFITS.items()
    },
    "an older version": (step(0, money(1, 101)), ConflictError),
    "a newer version": (step(2, money(1, 101)), ConflictError),
    "a version of nobody": (step(1, money(1, 1), user_id="bo"), ConflictError),
    "a balance as a field": (step(1, fields={"gold": 999}), MisuseError),
    "no such field": (step(1, money(1, 101), fields={"luck": 1}), MisuseError),
    "a malformed id": (step(0, money(1, 1), user_id="../evil"), MisuseError),
}


@pytest.mark.parametrize("act", REFUSED)
async def test_a_step_that_cannot_be_stored_changes_nothing(act: str) -> None:
    provider = MemoryProvider()
    await with_player(provider, "ada", gold=100, x=2)
    before = await stored(provider)
    refused, error = REFUSED[act]
    with pytest.raises(error):
        provider.apply_now(refused)
    assert await stored(provider) == before
    provider.apply_now(step(1, money(7, 107)))
    assert len({entry.tx_id for entry in await provider.read_ledger()}) == 2
    assert len(await rows(provider)) == len(before.ledger) + 1
