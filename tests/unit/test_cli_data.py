"""Migrate, ledger export and audit on the command line: what they print, and their exit codes."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from kokoromichi.analysis.ledger import Ledger
from kokoromichi.cli.app import app
from kokoromichi.core.clock import ManualClock, SystemClock
from kokoromichi.core.copying.marking import refuse_half_moved
from kokoromichi.core.errors import ConfigurationError, StorageError
from kokoromichi.core.providers.local_json import LocalJSONProvider
from tests.servers.postgres import fresh_postgres_database
from tests.unit.old_folder import ANNA, snapshot, write

if TYPE_CHECKING:
    from typer.testing import Result

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "tests" / "fixtures" / "reference_data"
EXPECTED: dict[str, Any] = json.loads((FIXTURE / "expected.json").read_text(encoding="utf-8"))
USAGE, AUDIT_FAILED, STORAGE_FAILED = 2, 3, 4


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(FIXTURE / "data", tmp_path_factory.mktemp("old") / "data"))


@pytest.fixture(scope="module")
def migrated(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh local folder that the fixture was migrated to."""
    target = tmp_path_factory.mktemp("new") / "data"
    before = snapshot(source)
    result = invoke("migrate", "--provider", "local", "--data-dir", source, "--target-dir", target)
    assert result.exit_code == 0, result.output
    assert snapshot(source) == before
    return target


def test_migrate_says_what_it_did(source: Path, migrated: Path) -> None:
    result = invoke("migrate", "--provider", "local", "--data-dir", source, "--target-dir", migrated)
    assert result.exit_code == 0
    assert "users 40" in result.stdout
    assert "Refused: users/u1.json: bad_user_id" in result.stdout


def test_a_second_run_adds_nothing(source: Path, migrated: Path) -> None:
    result = invoke(
        "migrate", "--provider", "local", "--data-dir", source, "--target-dir", migrated, "--json"
    )
    said = json.loads(result.stdout)
    assert said["complete"] is True
    assert set(said["planned"].values()) == set(said["done"].values()) == {0}
    assert said["skipped"]["users"] == EXPECTED["totals"]["users"]
    assert said["installation"]["refused"] == EXPECTED["refused"]


