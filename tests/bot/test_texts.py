"""Every word of the bot stands in one place, is used, and says what it is given."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from kokoromichi import chat, commands
from kokoromichi.chat.texts import ENGLISH, moment, percent, refusal, say
from kokoromichi.core.kinds import KINDS
from kokoromichi.core.models import NEVER, Receipt
from kokoromichi.rules import codes
from kokoromichi.rules.catalogue import EFFECTS, Effect
from kokoromichi.rules.use import Body, UseTerms, take_effect
from kokoromichi.services import receipts
from kokoromichi.services.refusals import refused

BODY = Body(1, 0, 0, 0, 0, NEVER, NEVER, 0, 0, 0)
TERMS = UseTerms(100, 0, 100, 60, (100,), (100,))
SOURCES = sorted(path for package in (chat, commands) for path in Path(package.__path__[0]).rglob("*.py"))
KEYS = re.compile(r"[a-z_]+(\.[a-z_]+)?")


def written_keys() -> set[str]:
    """Every literal in the commands that is a text's key."""
    found: set[str] = set()
    for path in SOURCES:
        if path.name != "texts.py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ENGLISH:
                    found.add(node.value)
    return found


def starts_by_use(effect: Effect) -> bool:
    return take_effect(0, (0,), effect.number, 1, 1, 0, BODY, TERMS)[0] != codes.NOT_USABLE


def made_keys() -> set[str]:
    """Keys that are put together of a table's names."""
    acts = {
        name
        for name, found in vars(receipts).items()
        if isinstance(found, type) and issubclass(found, Receipt)
    }
    return {
        *(f"kind.{kind}" for kind in KINDS),
        *(f"effect.{name}" for name, effect in EFFECTS.items() if starts_by_use(effect)),
        *(act for act in acts if act in ENGLISH),
        *(f"history.{currency}" for currency in ("gold", "gems")),
        *(f"admin.{act}{rest}" for act in ("reset", "erase") for rest in ("", "_question")),
        *(f"economy.{direction}" for direction in ("faucet", "sink")),
    }


def test_every_text_is_used_and_every_key_that_is_put_together_has_one() -> None:
    assert made_keys() <= set(ENGLISH)
    assert set(ENGLISH) - made_keys() - written_keys() == set()


def test_every_key_that_is_said_has_a_text() -> None:
    said = {
        argument.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant)
    }
    assert len(said) > 80
    assert said <= set(ENGLISH)


def test_no_words_stand_in_a_command() -> None:
    """What players read is in ``_texts``: no embed is made of a literal."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"card", "warning"}:
                words = [arg for arg in node.args if isinstance(arg, ast.Constant) and arg.value]
                assert not words, (path.name, ast.unparse(node))


SHARES = [
    (0.0, 0, "0 %"),
    (0.5, 0, "50 %"),
    (0.001, 0, "< 1 %"),
    (0.006, 0, "1 %"),
    (0.00001, 2, "< 0.01 %"),
    (1.0, 1, "100.0 %"),
]


@pytest.mark.parametrize("key", ENGLISH)
def test_a_text_names_only_plain_values(key: str) -> None:
    for _, field, spec, conversion in string.Formatter().parse(ENGLISH[key]):
        if field is not None:
            assert field.isidentifier(), key
            assert conversion is None, key
            assert re.fullmatch(r"([<>]\d|[a-z]+)?", spec or ""), key


def test_numbers_are_grouped_and_times_are_the_readers() -> None:
    assert say("gold", gold=10**15) == "1,000,000,000,000,000 gold"
    assert [say("gems", gems=gems) for gems in (0, 1, -1, 2_000)] == [
        "0 gems",
        "1 gem",
        "-1 gem",
        "2,000 gems",
    ]
    assert moment(1_773_144_000_999_999) == "<t:1773144000:R>"


@pytest.mark.parametrize(("share", "digits", "shown"), SHARES)
def test_a_share_above_nothing_is_never_shown_as_nothing(share: float, digits: int, shown: str) -> None:
    assert percent(share, digits) == shown


def test_a_refusal_names_things_and_players_and_formats_nothing_foreign() -> None:
    names = {"echo": "Ec*ho"}
    assert refusal(refused(codes.NOT_OWNED, "echo", 0), names) == "You hold 0 of Ec\\*ho."
    assert (
        refusal(refused(codes.UNKNOWN_PLAYER, "77"), names)
        == "Player <@77> has no account yet: their first command opens one."
    )
    assert "@everyone" not in refusal(refused(codes.UNKNOWN_ITEM, "@everyone"), names)
