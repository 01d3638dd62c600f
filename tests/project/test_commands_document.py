"""docs/commands.md is what the bot's own commands say of themselves."""

from __future__ import annotations

import sys

from tests.project.checkout import ROOT, run


def test_the_document_is_the_commands() -> None:
    told = run(sys.executable, "scripts/commands_document.py", cwd=ROOT)
    assert told == (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), (
        "python scripts/commands_document.py > docs/commands.md"
    )
