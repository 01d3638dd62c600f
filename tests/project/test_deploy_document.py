"""docs/deploy.md is true: its commands exist with these options, its services and settings are there."""

from __future__ import annotations

import re
import shlex
from typing import Final

from kokoromichi.settings import Settings
from tests.project.checkout import ROOT, help_of

DOCUMENT: Final = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
COMPOSE: Final = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OF_COMPOSE: Final = {"COMPOSE_PROFILES", "BOT_MEMORY", "DATABASE_MEMORY", "SQLITE_TMPDIR"}
OF_COMMANDS: Final = {"MIGRATE_FROM_URL"}


def lines() -> list[list[str]]:
    """The words of every shell line."""
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    return [
        shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line.strip()
    ]


def ours() -> list[list[str]]:
    """What follows ``kokoromichi`` in those lines."""
    found = []
    for words in lines():
        for place, word in enumerate(words):
            if word.rpartition("/")[2] == "kokoromichi" and words[place + 1 : place + 2] not in ([], [">"]):
                found.append(words[place + 1 :])
    return found


def test_our_commands_exist_with_these_options() -> None:
    named = {words[0] for words in ours()}
    assert named >= {"doctor", "backup", "restore", "audit", "migrate", "economy"}
    for words in ours():
        helped = help_of(*words[: 2 if words[0] in {"economy", "ledger"} else 1])
        assert [word for word in words if word[:2] == "--" and word not in helped] == [], words


def test_the_services_that_it_names_are_there() -> None:
    services = {
        word
        for words in lines()
        if words[:2] == ["docker", "compose"] and words[2] in {"stop", "start", "run", "exec", "logs"}
        for word in words[3:]
        if word in {"bot", "postgres", "mongo"}
    }
    described, _, below = COMPOSE.partition("\nservices:\n")[2].partition("\nnetworks:\n")
    assert services == set(re.findall(r"^  (\w+):$", described, flags=re.MULTILINE))
    volumes = set(re.findall(r"^  ([\w-]+):$", below.partition("volumes:")[2], flags=re.MULTILINE))
    assert volumes >= {"players", "postgres", "mongo"}


def test_the_settings_that_it_names_are_there() -> None:
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", DOCUMENT))
    assert named - {name.upper() for name in Settings.model_fields} == OF_COMPOSE | OF_COMMANDS
    assert len(named) > 8
