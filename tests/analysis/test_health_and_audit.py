"""Ledger health and the audit: nothing found in a sound ledger, and each kind of damage found."""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kokoromichi.analysis.audit import (
    AuditReport,
    LedgerSums,
    MovedByDay,
    _added,
    audit,
    reused_requests,
    traded_units,
)
from kokoromichi.analysis.metrics import METRICS, measured, metric
from kokoromichi.analysis.metrics.by_day import days
from kokoromichi.analysis.metrics.health import ledger_health
from kokoromichi.analysis.observations import Observations
from kokoromichi.analysis.provider_state import StoredStates
from kokoromichi.analysis.report import render_report, report_data
from kokoromichi.analysis.report.money import reconciles, reconciliation
from kokoromichi.analysis.request_ids import RequestIds
from kokoromichi.core.errors import MisuseError, NoRoomError
from kokoromichi.core.models import DailyTotal
from kokoromichi.core.reader import ActiveDays, active_of, totals_of
from kokoromichi.core.schemas import BALANCES_SCHEMA, INVENTORIES_SCHEMA, STOCK_SCHEMA
from tests.analysis.books import Book, activity, at, lively, players, prices, restock

Damage = Callable[[pl.DataFrame], pl.DataFrame]


def sound() -> Book:
    """Two players and a shop: every kind of row, and every law holds."""
    book = (
        Book()
        .opening(0, "ada")
        .opening(0, "bo")
        .transfer(1, "ada", "bo", 1_000, 50)
        .exchange(1, "bo", 4_000, 100)
    )
    book.move(2, "ada", "purchase", -900, item="print", units=3).hand(2, "ada", "use", "print", -1)
    restock(book, 3, "print", 2)
    return book.move(3, "bo", "correction", -50, actor="system")


# What is stored beside it: ada 10,000 - 1,000 - 900; bo 10,000 + 950 - 4,000 - 50; 10 prints - 3 + 2.
BALANCES = pl.DataFrame(
    [("ada", "gold", 8_100), ("ada", "gems", 100), ("bo", "gold", 6_900), ("bo", "gems", 200)],
    schema=BALANCES_SCHEMA,
    orient="row",
)
INVENTORIES = pl.DataFrame([("ada", "print", 2)], schema=INVENTORIES_SCHEMA, orient="row")
STOCK = pl.DataFrame([("print", 10, 9, None), ("unsold", 5, 5, None)], schema=STOCK_SCHEMA, orient="row")


def found(ledger: pl.DataFrame) -> dict[str, int]:
    """What the health check counts, without the zeros."""
    table = ledger_health(Observations.from_frames(ledger)).collect()
    return {check: count for _, check, count in table.iter_rows() if count}


def where(row: int, **values: object) -> Damage:
    """Overwrite cells of one row."""

    def damage(ledger: pl.DataFrame) -> pl.DataFrame:
        hit = pl.int_range(pl.len()) == row
        return ledger.with_columns(
            pl.when(hit).then(pl.lit(value, dtype=ledger.schema[name])).otherwise(name).alias(name)
            for name, value in values.items()
        )

    return damage


def test_a_sound_ledger_is_healthy() -> None:
    table = ledger_health(sound().observations()).collect()
    assert table["violations"].to_list() == [0] * 18
    assert table["law"].is_sorted()


# Rows of the sound ledger: 0-3 openings (gold, gems of ada, then of bo), 4 and 5 the transfer's legs, 6 its
# fee, 7 and 8 the exchange, 9 the purchase, 10 the use, 11 the restock, 12 the correction.
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (where(12, amount=-51), {"broken_balance_chains": 1}),
        (where(2, amount=1), {"broken_balance_chains": 1}),
        (where(12, balance_after=6_899), {"broken_balance_chains": 1}),
        (where(6, balance_after=-50), {"broken_balance_chains": 2, "negative_balances": 1}),
        (
            where(5, amount=951, balance_after=10_951),
            {"broken_balance_chains": 1, "transfers_that_do_not_cancel": 1},
        ),
        (where(12, request_id="r000000001"), {"reused_request_ids": 1}),
        (where(12, entry_id="e000000011"), {"duplicate_entry_ids": 1}),
        (where(12, entry_id="e000000014"), {"missing_entry_ids": 2}),
        (
            lambda ledger: pl.concat([where(12, entry_id="e000000014")(ledger), ledger.slice(11, 1)]),
            {"duplicate_entry_ids": 1, "missing_entry_ids": 2},
        ),
        (where(10, quantity=-4), {"negative_inventories": 1}),
        (where(10, item_id=None), {"half_movements": 1}),
        (where(9, amount=None), {"half_movements": 1}),
        (where(11, kind="conjuring"), {"unknown_kinds": 1}),
        (
            lambda ledger: ledger.filter(pl.col("kind") != "exchange"),
            {"missing_entry_ids": 2, "broken_balance_chains": 1},
        ),
        (
            lambda ledger: pl.concat([ledger, ledger.tail(1)]),
            {"duplicate_entry_ids": 1, "broken_balance_chains": 1},
        ),
    ],
)
def test_each_damage_is_counted(damage: Damage, expected: dict[str, int]) -> None:
    counted = found(damage(sound().frame()))
    assert counted == expected


