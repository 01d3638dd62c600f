"""The table of codes: complete, without doubles, and made of plain integers that compile."""

from __future__ import annotations

import re

from kokoromichi.rules import codes

NOT_CODES = {"MAX_BALANCE", "NO_LIMIT", "CODE_NAMES"}


def test_every_code_has_the_text_of_its_name() -> None:
    values = {name: value for name, value in vars(codes).items() if name.isupper() and name not in NOT_CODES}
    assert {value: name.lower() for name, value in values.items()} == codes.CODE_NAMES


def test_codes_count_up_from_ok() -> None:
    assert list(codes.CODE_NAMES) == list(range(len(codes.CODE_NAMES)))
    assert codes.CODE_NAMES[codes.OK] == "ok"


def test_texts_are_snake_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", text) for text in codes.CODE_NAMES.values())


def test_the_bounds_are_exact_in_a_json_number() -> None:
    assert codes.MAX_BALANCE == 9_007_199_254_740_991
    assert int(float(codes.MAX_BALANCE)) == codes.MAX_BALANCE
    assert codes.NO_LIMIT == codes.MAX_BALANCE
