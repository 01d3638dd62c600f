"""An admin's grant: checked, with a reason, and in the ledger with its actor."""

from __future__ import annotations

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import MisuseError, RefusedError
from kokoromichi.core.models import NEVER
from kokoromichi.services.authority import Actor, Role, role_of
from kokoromichi.services.receipts import ClocksReceipt, FreezeReceipt, GrantReceipt
from tests.contract.stored import NOON_US, Row, entries, stored
from tests.unit.service_world import DAY_S, MAX, ROOT, WIN, World


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
    receipt = await world.services.admin.grant("ada", what, amount, actor=ROOT, reason="lost in a crash")
    assert receipt == GrantReceipt("ada", what, amount, after)
    assert await world.booked("ada") == [row]
    entry = (await entries(world.provider, "ada"))[-1]
    assert (entry.actor, entry.reason, entry.book) == ("root", "lost in a crash", "admin")
    assert (await audit_provider(world.provider)).sound


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), (" ", "why"), ("root", ""), ("root", " \n")])
async def test_an_act_needs_a_reason_and_an_actor(actor: str, reason: str) -> None:
    world = await World.open()
    before = await stored(world.provider)
    with pytest.raises(MisuseError, match="needs a reason and an actor"):
        await world.services.admin.grant("ada", "gold", 5, actor=Actor(actor, Role.OWNER), reason=reason)
    assert await stored(world.provider) == before


@pytest.mark.parametrize(
    ("owns_bot", "managed_guild_id", "admin_guilds", "role"),
    [
        (False, None, (), Role.PLAYER),
        (False, 1, (), Role.PLAYER),
        (False, 1, (2, 3), Role.PLAYER),
        (False, None, (1,), Role.PLAYER),
        (False, 1, (1, 2), Role.MANAGER),
        (True, None, (), Role.OWNER),
        (True, 1, (1,), Role.OWNER),
    ],
)
def test_who_owns_the_bot_or_manages_a_named_server_is_an_admin(
    owns_bot: bool,  # noqa: FBT001 - a test's parameter
    managed_guild_id: int | None,
    admin_guilds: tuple[int, ...],
    role: Role,
) -> None:
    found = role_of(owns_bot=owns_bot, managed_guild_id=managed_guild_id, admin_guilds=admin_guilds)
    assert found is role


async def test_a_refused_act_is_logged_with_who_tried_what(caplog: pytest.LogCaptureFixture) -> None:
    world = await World.open()
    with pytest.raises(RefusedError, match="This is for a manager; you are a player"):
        await world.services.admin.grant("ada", "gold", 5, actor=Actor("bo", Role.PLAYER), reason="a gift")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == "not allowed: user bo, a player, tried grant"


async def test_a_grant_to_a_mistyped_id_opens_no_account() -> None:
    world = await World.open()
    with pytest.raises(RefusedError, match="Player zoe has no account yet"):
        await world.services.admin.grant("zoe", "gold", 5, actor=ROOT, reason="welcome")
    assert await world.provider.profile("zoe") is None


async def test_a_frozen_player_keeps_what_he_has_and_an_admin_may_still_correct_it() -> None:
    world = await World.open()
    await world.player("ada", gold=500)
    admin, why = world.services.admin, "two accounts"
    assert await admin.freeze("ada", actor=ROOT, reason=why) == FreezeReceipt("ada", 1)
    with pytest.raises(RefusedError, match="The account of ada is frozen"):
        await world.services.daily.claim("ada")
    assert (await admin.grant("ada", "gold", -100, actor=ROOT, reason=why)).after == 400
    assert (await world.services.standing.page()).rows[0].gold == 400
    assert await admin.unfreeze("ada", actor=ROOT, reason=why) == FreezeReceipt("ada", 0)
    assert (await world.services.daily.claim("ada")).gold == 1_400
    acts = [entry for entry in await entries(world.provider, "ada") if entry.kind == "admin_act"]
    assert [(entry.actor, entry.reason, entry.currency, entry.item_id) for entry in acts] == [
        ("root", "freeze: two accounts", None, None),
        ("root", "unfreeze: two accounts", None, None),
    ]
    assert (await audit_provider(world.provider)).sound


async def test_a_second_click_of_before_the_freeze_is_still_answered() -> None:
    world = await World.open()
    await world.player("ada")
    first = await world.services.daily.claim("ada", request_id="r-1")
    await world.services.admin.freeze("ada", actor=ROOT, reason="a test")
    assert await world.services.daily.claim("ada", request_id="r-1") == first


@pytest.mark.parametrize("act", ["freeze", "unfreeze"])
async def test_nobody_freezes_a_stranger_or_without_leave(act: str) -> None:
    world = await World.open()
    await world.player("ada")
    before = await stored(world.provider)
    with pytest.raises(RefusedError, match="Player zoe has no account yet"):
        await world.ask(f"admin.{act}", "zoe", actor=ROOT, reason="a test")
    with pytest.raises(RefusedError, match="This is for a manager; you are a player"):
        await world.ask(f"admin.{act}", "ada", actor=Actor("bo", Role.PLAYER), reason="a test")
    assert await stored(world.provider) == before


async def test_an_admin_opens_the_day_of_a_player_again() -> None:
    world = await World.open()
    services, year_us = world.services, 365 * DAY_S * 1_000_000
    await world.player("ada", gold=50_000, gems=0, items={"lucky_charm": 1}, businesses={"cafe": NOON_US})
    await world.player("bo")
    world.clock.us += year_us
    await services.daily.claim("ada")
    await services.battle.fight("ada", 1, draw=WIN)
    await services.bank.transfer("ada", "bo", 20_000)
    await services.store.use("ada", "lucky_charm", draws=(0,))
    await services.progress.collect("ada")
    receipt = await services.admin.clear_clocks("ada", actor=ROOT, reason="the clock was wrong")
    assert receipt == ClocksReceipt("ada")
    assert (await services.daily.claim("ada")).streak == 2
    await services.battle.fight("ada", 1, draw=WIN)
    await services.bank.transfer("ada", "bo", 20_000)
    assert (await world.profile("ada")).luck_until_us == world.clock.us + DAY_S * 1_000_000  # It runs on.
    world.clock.us -= year_us
    await services.admin.clear_clocks("ada", actor=ROOT, reason="the clock was wrong")
    profile = await world.profile("ada")
    assert (profile.luck_until_us, profile.battle_at_us, profile.battle_gold_today) == (NEVER, NEVER, 0)
    assert max(profile.hp_at_us, profile.last_claim_us, *profile.businesses.values()) <= world.clock.us
    rows = [entry for entry in await entries(world.provider, "ada") if entry.kind == "admin_act"]
    assert [(entry.actor, entry.reason) for entry in rows] == [("root", "clocks: the clock was wrong")] * 2
    assert (await audit_provider(world.provider)).sound
