"""Who plays: the shipped populations, their archetypes, scaling, rings, and how a wrong file is refused."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kokoromichi.rules.economy import load_economy
from kokoromichi.settings import shipped_folder
from kokoromichi.simulation.archetypes import ARCHETYPES, Archetype
from kokoromichi.simulation.demand import NONE
from kokoromichi.simulation.population import Population, user_id
from kokoromichi.simulation.setup_files import SetupError

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = """
rate_per_day       0.8  2.2  2.2  1.0  1.1  1.1  0.9  1.0
scripted_percent   0    0    0    0    0    0    0    96
fights             3    5    4    2    2    2    3    0
comfort_permille   600  500  550  700  600  700  600  600
slots              2    3    3    2    3    2    2    1
beta               1.4  1.3  0.6  1.9  1.0  1.6  1.5  1.6
omega              0.9  0.9  1.0  0.8  0.9  0.8  0.9  0.5
reserve_gold       500  1500 3000 2500 800  2500 500  3000
goal_percent       0    0    0    80   40   80   0    80
goal_business      0    0    0    1    0    1    0    0
leave_chance       500  250  200  300  300  250  2500 100
return_chance      400  400  500  400  400  400  3000 1000
transfer_permille  10   5    30   2    10   5    10   0
gift_permille      10   5    30   2    10   5    10   0
ring_transfer_gold 0    0    0    0    0    0    0    4000
asc_potion        -3.4 -3.7 -4.9 -3.4 -4.2 -3.6 -3.4 -4.6
asc_scroll        -4.2 -4.1 -5.1 -3.8 -4.6 -3.8 -4.2 -4.2
asc_charm         -4.6 -4.9 -4.7 -4.2 -4.4 -4.2 -4.6 -4.6
asc_chest         -3.8 -4.9 -4.1 -2.8 -3.6 -3.6 -3.8 -2.6
asc_gift          -3.8 -5.9 -4.5 -4.4 -3.4 -4.2 -3.8 -4.6
asc_collectible   -4.4 -5.9 -4.3 -3.0 -1.8 -4.2 -4.4 -3.4
asc_train          0.6  0.5 -0.9  0.2 -0.6  0.2  0.6 -0.2
asc_gems          -1.4 -1.9 -0.9 -1.2  0.2 -1.4 -1.4 -0.6
asc_business      -3.6 -2.8 -3.0 -3.0 -4.0  0.5 -4.5 -2.0
"""
"""The shipped shares and rates, archetypes in the order of ARCHETYPES."""
COUNTS = {
    "default": [200, 75, 15, 50, 60, 40, 40, 20],
    "whale_heavy": [155, 75, 60, 50, 60, 40, 40, 20],
    "alt_farm": [140, 50, 10, 35, 45, 30, 40, 150],
}


@pytest.mark.parametrize("name", COUNTS)
def test_shipped_populations_hold_500_players(name: str) -> None:
    population = Population.load(name)
    assert [cohort.players for cohort in population.cohorts] == COUNTS[name]
    assert [cohort.label for cohort in population.cohorts] == list(ARCHETYPES)
    assert population.players == 500
    assert population.name == name


def test_every_shipped_file_is_tested() -> None:
    assert {path.stem for path in shipped_folder("populations").glob("*.toml")} == set(COUNTS)


def test_what_a_population_has_no_price_for_costs_what_it_is_listed_at_and_stays_there() -> None:
    economy = load_economy(shipped_folder("data")).with_item("moon_cake", "flower_bouquet", price_gold=60)
    default = Population.load("default")
    knowing = default.remembering(economy)
    assert dict(knowing.reference_prices) == {**default.reference_prices, "moon_cake": 60}
    dearer = economy.with_values({"store.moon_cake.price_gold": 90, "store.health_potion.price_gold": 7})
    assert knowing.remembering(dearer) is knowing
    free = economy.with_values({"store.moon_cake.price_gold": 0})
    assert default.remembering(free).reference_prices["moon_cake"] == 1


def test_reference_prices_are_the_shipped_prices() -> None:
    economy = load_economy(shipped_folder("data"))
    population = Population.load("default")
    assert dict(population.reference_prices) == {
        item: numbers.price_gold for item, numbers in economy.config.store.items()
    }
    assert population.reference_pack_gold == economy.config.exchange.price_gold
    assert population.reference_train_gold == economy.config.train.price_gold


@given(st.sampled_from(list(COUNTS)), st.integers(1, 5_000))
def test_scaling_keeps_shares_to_one_player(name: str, players: int) -> None:
    population = Population.load(name)
    scaled = population.scaled(players)
    assert scaled.players == players
    for before, after in zip(population.cohorts, scaled.cohorts, strict=True):
        assert abs(after.players - before.players * players / 500) < 1
    assert scaled.scaled(players) == scaled


@pytest.mark.parametrize("players", [0, -1, 2**24 + 1])
def test_a_size_that_has_no_addresses_is_refused(players: int) -> None:
    with pytest.raises(SetupError, match=f"players = {players}"):
        Population.load("default").scaled(players)


@given(st.sampled_from(["default", "alt_farm"]), st.integers(1, 1_200))
def test_everybody_has_a_number_and_every_alt_account_a_main(name: str, players: int) -> None:
    population = Population.load(name).scaled(players)
    roster = population.roster()
    assert len(roster.archetype) == len(roster.cohort) == len(roster.main) == players
    size = population.cohorts[-1].ring_size
    for player, main in enumerate(roster.main):
        archetype = population.archetypes[roster.archetype[player]]
        assert population.cohorts[roster.cohort[player]].archetype == archetype.name
        if main != NONE:
            assert archetype.ring_transfer_gold > 0
            assert roster.main[main] == NONE
            assert roster.cohort[main] == roster.cohort[player]
            assert main < player <= main + size
    alts = [
        player for player, place in enumerate(roster.archetype) if place == len(population.archetypes) - 1
    ]
    members = Counter(main for main in roster.main if main != NONE)
    mains = [player for player in alts if roster.main[player] == NONE]
    assert len(alts) < 2 or set(mains) == set(members)
    assert all(count <= size for count in members.values())


def test_rings_of_the_shipped_populations() -> None:
    for name, rings, others in (("default", 4, 4), ("alt_farm", 15, 9)):
        members = Counter(main for main in Population.load(name).roster().main if main != NONE)
        assert list(members.values()) == [others] * rings


def test_numbers_run_through_the_cohorts() -> None:
    roster = Population.load("default").roster()
    assert list(roster.cohort) == sorted(roster.cohort)
    assert [user_id(player) for player in (0, 499, 100_000)] == ["p00000", "p00499", "p100000"]


def test_a_population_may_change_numbers_of_an_archetype(tmp_path: Path) -> None:
    path = write(tmp_path, 'based_on = "default"\ntitle = "T"\n[archetypes.casual]\nbeta = 2\nfights = 5\n')
    population = Population.load(path)
    casual, grinder = population.archetypes[:2]
    assert (casual.beta, casual.fights, casual.omega) == (2.0, 5, 0.9)
    assert grinder == ARCHETYPES["grinder"]
    assert (
        population.with_archetype("casual", {"beta": 1.4, "fights": 3}).archetypes
        == Population.load("default").archetypes
    )


def test_one_line_of_a_table_changes_one_line_of_the_base(tmp_path: Path) -> None:
    base = Population.load("default")
    text = """based_on = "default"