def test_a_dry_run_needs_no_database_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    for provider in ("mongo", "postgres"):
        result = invoke("migrate", "--provider", provider, "--data-dir", source, "--dry-run", "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["planned"]["users"] == EXPECTED["totals"]["users"]
    target = tmp_path / "new"
    invoke("migrate", "--provider", "local", "--data-dir", source, "--target-dir", target, "--dry-run")
    assert not target.exists()


def test_a_store_goes_to_a_database_to_another_one_and_back_to_files(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (asyncio.run(fresh_postgres_database()) for _ in range(2))
    monkeypatch.setenv("DATABASE_URL", first)
    moved = [invoke("migrate", "--to", "postgres", "--data-dir", migrated, "--json")]
    monkeypatch.setenv("DATABASE_URL", second)
    again = ("migrate", "--from", "postgres", "--to", "postgres")
    refused = invoke(*again)
    assert refused.exit_code == USAGE
    assert "name the source in MIGRATE_FROM_URL" in refused.stderr
    monkeypatch.setenv("MIGRATE_FROM_URL", first)
    moved.append(invoke(*again, "--json"))
    monkeypatch.delenv("MIGRATE_FROM_URL")
    back = ("migrate", "--from", "postgres", "--to", "local", "--target-dir", tmp_path / "back")
    moved.append(invoke(*back, "--json"))
    assert [each.exit_code for each in moved] == [0, 0, 0]
    verified = [json.loads(each.stdout)["verified"] for each in moved]
    assert verified[0] == verified[1] == verified[2] != {}
    assert not sum(json.loads(invoke(*back, "--json").stdout)["planned"].values())
    wrong = invoke(*back, "--data-dir", migrated)
    assert (wrong.exit_code, "are of --from local" in wrong.stderr) == (USAGE, True)


def test_the_report_goes_to_a_file(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    invoke("migrate", "--provider", "mongo", "--data-dir", source, "--dry-run", "--report", file)
    said = json.loads(file.read_text(encoding="utf-8"))
    for user_id, user in EXPECTED["users"].items():
        assert said["installation"]["users"][user_id]["import_row"] == user["import_row"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("local",), "needs --target-dir"),
        (("local", "--target-dir", "OLD"), "lies in the source"),
        (("local", "--target-dir", "OLD/new"), "lies in the source"),
        (("mongo", "--target-dir", "NEW"), "--target-dir is for --to local"),
        (("mongo", "--time-zone", "Mars/Base"), "no time zone 'Mars/Base'"),
        (("mongo", "--data-dir", "EMPTY"), "holds no users.json and no users/"),
        (("mongo", "--data-dir", "NOTHING"), "is no folder: name the data folder"),
        (("mongo", "--second-data-dir", "NOTHING"), "is no folder: name the data folder"),
        (("mongo", "--second-data-dir", "OURS"), "is a folder of KoKoroMichi's own: migrate it by itself"),
        (("mongo", "--data-dir", "OURS", "--second-data-dir", "OLD"), "is a folder of KoKoroMichi's own"),
        (("mongo", "--dry-run", "--report", "OLD/users.json"), "--report OLD/users.json lies in the source"),
    ],
)
def test_a_wrong_word_is_usage_and_writes_nothing(
    source: Path, migrated: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    names = {
        name: source / name.removeprefix("OLD").lstrip("/") for name in ("OLD", "OLD/new", "OLD/users.json")
    }
    names |= {
        "NEW": tmp_path / "new",
        "EMPTY": tmp_path / "empty",
        "OURS": migrated,
        "NOTHING": tmp_path / "x",
    }
    before = snapshot(source)
    result = invoke("migrate", "--data-dir", source, "--provider", *(names.get(word, word) for word in words))
    assert result.exit_code == USAGE
    assert sentence.replace("OLD", str(source)) in " ".join(result.stderr.split())
    assert snapshot(source) == before


def test_a_list_of_erasures_that_is_not_there_hides_nobody_and_is_refused(
    migrated: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.sqlite3"
    assert invoke("backup", backup, "--data-dir", migrated).exit_code == 0
    for words in (("--target-dir", tmp_path / "new"), ("--provider", "mongo")):
        refused = invoke("restore", backup, "--data-dir", tmp_path / "mistyped", *words)
        assert (refused.exit_code, "is no folder: the list of erasures" in refused.stderr) == (USAGE, True)
    assert not (tmp_path / "new").exists()


def test_a_source_that_cannot_be_read_is_storage(tmp_path: Path) -> None:
    folder = write(tmp_path / "old", {"users.json": "{", "users.json.backup": "[]"})
    result = invoke("migrate", "--provider", "local", "--data-dir", folder, "--target-dir", tmp_path / "new")
    assert result.exit_code == STORAGE_FAILED
    assert "cut or damaged, and so is its backup: nothing was changed" in " ".join(result.stderr.split())
    assert not (tmp_path / "new").exists()


def test_an_incomplete_migration_lists_what_failed(tmp_path: Path) -> None:
    target = tmp_path / "new"
    for gold in (1, 2):
        folder = write(tmp_path / "old", {"users.json": {ANNA: {"gold": gold}}})
        result = invoke("migrate", "--provider", "local", "--data-dir", folder, "--target-dir", target)
    assert result.exit_code == STORAGE_FAILED
    assert f"Failed: user {ANNA}: imported before, and the source has changed since" in result.stdout
    assert "nothing needs to be undone" in " ".join(result.stderr.split())


def test_whoever_was_erased_in_the_target_stays_erased_however_the_source_has_changed(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"

    async def erased(user_ids: list[str]) -> None:
        async with LocalJSONProvider(new) as store:
            await store.erase(ANNA, "erased-1")
            assert await store.user_ids() == user_ids

    words = ("migrate", "--provider", "local", "--data-dir", old, "--target-dir", new)
    write(old, {"users.json": {ANNA: {"gold": 500}}})
    assert invoke(*words).exit_code == 0
    copied = ("--data-dir", new, "--target-dir", tmp_path / "ours")
    assert invoke("migrate", "--provider", "local", *copied).exit_code == 0
    asyncio.run(erased(["erased-1"]))
    write(old, {"users.json": {ANNA: {"gold": 600}}})
    assert invoke(*words).exit_code == 0
    refused = invoke("migrate", "--to", "local", "--data-dir", tmp_path / "ours", "--target-dir", new)
    assert f"Failed: user {ANNA}: was erased in the target; no copy brings anybody back" in " ".join(
        refused.stdout.split()
    )
    asyncio.run(erased(["erased-1"]))


def test_a_store_that_was_filled_by_half_is_known_until_the_same_command_ends(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("migrate", "--provider", "local", "--data-dir", source, "--target-dir", tmp_path / "new")

    async def cut_off(*_args: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as broken:
        for way in ("load", "apply"):
            broken.setattr(LocalJSONProvider, way, cut_off)
        assert invoke(*words).exit_code == STORAGE_FAILED

    async def opened() -> None:
        async with LocalJSONProvider(tmp_path / "new") as store:
            await refuse_half_moved(store)

    with pytest.raises(ConfigurationError, match="was being filled from an existing installation, and not"):
        asyncio.run(opened())
    assert invoke(*words).exit_code == 0
    asyncio.run(opened())


def test_a_migration_that_is_refused_leaves_the_target_as_whole_as_it_was(
    migrated: Path, tmp_path: Path
) -> None:
    async def mirrored() -> None:
        async with LocalJSONProvider(tmp_path / "mirror") as mirror:
            await mirror.mark_mirror("postgres", 5)

    asyncio.run(mirrored())
    words = ("--from", "local", "--data-dir", tmp_path / "mirror", "--to", "local", "--target-dir", migrated)
    refused = invoke("migrate", *words)
    assert (refused.exit_code, "is a mirror of postgres" in refused.stderr) == (USAGE, True)
    assert invoke("backup", tmp_path / "backup.sqlite3", "--data-dir", migrated).exit_code == 0


def test_a_database_that_is_no_source_stays_as_it_is_and_makes_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", asyncio.run(fresh_postgres_database()))
    back = ("migrate", "--from", "postgres", "--to", "local", "--target-dir", tmp_path / "new")
    for words in ((*back, "--dry-run"), back):  # The second one would find what the first one made.
        refused = invoke(*words)
        assert (refused.exit_code, "holds nothing of KoKoroMichi yet" in refused.stderr) == (USAGE, True)
    assert not (tmp_path / "new").exists()


def test_an_empty_store_is_said_to_be_empty_and_is_a_finding_where_rows_were_expected(tmp_path: Path) -> None:
    async def made() -> None:
        async with LocalJSONProvider(tmp_path):
            pass

    asyncio.run(made())
    words = ("audit", "--provider", "local", "--data-dir", tmp_path)
    result = invoke(*words)
    assert (result.exit_code, result.stdout) == (0, "local: empty, nothing was ever booked there\n")
    result = invoke(*words, "--expect-rows")
    assert result.exit_code == AUDIT_FAILED
    assert "has no ledger row: is it the store that was meant?" in " ".join(result.stderr.split())


def test_the_script_is_a_door_to_migrate(source: Path) -> None:
    script = ROOT / "scripts" / "migrate_json_to_db.py"
    words = [
        sys.executable,
        str(script),
        "--provider",
        "mongo",
        "--dry-run",
        "--data-dir",
        str(source),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["planned"]["users"] == EXPECTED["totals"]["users"]


def test_the_audit_of_a_migrated_folder_is_sound(migrated: Path) -> None:
    result = invoke("audit", "--provider", "local", "--data-dir", migrated)
    assert result.exit_code == 0
    assert "7 laws hold over 315 rows" in result.stdout


def test_an_audit_shows_each_violation_with_its_rows(migrated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = LocalJSONProvider.user_ids

    async def fewer(self: LocalJSONProvider) -> list[str]:
        return (await ids(self))[1:]

    monkeypatch.setattr(LocalJSONProvider, "user_ids", fewer)
    first = min(EXPECTED["users"])
    result = invoke("audit", "--provider", "local", "--data-dir", migrated)
    assert result.exit_code == AUDIT_FAILED
    assert (
        f"user_id {first}, currency gold, ledger {EXPECTED['users'][first]['gold']}, stored 0"
        in result.stdout
    )
    said = json.loads(invoke("audit", "--provider", "local", "--data-dir", migrated, "--json").stdout)
    assert said["sound"] is False
    assert {row["user_id"] for row in said["violations"]["1"]} == {first}


def test_an_audit_tells_of_a_clock_that_is_behind_the_ledger(tmp_path: Path) -> None:
    ahead_us = SystemClock().now_us() + 86_400_000_000

    async def play() -> None:
        async with LocalJSONProvider(tmp_path, clock=ManualClock(ahead_us)) as store:
            await store.save_user("ada", {"gold": 5})

    asyncio.run(play())
    words = ("audit", "--provider", "local", "--data-dir", tmp_path)
    told = invoke(*words)
    assert told.exit_code == 0
    assert "Clock: the newest ledger row is of" in told.stdout
    assert "set the clock right" in json.loads(invoke(*words, "--json").stdout)["clock"]


def test_a_file_edited_by_hand_is_told_by_the_audit_until_it_is_adopted(
    migrated: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(migrated, tmp_path / "data"))
    user_id, other = sorted(EXPECTED["users"])[:2]
    path = folder / "users" / f"{user_id}.json"
    edited = json.loads(path.read_text(encoding="utf-8"))
    gold = EXPECTED["users"][user_id]["gold"]
    edited["gold"] = gold + 1_000
    edited["inventory"] = {**edited["inventory"], "honey": 3}
    path.write_text(json.dumps(edited), encoding="utf-8")
    words = ("audit", "--provider", "local", "--data-dir", folder)
    told = invoke(*words)
    assert told.exit_code == 0
    said = f"users/{user_id}.json was edited externally: `kokoromichi audit --adopt` books the"
    assert said in " ".join(told.stdout.split())
    assert list(json.loads(invoke(*words, "--json").stdout)["edited_files"]) == [f"users/{user_id}.json"]
    adopted = invoke("audit", "--adopt", "--data-dir", folder)
    assert adopted.exit_code == 0, adopted.stderr
    assert f"Adopted: users/{user_id}.json" in adopted.stdout
    assert "7 laws hold over" in adopted.stdout
    again = json.loads(invoke(*words, "--adopt", "--json").stdout)
    assert (again["adopted"], again["sound"]) == ([], True)
    csv = tmp_path / "ledger.csv"
    invoke("ledger", "export", "--provider", "local", "--data-dir", folder, "--format", "csv", "--out", csv)
    booked = pl.read_csv(csv, infer_schema_length=None).filter(pl.col("kind") == "correction")
    assert booked.filter(pl.col("currency") == "gold")["amount"].to_list() == [1_000]
    assert set(booked["user_id"].cast(pl.String)) == {user_id}
    assert set(booked["actor"]) == {"system"}
    assert booked.filter(pl.col("item_id") == "honey")["quantity"].to_list() == [3]
    assert other not in adopted.stdout


def test_only_files_are_adopted(tmp_path: Path) -> None:
    for words in (("audit", tmp_path, "--adopt"), ("audit", "--adopt", "--provider", "local", tmp_path)):
        result = invoke(*words)
        assert result.exit_code == USAGE
        assert "--adopt and --recount are of those" in " ".join(result.stderr.split())


def test_an_audit_is_of_a_folder_or_of_a_provider(tmp_path: Path) -> None:
    for words in ((), (tmp_path, "--provider", "local")):
        result = invoke("audit", *words)
        assert result.exit_code == USAGE
        assert "audit needs a folder or --provider" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "words", [("audit",), ("ledger", "export", "--out", "OUT")], ids=lambda words: words[0]
)
def test_a_folder_that_is_not_there_is_no_sound_store_and_is_not_made(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    named = [str(tmp_path / "out.csv") if word == "OUT" else word for word in words]
    result = invoke(*named, "--provider", "local", "--data-dir", tmp_path / "dta")
    assert result.exit_code == USAGE
    assert "dta is no folder: --data-dir, or DATA_DIR, names" in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())


def test_a_ledger_leaves_and_is_scanned(migrated: Path, tmp_path: Path) -> None:
    words = ("ledger", "export", "--provider", "local", "--data-dir", migrated)
    out = tmp_path / "out [1]* ?#%41"  # What a shell or an address would read as something else.
    result = invoke(*words, "--out", out)
    assert result.exit_code == 0, result.output
    assert "315 rows" in result.stdout
    found = Ledger.scan(out).frame.collect()
    assert found.filter(pl.col("currency") == "gold")["amount"].sum() == EXPECTED["totals"]["gold"]
    (tmp_path / "key").write_text("sixteen bytes or more\n")
    csv = tmp_path / "ledger.csv"
    asked = invoke(
        *words, "--out", csv, "--format", "csv", "--pseudonyms", tmp_path / "key", "--book", "admin", "--json"
    )
    assert json.loads(asked.stdout) == {"rows": 315, "files": [str(csv)]}
    text = csv.read_text(encoding="utf-8")
    assert not [user_id for user_id in EXPECTED["users"] if user_id in text]
    assert audit_of(out) == 0


def audit_of(folder: Path) -> int:
    """The exit code of an audit of exported files."""
    return invoke("audit", folder).exit_code


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--book", "purchase"), "no book 'purchase'"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "is not before"),
        (("--pseudonyms", "SHORT"), "16 to 64 bytes"),
        (("--pseudonyms", "MISSING"), "No such file"),
    ],
)
def test_a_wrong_export_is_usage(
    migrated: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "SHORT").write_text("short")
    named = [str(tmp_path / word) if word in ("SHORT", "MISSING") else word for word in words]
    result = invoke(
        "ledger", "export", "--provider", "local", "--data-dir", migrated, "--out", tmp_path / "x", *named
    )
    assert result.exit_code == USAGE
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "x").exists()
