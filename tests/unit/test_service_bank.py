"""Transfers and gems for gold."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.errors import RefusedError
from kokoromichi.core.models import DAY_US, SECOND_US
from kokoromichi.services.receipts import ExchangeReceipt, TransferReceipt
from tests.contract.stored import NOON_US, Row, entries
from tests.unit.service_world import DAY_S, ECONOMY, MAX, World


async def test_a_transfer_moves_the_rest_and_burns_the_fee_in_one_transaction() -> None:
    world = await World.open()
    await world.player("ada")
    await world.player("bo")
    assert await world.services.bank.transfer("ada", "bo", 1_000) == TransferReceipt("bo", 1_000, 50, 9_000)
    assert ((await world.profile("ada")).gold, (await world.profile("bo")).gold) == (9_000, 10_950)
    assert await world.booked() == [
        Row("transfer", "ada", "gold", -950, 9_050, counterparty="bo"),
        Row("fee", "ada", "gold", -50, 9_000, counterparty="bo"),
        Row("transfer", "bo", "gold", 950, 10_950, counterparty="ada"),
    ]
    moved = [entry for entry in await entries(world.provider) if entry.book == "transfers"]
    assert len({entry.tx_id for entry in moved}) == 1
    assert {entry.actor for entry in moved} == {"ada"}


@given(st.integers(2, 20_000))
def test_a_transfer_conserves_gold_but_for_the_fee(amount: int) -> None:
    async def send() -> tuple[int, int, int]:
        world = await World.open()
        await world.player("ada", gold=20_000)
        await world.player("bo", gold=0)
        receipt = await world.services.bank.transfer("ada", "bo", amount)
        return (await world.profile("ada")).gold, (await world.profile("bo")).gold, receipt.fee_gold

    ada, bo, fee = asyncio.run(send())
    assert ada + bo + fee == 20_000
    assert fee == -(-amount * 5 // 100)  # Rounded up.
    assert ada == 20_000 - amount


async def test_without_a_fee_there_is_no_row_for_one() -> None:
    world = await World.open(economy=ECONOMY.with_values({"transfer.fee_percent": 0}))
    await world.player("ada")
    await world.player("bo")
    assert await world.services.bank.transfer("ada", "bo", 1) == TransferReceipt("bo", 1, 0, 9_999)
    assert [row.kind for row in await world.booked()] == ["transfer", "transfer"]


@pytest.mark.parametrize(("share", "sent_gold"), [(1, 10_001), (2, 5_000)])
async def test_a_share_sent_again_is_the_same_request_whatever_is_left(share: int, sent_gold: int) -> None:
    world = await World.open()
    await world.player("ada", gold=10_001)
    await world.player("bo")
    bank = world.services.bank
    first = await bank.transfer_share("ada", "bo", share, request_id="r-1")
    assert (first.amount_gold, first.gold) == (sent_gold, 10_001 - sent_gold)
    assert await bank.transfer_share("ada", "bo", share, request_id="r-1") == first
    assert (await world.profile("ada")).gold == 10_001 - sent_gold


@pytest.mark.parametrize("share", [0, -1, True])
async def test_no_share_is_none(share: int) -> None:
    world = await World.open()
    await world.player("ada")
    await world.player("bo")
    with pytest.raises(RefusedError, match="The amount must be whole"):
        await world.services.bank.transfer_share("ada", "bo", share)


async def test_the_daily_cap_counts_what_was_sent_today_fees_included() -> None:
    world = await World.open()
    await world.player("ada", gold=100_000)
    await world.player("bo")
    await world.services.bank.transfer("ada", "bo", 19_000)
    with pytest.raises(RefusedError, match="Today's cap is 20,000 gold, and 19,000 of it is used"):
        await world.services.bank.transfer("ada", "bo", 1_001)
    await world.services.bank.transfer("ada", "bo", 1_000)
    with pytest.raises(RefusedError, match="and 20,000 of it is used"):
        await world.services.bank.transfer("ada", "bo", 2)
    world.clock.us = NOON_US + DAY_S * 500_000  # Midnight.
    assert (await world.services.bank.transfer("ada", "bo", 20_000)).gold == 60_000


async def test_a_cap_of_a_day_that_has_not_come_locks_nobody_and_one_within_the_skew_holds() -> None:
    world = await World.open()
    await world.player("ada", gold=100_000)
    await world.player("bo")
    await world.services.bank.transfer("ada", "bo", 20_000)
    world.clock.advance(-DAY_S)
    await world.services.bank.transfer("ada", "bo", 20_000)
    world.clock.us = NOON_US - NOON_US % DAY_US  # Another process is a second behind, on the day before.
    await world.services.bank.transfer("ada", "bo", 20_000)
    world.clock.us -= SECOND_US
    with pytest.raises(RefusedError, match="and 20,000 of it is used"):
        await world.services.bank.transfer("ada", "bo", 2)


async def test_receiving_costs_nothing_and_counts_for_no_cap() -> None:
    """Seen in dtel 26: alts claim daily and transfer to one account; fee and cap are what holds them."""
    world = await World.open()
    for number in range(3):
        await world.player(f"alt{number}", gold=20_000)
    await world.player("main", gold=0)
    for number in range(3):
        await world.services.bank.transfer(f"alt{number}", "main", 20_000)
    main = await world.profile("main")
    assert (main.gold, main.sent_gold_today, main.sent_day) == (57_000, 0, -1)


async def test_a_new_player_may_send_what_he_begins_with() -> None:
    world = await World.open()
    await world.player("bo", gold=0)
    await world.services.bank.transfer("zoe", "bo", 10_000)
    assert [(row.kind, row.user_id, row.balance_after) for row in await world.booked()] == [
        ("opening", "zoe", 10_000),
        ("opening", "zoe", 100),
        ("transfer", "zoe", 500),
        ("fee", "zoe", 0),
        ("transfer", "bo", 9_500),
    ]
    assert (await audit_provider(world.provider)).sound


async def test_nobody_gets_an_account_by_being_sent_to() -> None:
    world = await World.open()
    with pytest.raises(RefusedError, match="Player zoe has no account yet"):
        await world.services.bank.transfer("ada", "zoe", 100)
    assert await world.provider.user_ids() == []


async def test_packs_of_gems_cost_gold_by_a_row_each_way() -> None:
    world = await World.open()
    await world.player("ada")
    assert await world.services.bank.buy_gems("ada", 2) == ExchangeReceipt(2, 8_000, 200, 2_000, 300)
    assert await world.booked("ada") == [
        Row("exchange", "ada", "gold", -8_000, 2_000),
        Row("exchange", "ada", "gems", 200, 300),
    ]
    assert not hasattr(world.services.bank, "sell_gems")


async def test_one_pack_is_bought_where_no_number_is_given_and_the_cap_can_be_reached() -> None:
    world = await World.open()
    await world.player("ada", gold=4_000, gems=MAX - 100)
    assert await world.services.bank.buy_gems("ada") == ExchangeReceipt(1, 4_000, 100, 0, MAX)


async def test_the_receiver_may_be_filled_to_the_brim() -> None:
    world = await World.open()
    await world.player("ada")
    await world.player("bo", gold=MAX - 95)
    await world.services.bank.transfer("ada", "bo", 100)
    assert (await world.profile("bo")).gold == MAX


async def test_a_balance_beyond_the_cap_can_only_fall() -> None:
    """Red 2562: behaviour at the cap is defined; an import may bring more than a rule gives."""
    world = await World.open()
    await world.player("ada", gold=2 * MAX)
    await world.player("bo", gold=0)
    with pytest.raises(RefusedError, match="would pass the most"):
        await world.services.daily.claim("ada")
    await world.services.bank.transfer("ada", "bo", 20_000)
    await world.services.store.purchase("ada", "health_potion")
    assert (await world.profile("ada")).gold == 2 * MAX - 20_100
