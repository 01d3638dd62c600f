"""An admin's grant: checked, with a reason, and in the ledger with its actor."""

from __future__ import annotations

import pytest

from kokoromichi.analysis.stored import audit_provider
from kokoromichi.core.errors import MisuseError, RefusedError
from kokoromichi.services.receipts import GrantReceipt
from tests.contract.stored import Row, entries, stored
from tests.unit.service_world import MAX, World


@pytest.mark.parametrize(
    ("what", "amount", "after", "row"),
    [
        ("gold", 500, 10_500, Row("grant", "ada", "gold", 500, 10_500)),
        ("gold", -10_000, 0, Row("grant", "ada", "gold", -10_000, 0)),
        ("gold", MAX - 10_000, MAX, Row("grant", "ada", "gold", MAX - 10_000, MAX)),
        ("gems", 5, 105, Row("grant", "ada", "gems", 5, 105)),
        ("ema_plaque", 2, 5, Row("grant", "ada", item_id="ema_plaque", quantity=2)),
        ("ema_plaque", -3, 0, Row("grant", "ada", item_id="ema_plaque", quantity=-3)),
        ("health_potion", 10**9, 10**9, Row("grant", "ada", item_id="health_potion", quantity=10**9)),
    ],
)
async def test_a_grant_adds_or_takes(what: str, amount: int, after: int, row: Row) -> None:
    world = await World.open()
    await world.player("ada", items={"ema_plaque": 3})
    receipt = await world.services.admin.grant("ada", what, amount, actor="root", reason="lost in a crash")
    assert receipt == GrantReceipt("ada", what, amount, after)
    assert await world.booked("ada") == [row]
    entry = (await entries(world.provider, "ada"))[-1]
    assert (entry.actor, entry.reason, entry.book) == ("root", "lost in a crash", "admin")
    assert (await audit_provider(world.provider)).sound


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), (" ", "why"), ("root", ""), ("root", " \n")])
async def test_a_grant_needs_a_reason_and_an_actor(actor: str, reason: str) -> None:
    world = await World.open()
    before = await stored(world.provider)
    with pytest.raises(MisuseError, match="needs a reason and an actor"):
        await world.services.admin.grant("ada", "gold", 5, actor=actor, reason=reason)
    assert await stored(world.provider) == before


async def test_a_grant_to_a_mistyped_id_opens_no_account() -> None:
    world = await World.open()
    with pytest.raises(RefusedError, match="Player zoe has no account yet"):
        await world.services.admin.grant("zoe", "gold", 5, actor="root", reason="welcome")
    assert await world.provider.profile("zoe") is None