@pytest.mark.parametrize(
    ("form", "missing"),
    [
        ("e{number}", 1),
        (
            "{time:016d}-{number}",
            1,
        ),  # As the packed ledger writes them: a prefix that changes with the clock.
        ("{number}", 1),
        ("{time:016d}{number}", 0),  # Where the number starts cannot be told.
        ("{number}-{scramble}", 0),  # No number that rises with the id.
        ("{number}-end", 0),
    ],
)
def test_a_gap_is_seen_where_ids_end_in_a_running_number(form: str, missing: int) -> None:
    numbers = [7, 8, *range(10, 21)]
    ids = [
        form.format(
            number=f"{number:010d}", time=1_767_571_200_000_000 + number // 3, scramble=number * 7 % 13
        )
        for number in numbers
    ]
    counted = found(sound().frame().with_columns(pl.Series("entry_id", ids)))
    assert counted == ({"missing_entry_ids": 1} if missing else {})


def test_health_does_not_depend_on_the_order_of_rows() -> None:
    assert found(sound().frame().reverse()) == {}


def test_a_wrapped_sum_is_no_sound_chain() -> None:
    book = Book().move(0, "ada", "import", 2**62)
    book.move(0, "ada", "import", 5)
    wrapped = where(1, amount=2**62, balance_after=-(2**63))(book.frame())
    assert found(wrapped) == {"broken_balance_chains": 1, "negative_balances": 1}


def audited(ledger: pl.DataFrame, balances: pl.DataFrame = BALANCES, inventories: pl.DataFrame = INVENTORIES,
            stock: pl.DataFrame = STOCK) -> AuditReport:  # fmt: skip
    """Audit frames: as a whole, and row by row, which must find the same."""
    report = audit(ledger.lazy(), balances.lazy(), inventories.lazy(), stock.lazy())
    sums, moved, units = (
        LedgerSums(),
        MovedByDay(),
        [traded_units(ledger.clear().lazy(), stock.lazy()).collect()],
    )
    with closing(RequestIds()) as requests:
        for rows in ledger.iter_slices(1):
            sums.add(rows)
            moved.add(rows)
            units.append(traded_units(rows.lazy(), stock.lazy()).collect())
            requests.add(rows)
        suspects = requests.suspects()
    reused = ledger.clear() if suspects is None else ledger.filter(suspects)
    found_twice = reused_requests(reused.lazy()).collect()
    laws = sums.against(balances, inventories, stock, pl.concat(units), found_twice)
    in_parts = moved.against(laws, totals_of([ledger], 0), active_of([ledger], 0))
    assert in_parts.rows == report.rows
    assert in_parts.violations.pop(7).is_empty()
    for law, found in report.violations.items():
        assert_frame_equal(in_parts.violations[law], found)
    return report


def test_a_sound_ledger_passes_the_audit() -> None:
    report = audited(sound().frame())
    assert report.sound
    assert (report.rows, report.counts) == (13, dict.fromkeys(range(1, 7), 0))
    assert str(report) == "sound: 6 laws hold over 13 rows"


def test_the_audit_of_nothing_is_sound() -> None:
    nothing = (BALANCES.clear(), INVENTORIES.clear(), STOCK.clear())
    report = audited(Book().frame(), *nothing)
    assert (report.sound, report.rows) == (True, 0)


def test_law_1_names_the_balance() -> None:
    report = audited(sound().frame(), balances=BALANCES.filter(pl.col("balance") != 100))
    assert report.counts == {1: 1, 2: 0, 3: 1, 4: 0, 5: 0, 6: 0}
    assert report.violations[1].rows() == [("ada", "gems", 100, 0)]
    assert report.violations[3].rows() == [("gems", 300, 200)]
    assert str(report).startswith(
        "law 1 (the sum of amounts by user and currency is the stored balance): 1 violations"
    )


