"""What operators set, by environment or ``.env``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from pydantic import SecretStr, ValidationError

from kokoromichi import settings as module
from kokoromichi.core.models import UserProfile
from kokoromichi.operation.exits import exit_on_error
from kokoromichi.settings import Settings, shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that says nothing, in a folder without ``.env``."""
    for name in ("PROVIDER", "ECONOMY_DIR", "DATA_DIR", "MIRROR_DIR", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_word_everything_has_a_default() -> None:
    settings = Settings()
    assert (settings.provider, settings.data_dir, settings.log_level) == ("local", Path("data"), "INFO")
    assert settings.economy_dir == ROOT / "data"
    assert settings.chosen_economy_dir is None
    assert (settings.mirror_dir, settings.mirror_seconds) == (None, 300)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PROVIDER": "postgres",
        "ECONOMY_DIR": "/e",
        "DATA_DIR": "/d",
        "LOG_LEVEL": "debug",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.provider, settings.data_dir, settings.log_level) == ("postgres", Path("/d"), "DEBUG")
    assert settings.economy_dir == settings.chosen_economy_dir == Path("/e")


def test_a_dotenv_file_is_read_and_the_environment_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# what operators set\nPROVIDER=mongo\nLOG_LEVEL=warning\nDATA_DIR=dätä\nDISCORD_TOKEN=secret\n"
    (folder / ".env").write_text(text, "utf-8")
    monkeypatch.setenv("PROVIDER", "memory")
    settings = Settings()
    assert (settings.provider, settings.log_level, settings.data_dir) == ("memory", "WARNING", Path("dätä"))
    assert "secret" not in repr(settings)


def test_a_value_of_a_dotenv_file_is_taken_as_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "expanded")
    (folder / ".env").write_text(
        "DATABASE_PASSWORD='a${X}b $X #c'\nDISCORD_TOKEN=t${X}\nLOG_LEVEL\n", "utf-8"
    )
    settings = Settings()
    assert settings.database_password.get_secret_value() == "a${X}b $X #c"
    assert settings.discord_token.get_secret_value() == "t${X}"
    assert settings.log_level == "INFO"


@pytest.mark.parametrize("level", ["loud", "10", "TRACE", " INFO"])
def test_a_bad_log_level_is_told_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    sentence = f"LOG_LEVEL is {level!r}; there are: CRITICAL, ERROR, WARNING, INFO, DEBUG"
    with pytest.raises(ValidationError, match=sentence):
        Settings()


@pytest.mark.parametrize(("said", "meant"), [("", None), ("/m", Path("/m"))])
def test_an_empty_mirror_dir_is_none(monkeypatch: pytest.MonkeyPatch, said: str, meant: Path | None) -> None:
    monkeypatch.setenv("MIRROR_DIR", said)
    assert Settings().mirror_dir == meant


def test_a_tilde_is_the_home_folder_as_in_a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATA_DIR", "~/kokoro")
    monkeypatch.setenv("HEARTBEAT_FILE", "a~b")
    settings = Settings()
    assert (settings.data_dir, settings.heartbeat_file) == (tmp_path / "kokoro", Path("a~b"))
    monkeypatch.setenv("DATA_DIR", "~nobody-at-all/kokoro")
    with pytest.raises(ValidationError, match="names nobody's home folder: write the path out"):
        Settings()


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("postgresql://u@h/d", "postgresql://u:p%40%2F%3A@h/d"),
        ("mongodb+srv://u@h1,h2/d?x=y", "mongodb+srv://u:p%40%2F%3A@h1,h2/d?x=y"),
        ("postgresql://u:own@h/d", "postgresql://u:own@h/d"),
        ("postgresql://h/d", "postgresql://h/d"),
        ("postgresql:///d?user=u@h", "postgresql:///d?user=u@h"),
    ],
)
@pytest.mark.parametrize("given", [str, SecretStr])
def test_a_password_goes_into_an_address_that_names_a_user_and_none(
    url: str, whole: str, given: Callable[[str], Any]
) -> None:
    settings = Settings(database_url=given(url), database_password=given("p@/:"))
    assert settings.database_url.get_secret_value() == whole


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().provider = "mongo"  # type: ignore[misc] # What is refused.


def test_what_is_shipped_is_found_in_the_checkout() -> None:
    assert shipped_folder("data") == ROOT / "data"
    assert shipped_folder("scenarios") == ROOT / "simulations" / "scenarios"
    assert shipped_folder("populations") == ROOT / "simulations" / "populations"


def test_what_is_shipped_is_found_in_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("data", "scenarios"):
        (tmp_path / "kokoromichi" / "_shipped" / name).mkdir(parents=True)
    monkeypatch.setattr(module, "_PACKAGE", tmp_path / "kokoromichi")
    assert shipped_folder("data") == tmp_path / "kokoromichi" / "_shipped" / "data"
    assert shipped_folder("scenarios") == tmp_path / "kokoromichi" / "_shipped" / "scenarios"
    assert shipped_folder("populations") == tmp_path / "simulations" / "populations"


@pytest.mark.parametrize("name", ["DEBOUNCE_SECONDS", "CACHE_TTL", "MIRROR_SECONDS"])
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon"])
def test_a_number_of_seconds_is_one(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_only_a_setting_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CACHE_TTL", "inf")
    with pytest.raises(typer.Exit) as ended, exit_on_error():
        Settings()
    said = "Error: CACHE_TTL is 'inf': input should be a finite number\n"
    assert (ended.value.exit_code, capsys.readouterr().err) == (2, said)
    with pytest.raises(ValidationError), exit_on_error():
        UserProfile.of_document({"user_id": "ada", "gold": -1})


@pytest.mark.parametrize("nothing", ["", "''", "   # nothing"])
def test_an_empty_line_is_no_value_of_any_setting_nor_is_an_empty_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    by_default = Settings()
    lines = [f"{name.upper()}={nothing}\n" for name in Settings.model_fields]
    (folder / ".env").write_text("".join(lines), "utf-8")
    monkeypatch.setenv("ECONOMY_DIR", "")
    assert Settings() == by_default
    assert Settings().chosen_economy_dir is None
