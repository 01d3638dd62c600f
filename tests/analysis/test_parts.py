"""A part of a ledger, exported by the store's own options, is what the whole is on its days."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import kokoromichi as km
from kokoromichi.analysis.brought import BROUGHT_FILE, BROUGHT_SCHEMA, EXPORT_FILE
from kokoromichi.analysis.export import Selection, export_ledger
from kokoromichi.analysis.ledger import Ledger
from kokoromichi.analysis.metrics import METRICS, metric
from kokoromichi.analysis.metrics.health import ledger_health
from kokoromichi.analysis.metrics.supply import money_supply
from kokoromichi.analysis.metrics.wealth import balances, gini
from kokoromichi.analysis.observations import MissingBooksError, Observations
from kokoromichi.analysis.provider_state import StoredStates
from kokoromichi.analysis.report import period_report, report_data, words
from kokoromichi.analysis.report.blocks import lasting
from kokoromichi.analysis.report.cards import headline_section
from kokoromichi.analysis.report.periods import comparison
from kokoromichi.core.errors import MisuseError
from kokoromichi.simulation.faithful import FaithfulEngine
from tests.analysis.books import Book, day
from tests.simulation.commands import AUDIT_FAILED, DONE, USAGE, invoke

if TYPE_CHECKING:
    from kokoromichi.simulation.played import Played

MONTHS = ((None, dt.date(2026, 2, 1)), (dt.date(2026, 2, 1), None))


@dataclass(frozen=True)
class Exported:
    """A simulated run of sixty days, whole and as two exported months."""

    whole: Observations
    played: Played
    folders: tuple[Path, Path]

    @property
    def parts(self) -> list[Observations]:
        """The months, with the prices of the run."""
        return [
            Observations.from_frames(
                (ledger := Ledger.scan(folder)).frame,
                economy_history=self.played.economy_history,
                players=self.played.players,
                brought=ledger.brought,
            )
            for folder in self.folders
        ]

    def cuts(self) -> list[Observations]:
        """The whole, cut at the same days."""
        first, last = dt.date(2026, 1, 5), dt.date(2026, 3, 5)
        return [
            self.whole.between(since or first, until - dt.timedelta(days=1) if until else last)
            for since, until in MONTHS
        ]


def moment(day_: dt.date | None) -> dt.datetime | None:
    return None if day_ is None else dt.datetime.combine(day_, dt.time(), dt.timezone.utc)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    engine = FaithfulEngine(km.Scenario.load("baseline", players=40, days=60), seed=5)
    folder = tmp_path_factory.mktemp("months")
    folders = folder / "january", folder / "february"

    async def leave() -> Played:
        played = await engine.play()
        for out, (since, until) in zip(folders, MONTHS, strict=True):
            await export_ledger(engine.provider, out, "parquet", Selection(moment(since), moment(until)))
        return played

    played = asyncio.run(leave())
    whole = Observations.from_frames(
        played.ledger, economy_history=played.economy_history, players=played.players
    )
    return Exported(whole, played, folders)


def test_each_months_supply_is_that_of_the_whole_on_its_days(exported: Exported) -> None:
    whole = money_supply(exported.whole).collect()
    for part in exported.parts:
        found = money_supply(part).collect()
        on_its_days = whole.join(found.select("day").unique(), on="day", how="semi")
        held = ["day", "currency", "supply"]
        assert_frame_equal(found.select(held), on_its_days.select(held), check_row_order=False)
        assert (found["brought_forward"] + found["opening"] + found["faucets"] - found["sinks"]).equals(
            found["supply"], check_names=False
        )


def test_each_months_balances_and_gini_are_those_of_the_whole_on_its_last_day(exported: Exported) -> None:
    for part, last in zip(exported.parts, (dt.date(2026, 1, 31), None), strict=True):
        assert balances(part).collect().equals(balances(exported.whole, last).collect())
        ours, theirs = (
            gini(seen, last_day=day_).collect().filter(measure="balance")
            for seen, day_ in ((part, None), (exported.whole, last))
        )
        assert ours.equals(theirs)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in {"acts", "refusals"}])
def test_every_metric_of_a_month_is_that_of_the_whole_cut_at_its_days(exported: Exported, name: str) -> None:
    for part, cut in zip(exported.parts, exported.cuts(), strict=True):
        assert_frame_equal(metric(name)(part).collect(), metric(name)(cut).collect(), rel_tol=1e-12)


def test_waits_of_a_month_are_counted_from_its_first_day(exported: Exported) -> None:
    january, february = exported.parts
    item = "treasure_chest"
    price = 5_000
    held: dict[str, dict[dt.date, int]] = {}
    gold = exported.played.ledger.filter(pl.col("currency") == "gold").sort("entry_id")
    for user, at, after in gold.select("user_id", "at", "balance_after").iter_rows():
        held.setdefault(user, {})[at.date()] = after
    first = dt.date(2026, 2, 1)
    there = set(february.ledger.select("user_id").collect()["user_id"]) - {"system"}
    waiting = 0
    for user in there:
        closes = held[user]
        before = [closes[day_] for day_ in sorted(closes) if day_ < first]
        later = [day_ for day_ in closes if day_ > first]
        start = closes.get(first, before[-1] if before else None)
        waiting += (start is not None and start < price) or any(closes[day_] < price for day_ in later)
    rows = [
        metric("days_to_afford")(part).collect().filter(item_id=item, archetype="all")
        for part in (january, february)
    ]
    assert rows[1]["waiting"].item() == waiting
    assert rows[0]["waiting"].item() > 0


def test_the_audit_of_each_month_is_sound_and_finds_a_unit_that_is_missing(exported: Exported) -> None:
    for folder in exported.folders:
        ledger, states = Ledger.scan(folder), StoredStates.read(folder)
        assert states is not None
        assert states.audit(ledger.frame, ledger.brought).sound
        assert ledger.health()["violations"].sum() == 0
        short = states.balances.with_columns(balance=pl.col("balance") - (pl.int_range(pl.len()) == 0))
        broken = StoredStates(short, states.inventories, states.stock).audit(ledger.frame, ledger.brought)
        assert broken.counts[1] == 1


def test_the_command_audits_a_month_by_what_was_stored_at_its_end(exported: Exported, tmp_path: Path) -> None:
    month = exported.folders[1]
    told = invoke("audit", month)
    assert (told.exit_code, told.stdout) == (DONE, f"{month}: sound\n")
    edited = Path(shutil.copytree(month, tmp_path / "edited"))
    brought = pl.read_parquet(edited / BROUGHT_FILE)
    brought.filter(pl.col("user_id") != brought["user_id"][0]).write_parquet(edited / BROUGHT_FILE)
    assert invoke("audit", edited).exit_code == AUDIT_FAILED


def test_the_command_refuses_a_time_without_a_day(exported: Exported) -> None:
    told = invoke("report", exported.folders[1], "--since", "2030-01-01")
    assert told.exit_code == USAGE
    assert "the days run from 2026-02-01 to 2026-03-05" in told.stderr.replace("\n", " ")


def test_the_report_of_a_month_opens_and_stands_beside_the_month_before(exported: Exported) -> None:
    data = period_report(
        [exported.whole], dt.date(2026, 2, 1), dt.date(2026, 3, 1), title="February", manifest={}
    )
    assert (data.days, data.measured_from_day, data.before) == (28, 0, None)  # January is not there whole.
    assert "that begins on 2026-01-01, and what was read on 2026-01-" in headline_section(data).lede
    week = period_report(
        [exported.whole], dt.date(2026, 2, 9), dt.date(2026, 2, 16), title="A week", manifest={}
    )
    assert week.before is not None
    assert (week.before.first_day, week.before.days) == (dt.date(2026, 2, 2), 7)
    table = comparison(week, week.before)
    supply = next(row.cells for row in table.rows if row.cells[0].text == "Money supply")
    whole = money_supply(exported.whole).collect().filter(currency="gold")
    now, then = (
        whole.filter(day=day_)["supply"].item() for day_ in (dt.date(2026, 2, 15), dt.date(2026, 2, 8))
    )
    assert [cell.text for cell in supply[1:3]] == [words.short(now), words.short(then)]
    assert supply[3].text.lstrip("+") == words.short(now - then)


def test_a_time_without_a_day_is_refused_with_the_days_that_there_are(exported: Exported) -> None:
    with pytest.raises(MisuseError, match="the days run from 2026-01-05 to 2026-03-05"):
        period_report([exported.whole], dt.date(2027, 1, 1), None, title="", manifest={})


def test_a_ledger_writes_its_report(exported: Exported, tmp_path: Path) -> None:
    ledger, week = Ledger.scan(exported.folders[1]), (dt.date(2026, 2, 9), dt.date(2026, 2, 16))
    page = ledger.report(tmp_path / "week.html", since=week[0], until=week[1], title="A week")
    text = page.path.read_text(encoding="utf-8")
    assert "Beside the 7 days before" in text
    assert "Reconciles to the unit" in text
    assert "Brought forward" in text
    assert "Ledger sound" in text


def rich_then_poor() -> Book:
    """Ada arrives on day 0 and is there in both parts; Bo only before, Cy only after."""
    book = Book().opening(0, "ada").opening(0, "bo").move(1, "ada", "train", -6_000)
    return book.opening(5, "cy").move(6, "ada", "daily", 2_000).move(8, "ada", "train", -500)


def test_a_part_without_anything_beside_it_takes_its_balances_from_first_rows() -> None:
    later = rich_then_poor().frame().filter(pl.col("at") >= pl.lit(day(5)))
    seen = Observations.from_frames(later)
    assert seen.brought.collect().rows() == [("ada", "gold", 4_000, None, None)]
    held = dict(balances(seen).collect().filter(currency="gold").select("user_id", "balance").iter_rows())
    assert held == {"ada": 5_500, "cy": 10_000}  # Bo did nothing in it, and nothing says that they exist.
    assert ledger_health(seen).collect()["violations"].sum() == 0
    report = report_data([seen], title="", manifest={})
    assert report.measured_from_day == 0


def test_months_that_lie_in_one_folder_are_the_whole(exported: Exported, tmp_path: Path) -> None:
    for folder in exported.folders:
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    both, columns = Ledger.scan(tmp_path).observations(), ("day", "currency", "supply", "brought_forward")
    assert_frame_equal(
        money_supply(both).select(columns).collect(), money_supply(exported.whole).select(columns).collect()
    )
    (tmp_path / EXPORT_FILE).write_text("{")
    with pytest.raises(MisuseError, match="export the ledger again"):
        Observations.scan(tmp_path)


def test_a_month_whose_rows_are_damaged_is_refused_in_a_sentence(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.folders[1], tmp_path / "month")
    for path in folder.glob("ledger*.parquet"):
        whole = path.read_bytes()
        half = len(whole) // 2
        path.write_bytes(whole[:8] + bytes(byte ^ 0x55 for byte in whole[8:half]) + whole[half:])
    with pytest.raises(MisuseError, match=r"a file of the ledger in .*month is damaged: "):
        Ledger.scan(folder)


def test_a_month_that_begins_with_a_damaged_file_is_refused_in_a_sentence(
    exported: Exported, tmp_path: Path
) -> None:
    folder = shutil.copytree(exported.folders[1], tmp_path / "month")
    (folder / BROUGHT_FILE).write_bytes(b"PAR1")
    with pytest.raises(MisuseError, match=r"a file of the ledger in .*month is damaged: "):
        Observations.scan(folder)


def test_a_part_that_leaves_out_who_moved_nothing_says_so() -> None:
    rows = Book().opening(0, "ada").opening(0, "bo").move(9, "ada", "daily", 1).frame()
    part = Observations.from_frames(rows.filter(pl.col("kind") == "daily"))
    told = [
        lasting(report_data([seen], title="", manifest={})) for seen in (part, Observations.from_frames(rows))
    ]
    assert ["they and their gold are left out" in text for text in told] == [True, False]


def test_whoever_was_there_before_has_no_day_of_arrival() -> None:
    cut = rich_then_poor().observations().between(day(5), day(8))
    assert metric("retention")(cut).collect()["players"].to_list() == [1]  # Cy, a day later.
    assert set(metric("cohort_balances")(cut).collect()["players"]) == {1}


def test_a_ledger_without_all_books_says_which_metrics_it_cannot_give() -> None:
    book = Observations.from_frames(
        rich_then_poor().frame().filter(pl.col("book") == "progress"),
        brought=pl.DataFrame(schema=BROUGHT_SCHEMA),
        whole_books=False,
    )
    assert metric("flows")(book).collect().height == 2
    with pytest.raises(MissingBooksError, match=r"money_supply needs every book.*without --book"):
        metric("money_supply")(book)
    report = report_data([book], title="", manifest={})
    assert {"money_supply", "balances", "gini"} - {"balances"} <= report.missing_books
    assert any("needs every book" in sentence for sentence in headline_section(report).missing)


async def test_an_export_of_a_book_is_known_as_one(tmp_path: Path) -> None:
    engine = FaithfulEngine(km.Scenario.load("baseline", players=5, days=3), seed=5)
    await engine.play()
    await export_ledger(engine.provider, tmp_path / "some", "parquet", Selection(books=("rewards",)))
    seen = Observations.scan(tmp_path / "some")
    assert not seen.whole_books
    assert ledger_health(seen).collect()["violations"].sum() == 0
    assert StoredStates.read(tmp_path / "some") is None


async def test_players_have_one_pseudonym_in_rows_and_beside_them(tmp_path: Path) -> None:
    engine = FaithfulEngine(km.Scenario.load("baseline", players=5, days=4), seed=5)
    await engine.play()
    start = dt.datetime(2026, 1, 7, tzinfo=dt.timezone.utc)
    chosen = Selection(since=start, key=b"sixteen bytes or more")
    await export_ledger(engine.provider, tmp_path / "unnamed", "parquet", chosen)
    ledger, states = Ledger.scan(tmp_path / "unnamed"), StoredStates.read(tmp_path / "unnamed")
    assert states is not None
    assert states.audit(ledger.frame, ledger.brought).sound
    assert not any(name.startswith("p0") for name in states.balances["user_id"])
