"""docs/quickref.md and docs/modules.md say what the code says."""

from __future__ import annotations

import re

import discord
import pytest

from tests.project.checkout import ROOT
from tests.project.documents import DOCUMENTS, document


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_says_what_the_code_says(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == document(name), "run: python -m tests.project.documents"


def test_the_invitation_asks_for_the_permissions_that_are_named() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    (asked,) = re.findall(r"scope=bot\+applications\.commands&permissions=(\d+)", readme)
    (named,) = re.findall(r"permissions it needs are ([A-Z][^.]*)\.", readme)
    names = re.split(r", | and ", named)
    wanted = discord.Permissions(**{name.lower().replace(" ", "_"): True for name in names})
    assert int(asked) == wanted.value
