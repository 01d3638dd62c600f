"""The report: one file that needs nothing, adds up, escapes what it is told, says what it does not know."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import re
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import polars as pl
import pytest

from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.report import (
    ReportData,
    render_report,
    report_data,
    words,
    write_report,
)
from kokoromichi.analysis.report.cards import headline_section, unmet_targets
from kokoromichi.analysis.report.data_quality import findings_section, health_section
from kokoromichi.analysis.report.money import kind_table, net_section, supply_section
from kokoromichi.analysis.report.page import Page, PageSection, render
from kokoromichi.analysis.report.waits import wait_section
from kokoromichi.analysis.targets import Band, Targets
from kokoromichi.core.errors import MisuseError
from kokoromichi.rules.findings import Finding
from tests.analysis.plot_data import HASH, Run, synthetic_run
from tests.project.checkout import ROOT
from tests.project.checkout import run as printed

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = {"scenario": "baseline", "seed": "7", "economy_hash": HASH}
NASTY: Final = "<script>alert('x')</script> & \"$x$\""
LARGEST_BYTES: Final = 3_000_000
VOID: Final = frozenset({"meta", "br", "path", "use", "rect"})


class Reader(HTMLParser):
    """Keeps what the tests ask about: tags with their attributes, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def having(self, attribute: str) -> list[str]:
        return [value for _, found in self.tags if (value := found.get(attribute)) is not None]


def whole(run: Run) -> Observations:
    return Observations.from_frames(
        run.ledger, activity=run.activity, economy_history=run.history, players=run.players
    )


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    return played()


