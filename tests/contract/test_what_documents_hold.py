"""What a document may hold is defined once: every store gives it back equal, or every store refuses it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timezone
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.core import documents as documents_module
from kokoromichi.core.bulk_load import Batch, UserSnapshot
from kokoromichi.core.documents import MOST_BYTES, MOST_LEVELS, checked_document
from kokoromichi.core.errors import MisuseError
from kokoromichi.core.models import UserProfile
from tests.contract.stored import stored, with_player

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document


class Color(IntEnum):
    """A whole number that is more than one."""

    RED = 1


def nested(levels: int) -> Any:
    """Lists inside one another."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def endless() -> list[Any]:
    """A list that holds itself."""
    itself: list[Any] = []
    itself.append(itself)
    return itself


UNFIT: Final[dict[str, tuple[Any, str]]] = {
    "NUL": ("a\0b", r"a text with a NUL .* at a\.x\[1\], .*: take the character out"),
    "half a surrogate pair": ("\ud800", r"a text with a NUL or half .* at a\.x\[1\]"),
    "a dollar key": ({"$set": 1}, r"the key '\$set' at a\.x\[1\], .*: rename it"),
    "a dotted key": ({"a.b": 1}, r"the key 'a\.b' at a\.x\[1\], .*: rename it"),
    "a NUL in a key": ({"a\0": 1}, r"the key .* with a NUL"),
    "a surrogate in a key": ({"\ud800": 1}, r"the key .* half of a surrogate"),
    "a number for a key": ({1: 2}, r"the key 1 at a\.x\[1\], .*: make every key a text"),
    "beyond 64 bits": (2**63, r"a whole number beyond 64 bits at a\.x\[1\], .*: save it as a text"),
    "far beyond": (2**70, "a whole number beyond 64 bits"),
    "below 64 bits": (-(2**63) - 1, "a whole number beyond 64 bits"),
    "not a number": (float("nan"), r"nan at a\.x\[1\], .*: save a finite number or null"),
    "infinite": (float("-inf"), "-inf at"),
    "bytes": (b"x", "a bytes at"),
    "a moment": (datetime(2026, 3, 10, tzinfo=timezone.utc), "a datetime at"),
    "a tuple": ((1, 2), "a tuple at"),
    "a set": ({1}, "a set at"),
    "an object": (object(), "an object at"),
    "an enumeration": (Color.RED, "a Color, a subclass of int at"),
    "an ordered dict": (OrderedDict(a=1), "an OrderedDict, a subclass of dict at"),
    "deep": (nested(3_000), rf"more than {MOST_LEVELS} levels at a\.x\[1\]\[0\]"),
    "endless": (endless(), "levels at"),
    "large": ("x" * MOST_BYTES, r"over 15728640 bytes, .*: split it"),
}


@pytest.mark.parametrize(("value", "told"), UNFIT.values(), ids=UNFIT.keys())
async def test_what_one_store_cannot_hold_none_takes_by_any_door(
    provider: DataProvider, value: Any, told: str
) -> None:
    await with_player(provider, "ada", gold=100)
    await provider.save_game_data("guilds", {"a": 1})
    before = await stored(provider)
    document: Document = {"a": {"x": [0, value]}}
    batches = (
        Batch(sections={"guilds": document}),
        Batch(users=(UserSnapshot(0, UserProfile("bo", version=1, unknown=document)),)),
    )
    for who, doors in {
        "section guilds": (
            provider.save_game_data("guilds", document),
            provider.load(batches[0]),
        ),
        "the document of player ada": (provider.save_user("ada", {"gold": 7, **document}),),
        "the document of player bo": (
            provider.save_user("bo", {"gold": 7, **document}),
            provider.load(batches[1]),
        ),
    }.items():
        for door in doors:
            with pytest.raises(MisuseError, match=f"{who} (holds|has) .*{told}"):
                await door
    assert await stored(provider) == before
    assert await provider.get_game_data("guilds") == {"a": 1}


@pytest.mark.parametrize("none", [[1, 2], "text", None, 1, OrderedDict(a=1)], ids=repr)
async def test_what_is_no_mapping_is_no_document(provider: DataProvider, none: Any) -> None:
    with pytest.raises(MisuseError, match=r"section guilds is .*, not a mapping: give a dict"):
        await provider.save_game_data("guilds", none)
    with pytest.raises(MisuseError, match=r"the document of player ada is .*, not a mapping"):
        await provider.save_user("ada", none)
    assert await provider.get_game_data("guilds") is None
    assert await provider.user_ids() == []


