from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from kokoromichi.core.kinds import KINDS
from kokoromichi.rules.economy import EconomyConfig, load_economy
from kokoromichi.rules.economy_tables import document, kinds_table, numbers_table, store_table

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = load_economy(ROOT / "data")
DOCUMENT: Final = (ROOT / "docs/economy.md").read_text("utf-8")


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def numbers(config: EconomyConfig) -> dict[str, list[str]]:
    return {row[0].strip("`"): row[1:] for row in rows(numbers_table(config))}


def test_the_document_says_what_the_models_say() -> None:
    assert document(DOCUMENT, SHIPPED) == DOCUMENT, "refresh docs/economy.md: its first section says how"


@pytest.mark.parametrize("name", ["numbers", "store", "effects", "laws", "kinds", "acts"])
def test_every_table_has_its_place(name: str) -> None:
    assert DOCUMENT.count(f"<!-- table: {name} -->") == 1


def test_a_changed_number_changes_the_document() -> None:
    changed = document(DOCUMENT, SHIPPED.with_values({"train.xp": 26}))
    differing = [line for line in changed.splitlines() if line not in DOCUMENT.splitlines()]
    assert differing == ["| `train.xp` | XP | 0 to 1,000,000,000 | 26 | XP of a session |"]


def test_a_text_without_tables_stays_as_it_is() -> None:
    assert document("# Nothing here\n", SHIPPED) == "# Nothing here\n"


def test_every_number_is_tabulated_with_unit_range_value_and_meaning() -> None:
    table = numbers(SHIPPED.config)
    fields = {
        f"{section}.{'*.' if section in {'business', 'store'} else ''}{name}"
        for section, numbers_of in SHIPPED.config.tree().items()
        for name in _fields(section, numbers_of)
    }
    assert set(table) == fields
    assert all(all(cells) for cells in table.values())


def _fields(section: str, numbers_of: object) -> set[str]:
    assert isinstance(numbers_of, dict)
    return set(next(iter(numbers_of.values()))) if section in {"business", "store"} else set(numbers_of)


def test_units_and_ranges_come_from_the_fields() -> None:
    table = numbers(SHIPPED.config)
    assert table["opening.gold"][:3] == ["gold", "0 to 2^53 - 1", "10,000"]
    assert table["daily.gems"][:3] == ["gems, each", "0 to 2^53 - 1", "10 12 15 20 25 30 50 18 22 28"]
    assert table["transfer.fee_percent"][:3] == ["%", "0 to 100", "5"]
    assert table["summon.pity_rarity"][:3] == ["rarity", "N, R, SR, SSR, UR, LR, Mythic", "SSR"]
    assert table["business.*.income_gold_per_day"][2].startswith("cafe 500, dojo 800")


def test_the_store_stands_in_the_catalogues_order() -> None:
    table = rows(store_table(SHIPPED))
    assert [row[0].strip("`") for row in table] == [item.id for item in SHIPPED.catalogue]
    treasure = next(row for row in table if row[0] == "`treasure_chest`")
    assert treasure[2:7] == ["5,000", "5", "100", "60 / 7 d", "1"]


def test_every_kind_is_shown_with_its_book() -> None:
    shown = [(row[0].strip("`"), row[1].strip("`")) for row in rows(kinds_table())]
    assert shown == [(kind.name, kind.book) for kind in KINDS.values()]
