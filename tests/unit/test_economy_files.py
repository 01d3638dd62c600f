from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.economy import EconomyConfig, EconomyError, load_config, load_economy
from kokoromichi.rules.economy_writing import as_toml, write_economy

DATA: Final = Path(__file__).parents[2] / "data"
FILES: Final = ("economy.toml", "store_catalog.json", "waifus.json")
CONFIG: Final = load_config(DATA / "economy.toml")
TEMPLATE: Final = (DATA / "economy.toml").read_text("utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("value", ["1.5", "nan", "inf", "true", '"500"', "5e2"])
def test_a_number_that_is_none_is_refused_with_the_path_of_the_file(folder: Path, value: str) -> None:
    replace_in(folder / "economy.toml", "income_gold_per_day = 500", f"income_gold_per_day = {value}")
    with pytest.raises(EconomyError) as error:
        load_economy(folder)
    (finding,) = error.value.findings
    assert finding.file == str(folder / "economy.toml")
    assert finding.field == "business.cafe.income_gold_per_day"
    assert finding.value == {'"500"': "'500'", "5e2": "500.0"}.get(value, value)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_its_cure(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EconomyError, match="ECONOMY_DIR") as error:
        load_economy(folder)
    assert error.value.findings[0].file == str(folder / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"\xff\xfe", b"= 1 =", b"[", b"[" * 100_000, b"a = " + b"9" * 9_999])
def test_a_broken_file_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(EconomyError) as error:
        load_economy(folder)
    (finding,) = error.value.findings
    assert (finding.file, finding.law) == (str(folder / name), "readable")


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(folder: Path) -> None:
    for name in FILES:
        text = (folder / name).read_text("utf-8").replace("\n", "\r\n")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_economy(folder) == load_economy(DATA)


@pytest.mark.parametrize(
    ("name", "old", "new", "field", "value"),
    [
        ("store_catalog.json", '"name": "Health Potion"', '"name": 7', "health_potion.name", "7"),
        ("store_catalog.json", '"name": "Health Potion"', '"title": ""', "health_potion.title", "''"),
        ("store_catalog.json", '"id": "health_potion"', '"id": "../evil"', "../evil.id", "'../evil'"),
        ("store_catalog.json", '"id": "health_potion"', '"id": 5', "0.id", "5"),
        ("waifus.json", '"base_hp": 291', '"base_hp": 291.5', "nuwa.base_hp", "291.5"),
        ("waifus.json", '"name": "Echo"', '"name": ""', "echo.name", "''"),
    ],
)
def test_a_broken_sheet_is_named_by_its_id(
    folder: Path, name: str, old: str, new: str, field: str, value: str
) -> None:
    text = (folder / name).read_text("utf-8")
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(EconomyError) as error:
        load_economy(folder)
    places = {(finding.file, finding.field, finding.value) for finding in error.value.findings}
    assert (str(folder / name), field, value) in places


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"base_hp": 291', '"base_hp": NaN', "NaN is no number"),
        ('"base_hp": 291', '"base_hp": -Infinity', "-Infinity is no number"),
        ('"base_hp": 291', '"base_hp": 1, "base_hp": 291', "'base_hp' stands twice"),
    ],
)
def test_json_is_read_as_its_standard_has_it(folder: Path, old: str, new: str, said: str) -> None:
    text = (folder / "waifus.json").read_text("utf-8")
    (folder / "waifus.json").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(EconomyError, match=said):
        load_economy(folder)


@pytest.mark.parametrize("content", ["{}", "null", "7"])
def test_a_catalogue_is_a_list(folder: Path, content: str) -> None:
    (folder / "store_catalog.json").write_text(content, "utf-8")
    with pytest.raises(EconomyError, match=r"store_catalog\.json: must be a list"):
        load_economy(folder)


def test_writing_the_shipped_numbers_changes_no_byte(folder: Path) -> None:
    write_economy(CONFIG, folder / "economy.toml")
    assert (folder / "economy.toml").read_bytes() == (DATA / "economy.toml").read_bytes()


def test_writing_changes_only_the_lines_that_differ(folder: Path) -> None:
    tuned = CONFIG.with_values({"battle.hp_cost": 25, "store.lucky_charm.limit": None})
    write_economy(tuned, folder / "economy.toml")
    before, after = TEMPLATE.splitlines(), (folder / "economy.toml").read_text("utf-8").splitlines()
    assert [line for line in before if line not in after] == ["hp_cost = 20             # HP a battle"]
    assert [line for line in after if line not in before] == ["hp_cost = 25             # HP a battle"]
    assert len(before) - len(after) == 1
    assert load_economy(folder).config == tuned


def test_a_new_file_reads_back(tmp_path: Path) -> None:
    write_economy(CONFIG, tmp_path / "new.toml")
    assert load_config(tmp_path / "new.toml").hash == CONFIG.hash
    assert [path.name for path in tmp_path.iterdir()] == ["new.toml"]


def test_a_replaced_file_keeps_its_rights_and_a_link_stays_a_link(folder: Path) -> None:
    (folder / "economy.toml").chmod(0o640)
    link = folder / "link.toml"
    link.symlink_to(folder / "economy.toml")
    write_economy(CONFIG.with_values({"train.xp": 26}), link)
    assert link.is_symlink()
    assert stat.S_IMODE((folder / "economy.toml").stat().st_mode) == 0o640
    assert load_config(folder / "economy.toml").train.xp == 26


@pytest.mark.parametrize("content", [b"opening = ", b"\xff"])
def test_a_file_that_cannot_be_read_is_never_written_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "economy.toml").write_bytes(content)
    with pytest.raises(EconomyError, match=r"economy\.toml"):
        write_economy(CONFIG, tmp_path / "economy.toml")
    assert (tmp_path / "economy.toml").read_bytes() == content


def test_a_write_that_fails_leaves_the_file_and_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_economy(CONFIG.with_values({"train.xp": 26}), folder / "economy.toml")
    assert (folder / "economy.toml").read_text("utf-8") == TEMPLATE
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


_ODD_LAYOUT: Final = """\
daily.gold = [1, 2]  # dotted
opening = {gold = 3, gems = 4}
unknown = 5
[store.mana_potion]
price_gold = 1_000
[exchange]
[store.health_potion]
"price_gold" = 3
[[train]]
x = 1
"""


@given(
    values=st.fixed_dictionaries(
        {},
        optional={
            "opening.gold": st.integers(0, 2**53 - 1),
            "daily.gems": st.lists(st.integers(0, 10**6), min_size=10, max_size=10),
            "store.health_potion.limit": st.none() | st.integers(0, 50),
            "store.lucky_charm.stock": st.none() | st.integers(0, 50),
            "store.*.effect_size": st.integers(0, 100),
            "summon.pity_rarity": st.sampled_from(["N", "SSR", "Mythic"]),
            "business.cafe.price_gold": st.integers(0, 50),
        },
    ),
    template=st.sampled_from(["", TEMPLATE, TEMPLATE.replace("\n", "\r\n"), _ODD_LAYOUT]),
)
def test_what_is_written_reads_back_with_the_same_hash(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object], template: str
) -> None:
    config = CONFIG.with_values(values)
    path = tmp_path_factory.mktemp("written") / "economy.toml"
    path.write_text(as_toml(config, template), "utf-8", newline="")
    written: EconomyConfig = load_config(path)
    assert written == config
    assert written.hash == config.hash