async def test_a_document_that_grows_past_the_bound_bit_by_bit_is_refused(provider: DataProvider) -> None:
    half: Document = {"first": "x" * (MOST_BYTES // 2)}
    await provider.save_user("ada", half)
    with pytest.raises(MisuseError, match="the document of player ada has over"):
        await provider.save_user("ada", {"second": "x" * (MOST_BYTES // 2)})
    assert "second" not in (await provider.get_user("ada") or {})


async def test_a_name_is_text_that_every_store_can_hold(provider: DataProvider) -> None:
    with pytest.raises(MisuseError, match=r"the document of player ada holds a text with a NUL .* at name"):
        await provider.save_user("ada", {"name": "a\0b"})
    assert await provider.user_ids() == []


TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
ODD: Final = st.sampled_from(
    [2**63, float("inf"), b"", (1,), {1: 1}, {"$a": 1}, {"a.": 1}, "\0", "\udfff", nested(70), Color.RED]
)


def documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of these values, with keys of which some are odd."""
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    )
    return st.dictionaries(TEXTS.map(lambda name: f"k{name}"), values, max_size=4)


def same(first: object, second: object) -> bool:
    """Equal, and of the same types throughout: 1, 1.0 and true are three values."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def is_fit(document: object) -> bool:
    """What the definition says."""
    try:
        checked_document(document, "it")
    except MisuseError:
        return False
    return True


async def taken(provider: DataProvider, document: dict[str, Any]) -> None:
    """Put a document through the doors; it is given back the same, or refused and nothing is stored."""
    before = await provider.get_game_data("guilds"), await provider.get_user("ada")
    doors: tuple[Callable[[], Any], ...] = (
        lambda: provider.save_game_data("guilds", document),
        lambda: provider.save_user("ada", {"kept": document}),
    )
    for door in doors:
        if is_fit({"kept": document}):
            await door()
        else:
            with pytest.raises(MisuseError):
                await door()
    found = await provider.get_game_data("guilds"), await provider.get_user("ada")
    if is_fit({"kept": document}):
        assert same(found[0], document)
        assert same((found[1] or {})["kept"], document)
    else:
        assert found == before


async def test_whatever_is_accepted_comes_back_the_same_and_what_is_refused_leaves_nothing(
    provider: DataProvider,
) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(document=documents(PLAIN) | documents(PLAIN | ODD))
    def put(document: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(taken(provider, document), loop).result()

    await asyncio.to_thread(put)


@pytest.mark.parametrize(
    "value", [1e16, -1e300, 5e-324, 1e15, 0.1, 1.0, 2**63 - 1, -(2**63), 1, True], ids=repr
)
async def test_numbers_keep_their_value_and_their_type(provider: DataProvider, value: float) -> None:
    await provider.save_game_data("guilds", {"a": [value, {"b": value}]})
    await provider.save_user("ada", {"a": [value, {"b": value}]})
    for found in (await provider.get_game_data("guilds"), await provider.get_user("ada")):
        assert same((found or {})["a"], [value, {"b": value}])


async def test_a_document_of_the_most_levels_and_bytes_is_taken(provider: DataProvider) -> None:
    deep: Document = {"a": nested(MOST_LEVELS - 1)}
    wide: Document = {"a": "x" * (MOST_BYTES - 100)}
    for document in (deep, wide):
        await provider.save_game_data("guilds", document)
        assert await provider.get_game_data("guilds") == document
        await provider.save_user("ada", {**document, "a": document["a"] if document is deep else "y"})
    with pytest.raises(MisuseError, match="levels"):
        await provider.save_game_data("guilds", {"a": nested(MOST_LEVELS)})


PARTS: Final[tuple[Any, ...]] = (1, 2**62, 0.5, "", "é" * 50, None, True, [], {}, {"key": 1})


@pytest.mark.parametrize(
    ("part", "most_bytes"), [*((part, 2**18) for part in PARTS), (1, MOST_BYTES)], ids=repr
)
def test_no_document_is_larger_for_mongodb_than_it_counts_here(
    part: Any, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count of few bytes says as much as that of the most, which takes a minute to walk through."""
    monkeypatch.setattr(documents_module, "MOST_BYTES", most_bytes)
    parts = most_bytes // 11
    while is_fit({"a": [part] * parts}):
        parts += parts // 14
    while not is_fit({"a": [part] * parts}):
        parts = parts * 9 // 10
    assert len(bson.encode({"a": [part] * parts})) <= most_bytes
