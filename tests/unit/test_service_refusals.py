"""Every refusal of every act: its code, its numbers, its sentence; and nothing happened."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from kokoromichi import services
from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import MisuseError, RefusedError
from kokoromichi.rules import codes
from kokoromichi.services.refusals import REFUSALS, refused
from tests.contract.stored import stored
from tests.unit.passing_providers import PassingProvider
from tests.unit.refusal_cases import CASES, MONEY, PLAY
from tests.unit.refusal_cases_store import PLAQUES, STORE, Case
from tests.unit.service_world import ECONOMY, MAX, World

if TYPE_CHECKING:
    from collections.abc import Mapping


def name_of(case: Case) -> str:
    asked = "-".join(map(str, (each for each in case.arguments[1:] if not callable(each))))
    return f"{case.act}-{asked}-{case.code}"


def told(name: str, number: object) -> str:
    """A number as the player reads it: a time as a time, thousands apart."""
    if name.endswith("_us"):
        assert isinstance(number, int)
        return f"{moment_of(number):%Y-%m-%d %H:%M:%S} UTC"
    return f"{number:,}" if type(number) is int else str(number)


@pytest.mark.parametrize("case", CASES, ids=name_of)
async def test_an_act_is_refused_with_its_numbers_and_nothing_happens(case: Case) -> None:
    """DiscordDungeons 1193 and lecashbot 29: a negative quantity mints gold, ``-50x`` passes the check."""
    world = await World.open(economy=ECONOMY.with_values(case.economy))
    await world.player("bo")
    await world.player("ada", **case.ada)  # type: ignore[arg-type] # Of all shapes.
    before = await stored(world.provider)
    for request_id in (None, "r-1", "r-1"):
        with pytest.raises(RefusedError) as refusal:
            await world.ask(case.act, *case.arguments, **case.options, request_id=request_id)
        assert (refusal.value.code, refusal.value.numbers) == (case.code, case.numbers)
        sentence = str(refusal.value)
        assert all(told(name, number) in sentence for name, number in case.numbers.items())
        assert "{" not in sentence
    assert await stored(world.provider) == before


@pytest.mark.parametrize("case", [*STORE[::5], *MONEY[::5], *PLAY[::3]], ids=name_of)
async def test_the_long_way_to_the_store_refuses_the_same(case: Case) -> None:
    inner = await World.open(economy=ECONOMY.with_values(case.economy))
    await inner.player("bo")
    await inner.player("ada", **case.ada)  # type: ignore[arg-type] # Of all shapes.
    world = await World.open(PassingProvider(inner.provider), ECONOMY.with_values(case.economy), inner.clock)
    before = await stored(world.provider)
    with pytest.raises(RefusedError) as refusal:
        await world.ask(case.act, *case.arguments, **case.options)
    assert (refusal.value.code, refusal.value.numbers) == (case.code, case.numbers)
    assert await stored(world.provider) == before


RECEIVERS_REFUSE: Final = [
    ("bank.transfer", ("ada", "bo", 100), {"gold": MAX - 94}, "balance_cap", {"cap": MAX}),
    (
        "store.gift",
        ("ada", "bo", "ema_plaque", 2),
        PLAQUES,
        "over_limit",
        {"limit_units": 5, "owned_units": 4},
    ),
]


@pytest.mark.parametrize(("act", "arguments", "bo", "code", "numbers"), RECEIVERS_REFUSE)
async def test_what_the_receiver_cannot_hold_stays_with_the_sender(
    act: str,
    arguments: tuple[object, ...],
    bo: Mapping[str, object],
    code: str,
    numbers: Mapping[str, object],
) -> None:
    """Red 2923 and 2562: a transfer over the cap destroys the gold."""
    world = await World.open()
    await world.player("ada", items={"ema_plaque": 4})
    await world.player("bo", **bo)  # type: ignore[arg-type] # Of all shapes.
    before = await stored(world.provider)
    with pytest.raises(RefusedError) as refusal:
        await world.ask(act, *arguments)
    assert (refusal.value.code, refusal.value.numbers) == (code, numbers)
    assert await stored(world.provider) == before


REFUSED_TO_STRANGERS: Final = [
    ("store.sell", ("zoe", "ema_plaque")),
    ("store.use", ("zoe", "ema_plaque")),
    ("store.gift", ("zoe", "bo", "ema_plaque")),
    ("store.purchase", ("zoe", "phoenix_feather")),
    ("bank.transfer", ("zoe", "bo", 10_001)),
    ("summon.summon", ("zoe", 10)),
    ("progress.collect", ("zoe",)),
    ("progress.invest", ("zoe", "dojo")),
]


@pytest.mark.parametrize(("act", "arguments"), REFUSED_TO_STRANGERS)
async def test_a_refusal_opens_no_account(act: str, arguments: tuple[object, ...]) -> None:
    world = await World.open()
    world.rolls += [0]
    await world.player("bo")
    before = await stored(world.provider)
    with pytest.raises(RefusedError):
        await world.ask(act, *arguments)
    assert await stored(world.provider) == before


ASKED_BY: Final = [
    ("store.purchase", ("ema_plaque",)),
    ("store.sell", ("ema_plaque",)),
    ("store.gift", ("bo", "ema_plaque")),
    ("store.get_user_inventory", ()),
    ("daily.claim", ()),
    ("bank.transfer", ("bo", 100)),
    ("bank.buy_gems", ()),
    ("summon.summon", ()),
    ("progress.train", ()),
    ("progress.invest", ("cafe",)),
    ("progress.collect", ()),
]


@pytest.mark.parametrize("user_id", ["../evil", "", "a" * 65, "system", "٣"])
@pytest.mark.parametrize(("act", "arguments"), ASKED_BY)
async def test_an_id_that_nobody_may_have_is_a_misuse(
    act: str, arguments: tuple[object, ...], user_id: str
) -> None:
    world = await World.open()
    await world.player("bo")
    before = await stored(world.provider)
    with pytest.raises(MisuseError, match="user id"):
        await world.ask(act, user_id, *arguments)
    if act in {"store.gift", "bank.transfer"}:
        with pytest.raises(MisuseError, match="user id"):
            await world.ask(act, "bo", user_id, *arguments[1:])
    assert await stored(world.provider) == before


def test_every_code_has_a_sentence_but_those_of_the_bot() -> None:
    assert set(codes.CODE_NAMES) - set(REFUSALS) == {codes.OK, codes.CLOSED}
    named = {
        node.attr
        for path in Path(services.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "codes"
    }
    assert {"TOO_POOR", "TIER_UNKNOWN"} < named
    assert "CLOSED" not in named


@pytest.mark.parametrize("code", REFUSALS)
def test_every_sentence_is_made_of_its_numbers(code: int) -> None:
    refusal = REFUSALS[code]
    assert refusal.code == codes.CODE_NAMES[code]
    numbers = [10_000 + place for place in range(len(refusal.numbers))]
    sentence = str(refused(code, *numbers))
    assert all(told(name, number) in sentence for name, number in zip(refusal.numbers, numbers, strict=True))
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_every_refusal_that_services_raise_is_in_these_tests() -> None:
    assert {case.code for case in CASES} == {refusal.code for refusal in REFUSALS.values()}