[appeal]
health_potion = 1.5
[reference_prices]
moon_cake = 70
"""
    mine = Population.load(write(tmp_path, text))
    assert dict(mine.appeal) == {**base.appeal, "health_potion": 1.5}
    assert dict(mine.reference_prices) == {**base.reference_prices, "moon_cake": 70}
    assert mine.cohorts == base.cohorts


def test_a_file_may_describe_an_archetype_of_its_own(tmp_path: Path) -> None:
    text = """based_on = "default"
[archetypes.streamer]
like = "casual"
rate_per_day = 3.0
[archetypes.streamer.likings]
pet = -2.0
[[cohorts]]
archetype = "streamer"
players = 5
[[cohorts]]
archetype = "whale"
players = 5
"""
    whale, streamer = Population.load(write(tmp_path, text)).archetypes
    assert whale == ARCHETYPES["whale"]
    changes = {"name": "streamer", "rate_per_day": 3.0, "likings": {"pet": -2.0}}
    assert streamer == ARCHETYPES["casual"].model_copy(update=changes)


def test_a_cohort_of_its_own_kind_is_added_in_a_notebook() -> None:
    base = Population.load("default")
    more = base.with_cohort("streamer", "casual", 7, {"rate_per_day": 3.0})
    assert more.players == base.players + 7
    assert more.archetype_of(more.cohorts[-1]).rate_per_day == 3.0
    assert more.with_cohort("night_owl", "streamer", 1, {}).archetypes[-1].rate_per_day == 3.0
    with pytest.raises(SetupError, match=r"'casual': is taken; choose another name"):
        base.with_cohort("casual", "whale", 7, {})
    with pytest.raises(SetupError, match=r"'witch': is no archetype; there are casual, grinder"):
        base.with_cohort("wizard", "witch", 7, {})
    with pytest.raises(SetupError, match="write its ring_size"):
        base.with_cohort("botter", "alt_farmer", 7, {})


def test_a_category_that_nobody_knows_is_liked_as_the_others_are_in_the_mean() -> None:
    casual = ARCHETYPES["casual"]
    assert casual.liking("potion") == casual.asc_potion
    assert casual.liking("pet") == pytest.approx((-3.4 - 4.2 - 4.6 - 3.8 - 3.8 - 4.4) / 6)
    fond = Population.load("default").with_archetype("casual", {"likings": {"pet": -1.0}})
    assert fond.archetypes[0].liking("pet") == -1.0


def test_only_the_archetypes_that_play_have_tables(tmp_path: Path) -> None:
    cohorts = (
        '[[cohorts]]\narchetype = "whale"\nplayers = 3\n[[cohorts]]\narchetype = "casual"\nplayers = 2\n'
    )
    twice = cohorts + '[[cohorts]]\nname = "late whales"\narchetype = "whale"\nplayers = 4\n'
    population = Population.load(write(tmp_path, f'based_on = "default"\n{twice}'))
    assert [archetype.name for archetype in population.archetypes] == ["casual", "whale"]
    assert population.roster().archetype == (1, 1, 1, 0, 0, 1, 1, 1, 1)
    assert [cohort.label for cohort in population.cohorts] == ["whale", "casual", "late whales"]


def test_a_base_is_found_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'based_on = "default"\n', "mine.toml")
    with pytest.raises(SetupError, match="is itself based on another"):
        Population.load(write(tmp_path, 'based_on = "mine.toml"\n'))


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("at_once_percent = 101", "at_once_percent", "less than or equal to 100"),
        ("at_once_percent = 70.5", "at_once_percent", "70.5"),
        ("late_days = true", "late_days", "true"),
        ("week_percent = [100, 100]", "week_percent", "at least 7 items"),
        (f"hour_weights = {[0] * 24}", "", "hour_weights are all 0"),
        ("colour = 3", "colour", "is no field here"),
        ("reference_train_gold = 0", "reference_train_gold", "greater than or equal to 1"),
        ("archetypes = 3", "archetypes", "must be tables"),
        ("[archetypes]\ncasual = 3", "archetypes.casual", "must be a table"),
        (
            "[archetypes.whale]\nbeta = 1.0\n[[cohorts]]\narchetype = 'casual'\nplayers = 1",
            "archetypes",
            "no cohort is of it",
        ),
        (
            (
                "[[cohorts]]\narchetype = 'casual'\nplayers = 16777216\n"
                "[[cohorts]]\narchetype = 'whale'\nplayers = 1"
            ),
            "",
            "hold 16777217 players, more than",
        ),
        ("[archetypes.casual]\nbeta = 0.2", "archetypes.casual.beta", "greater than or equal to 0.3"),
        ("[archetypes.casual]\nbeta = nan", "archetypes.casual.beta", "finite"),
        ("[archetypes.casual]\nfights = 3.0", "archetypes.casual.fights", "3.0"),
        ("[archetypes.casual]\nasc_tea = 1.0", "archetypes.casual.asc_tea", "is no field here"),
        ("[archetypes.wizard]\nbeta = 1.0", "archetypes", "'wizard'"),
        ("[[cohorts]]\narchetype = 'wizard'\nplayers = 1", "cohorts.archetype", "there are casual, grinder"),
        ("[[cohorts]]\narchetype = 'casual'\nplayers = -1", "cohorts.0.players", "-1"),
        ("[[cohorts]]\narchetype = 'alt_farmer'\nplayers = 9", "", "write its ring_size"),
        ("[[cohorts]]\narchetype = 'casual'\nplayers = 9\nring_size = 3", "", "has a ring_size"),
        ("[[cohorts]]\narchetype = 'casual'\nplayers = 9\n" * 2, "", "two cohorts are called 'casual'"),
        ("[appeal]\nhealth_potion = 7.0", "appeal.health_potion", "less than or equal to 6"),
        ("[archetypes.wizard]\nlike = 'witch'", "archetypes.wizard.like", "there are casual, grinder"),
        ("[archetypes.wizard]\nlike = 'whale'", "archetypes", "no cohort is of it"),
        ("based_on = 5", "based_on", "must be the name"),
        ("based_on = 'nobody'", "name", "there are alt_farm, default, whale_heavy"),
    ],
)
def test_a_wrong_file_is_refused_with_field_and_cure(
    tmp_path: Path, text: str, field: str, said: str
) -> None:
    base = "" if "based_on" in text else 'based_on = "default"\n'
    with pytest.raises(SetupError) as refused:
        Population.load(write(tmp_path, base + text))
    finding = refused.value.findings[0]
    assert finding.field == field
    assert said in str(finding)


def test_a_missing_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="late_days = nothing: is missing"):
        Population.load(write(tmp_path, 'title = "T"\n'))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is no TOML"):
        Population.load(write(tmp_path, "title = "))
    with pytest.raises(SetupError, match="cannot be read"):
        Population.load(tmp_path / "nowhere.toml")
    with pytest.raises(SetupError, match=r"'nowhere': is unknown; there are alt_farm, default, whale_heavy"):
        Population.load("nowhere")
    with pytest.raises(SetupError, match=r"is unknown"):
        Population.load("../populations/default")


def test_an_unknown_archetype_cannot_be_changed() -> None:
    with pytest.raises(SetupError, match="there are casual, grinder"):
        Population.load("default").with_archetype("wizard", {})
    with pytest.raises(SetupError, match=r"archetypes\.casual\.slots = 5"):
        Population.load("default").with_archetype("casual", {"slots": 5})


def test_the_parameters_of_players_md() -> None:
    archetypes = [*ARCHETYPES.values()]
    for line in PARAMETERS.strip().splitlines():
        field, *values = line.split()
        assert [getattr(archetype, field) for archetype in archetypes] == [
            float(value) for value in values
        ], field
    written = {line.split()[0] for line in PARAMETERS.strip().splitlines()}
    assert written | {"name", "likings"} == set(Archetype.model_fields)


def test_a_population_travels_to_another_process() -> None:
    population = Population.load("default")
    assert pickle.loads(pickle.dumps(population)) == population  # noqa: S301 - Our own bytes.


def write(folder: Path, text: str, name: str = "crowd.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