def test_law_1_finds_a_balance_that_no_row_explains() -> None:
    strange = pl.DataFrame([("cy", "gold", 5)], schema=BALANCES_SCHEMA, orient="row")
    report = audited(sound().frame(), balances=pl.concat([BALANCES, strange]))
    assert report.violations[1].rows() == [("cy", "gold", 0, 5)]


def test_law_2_names_the_item() -> None:
    report = audited(
        sound().frame(), inventories=INVENTORIES.with_columns(quantity=pl.lit(3, dtype=pl.Int64))
    )
    assert report.counts == {1: 0, 2: 1, 3: 0, 4: 0, 5: 0, 6: 0}
    assert report.violations[2].rows() == [("ada", "print", 2, 3)]


def test_law_3_finds_gold_that_a_transfer_made() -> None:
    # The receiver's leg and balance agree with each other, so that law 1 holds: only the supply tells.
    ledger = where(5, amount=960, balance_after=10_960)(sound().frame())
    richer = BALANCES.with_columns(
        balance=pl.when((pl.col("user_id") == "bo") & (pl.col("currency") == "gold"))
        .then(6_910)
        .otherwise("balance")
    )
    report = audited(ledger, balances=richer)
    assert report.counts == {1: 0, 2: 0, 3: 1, 4: 0, 5: 0, 6: 0}
    # Faucets 20,000; sinks 50, 4,000, 900 and 50.
    assert report.violations[3].rows() == [("gold", 15_000, 15_010)]


def test_law_4_finds_everything_below_zero() -> None:
    minus = pl.lit(-1, dtype=pl.Int64)
    report = audited(
        where(9, balance_after=-1)(sound().frame()),
        balances=BALANCES.head(1).with_columns(balance=minus),
        inventories=INVENTORIES.with_columns(quantity=minus),
        stock=STOCK.head(1).with_columns(now=minus),
    )
    assert report.violations[4].rows() == [
        ("balance", "ada", "gold", -1),
        ("inventory", "ada", "print", -1),
        ("ledger", "ada", "e000000009", -1),
        ("stock", "print", "counter", -1),
    ]


def test_law_5_names_the_request() -> None:
    report = audited(where(12, request_id="r000000001")(sound().frame()))
    assert report.counts == {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 0}
    assert report.violations[5].rows() == [("r000000001", 2)]


