"""The example of an environment names every setting and shows its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values

from kokoromichi.settings import Settings
from tests.project.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EXAMPLE: Final = ROOT / ".env.example"


def test_the_example_names_every_setting() -> None:
    assert {name.lower() for name in dotenv_values(EXAMPLE)} == set(Settings.model_fields)


def test_the_example_shows_the_defaults_wherever_it_is_copied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_bytes(EXAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert Settings() == Settings(_env_file=None)
    assert Settings().chosen_economy_dir is None


def test_an_empty_line_is_no_value_for_any_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_text("".join(f"{name.upper()}=\n" for name in Settings.model_fields), "utf-8")
    monkeypatch.chdir(tmp_path)
    default = Settings(_env_file=None)
    assert Settings() == default
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings() == default
