"""Charts as PNG: dark, of one size, the same bytes for the same data, also in threads at once."""

from __future__ import annotations

import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib.image import imread

from kokoromichi.analysis.digest import Digest
from kokoromichi.chat.embeds import Picture
from kokoromichi.chat.pictures import PAPER, balance_picture, economy_picture
from kokoromichi.core.models import LedgerEntry

START = dt.datetime(2026, 3, 10, 12, tzinfo=dt.timezone.utc)
DAYS = 30


def entry(number: int, balance: int, currency: str = "gold") -> LedgerEntry:
    return LedgerEntry(
        entry_id=f"{number:04}",
        tx_id="t",
        at=START + dt.timedelta(hours=7 * number),
        book="rewards",
        kind="daily",
        user_id="ada",
        currency=currency,
        amount=1,
        balance_after=balance,
        actor="ada",
        request_id="r",
    )


def digest(gold: int, days: int = DAYS) -> Digest:
    every = [START.date() + dt.timedelta(days=day) for day in range(days)]
    amounts = {
        "supply_gold": [gold + day for day in range(days)],
        "faucets_gold": [gold] * days,
        "sinks_gold": [gold // 2] * days,
        "active_players": [1] * days,
    }
    frame = pl.DataFrame({"day": every, **amounts}, {"day": pl.Date, **dict.fromkeys(amounts, pl.Int64)})
    kinds = pl.DataFrame(schema={"day": pl.Date, "kind": pl.String, "amount": pl.Int64})
    return Digest(frame, kinds, 1, 1.0, 1.0)


def colour_at_the_edge(picture: Picture) -> str:
    corner = imread(io.BytesIO(picture.png))[0, 0, :3]
    return "#" + "".join(f"{round(float(part) * 255):02x}" for part in corner)


@pytest.mark.parametrize("gold", [0, 1, 10_000, 10**15])
def test_an_economy_is_drawn_dark(gold: int) -> None:
    picture = economy_picture(digest(gold))
    assert picture is not None
    assert colour_at_the_edge(picture) == PAPER
    assert imread(io.BytesIO(picture.png)).shape[:2] == (691, 1008)


def test_a_single_day_is_drawn() -> None:
    assert economy_picture(digest(5, 1)) is not None


def test_nothing_is_drawn_of_nothing() -> None:
    assert economy_picture(digest(5, 0)) is None
    assert balance_picture([]) is None
    assert balance_picture([entry(1, 5)]) is None
    assert balance_picture([entry(2, 5, "gems"), entry(1, 5)]) is None
    assert balance_picture([entry(1, 9), entry(1, 5)]) is None


@pytest.mark.parametrize("gold", [0, 10_000, 10**15])
def test_a_purse_is_drawn_dark(gold: int) -> None:
    picture = balance_picture([entry(2, gold), entry(1, 5)])
    assert picture is not None
    assert colour_at_the_edge(picture) == PAPER


def test_threads_draw_the_same_and_leave_the_callers_style() -> None:
    before = dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(economy_picture, [digest(10_000)] * 8))
    assert len({picture.png for picture in drawn if picture is not None}) == 1
    assert None not in drawn
    assert dict(mpl.rcParams) == before


def test_an_attachment_may_be_sent_again() -> None:
    picture = Picture("a.png", b"png")
    assert picture.file().fp.read() == picture.file().fp.read() == b"png"
