"""Stock by an admin's hand, the way back to the opening, a reload, and looks that are booked."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import UserProfile
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.findings import EconomyError
from kokoromichi.services.receipts import ReloadReceipt, ResetReceipt, StockReceipt
from kokoromichi.settings import shipped_folder
from tests.contract.stored import NOON_US, Row, entries, stored
from tests.unit.service_world import DAY_S, ECONOMY, ROOT, World

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.data_provider import DataProvider

CHARM = "lucky_charm"


@pytest.mark.parametrize(("units", "added"), [(40, 38), (2, 0), (1, -1), (0, -2)])
async def test_stock_is_set_up_and_down_and_law_6_holds(units: int, added: int) -> None:
    world = await World.open()
    await world.player("ada")
    await world.services.store.purchase("ada", CHARM, 3)  # Two are left of five.
    receipt = await world.services.admin.set_stock(
        CHARM, units, actor=ROOT, reason="a gift", request_id="r-1"
    )
    assert receipt == StockReceipt(CHARM, added, units)
    again = await world.services.admin.set_stock(CHARM, units, actor=ROOT, reason="a gift", request_id="r-1")
    assert again == receipt
    assert (await world.provider.counters())[f"stock.{CHARM}"] == units
    act = (await entries(world.provider))[-1]
    assert (act.kind, act.quantity) == (("restock", added) if added else ("admin_act", None))
    assert (act.user_id, act.actor, act.reason) == ("system", "root", f"stock of {CHARM} {units}: a gift")
    report = await audit_provider(world.provider)
    assert report.sound, str(report)


async def test_a_shelf_that_an_admin_overfilled_is_not_emptied_by_the_restocking() -> None:
    world = await World.open()
    await world.services.admin.set_stock(CHARM, 40, actor=ROOT, reason="a fair")
    world.clock.advance(7 * DAY_S)
    assert await world.services.store.restock() == []
    await world.services.admin.set_stock(CHARM, 1, actor=ROOT, reason="the fair is over")
    world.clock.advance(7 * DAY_S)
    assert [receipt.stock for receipt in await world.services.store.restock()] == [4]
    assert (await audit_provider(world.provider)).sound


async def test_a_reset_leads_back_to_the_opening_by_rows() -> None:
    world = await World.open()
    await world.player(
        "ada",
        gold=50_000,
        gems=3,
        items={"ema_plaque": 2, "health_potion": 9},
        level=9,
        xp=4,
        pity=7,
        businesses={"cafe": 5},
        collection={ECONOMY.waifus[0].id: 2},
        frozen=1,
        auto_use=0,
        battle_at_us=NOON_US - 1,
    )
    await world.services.admin.unfreeze("ada", actor=ROOT, reason="a test")
    await world.services.daily.claim("ada")
    before = (await world.profile("ada")).version
    receipt = await world.services.admin.reset("ada", actor=ROOT, reason="they asked for it")
    assert receipt == ResetReceipt("ada", 10_000, 100)
    assert await world.profile("ada") == UserProfile(
        user_id="ada",
        version=before + 1,
        gold=10_000,
        gems=100,
        last_claim_us=NOON_US,
        battle_at_us=NOON_US - 1,
        auto_use=0,
    )
    assert (await world.booked("ada"))[-5:] == [
        Row("admin_act", "ada"),
        Row("grant", "ada", "gold", -41_000, 10_000),
        Row("grant", "ada", "gems", 87, 100),
        Row("grant", "ada", item_id="ema_plaque", quantity=-2),
        Row("grant", "ada", item_id="health_potion", quantity=-9),
    ]
    assert {row.reason for row in (await entries(world.provider, "ada"))[-5:]} == {"reset: they asked for it"}
    with pytest.raises(RefusedError, match="Already claimed today"):
        await world.services.daily.claim("ada")
    assert (await audit_provider(world.provider)).sound


async def test_a_reload_takes_a_folder_whole_or_not_at_all(tmp_path: Path) -> None:
    world = await World.open()
    await world.services.admin.set_price("ema_plaque", 1_200, actor=ROOT, reason="a week")
    world.clock.advance(1)
    for name in ("economy.toml", "store_catalog.json", "waifus.json"):
        shutil.copy(shipped_folder("data") / name, tmp_path)
    sound = load_economy(tmp_path)
    file = tmp_path / "economy.toml"
    text = file.read_text("utf-8")
    for spoiled in (text.replace("percent = 40", "percent = 90"), text + "\n[surprise]\nx = 1\n", "x ="):
        file.write_text(spoiled, "utf-8")
        before = await stored(world.provider)
        with pytest.raises(EconomyError):
            await world.services.admin.reload(tmp_path, actor=ROOT, reason="new prices")
        assert await stored(world.provider) == before
        assert world.services.executor.live.offers["ema_plaque"].price_gold == 1_200
    file.write_text(text, "utf-8")
    receipt = await world.services.admin.reload(tmp_path, actor=ROOT, reason="new prices", request_id="r-1")
    assert receipt == ReloadReceipt(sound.hash, ECONOMY.hash, NOON_US + 1_000_000)
    assert world.services.executor.live.economy == sound
    act = (await entries(world.provider))[-1]
    assert (act.kind, act.reason) == ("admin_act", f"reload of economy {sound.hash}: new prices")


async def test_a_second_click_on_reload_ends_no_prices_that_were_set_since() -> None:
    world = await World.open()
    admin = world.services.admin
    first = await admin.reload(shipped_folder("data"), actor=ROOT, reason="new", request_id="r-1")
    world.clock.advance(1)
    await admin.set_price("ema_plaque", 1_234, actor=ROOT, reason="a week")
    assert await admin.reload(shipped_folder("data"), actor=ROOT, reason="new", request_id="r-1") == first
    assert world.services.executor.live.offers["ema_plaque"].price_gold == 1_234
    world.clock.advance(1)
    await world.services.reload(ECONOMY)
    assert await admin.reload(shipped_folder("data"), actor=ROOT, reason="new", request_id="r-1") == first
    assert world.services.executor.live.economy == ECONOMY


async def test_a_look_is_booked_and_answers_what_it_saw() -> None:
    world = await World.open()
    await world.player("ada")

    async def count(provider: DataProvider) -> int:
        return len(await provider.user_ids())

    for _ in range(2):
        found = await world.services.admin.inspect(
            "audit", count, actor=ROOT, reason="monthly", request_id="r-1"
        )
        assert found == 1
    acts = [row for row in await entries(world.provider) if row.kind == "admin_act"]
    assert [(row.user_id, row.actor, row.reason) for row in acts] == [("system", "root", "audit: monthly")]
