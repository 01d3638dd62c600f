"""What is simulated: shipped scenarios, scheduled prices, and how a wrong file is refused."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from kokoromichi.experiments.batch_file import BatchFile
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.findings import EconomyError
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.population import Population
from kokoromichi.simulation.price_change import PriceChange
from kokoromichi.simulation.price_list import build_price_list
from kokoromichi.simulation.scenario import Scenario
from kokoromichi.simulation.setup_files import SetupError

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ["alt_farm", "baseline", "generous_daily", "no_sinks", "sale_week", "whale_heavy"]
ECONOMY = load_economy(shipped_folder("data"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_play_500_for_90_days_from_a_monday(name: str) -> None:
    scenario = Scenario.load(name)
    assert (scenario.name, scenario.players, scenario.days) == (name, 500, 90)
    assert scenario.start == dt.date(2026, 1, 5)
    assert scenario.start.weekday() == 0
    assert scenario.findings() == ()


def test_every_shipped_file_is_tested() -> None:
    assert sorted(path.stem for path in shipped_folder("scenarios").glob("*.toml")) == SHIPPED


def test_the_baseline_is_the_shipped_economy() -> None:
    scenario = Scenario.load("baseline")
    assert scenario.economy == ECONOMY
    assert all(scenario.economy_on(day) is scenario.economy for day in (0, 45, 400))


def test_what_the_shipped_scenarios_change() -> None:
    daily = [1500, 1800, 2250, 3000, 3750, 4500, 7500, 2250, 2700, 3300]
    assert list(Scenario.load("generous_daily").economy.config.daily.gold) == daily
    assert Scenario.load("whale_heavy").population.name == "whale_heavy"
    assert Scenario.load("alt_farm").population.cohorts[-1].players == 150
    closed = Scenario.load("no_sinks")
    assert closed.closed == {"buy", "train", "exchange", "invest", "summon"}
    assert closed.economy.config.transfer.fee_percent == closed.economy.config.income.upkeep_percent == 0
    assert set(build_price_list(closed.population, closed.economy, closed.closed).weights) == {0}


def test_size_and_horizon_can_be_given() -> None:
    scenario = Scenario.load("baseline", days=7, players=60)
    assert (scenario.days, scenario.players) == (7, 60)


def test_a_sale_lasts_its_days_and_no_longer() -> None:
    scenario = Scenario.load("sale_week")
    prices = [scenario.economy_on(day).config.store["treasure_chest"].price_gold for day in (41, 42, 48, 49)]
    assert prices == [5_000, 3_500, 3_500, 5_000]
    potion = [scenario.economy_on(day).config.store["health_potion"].price_gold for day in (59, 60, 87, 88)]
    assert potion == [100, 120, 120, 100]
    assert scenario.economy_on(42) is scenario.economy_on(48)
    assert scenario.economy_on(42).hash != scenario.economy.hash
    changed = {
        item
        for item, numbers in scenario.economy_on(45).config.store.items()
        if numbers != scenario.economy.config.store[item]
    }
    assert changed == {item.id for item in ECONOMY.catalogue if item.category in {"chest", "charm"}}


def test_changes_at_once_multiply_and_may_last_to_the_end(tmp_path: Path) -> None:
    scenario = Scenario.load(
        write(
            tmp_path,
            """
            title = "T"
            days = 30
            [[changes]]
            items = ["wisdom_tome"]
            percent = 75
            from_day = 3
            [[changes]]
            categories = ["scroll"]
            percent = 50
            from_day = 10
            days = 2
            """,
        )
    )
    prices = [
        scenario.economy_on(day).config.store["wisdom_tome"].price_gold for day in (2, 3, 10, 11, 12, 29)
    ]
    assert prices == [3_500, 2_625, 1_313, 1_313, 2_625, 2_625]
    lowest = [found for found in scenario.findings() if found.law == "lowest_price"]
    tome, *others = sorted(lowest, key=lambda found: found.value)
    assert tome.field == "changes.wisdom_tome"
    assert tome.value == "1313 gold on day 10"
    assert {found.field for found in others} == {
        f"changes.{item}" for item in ("revive_scroll", "training_manual", "experience_scroll")
    }


def test_a_price_is_lowest_when_a_rise_ends_before_its_sale(tmp_path: Path) -> None:
    change = 'items = ["health_potion"]'
    text = (
        f'title = "T"\ndays = 30\n[[changes]]\n{change}\npercent = 150\nfrom_day = 0\ndays = 5\n'
        f"[[changes]]\n{change}\npercent = 60\nfrom_day = 2\n"
    )
    (lowest,) = Scenario.load(write(tmp_path, text)).findings()
    assert lowest.value == "60 gold on day 5"
    late = Scenario.load(write(tmp_path, text), days=5)
    assert late.findings() == ()


def test_a_scenario_names_population_and_economy_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "few.toml").write_text(
        'based_on = "default"\ntitle = "T"\n[[cohorts]]\narchetype = "casual"\nplayers = 9\n',
        encoding="utf-8",
    )
    numbers = (shipped_folder("data") / "economy.toml").read_text(encoding="utf-8")
    tuned = tmp_path / "tuned.toml"
    tuned.write_text(numbers.replace("\npercent = 40 ", "\npercent = 30 "), encoding="utf-8")
    path = write(
        tmp_path,
        'title = "T"\ndays = 5\npopulation = "few.toml"\nplayers = 18\n[economy]\nfile = "tuned.toml"\n'
        "[economy.scaled]\n'store.*.price_gold' = 2\n",
    )
    scenario = Scenario.load(path)
    assert scenario.players == 18
    assert scenario.economy.config.resale.percent == 30
    assert scenario.economy.config.store["health_potion"].price_gold == 200
    assert Scenario.load("baseline", economy=tuned).economy.config.resale.percent == 30
    assert Scenario.load("baseline", economy=shipped_folder("data")).economy == ECONOMY


def test_a_scenario_is_changed_into_a_new_one() -> None:
    base = Scenario.load("baseline", players=100)
    dearer = base.with_economy({"store.health_potion.price_gold": 120}).scaled({"daily.gold": 0.9})
    assert dearer.economy.config.store["health_potion"].price_gold == 120
    assert dearer.economy.config.daily.gold[0] == 900
    assert base.economy == ECONOMY
    whales = base.with_population("whale_heavy")
    assert (whales.population.name, whales.players) == ("whale_heavy", 500)
    assert base.with_population(whales.population).players == 500
    assert base.replace(days=365, leave_percent=30).days == 365


def test_a_changed_scenario_has_its_own_prices() -> None:
    sale = Scenario.load("sale_week")
    assert sale.economy_on(42).config.store["treasure_chest"].price_gold == 3_500
    dearer = sale.with_economy({"store.treasure_chest.price_gold": 6_000})
    assert dearer.economy_on(42).config.store["treasure_chest"].price_gold == 4_200


def test_leaving_may_be_rarer() -> None:
    scenario = Scenario.load("baseline").replace(leave_percent=30)
    bases = [scenario.leave_base(archetype) for archetype in scenario.population.archetypes]
    assert bases == [150, 75, 60, 90, 90, 75, 750, 30]


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("days = 0", "days", "greater than or equal to 1"),
        ("days = 7.5", "days", "7.5"),
        ("days = true", "days", "true"),
        ("days = 70000", "days", "less than 65536"),
        ("days = 5\nplayers = 'many'", "players", "whole number"),
        ("days = 5\nplayers = 0", "players", "must be a whole number, 1 to"),
        ("days = 5\nstart = 2026-01-06", "start", "is a Tuesday"),
        ("days = 5\ncolour = 1", "colour", "is no field here"),
        ("days = 5\nleave_percent = -1", "leave_percent", "-1"),
        ("days = 5\npopulation = 3", "population", "must be the name"),
        ("days = 5\npopulation = 'nobody'", "name", "there are alt_farm"),
        ("days = 5\nclosed = 'purchase'", "closed", "must be a list"),
        ("days = 5\neconomy = 3", "economy", "must be a table"),
        ("days = 5\n[economy]\nvaluess = {}", "economy.valuess", "near it: values"),
        ("days = 5\n[economy]\nvalues = 3", "economy.values", "must be a table of numbers"),
        ("days = 5\n[economy]\nfile = 3", "economy.file", "must be a path"),
        ("days = 5\n[[changes]]\npercent = 70\nfrom_day = 1", "", "names neither items nor categories"),
        (
            "days = 5\n[[changes]]\nitems=['duck']\npercent = 70\nfrom_day = 1",
            "",
            "'duck', which is not sold",
        ),
        ("days = 5\n[[changes]]\ncategories=['hat']\npercent = 70\nfrom_day = 1", "", "'hat', which is not"),
        (
            "days = 5\n[[changes]]\nitems=['silk_kimono']\npercent = 0\nfrom_day = 1",
            "changes.0.percent",
            "greater than or equal to 1",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_field_and_cure(
    tmp_path: Path, text: str, field: str, said: str
) -> None:
    with pytest.raises(SetupError) as refused:
        Scenario.load(write(tmp_path, f'title = "T"\n{text}\n'))
    (finding,) = refused.value.findings
    assert finding.field == field
    assert said in str(finding)


def test_an_unknown_act_cannot_be_closed(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="'doors'"):
        Scenario.load(write(tmp_path, 'title = "T"\ndays = 5\nclosed = ["doors"]\n'))


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(SetupError, match=", ".join(SHIPPED)):
        Scenario.load("utopia")


def test_a_wrong_number_of_the_economy_names_the_scenario(tmp_path: Path) -> None:
    path = write(tmp_path, "title = 'T'\ndays = 5\n[economy.values]\n'daily.goold' = 1\n")
    with pytest.raises(EconomyError, match="goold") as refused:
        Scenario.load(path)
    assert refused.value.findings[0].file == str(path)


def test_a_wrong_change_is_refused() -> None:
    with pytest.raises(SetupError, match="days = 0"):
        Scenario.load("baseline").replace(days=0)
    with pytest.raises(SetupError, match="baseline: horizon"):
        Scenario.load("baseline").replace(horizon=5)


def test_players_remember_the_prices_before_the_scenario_changes_them(tmp_path: Path) -> None:
    few = 'based_on = "default"\ntitle = "T"\nreference_prices = 3\n'
    (tmp_path / "few.toml").write_text(few, encoding="utf-8")
    with pytest.raises(SetupError, match="reference_prices"):
        Scenario.load(write(tmp_path, 'title = "T"\ndays = 3\npopulation = "few.toml"\n'))
    own = (shipped_folder("populations") / "default.toml").read_text(encoding="utf-8")
    own = own.replace("health_potion = 100\n", "").replace("health_potion = 0.6\n", "")
    (tmp_path / "few.toml").write_text(own, encoding="utf-8")
    text = 'title = "T"\ndays = 3\npopulation = "few.toml"\n[economy.scaled]\n"store.*.price_gold" = 1.5\n'
    scenario = Scenario.load(write(tmp_path, text))
    assert scenario.economy.config.store["health_potion"].price_gold == 150
    assert scenario.population.reference_prices["health_potion"] == 100
    assert "health_potion" not in scenario.population.appeal
    assert scenario.findings() == ()


def test_what_players_remember_and_nobody_sells_is_a_finding() -> None:
    base = Scenario.load("baseline", days=3)
    fond = base.population.model_copy(update={"appeal": {**base.population.appeal, "helth_potion": 1.0}})
    (finding,) = base.replace(population=fond).findings()
    assert (finding.file, finding.field, finding.value) == ("default", "appeal.helth_potion", "1.0")
    assert "correct the item's id" in finding.text


def test_acts_of_an_older_file_are_closed_under_their_present_names(tmp_path: Path) -> None:
    old = Scenario.load(write(tmp_path, 'title = "T"\ndays = 3\nclosed = ["purchase", "train"]\n'))
    assert old.closed == {"buy", "train"}
    with pytest.raises(SetupError, match="'buy', 'train'"):
        Scenario.load(write(tmp_path, 'title = "T"\ndays = 3\nclosed = ["sleep"]\n'))


@pytest.mark.parametrize(
    ("item_id", "like", "numbers", "said"),
    [
        ("health_potion", "mana_potion", {}, "stands twice; give each its own id"),
        ("moon_cake", "sun_cake", {}, "is no item to be like; there are health_potion"),
        ("moon_cake", "mana_potion", {"price_gold": -1}, "must be at least 0"),
        ("moon_cake", "mana_potion", {"prize_gold": 1}, "is no field of the economy"),
        ("Moon Cake", "mana_potion", {}, "store.Moon Cake"),
    ],
)
def test_an_item_that_cannot_be_sold_is_refused_in_a_sentence(
    item_id: str, like: str, numbers: dict[str, Any], said: str
) -> None:
    with pytest.raises(EconomyError, match=said):
        Scenario.load("baseline").with_item(item_id, like, **numbers)


def test_a_scenario_travels_to_another_process() -> None:
    scenario = Scenario.load("sale_week", players=20)
    day = scenario.economy_on(42)
    again = pickle.loads(pickle.dumps(scenario))  # noqa: S301 - Our own bytes.
    assert again == scenario
    assert again.economy_on(42) == day


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_examples_of_the_readme_load(tmp_path: Path) -> None:
    text = (shipped_folder("scenarios").parent / "README.md").read_text(encoding="utf-8")
    scenario, population, batch = [part.split("```")[0] for part in text.split("```toml\n")[1:]]
    numbers = (shipped_folder("data") / "economy.toml").read_bytes()
    (tmp_path / "tuned.toml").write_bytes(numbers)
    loaded = Scenario.load(write(tmp_path, scenario))
    assert (loaded.players, loaded.days) == (200, 90)
    assert loaded.economy_on(7).config.store["treasure_chest"].price_gold == 4_000
    assert Population.load(write(tmp_path, population)).archetypes[0].beta == 2.0
    assert BatchFile.load(write(tmp_path, batch))[0].replications == 40


def test_a_rise_is_no_finding_since_a_sale_never_pays_more_than_was_paid() -> None:
    dear = PriceChange(items=("health_potion",), percent=1_000, from_day=3, days=2)
    assert Scenario.load("baseline", days=10).replace(changes=(dear,)).findings() == ()


def test_a_change_that_never_comes_into_force_is_a_finding() -> None:
    short = Scenario.load("sale_week", days=30)
    assert [(found.field, found.value, found.law) for found in short.findings()] == [
        ("changes.0.from_day", "day 42", "change_has_effect"),
        ("changes.1.from_day", "day 60", "change_has_effect"),
    ]
    assert "the run ends with day 29" in str(short.findings()[0])
    assert Scenario.load("sale_week").findings() == ()
    same = PriceChange(categories=("chest",), percent=100, from_day=3)
    idle = Scenario.load("baseline").replace(changes=(same,))
    assert [found.field for found in idle.findings()] == ["changes.0.percent"]


def test_the_title_of_a_changed_scenario_says_what_was_changed() -> None:
    base = Scenario.load("baseline", players=40, days=5)
    changed = (
        base.with_economy({"store.health_potion.price_gold": 120})
        .scaled({"daily.gold": 0.9})
        .without_item("festival_lantern")
        .with_sale(items="treasure_chest", percent=70, from_day=1)
    )
    assert changed.title == (
        "The shipped economy, store.health_potion.price_gold = 120, daily.gold × 0.9, "
        "without festival_lantern, treasure_chest at 70 % from day 1 to the end"
    )
    assert base.with_archetype("streamer", like="casual", share=0.1).title.endswith(", with 4 streamer")
    assert base.with_archetype("casual", beta=2.0).title.endswith(", casual's beta = 2.0")
    assert base.with_economy({}).title == base.title
    assert str(base) == repr(base)  # No page of numbers either where it is printed.
    long = changed.with_economy({"opening.gold": 9_000})
    assert (len(long.title), long.title[-1]) == (160, "…")
