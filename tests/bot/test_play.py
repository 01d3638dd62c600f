"""``kokoromichi play`` with a script on standard input: a process of its own over files in a folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.chat.console.guild import player_id, player_name
from kokoromichi.core.providers.local_json import LocalJSONProvider
from kokoromichi.settings import shipped_folder
from tests.contract.stored import rows
from tests.project.checkout import SCRIPT


def played(folder: Path, *lines: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """Exit code, answers and complaints of a script."""
    done = subprocess.run(
        (SCRIPT, "play", "--data-dir", folder / "players", *options),
        cwd=folder,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    answers = "\n".join(line.removeprefix("▌").strip() for line in done.stdout.splitlines())
    return done.returncode, answers, done.stderr


def test_a_newcomer_plays_without_a_token_and_it_is_kept(tmp_path: Path) -> None:
    players = tmp_path / "players"
    players.mkdir()
    code, answers, complaints = played(tmp_path, "balance", "buy health_potion 2")
    assert (code, complaints) == (0, "")
    assert [made for made in players.iterdir() if made.stat().st_mode & 0o077] == []
    assert "@alice\n10,000 gold\n100 gems" in answers
    assert "2 × Health Potion for 200 gold. You hold 2.\nBalance: 9,800 gold." in answers
    code, answers, _ = played(tmp_path, "!balance", "/inventory", "quit", "balance")
    assert code == 0
    assert answers.count("9,800 gold") == 1, "quit ends the script"
    assert "2 × Health Potion (health_potion)" in answers


async def test_what_was_played_is_a_sound_ledger_under_the_players_ids(tmp_path: Path) -> None:
    played(tmp_path, "as bob balance", "transfer bob 1k", "transfer bob 1k", "sell mana_potion")
    async with LocalJSONProvider(tmp_path / "players") as store:
        alice, bob = str(player_id("alice")), str(player_id("bob"))
        assert set(await store.user_ids()) == {alice, bob}
        sent = [(row.kind, row.amount) for row in await rows(store, alice) if row.kind == "transfer"]
        assert (await audit_provider(store)).sound
    assert sent == [("transfer", -950)] * 2, "two lines are two requests, a fee apart"


def test_the_same_line_another_day_is_another_request(tmp_path: Path) -> None:
    lines = ("balance", "buy health_potion 2")
    assert "You hold 2." in played(tmp_path, *lines)[1]
    assert "You hold 4." in played(tmp_path, *lines)[1]


def test_no_price_that_goes_down_and_up_again_mints_gold(tmp_path: Path) -> None:
    cheap = ("admin price flower_bouquet 50 x", "as bob buy flower_bouquet 200")
    back = ("admin price flower_bouquet 0 over", "as bob sell flower_bouquet 200", "as bob balance")
    answers = played(tmp_path, *cheap, *back)[1]
    assert "store.flower_bouquet.price_gold = 50: is below 70 % of the list price" in answers
    assert "Need 40,000 gold, have 10,000." in answers
    assert "You hold 0 of Flower Bouquet." in answers
    assert "@bob\n10,000 gold" in answers


def test_the_lowest_price_and_a_rise_pay_no_more_than_a_share_of_what_was_paid(tmp_path: Path) -> None:
    answers = played(
        tmp_path,
        "admin price flower_bouquet 140 x",
        "as bob buy flower_bouquet 50",
        "as bob 1",
        "admin price flower_bouquet 0 over",
        "as bob sell flower_bouquet 25",
        "admin price flower_bouquet 100000 x",
        "as bob sell flower_bouquet 25",
    )[1]
    assert answers.count("25 × Flower Bouquet for 1,400 gold") == 2
    assert "Balance: 5,800 gold." in answers


def test_only_the_asked_player_confirms_and_once(tmp_path: Path) -> None:
    code, answers, _ = played(
        tmp_path,
        "buy health_potion",
        "as bob balance",
        "gift bob health_potion",
        "as bob 1",
        "1",
        "as bob inv",
    )
    assert code == 0
    asked, _, answered = answers.partition("Give 1 × Health Potion to @bob?")
    assert "1 Confirm" in answered
    assert answered.index("That question was not asked of you.") < answered.index("went to @bob")
    assert answered.endswith("1 × Health Potion (health_potion)\n")
    assert "went to" not in asked


def test_a_number_with_nothing_to_choose_is_no_command(tmp_path: Path) -> None:
    code, answers, _ = played(tmp_path, "buy health_potion", "3")
    assert code == 2
    assert "nothing to choose" in answers


def test_pages_are_turned_by_number(tmp_path: Path) -> None:
    code, answers, complaints = played(tmp_path, "store", "1", "1")
    assert (code, complaints) == (0, ""), "buttons that still wait at the end are no complaint"
    first, second, back = answers.split("▸ 1")[0], answers.split("▸ 1")[1], answers.split("▸ 1")[2]
    assert "Page 1 of" in first
    assert "Page 2 of" in second
    assert "1 Previous  2 Next" in second
    assert "Page 1 of" in back


def test_an_unknown_command_names_its_neighbours_and_the_rest_goes_on(tmp_path: Path) -> None:
    code, answers, _ = played(tmp_path, "inventry", "balance")
    assert code == 2
    assert "There is no command inventry. Did you mean inventory" in answers
    assert "10,000 gold" in answers


def test_a_refusal_is_an_answer_and_many_lines_are_no_spam(tmp_path: Path) -> None:
    code, answers, _ = played(tmp_path, *["buy phoenix_feather"] * 12)
    assert code == 0
    assert answers.count("Need 40,000 gold, have 10,000.") == 12


def test_no_odd_line_ends_the_game(tmp_path: Path) -> None:
    code, answers, complaints = played(
        tmp_path,
        "\ufeffbalance",
        "9" * 5_000,
        "tomorrow " + "9" * 5_000,
        "bal\udcffance",
        "! buy mana_potion",
        "transfer newcomer 5",
        "transfer 5 newcomer",
    )
    assert (code, complaints) == (2, "")
    assert "@alice\n10,000 gold" in answers
    assert "There is nothing to choose by that number." in answers
    assert "from 1 to 366" in answers
    assert "There is no command bal" in answers
    assert "1 × Mana Potion for 150 gold" in answers
    assert "Player @newcomer has no account yet: their first command opens one." in answers
    assert "user is not right" in answers


def test_names_are_checked_and_a_stranger_is_told_of(tmp_path: Path) -> None:
    code, _, complaints = played(tmp_path, options=("--player", "Müller"))
    assert code == 2
    assert "1 to 11 of a-z, 0-9 and _" in complaints
    code, answers, _ = played(tmp_path, "as x-y balance", "balance nobody", options=("--player", "Carol"))
    assert code == 2
    assert "'x-y' is no player's name" in answers
    assert "I have seen nobody of that name here, or two" in answers
    assert "carol ▸ balance nobody" in answers


def test_days_are_skipped_and_the_next_session_goes_on_there(tmp_path: Path) -> None:
    _, answers, _ = played(
        tmp_path, "daily", "tomorrow", "daily", "tomorrow", "tomorrow", "tomorrow", "daily"
    )
    assert "Day 1 of your streak." in answers
    assert "Day 2 of your streak." in answers
    assert answers.count("Day 1 of your streak.") == 2, "four days later it has broken"
    code, answers, complaints = played(tmp_path, "daily", "tomorrow 1", "daily", "tomorrow 0", "tomorrow 1_0")
    assert "clock" not in complaints
    assert "Already claimed today" in answers, "no session goes back in time"
    assert "Day 2 of your streak." in answers
    assert code == 2
    assert answers.count("from 1 to 366") == 2


def test_businesses_earn_while_a_month_is_skipped(tmp_path: Path) -> None:
    _, answers, _ = played(tmp_path, "invest cafe", "1", "tomorrow 30", "collect")
    assert "1,500 gold earned, 750 of it burned as upkeep." in answers, "three days of 500, then it is full"


def test_a_reader_that_goes_away_ends_the_game_and_frees_the_folder(tmp_path: Path) -> None:
    lines = "\n".join(["store"] * 40)
    arguments = (SCRIPT, "play", "--data-dir", tmp_path / "players")
    with subprocess.Popen(
        arguments,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as game:
        assert game.stdin is not None
        assert game.stdout is not None
        assert game.stderr is not None
        game.stdin.write(lines)
        game.stdin.close()
        for _ in range(20):
            game.stdout.readline()
        game.stdout.close()
        game.wait(60)
        assert "Traceback" not in game.stderr.read()
    assert "10,000 gold" in played(tmp_path, "balance")[1]


async def test_a_folder_that_a_bot_holds_is_left_alone(tmp_path: Path) -> None:
    async with LocalJSONProvider(tmp_path / "players"):
        code, answers, complaints = played(tmp_path, "daily")
    assert (code, answers) == (4, "")
    assert "is in use by process" in complaints
    assert "Traceback" not in complaints


@pytest.mark.parametrize("name", ["a", "bob", "zzzzzzzzzzz", "_", "99999999999", "abc_def_123"])
def test_a_name_and_its_id_say_the_same(name: str) -> None:
    assert player_name(str(player_id(name))) == name
    assert 2**62 < player_id(name) < 2**63
    assert player_name("189577048478015337") is None, "a player of Discord is nobody's namesake"


def test_what_the_economys_files_add_is_played_and_what_they_leave_out_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(shipped_folder("data"), tmp_path / "economy"))
    sheets = json.loads((folder / "store_catalog.json").read_text(encoding="utf-8"))
    kept = [sheet for sheet in sheets if sheet["id"] != "festival_lantern"]
    model = next(sheet for sheet in kept if sheet["id"] == "flower_bouquet")
    cookie = model | {"id": "fortune_cookie", "name": "Fortune Cookie", "category": "sweets"}
    (folder / "store_catalog.json").write_text(json.dumps([*kept, cookie]), encoding="utf-8")
    numbers = (folder / "economy.toml").read_text(encoding="utf-8")
    for line, changed in (
        ("[store.festival_lantern]\nprice_gold = 2500\nlimit = 3\n", ""),
        ("26, 34]", "26, 34, 60]"),
        ("130, 160]", "130, 160, 170]"),
        ("28, 34]", "28, 34, 40]"),
    ):
        assert numbers.count(line) == 1
        numbers = numbers.replace(line, changed)
    item = "[store.fortune_cookie]\nprice_gold = 60\neffect_size = 5\n"
    business = "[business.bakery]\nprice_gold = 300\nincome_gold_per_day = 100\n"
    (folder / "economy.toml").write_text(f"{numbers}\n{item}{business}", encoding="utf-8")
    monkeypatch.setenv("ECONOMY_DIR", str(folder))
    lines = ("buy fortune_cookie 2", "buy festival_lantern", "invest bakery", "battle 8")
    code, answers, complaints = played(tmp_path, *lines)
    assert (code, complaints) == (0, "")
    assert "2 × Fortune Cookie for 120 gold. You hold 2." in answers
    assert "There is no item festival_lantern." in answers
    assert "Bakery is yours for 300 gold" in answers
    assert "an opponent of tier 8" in answers
