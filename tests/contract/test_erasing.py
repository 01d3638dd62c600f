"""A player who asks to be forgotten: nowhere named any more, and every sum as it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import moment_of
from kokoromichi.core.copying.importing import import_installation
from kokoromichi.core.errors import MisuseError, RefusedError, RequestMismatchError
from kokoromichi.core.kinds import BOOKS
from kokoromichi.core.models import DAY_US, ERASED_PREFIX
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.providers.mongo import MongoDBProvider
from kokoromichi.core.providers.postgres import PostgresProvider
from kokoromichi.core.reference.installation import read_installation
from kokoromichi.services.authority import Actor, Role
from kokoromichi.services.erased_days import DayDocument
from tests.contract.stored import NOON_US, entries, rows
from tests.unit.old_folder import ANNA, BERT, write
from tests.unit.service_world import ROOT, World

if TYPE_CHECKING:
    from pathlib import Path

    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.data_provider import DataProvider

ADA: Final = "830121070024439972"
BO: Final = "301509601067529188"
CY: Final = "411111111111111111"
HIDDEN: Final = f"{ERASED_PREFIX}x"

TABLES: Final = ("users", "ledger", "requests", "observations", "counters", "game_data")


async def everything(provider: DataProvider, folder: Path) -> str:
    """Every byte that a provider stores, as text."""
    if isinstance(provider, LocalJSONProvider):
        await provider.close()
        found = await asyncio.to_thread(_every_file, folder)
        await provider.open()
        return found
    if isinstance(provider, PostgresProvider):
        connections = provider._connections  # noqa: SLF001 - beneath every door
        found = ""
        for table in TABLES:
            texts = f"SELECT string_agg(t::text, ' ') FROM {table} AS t"  # noqa: S608 - a name of ours
            found += await connections.read(lambda c, texts=texts: c.fetchval(texts)) or ""  # type: ignore[misc]
        return found
    if isinstance(provider, MongoDBProvider):
        driver = provider._driver  # noqa: SLF001 - likewise
        names = (
            "users",
            "requests",
            "game_data",
            "counters",
            "activity",
            *(f"ledger_{book}" for book in BOOKS),
        )
        return "".join([str(await driver.collection(name).find().to_list(None)) for name in names])
    assert isinstance(provider, MemoryProvider)
    ledger = provider._ledger  # noqa: SLF001 - likewise
    held = (vars(provider), ledger.names, ledger.notes)
    return f"{held} {await entries(provider)}"


def _every_file(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return "\n".join(f"{path.name} {path.read_text('utf-8', 'replace')}" for path in paths)


async def lived(provider: DataProvider, clock: ManualClock) -> World:
    """Ada has bought, sent, received, been granted to, granted, and been spoken of."""
    world = await World.open(provider, clock=clock)
    services = world.services
    for user_id in (BO, CY):
        await services.executor.open_account(user_id)
    await services.store.purchase(ADA, "ema_plaque", 2, request_id="r-1")
    await services.bank.transfer(ADA, BO, 1_000, request_id="r-2")
    await services.bank.transfer(BO, ADA, 500, request_id="r-3")
    await services.store.gift(ADA, BO, "ema_plaque", request_id="r-4")
    await services.admin.grant(ADA, "gold", 5, actor=ROOT, reason=f"<@{ADA}> lost it", request_id="r-5")
    await services.admin.grant(BO, "gold", 7, actor=ROOT, reason=f"as {ADA} said", request_id="r-6")
    words = {"actor": Actor(ADA, Role.OWNER), "reason": "my last act"}
    await world.ask("admin.grant", CY, "gold", 9, **words, request_id="r-7")
    await services.bank.transfer(BO, CY, 100, request_id="r-8")
    await provider.save_user(ADA, {"name": "Ada", "tag": f"ada-{ADA}"})
    seen = {"session": 1, "at": moment_of(NOON_US), "act": "buy", "code": None}
    await provider.append_observations("activity", [{"user_id": ADA, **seen}, {"user_id": BO, **seen}])
    return world


async def test_an_erased_player_is_nowhere_and_every_sum_stays(
    provider: DataProvider, clock: ManualClock, tmp_path: Path
) -> None:
    world = await lived(provider, clock)
    before = await rows(provider)
    assert ADA in await everything(provider, tmp_path)
    balances = dict(await provider.balances())
    profile = (await world.profile(ADA)).document()
    await provider.erase(ADA, HIDDEN)
    stored = await everything(provider, tmp_path)
    assert ADA not in stored
    assert BO in stored
    assert await rows(provider) == [
        row._replace(
            user_id=HIDDEN if row.user_id == ADA else row.user_id,
            counterparty=HIDDEN if row.counterparty == ADA else row.counterparty,
        )
        for row in before
    ]
    assert dict(await provider.balances()) == {
        HIDDEN if user_id == ADA else user_id: gold for user_id, gold in balances.items()
    }
    erased = (await world.profile(HIDDEN)).document()
    assert (erased["user_id"], erased["name"], "tag" in erased) == (HIDDEN, "", False)
    kept = {"gold", "gems", "inventory", "pity", "level", "sent_gold_today"}
    assert {name: erased[name] for name in kept} == {name: profile[name] for name in kept}
    assert await provider.profile(ADA) is None
    assert ADA not in await provider.user_ids()
    report = await audit_provider(provider)
    assert report.sound, str(report)
    words = {entry.request_id: (entry.actor, entry.reason) for entry in await entries(provider)}
    assert words["r-5"] == ("root", f"<@{HIDDEN}> lost it")
    assert words["r-6"] == ("root", f"as {HIDDEN} said")
    assert words["r-7"] == (HIDDEN, "my last act")


async def test_requests_that_touched_him_are_spent_and_others_are_answered(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await lived(provider, clock)
    await provider.erase(ADA, HIDDEN)
    bank = world.services.bank
    assert (await bank.transfer(BO, CY, 100, request_id="r-8")).amount_gold == 100
    for request_id in ("r-2", "r-3"):
        with pytest.raises(RequestMismatchError):
            await bank.transfer(BO, CY, 1, request_id=request_id)
    with pytest.raises(RequestMismatchError):
        await world.services.store.purchase(ADA, "ema_plaque", 2, request_id="r-1")
    assert ADA not in await provider.user_ids()
    stored = {asked.request_id async for asked in provider.stored_responses()}
    assert stored & {f"r-{number}" for number in range(1, 9)} == {"r-8"}


async def test_who_comes_back_is_new_and_an_erasure_that_comes_again_does_nothing(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await lived(provider, clock)
    await provider.erase(ADA, HIDDEN)
    assert (await world.services.store.purchase(ADA, "ema_plaque")).gold == 9_000
    assert (await world.profile(ADA)).version == 1
    before = await rows(provider)
    await provider.erase(ADA, HIDDEN)
    assert await rows(provider) == before
    assert (await world.services.daily.claim(ADA)).gold == 10_000
    await provider.erase(ADA, f"{ERASED_PREFIX}y")
    assert (await world.profile(f"{ERASED_PREFIX}y")).gold == 10_000
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_erasing_nobody_is_harmless_and_a_bad_name_is_refused(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await lived(provider, clock)
    before = await rows(provider)
    await provider.erase("999", HIDDEN)
    assert await rows(provider) == before
    for user_id, pseudonym in (("../evil", HIDDEN), (ADA, "../evil"), (ADA, ADA), ("system", HIDDEN)):
        with pytest.raises(MisuseError, match="user id"):
            await provider.erase(user_id, pseudonym)
    assert (await world.profile(ADA)).gold
    assert await rows(provider) == before


async def test_an_item_of_the_same_name_stays(provider: DataProvider, clock: ManualClock) -> None:
    world = await World.open(provider, clock=clock)
    await world.player("ema_plaque", items={"ema_plaque": 2})
    await world.player("bo", items={"ema_plaque": 1})
    await provider.erase("ema_plaque", HIDDEN)
    assert (await world.profile(HIDDEN)).inventory == {"ema_plaque": 2}
    assert {row.item_id for row in await rows(provider)} == {None, "ema_plaque"}
    assert (await audit_provider(provider)).sound


async def test_an_admin_erases_a_player_for_good(
    provider: DataProvider, clock: ManualClock, tmp_path: Path
) -> None:
    world = await lived(provider, clock)
    admin = world.services.admin
    reason = f"{ADA} asked by letter"
    receipt = await admin.erase(ADA, actor=ROOT, reason=reason, request_id="r-9")
    assert receipt.pseudonym.startswith(ERASED_PREFIX)
    assert ADA not in await everything(provider, tmp_path)
    act = (await entries(provider))[-1]
    assert (act.kind, act.user_id, act.actor) == ("admin_act", "system", "root")
    assert act.reason == "erase: (erased) asked by letter"
    assert (await world.profile(receipt.pseudonym)).frozen == 1
    assert receipt.pseudonym not in [row.user_id for row in (await world.services.standing.page()).rows]
    with pytest.raises(RefusedError, match="is frozen"):
        await world.services.bank.transfer(BO, receipt.pseudonym, 5)
    # They come back, and the second click of the erasure is delivered late: it is answered and does nothing.
    await world.services.executor.open_account(ADA)
    assert await admin.erase(ADA, actor=ROOT, reason=reason, request_id="r-9") == receipt
    assert (await world.profile(ADA)).gold == 10_000
    with pytest.raises(RefusedError, match="has no account yet"):
        await admin.erase("999", actor=ROOT, reason="a typing error")
    report = await audit_provider(provider)
    assert report.sound, str(report)


async def test_who_was_imported_leads_to_nobody_either_and_no_import_brings_him_back(
    provider: DataProvider, clock: ManualClock, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    users = {ANNA: {"gold": 70, "gems": 1, "nick": "A"}, BERT: {"gold": 5}}
    source = write(tmp_path_factory.mktemp("old"), {"users.json": users})
    installation = read_installation(source)
    assert (await import_installation(installation, provider, clock=clock)).complete
    await provider.erase(ANNA, HIDDEN)
    stored = await everything(provider, tmp_path)
    assert ANNA not in stored
    assert BERT in stored
    again = await import_installation(installation, provider, clock=clock)
    assert again.complete
    assert not again.done.total()
    assert again.skipped["users"] == 2
    assert await provider.profile(ANNA) is None
    assert (await audit_provider(provider)).sound


async def test_a_return_on_the_same_day_has_neither_a_second_claim_nor_fresh_caps(
    provider: DataProvider, clock: ManualClock
) -> None:
    world = await lived(provider, clock)
    services, day = world.services, world.services.live.config
    await services.bank.transfer(ADA, BO, 1_000)
    await services.daily.claim(ADA)
    await services.admin.erase(ADA, actor=ROOT, reason="as they asked")
    with pytest.raises(RefusedError, match="Already claimed"):
        await services.daily.claim(ADA)
    await services.store.purchase(ADA, "ema_plaque")
    await services.admin.grant(ADA, "gold", 30_000, actor=ROOT, reason="to send it")
    with pytest.raises(RefusedError, match="Today's cap"):
        await services.bank.transfer(ADA, BO, day.transfer.daily_cap_gold - 500)
    section = await provider.get_game_data("erased_days")
    assert section is not None
    assert ADA not in str(section)
    clock.us += DAY_US
    assert (await services.daily.claim(ADA)).reward_gold == day.daily.gold[0]
    await services.admin.erase(BO, actor=ROOT, reason="as they asked")
    assert len(DayDocument.model_validate(await provider.get_game_data("erased_days")).players) == 1
    clock.us += DAY_US
    await services.start()
    assert await provider.get_game_data("erased_days") == {}
    report = await audit_provider(provider)
    assert report.sound, str(report)
