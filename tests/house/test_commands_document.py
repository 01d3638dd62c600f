"""docs/commands.md is what the bot's own commands say of themselves."""

from __future__ import annotations

import sys

from tests.house.checkout import ROOT, run


def test_the_document_is_the_commands() -> None:
    told = run(sys.executable, "-m", "kokoromichi.commands", cwd=ROOT)
    assert told == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), (
        "python -m kokoromichi.commands > docs/commands.md"
    )