def played() -> list[Run]:
    return [synthetic_run(seed, players=40, days=36) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def data(runs: list[Run]) -> ReportData:
    return seen(runs)


def seen(runs: list[Run]) -> ReportData:
    return report_data([whole(run) for run in runs], title="Baseline", manifest=MANIFEST, findings=())


@pytest.fixture(scope="module")
def html(data: ReportData) -> str:
    return render_report(data)


def test_the_same_numbers_give_the_same_bytes(data: ReportData, html: str, tmp_path: Path) -> None:
    path = write_report(tmp_path / "deep" / "report.html", data).path
    assert path.read_bytes() == html.encode()


def test_another_process_with_other_hashes_writes_the_same_bytes(html: str) -> None:
    code = (
        "import hashlib; from tests.analysis.test_report import *;"
        "print(hashlib.sha256(render_report(seen(played())).encode()).hexdigest())"
    )
    theirs = printed(sys.executable, "-c", code, cwd=ROOT, PYTHONHASHSEED="1", POLARS_MAX_THREADS="1")
    assert theirs.strip() == hashlib.sha256(html.encode()).hexdigest()


def test_one_file_that_needs_nothing_from_outside(html: str) -> None:
    page = Reader(html)
    assert page.open == []
    assert not re.search(r"https?://|url\((?!#)|@import|<script|<link|<iframe|<img|javascript:", html)
    assert all(link.startswith(("#", "data:text/csv")) for link in page.having("href"))
    assert page.having("src") == []
    assert "default-src 'none'" in html
    assert len(html.encode()) < LARGEST_BYTES


def test_every_id_is_unique_and_every_reference_has_one(html: str) -> None:
    page = Reader(html)
    ids = page.having("id")
    assert len(ids) == len(set(ids))
    inner = {link[1:] for link in page.having("href") if link.startswith("#")}
    inner |= set(re.findall(r"url\(#([^)]+)\)", html)) | set(page.having("aria-labelledby"))
    assert inner <= set(ids)


def test_the_heads_of_the_kinds_say_what_is_measured_when(runs: list[Run], data: ReportData) -> None:
    """Amounts are of the whole time, so that they add up to the supply; shares leave the warm-up out."""
    assert kind_table(data, "gold").heads == (
        "Kind",
        "Whole time, 3 runs",
        "Whole time, mean",
        "Share from day 30 on",
    )
    short = report_data([whole(runs[0])], title="", manifest=MANIFEST, warm_up_days=99)
    assert kind_table(short, "gold").heads == ("Kind", "Whole time", "Share")


def test_of_nothing_there_is_no_share(data: ReportData) -> None:
    texts = [[cell.text for cell in row.cells] for row in kind_table(data, "silver").rows]
    assert [row for row in texts if row[0].startswith("All ")] == [
        [f"All {side}", "0", "0", ""] for side in ("faucets", "sinks")
    ]


def test_every_chart_has_a_name_and_every_table_its_heads(html: str) -> None:
    page = Reader(html)
    charts = [found for tag, found in page.tags if tag == "svg"]
    assert len(charts) > 12
    assert all(found.get("role") == "img" and found.get("aria-label") for found in charts)
    assert all(found.get("scope") in {"col", "row"} for tag, found in page.tags if tag == "th")
    assert len([tag for tag, _ in page.tags if tag == "h1"]) == 1
    assert ("html", {"lang": "en"}) in page.tags


def test_every_chart_and_table_carries_its_definition_and_its_data(html: str) -> None:
    page = Reader(html)
    figures = sum(tag == "figure" for tag, _ in page.tags)
    links = [link for link in page.having("href") if link.startswith("data:text/csv")]
    assert sum(tag == "figcaption" for tag, _ in page.tags) == figures == len(links)
    for link in links:
        rows = list(csv.reader(io.StringIO(unquote(link.partition(",")[2]))))
        assert len({len(row) for row in rows}) == 1
        assert len(rows) > 1 or "findings" in link


def test_every_run_adds_up_to_the_unit(html: str, runs: list[Run]) -> None:
    text = Reader(html).text
    assert "All 6 sums reconcile to the unit." in text
    assert "Reconciles to the unit" in text
    for run in runs:
        gold = run.ledger.filter(pl.col("currency") == "gold")
        for sum_ in (gold["amount"].sum(), gold.filter(pl.col("kind") == "opening")["amount"].sum()):
            assert f"{sum_:,}" in text
    held = sum(run.ledger.filter(pl.col("currency") == "gold")["amount"].sum() for run in runs)
    assert f"Supply held {held:,}" in text


def page_of(*sections: PageSection) -> str:
    """The text of a page of these sections alone."""
    page = Page(title="t", subtitle="", origin="", verdicts=(), sections=sections, colophon="")
    return Reader(render(page)).text


def with_frame(data: ReportData, name: str, frame: pl.DataFrame) -> ReportData:
    return dataclasses.replace(data, frames={**data.frames, name: frame})


def test_a_unit_that_is_missing_is_shown_as_an_error(data: ReportData) -> None:
    supply = data.frames["money_supply"]
    gold_of_run_2 = (pl.col("replication") == 2) & (pl.col("currency") == "gold")
    short = supply.with_columns(supply=pl.col("supply") - gold_of_run_2.cast(pl.Int64))
    text = page_of(supply_section(with_frame(data, "money_supply", short)))
    assert "1 of 6 sums do not reconcile." in text
    assert "✗ −1 off" in text
    assert text.count("✓ 0, exact") == 5


def test_a_broken_law_of_the_ledger_is_shown_as_an_error(data: ReportData) -> None:
    text = page_of(health_section(unsound(data)))
    assert "3 violations." in text
    assert "negative balances law 4 ✗ 3" in text


def unsound(data: ReportData) -> ReportData:
    counts = (pl.col("check") == "negative_balances").cast(pl.Int64)
    return with_frame(data, "ledger_health", data.frames["ledger_health"].with_columns(violations=counts))


def test_the_first_lines_of_the_report_say_what_is_broken(data: ReportData) -> None:
    off = data.frames["money_supply"].with_columns(pl.col("supply") + 1)
    text = Reader(render_report(with_frame(unsound(data), "money_supply", off))).text
    head = text.partition("Economy report")[2][:400]
    assert "✗ Does not reconcile" in head
    assert "✗ 3 violations of the ledger's laws" in head
    assert "✓ No findings" in head


@pytest.mark.parametrize(
    ("target", "met", "words"),
    [
        (Band(high=-1.0), False, "Target: at most −100\u00a0%"),
        (Band(low=0.5), True, "Target: at least 50\u00a0%"),
        (Band(0.0, 99.0), True, "Target: 0\u00a0% to 9,900\u00a0%"),
    ],
)
def test_a_number_is_held_against_the_target_that_it_is_given(
    *, target: Band, met: bool, words: str, data: ReportData
) -> None:
    only = dataclasses.replace(data, targets={"sink_faucet_ratio": target})
    card, *others = headline_section(only).cards
    assert card.label == "Sink/faucet ratio"
    assert card.verdict == ("good" if met else "bad")
    assert card.target == words
    assert card.pill == ("met in 3 of 3 runs" if met else "missed: met in 0 of 3 runs")
    assert card.gauge is not None
    assert all(0 <= place <= 100 for place in card.gauge)
    assert {other.verdict for other in others} == {"plain"}
    assert net_section(only).blocks


def test_a_target_that_has_no_card_gets_one_and_a_wait_may_name_its_item_and_group(data: ReportData) -> None:
    item, group = data.frames["days_to_afford"].filter(pl.col("archetype") != "all").row(0)[1:3]
    asked = Targets({"units_sold": (0, None), f"mean_wait_days.{item}.{group}": (None, -1)})
    sold, wait = headline_section(dataclasses.replace(data, targets=asked)).cards[:2]
    assert (sold.label, sold.verdict) == ("Units sold", "good")
    assert wait.label.startswith("Mean wait days, ")
    assert (wait.verdict, wait.target) == ("bad", "Target: at most -1")
    assert len(unmet_targets(dataclasses.replace(data, targets=asked))) == 1


def test_a_wait_for_an_item_that_is_not_there_names_the_nearest(data: ReportData) -> None:
    lost = dataclasses.replace(data, targets=Targets({"wait_days.tresure_chest": (1, 2)}))
    with pytest.raises(MisuseError, match="item_id 'tresure_chest' is unknown"):
        headline_section(lost)


def test_a_time_too_short_to_be_judged_meets_no_target(data: ReportData) -> None:
    assert unmet_targets(dataclasses.replace(data, days=3)) == (
        "fewer than 7 days were observed: no target is judged",
    )


def test_a_ledger_alone_gives_a_report_that_says_what_is_missing(runs: list[Run]) -> None:
    observations = Observations.from_frames(runs[0].ledger)
    made = report_data([observations], title="Our server", manifest={"source": "ledger.parquet"})
    assert set(made.missing) == {
        "days_to_afford", "engel_shares", "price_index", "price_events", "sell_through", "stock_outs",
        "acts", "refusals",
    }  # fmt: skip
    text = Reader(render_report(made)).text
    for said in (
        "days_to_afford needs the stream economy_history, which was not observed",
        "acts needs the stream activity, which was not observed",
        "The players were not observed",
        "The activity stream was not observed",
        "The economy was not checked",
        "streams ledger ",
    ):
        assert said in text
    assert "Wait for a chest – " in text


def test_nothing_observed_gives_a_report_that_says_so() -> None:
    text = Reader(render_report(report_data([Observations.empty()], title="Nothing", manifest={}))).text
    assert "Nothing was observed: the ledger is empty." in text
    assert "targets are met" not in text.partition("Headline")[0]


def test_a_report_of_no_run_is_refused() -> None:
    with pytest.raises(MisuseError, match="at least one run"):
        report_data([], title="t", manifest={})


def test_what_players_and_files_write_is_never_markup(runs: list[Run]) -> None:
    ledger, activity, history, players = runs[0]

    def nasty(frame: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
        return frame.with_columns(pl.col(column).replace({name: NASTY}))

    observations = Observations.from_frames(
        nasty(ledger, "item_id", "lucky_charm").with_columns(reason=pl.lit(NASTY)),
        activity=nasty(activity, "code", "too_poor"),
        economy_history=nasty(nasty(history, "key", "lucky_charm"), "category", "potion"),
        players=nasty(players, "archetype", "casual"),
    )
    finding = Finding(NASTY, NASTY, NASTY, NASTY, NASTY)
    html = render_report(
        report_data([observations], title=NASTY, manifest={NASTY: NASTY}, findings=[finding])
    )
    assert "<script" not in html
    assert Reader(html).open == []
    assert NASTY in Reader(html).text


def test_no_player_is_named(html: str, runs: list[Run]) -> None:
    assert not re.search(r"\bp\d{5}\b", html)
    assert runs[0].players["user_id"][0] == "p00000"


def test_the_headline_is_measured_after_the_warm_up(runs: list[Run], data: ReportData) -> None:
    observations = [whole(runs[0])]
    early = report_data(observations, title="t", manifest={}, warm_up_days=0)
    short = report_data(observations, title="t", manifest={}, warm_up_days=36)
    assert (data.measured_from_day, early.measured_from_day, short.measured_from_day) == (30, 0, 0)
    assert data.headline["sink_faucet_ratio"][0] != early.headline["sink_faucet_ratio"][0]
    assert "measured from day 30 on" in headline_section(data).lede


def test_prices_that_move_are_drawn_and_others_are_not(runs: list[Run], data: ReportData) -> None:
    run = runs[0]
    cut = run.history.filter(pl.col("measure") == "price_gold").with_columns(
        pl.col("effective_from").dt.offset_by("14d"), value=pl.col("value") // 2
    )
    moved = whole(run._replace(history=pl.concat([run.history, cut])))
    section = wait_section(report_data([moved], title="Sale", manifest={}))
    assert "what a basket of store items costs" in page_of(section)
    assert "what a basket of store items costs" not in page_of(wait_section(data))
    assert "Prices did not move." in wait_section(data).lede
    assert [getattr(block, "wide", False) for block in wait_section(data).blocks] == [False, False, True]


def test_findings_are_listed(data: ReportData) -> None:
    finding = Finding("economy.toml", "store.lucky_charm.price_gold", "10", "no_arbitrage", "sells for more")
    text = page_of(findings_section(dataclasses.replace(data, findings=(finding,))))
    assert "1 finding." in text
    assert "store.lucky_charm.price_gold 10 no_arbitrage sells for more" in text
    assert "Nothing was found" in page_of(findings_section(data))


READABLE: Final = {
    "card": ("ink", "steel", "muted", "blue", "good", "bad"),
    "paper": ("ink", "steel", "muted", "blue"),
    "good-back": ("good",),
    "bad-back": ("bad",),
    "plain-back": ("steel",),
}
"""By the ground: the inks of words that stand on it."""


@pytest.mark.parametrize("ground", READABLE)
def test_words_stand_out_by_day_and_by_night(ground: str, html: str) -> None:
    css = html.partition("<style>")[2].partition("@media print")[0]
    for rules in css.split("prefers-color-scheme", 1):
        colours = {name: luminance(colour) for name, colour in re.findall(r"--([\w-]+): #(\w{6})", rules)}
        for ink in READABLE[ground]:
            bright, dark = sorted((colours[ink], colours[ground]), reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= 4.5, ink


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2: 0 for black, 1 for white."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_numbers_are_written_with_separators_and_a_true_minus() -> None:
    assert [words.whole(value) for value in (None, 0, -0.4, 1_234_567, -1_500)] == [
        "–",
        "0",
        "0",
        "1,234,567",
        "−1,500",
    ]
    assert [words.short(value) for value in (None, 999_999, 5_840_000)] == ["–", "999,999", "5.84\u00a0M"]
    assert [words.share(value, 1) for value in (None, 0.9543, -0.5)] == ["–", "95.4\u00a0%", "−50.0\u00a0%"]
    assert words.span([None, None]) is None
    assert words.span([1.0, None, 3.0]) == pytest.approx((2.0, 1.2, 2.8))
    assert [words.listed(names) for names in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert [words.counted(number, "run") for number in (1, 2_000)] == ["1 run", "2,000 runs"]
