"""The example of an environment names every setting and shows its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values

from kokoromichi.settings import Settings
from tests.project.checkout import ROOT

if TYPE_CHECKING:
    import pytest

EXAMPLE: Final = ROOT / ".env.example"


def test_the_example_names_every_setting() -> None:
    assert {name.lower() for name in dotenv_values(EXAMPLE)} == set(Settings.model_fields)


def test_the_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(ROOT)
    shown, default = Settings(_env_file=EXAMPLE), Settings(_env_file=None)
    assert shown.model_copy(update={"economy_dir": shown.economy_dir.resolve()}) == default