def test_a_full_temporary_folder_is_said_with_its_cure() -> None:
    many = pl.DataFrame({"request_id": range(400_000), "tx_id": range(400_000)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with closing(RequestIds()) as requests, pytest.raises(NoRoomError, match="SQLITE_TMPDIR"):
            requests.add(many)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_parts_wait_until_they_are_as_large_as_the_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    grouped: list[int] = []

    def counted(frame: pl.LazyFrame) -> pl.LazyFrame:
        grouped.append(1)
        return _added(frame)

    monkeypatch.setattr("kokoromichi.analysis.audit._added", counted)
    book = Book()
    for number in range(200):
        book.opening(0, f"player-{number:03}")
    sums = LedgerSums()
    for rows in book.frame().iter_slices(2):
        sums.add(rows)
    assert len(grouped) < 4 * 15, "four frames each time that the sums have doubled, and not for each part"


def test_sums_of_parts_with_enums_are_audited_as_their_frame() -> None:
    ledger = sound().frame()
    for name in ("user_id", "item_id", "kind", "currency"):
        names = [*ledger[name].drop_nulls(), *(STOCK["item_id"] if name == "item_id" else [])]
        ledger = ledger.with_columns(pl.col(name).cast(pl.Enum(sorted(set(names)))))
    sums = LedgerSums()
    for rows in ledger.iter_slices(4):
        sums.add(rows)
    stored = StoredStates(BALANCES.with_columns(pl.col("balance") + 1), INVENTORIES, STOCK)
    whole, in_parts = stored.audit(ledger), stored.audit_sums(sums, ledger.lazy())
    assert not whole.sound
    assert in_parts.rows == whole.rows
    for law, found in whole.violations.items():
        assert_frame_equal(in_parts.violations[law], found)


def test_law_6_names_the_counter() -> None:
    report = audited(sound().frame(), stock=STOCK.with_columns(now=pl.lit(8, dtype=pl.Int64)))
    assert report.violations[6].rows() == [("print", 9, 8), ("unsold", 5, 8)]


def test_law_7_names_what_the_daily_totals_lack() -> None:
    ledger, totals = sound().frame(), totals_of([sound().frame()], 0)
    sums, moved, day = LedgerSums(), MovedByDay(), totals[0].day
    sums.add(ledger)
    moved.add(ledger)
    stored = [*totals[1:], DailyTotal(day, "daily", None, 1, 0, 0)]
    active = {**active_of([ledger], 0), 77: 3}
    laws = StoredStates(BALANCES, INVENTORIES, STOCK).audit_sums(sums, ledger.lazy())
    report = moved.against(laws, stored, active)
    assert report.counts == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 3}
    assert report.violations[7].rows() == [
        (day, "daily", None, -1, 0, 0, None),
        (day, "opening", "gems", 2, 200, 0, None),
        (77, None, None, None, None, None, -3),
    ]


def test_a_clock_that_was_set_back_may_have_counted_a_player_of_that_day_or_not() -> None:
    book, active, start = Book(), ActiveDays(), int(at(0).timestamp()) // 86_400
    for day in (3, 5, 3, 4):
        book.move(day, "ada", "daily", 1)
    active.add(book.frame())

    def lacking(stored: dict[int, int]) -> list[tuple[int, int]]:
        shifted = {start + day: players for day, players in stored.items()}
        return [(day - start, players) for day, players in active.lacking_in(shifted)]

    assert lacking({3: 1, 5: 1}) == lacking({3: 1, 4: 1, 5: 1}) == []
    assert lacking({3: 2, 4: 2}) == [(3, -1), (4, -1), (5, 1)]


def test_an_audit_of_wrapped_sums_fails() -> None:
    # As int64, 2^62 twice is -2^63: a stored balance that wrapped is not what the ledger says.
    book = Book().move(0, "ada", "import", 2**62)
    book.move(0, "ada", "import", 5)
    wrapped = where(1, amount=2**62)(book.frame())
    stored = pl.DataFrame([("ada", "gold", -(2**63))], schema=BALANCES_SCHEMA, orient="row")
    report = audited(wrapped, stored, INVENTORIES.clear(), STOCK.clear())
    assert report.violations[1].rows() == [("ada", "gold", 2**63, -(2**63))]


def test_the_audit_refuses_frames_of_another_shape() -> None:
    with pytest.raises(MisuseError, match="the audit needs stock with the columns"):
        audited(sound().frame(), stock=STOCK.rename({"now": "left"}))


def test_columns_of_stored_frames_may_stand_in_any_order() -> None:
    assert audited(sound().frame(), balances=BALANCES.select("balance", "currency", "user_id")).sound


def test_one_request_may_carry_many_rows_of_one_transaction() -> None:
    assert reused_requests(sound().frame().lazy()).collect().is_empty()


def test_law_6_counts_what_was_sold_since_the_stock_began() -> None:
    # 3 prints were bought on day 1 and 2 restocked later: a stock of 10 that began after the sale is at 12.
    bought = sound().frame().filter(pl.col("kind") == "purchase", pl.col("item_id") == "print")
    began = STOCK.head(1).with_columns(since=bought["at"].sort(descending=True).dt.offset_by("1us").head(1))
    assert audited(sound().frame(), stock=began.with_columns(now=pl.lit(12, dtype=pl.Int64))).sound
    assert audited(sound().frame(), stock=began).counts[6] == 1


def test_nothing_is_not_negative() -> None:
    book = (
        Book()
        .move(0, "ada", "daily", 5, item="charm", units=1)
        .move(0, "ada", "train", -5, item="charm", units=-1)
    )
    assert found(book.frame()) == {}
    report = audited(
        book.frame(),
        pl.DataFrame([("ada", "gold", 0)], schema=BALANCES_SCHEMA, orient="row"),
        pl.DataFrame([("ada", "charm", 0)], schema=INVENTORIES_SCHEMA, orient="row"),
        pl.DataFrame([("charm", 0, 0, None)], schema=STOCK_SCHEMA, orient="row"),
    )
    assert report.sound


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (where(9, at=None), {"missing_values": 1}),
        (where(9, kind=None), {"missing_values": 1}),
        (where(9, book=None), {"missing_values": 1}),
        (where(10, user_id=None), {"missing_values": 1}),
        (where(3, currency="pearls"), {"unknown_currencies": 1}),
        (where(9, book="battles"), {"rows_in_another_book": 1}),
        (where(9, book="no such book"), {"rows_in_another_book": 1}),
        (where(9, amount=900, balance_after=9_900), {"impossible_signs": 1}),
        (where(9, quantity=-1), {"impossible_signs": 1, "negative_inventories": 2}),
        (where(12, at=at(0)), {"times_against_entry_ids": 1}),
        (where(12, at=datetime(9999, 12, 31, tzinfo=timezone.utc)), {"times_far_away": 1}),
    ],
)
def test_a_row_that_no_metric_can_use_is_counted(damage: Damage, expected: dict[str, int]) -> None:
    counted = found(damage(sound().frame()))
    counted.pop("broken_balance_chains", None)
    assert counted == expected


