"""Every shape that outlives the process stands in one file: it changes by decision, never by accident."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

import kokoromichi.services
from kokoromichi.core import schemas
from kokoromichi.core.kinds import KINDS
from kokoromichi.core.models import Receipt, UserProfile
from kokoromichi.core.providers.local.documents import decode_profile
from kokoromichi.core.providers.mongo.documents import profile_of
from kokoromichi.services.overrides import OverridesDocument

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN: Final = Path(__file__).parent / "stored_shapes.json"
CURE: Final = (
    "what is stored has another shape now. A field may be added with a default; what was stored before must "
    "be read as before. Then write the new shapes into tests/contract/stored_shapes.json"
)


def receipts() -> list[type[Receipt]]:
    """Every receipt of the package, by its tag."""
    for module in pkgutil.iter_modules(kokoromichi.services.__path__):
        importlib.import_module(f"kokoromichi.services.{module.name}")
    for name in ("core.documents", "core.transactions", "core.copying.importing"):
        importlib.import_module(f"kokoromichi.{name}")
    found, left = [], list(Receipt.__subclasses__())
    while left:
        each = left.pop()
        left += each.__subclasses__()
        if each.__module__.startswith("kokoromichi.") and "providers.local" not in each.__module__:
            found.append(each)
    return sorted(found, key=tag_of)


def tag_of(receipt: type[Receipt]) -> str:
    """What stands in a stored answer for the class."""
    return str(msgspec.inspect.type_info(receipt).tag)  # type: ignore[attr-defined] # A struct has one.


def shapes() -> dict[str, object]:
    """Every stored shape, as JSON."""
    return {
        "receipts": {
            tag_of(each): {
                field.name: {"type": str(field.type), "required": field.required}
                for field in msgspec.structs.fields(each)
            }
            for each in receipts()
        },
        "profile": {field.name: str(field.type) for field in fields(UserProfile)},
        "schemas": {
            name: {column: str(kind) for column, kind in getattr(schemas, name).items()}
            for name in ("LEDGER_SCHEMA", "ACTIVITY_SCHEMA", "ECONOMY_HISTORY_SCHEMA", "PLAYERS_SCHEMA")
        },
        "kinds": {name: kind.book for name, kind in KINDS.items()},
        "overrides": dict(OverridesDocument.__annotations__),
    }


def test_what_is_stored_has_the_shape_that_was_decided() -> None:
    found = json.loads(json.dumps(shapes()))
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8")), CURE


def test_a_tag_is_written_out_so_that_a_class_may_be_renamed() -> None:
    decided = json.loads(GOLDEN.read_text(encoding="utf-8"))["receipts"]
    assert [tag_of(each) for each in receipts()] == sorted(decided)
    for each in receipts():
        written = f'tag="{tag_of(each)}"'
        source = Path(importlib.import_module(each.__module__).__file__ or "").read_text(encoding="utf-8")
        assert source.count(written) == 1, f"{each.__name__} derives its tag from its name"


def test_a_class_of_another_name_reads_what_the_tag_says() -> None:
    class Renamed(Receipt, frozen=True, gc=False, tag="FormerName"):
        gold: int

    assert Renamed(5).encoded() == b'{"receipt":"FormerName","gold":5}'
    assert Receipt.decoded(b'{"receipt":"FormerName","gold":5}') == Renamed(5)


OF_BEFORE: Final[dict[str, Any]] = {"version": 3, "gold": 5}
"""A player as a store held them before there were the fields that have come since."""


@pytest.mark.parametrize(
    "read",
    [
        lambda: UserProfile.of_document({"user_id": "ada", **OF_BEFORE}),
        lambda: UserProfile(user_id="ada", **OF_BEFORE),
        lambda: decode_profile(json.dumps({"user_id": "ada", **OF_BEFORE})),
        lambda: profile_of({"_id": "ada", **OF_BEFORE}),
    ],
    ids=["memory", "postgres", "local", "mongo"],
)
def test_a_player_of_before_a_field_reads_as_its_default(read: Callable[[], UserProfile]) -> None:
    profile = read()
    assert (profile.version, profile.gold, profile.auto_use) == (3, 5, 1)
    assert profile == UserProfile(user_id="ada", version=3, gold=5)
