"""One request id, one effect and one answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kokoromichi.core.errors import ConflictError, MisuseError, RequestMismatchError
from kokoromichi.core.models import CounterChange
from kokoromichi.core.transactions import Committed
from kokoromichi.core.validation import digest_of
from tests.contract.stored import change, entries, money, stored, user, with_counter, with_player

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.models import ChangeSet


def spend(
    version: int, after: int, *, digest: str = "spend", request_id: str = "r-1"
) -> ChangeSet[Committed]:
    """Ada spends 10 gold."""
    row = money(-10, after, "fee")
    return change(user("ada", version, row), request_id=request_id, digest=digest, answer=(after, 0))


async def test_the_same_id_again_has_one_effect_and_the_first_answer(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    assert await provider.get_response("r-1", "spend") is None
    assert await provider.apply(spend(1, 90)) == Committed(90, 0)
    before = await stored(provider)
    for again in (spend(1, 90), spend(2, 80), spend(7, 3)):  # A retry reads anew, so its change differs.
        assert await provider.apply(again) == Committed(90, 0)
    assert await provider.get_response("r-1", "spend") == Committed(90, 0)
    assert await stored(provider) == before


async def test_the_same_id_for_another_act_is_refused(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    await provider.apply(spend(1, 90))
    before = await stored(provider)
    with pytest.raises(RequestMismatchError, match="r-1 was used before") as mismatch:
        await provider.apply(spend(2, 80, digest="sell"))
    assert mismatch.value.request_id == "r-1"
    with pytest.raises(RequestMismatchError):
        await provider.get_response("r-1", "sell")
    assert await stored(provider) == before
    assert await provider.apply(spend(2, 80, request_id="r-2")) == Committed(80, 0)


async def test_the_same_id_at_the_same_moment_has_one_effect_and_one_answer(provider: DataProvider) -> None:
    """DiscordDungeons 1279: "interaction failed", clicked again, done twice."""
    await with_player(provider, "ada", gold=100)
    answers = await asyncio.gather(*(provider.apply(spend(1, 90)) for _ in range(20)))
    assert answers == [Committed(90, 0)] * 20
    profile = await provider.profile("ada")
    assert profile is not None
    assert (profile.gold, profile.version, len(await entries(provider, "ada"))) == (90, 2, 2)


async def test_who_decided_anew_meanwhile_gets_the_answer_of_what_was_stored(provider: DataProvider) -> None:
    """The second caller read what the first had just stored: its own answer tells of an act that is none."""
    await with_player(provider, "ada", gold=100)
    answers = tuple(await asyncio.gather(provider.apply(spend(1, 90)), provider.apply(spend(2, 80))))
    assert answers == (Committed(90, 0), Committed(90, 0))


async def test_an_id_whose_act_failed_is_free(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    with pytest.raises(ConflictError):
        await provider.apply(spend(5, 90))
    with pytest.raises(MisuseError):
        await provider.apply(spend(1, 91))
    assert await provider.get_response("r-1", "spend") is None
    assert await provider.apply(spend(1, 90)) == Committed(90, 0)


async def test_a_change_of_counters_alone_is_remembered(provider: DataProvider) -> None:
    await with_counter(provider, "stock.x", 5)
    for _ in range(3):
        act = change(counters=(CounterChange("stock.x", 2),), request_id="restock:x:1", digest="restock")
        await provider.apply(act)
    assert await provider.counters() == {"stock.x": 7}


async def test_rows_carry_the_callers_id_and_otherwise_one_of_their_own(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100, x=1)
    await provider.apply(spend(1, 90))
    await provider.apply(change(user("ada", 2, money(1, 91))))
    opened, held, spent, granted = await entries(provider)
    assert spent.request_id == "r-1"
    assert opened.request_id == held.request_id
    assert len({opened.request_id, spent.request_id, granted.request_id}) == 3
    assert opened.request_id.startswith("~")
    assert granted.request_id.startswith("~")
    assert opened.tx_id == held.tx_id
    assert len({opened.tx_id, spent.tx_id, granted.tx_id}) == 3


@pytest.mark.parametrize("length", [1, 64, 128])
async def test_an_id_may_have_up_to_128_characters(provider: DataProvider, length: int) -> None:
    await with_player(provider, "ada", gold=100)
    await provider.apply(spend(1, 90, request_id="a" * length))
    assert await provider.get_response("a" * length, "spend") == Committed(90, 0)


async def test_ids_that_differ_in_case_alone_are_two(provider: DataProvider) -> None:
    await with_player(provider, "ada", gold=100)
    await provider.apply(spend(1, 90, request_id="Ab.9:_-"))
    assert await provider.apply(spend(2, 80, request_id="ab.9:_-")) == Committed(80, 0)


MALFORMED = ["", "~000000000001", "~", "a b", "a/b", "../evil", "a" * 129, "é", "٣", "a\n", "\x00", "$set"]


@pytest.mark.parametrize("request_id", MALFORMED)
async def test_a_malformed_id_is_a_misuse(provider: DataProvider, request_id: str) -> None:
    await with_player(provider, "ada", gold=100)
    before = await stored(provider)
    with pytest.raises(MisuseError, match=r"request id .* is malformed"):
        await provider.apply(spend(1, 90, request_id=request_id))
    with pytest.raises(MisuseError, match=r"request id .* is malformed"):
        await provider.get_response(request_id, "spend")
    assert await stored(provider) == before


def test_a_digest_tells_acts_players_and_arguments_apart() -> None:
    asked: list[tuple[str, str, Sequence[str | int | None]]] = [
        ("purchase", "ada", ("x", 1)),
        ("sell", "ada", ("x", 1)),
        ("purchase", "bo", ("x", 1)),
        ("purchase", "ada", ("x", 2)),
        ("purchase", "ada", ("x", "1")),
        ("purchase", "ada", ("x",)),
        ("purchase", "ada", ("x", None)),
        ("purchase", "ada", ("x', 1", 1)),
        ("purchase", "ada", ("x", 10**30)),
    ]
    digests = [digest_of(operation, user_id, arguments) for operation, user_id, arguments in asked]
    assert len(set(digests)) == len(asked)
    assert {len(digest) for digest in digests} == {32}
    assert digests[0] == digest_of("purchase", "ada", ["x", 1])