def test_rows_of_other_streams_that_no_metric_can_use_are_counted() -> None:
    seen = sound().observations(
        activity=where(0, at=None)(activity([(1, "ada", "claim", None), (1, "ada", "use", None)])),
        history=where(0, value=None)(prices(chest=100, potion=5)),
        players=where(0, user_id=None)(players({"ada": "casual", "bo": "whale"})),
    )
    counts = dict(ledger_health(seen).collect().select("check", "violations").iter_rows())
    assert counts["missing_values"] == 3
    assert sum(counts.values()) == 3


def test_a_ledger_that_leaves_somebody_below_nothing_has_a_report_without_inequality() -> None:
    data = report_data([Observations.from_frames(where(2, at=None)(sound().frame()))], title="", manifest={})
    assert data.headline.select("gini", "top_1_share", "top_10_share").row(0) == (None, None, None)
    assert set(data.frames["lorenz"]["measure"]) == {"spending"}
    assert "Does not reconcile" in render_report(data)


@pytest.mark.parametrize("lost", ["at", "user_id", "amount"])
def test_every_metric_of_a_ledger_that_lost_a_third_of_a_column_is_there(lost: str) -> None:
    seen = lively(2, users=30, horizon_days=20)
    kept = pl.when(pl.int_range(pl.len()) % 3 != 0).then(lost)
    streams = {name: getattr(seen, name) for name in ("activity", "economy_history", "players")}
    broken = Observations.from_frames(seen.ledger.with_columns(kept), **streams)
    frames = {name: measured(name, broken) for name in METRICS}
    assert frames["ledger_health"]["violations"].sum() > 0
    assert frames["days_to_afford"]["wait_days"].drop_nulls().min() >= 0  # type: ignore[operator]  # A number.


def test_what_is_listed_twice_is_counted_and_players_and_prices_count_once() -> None:
    known = players({"ada": "casual", "bo": "whale"})
    listed = prices(chest=100)
    book, seen = sound(), activity([(1, "ada", "session", None), (1, "ada", "claim", None)])
    twice = book.observations(
        activity=pl.concat([seen, seen]),
        players=pl.concat([known, known]),
        history=pl.concat([listed, listed]),
    )
    counts = dict(ledger_health(twice).collect().select("check", "violations").iter_rows())
    doubled = ("duplicate_players", "duplicate_sessions", "duplicate_prices")
    assert [counts[name] for name in doubled] == [2, 1, 1]
    once = book.observations(players=known, history=listed)
    for name in ("balances", "balance_percentiles", "days_to_afford"):
        assert metric(name)(twice).collect().equals(metric(name)(once).collect())


def test_a_row_dated_in_the_year_9999_makes_no_days() -> None:
    far = where(12, at=datetime(9999, 12, 31, tzinfo=timezone.utc))(sound().frame())
    seen = Observations.from_frames(far)
    assert days(seen).collect().height == 4
    supply = metric("money_supply")(seen).collect()
    assert supply.height == 8
    data = report_data([seen], title="", manifest={})
    assert not reconciles(data)  # The row's 50 gold came in, and no day has it.
    assert data.booked.filter(currency="gold")["booked"].item() == 15_000


def test_rows_without_a_time_are_a_difference_and_never_exact() -> None:
    lost = where(9, at=None)(sound().frame())
    data = report_data([Observations.from_frames(lost)], title="", manifest={})
    row = next(row for row in reconciliation(data).rows if row.cells[1].text == "gold")
    assert row.cells[2].text == "−900 off"


def test_three_faucets_of_six_quintillions_have_a_third_each_and_no_wrong_supply() -> None:
    book = Book()
    for user, kind in (("ada", "daily"), ("bo", "battle"), ("cy", "income")):
        book.move(0, user, kind, 6 * 10**18)
    shares = metric("flows_total")(book.observations()).collect()
    assert shares["share"].to_list() == pytest.approx([1 / 3] * 3)
    assert shares["share_of_faucets"].to_list() == pytest.approx([1 / 3] * 3)
    with pytest.raises(MisuseError, match="beyond 64 bits"):
        report_data([book.observations()], title="", manifest={})
