"""Frames that are read: with separators where a person looks at them, and as sheets of a workbook."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import polars.selectors as cs

from kokoromichi.analysis.html import grid
from kokoromichi.core.errors import MisuseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xlsxwriter import Workbook

    from kokoromichi.analysis.metrics.definitions import Column

_DECIMALS: Final = 3
_LETTERS_SHOWN: Final = 60
_ROWS_SHOWN: Final = 20
_MEANING_HEIGHT: Final = 75
"""Points of the row that says what the columns mean."""
_BEYOND: Final = "beyond the horizon"
_LONGEST_NAME: Final = 31
"""Characters of a sheet's name that a workbook takes."""


class Table(pl.DataFrame):
    """A frame that shows 1,234,567.891 where others show 1.2346e6; in all else it is one."""

    def __repr__(self) -> str:
        """The rows, readable."""
        with _readable():
            return super().__repr__()

    def __str__(self) -> str:
        """The rows, readable."""
        with _readable():
            return super().__str__()

    def select(self, *exprs: Any, **named_exprs: Any) -> Table:
        """As of any frame; what is left is a table still."""
        return Table(super().select(*exprs, **named_exprs))

    def filter(self, *predicates: Any, **constraints: Any) -> Table:
        """As of any frame; what is left is a table still."""
        return Table(super().filter(*predicates, **constraints))

    def _repr_html_(self, *, _from_series: bool = False) -> str:
        rows = ([_shown(value) for value in row] for row in self.head(_ROWS_SHOWN).iter_rows())
        numbers = [dtype.is_numeric() for dtype in self.dtypes]
        left = self.height - _ROWS_SHOWN
        return grid(self.columns, rows, numbers, foot=f"and {left:,} rows more" if left > 0 else "")


def _shown(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.{_DECIMALS}f}" if math.isfinite(value) else _BEYOND
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _readable() -> pl.Config:
    return pl.Config(
        apply_on_context_enter=True,
        float_precision=_DECIMALS,
        fmt_str_lengths=_LETTERS_SHOWN,
        tbl_cols=-1,
        tbl_rows=_ROWS_SHOWN,
        thousands_separator=",",
    )


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with texts in the place of what no sheet and no line holds: lists, structures, bytes."""
    odd = frame.select(cs.nested() | cs.binary() | cs.object())
    texts = ([None if value is None else str(value) for value in column.to_list()] for column in odd)
    return frame.with_columns(
        pl.Series(name, text, pl.String) for name, text in zip(odd.columns, texts, strict=True)
    )


def write_workbook(
    path: Path, frames: Mapping[str, pl.DataFrame], meanings: Mapping[str, Sequence[Column]]
) -> Path:
    """Write frames as sheets of an Excel workbook; above each column stands what it means, with units.

    Args:
        path: The ``.xlsx`` file; one that is there is replaced.
        frames: By the sheet's name.
        meanings: The columns that have words, by the sheet's name.

    Raises:
        MisuseError: XlsxWriter is not there.
        OSError: The file cannot be written.
    """
    if find_spec("xlsxwriter") is None:
        raise MisuseError("a workbook needs XlsxWriter: pip install 'kokoromichi[notebooks]'")
    from xlsxwriter import Workbook  # noqa: PLC0415 - an extra
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415 - an extra

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Workbook(path, {"remove_timezone": True, "strings_to_formulas": False}) as book:
            meaning = book.add_format({"italic": True, "text_wrap": True, "valign": "top", "font_size": 9})
            for name, frame in frames.items():
                sheet = book.add_worksheet(_sheet_name(book, name))
                words = {column.name: column.meaning for column in meanings.get(name, ())}
                finite = flat(frame).with_columns(pl.when(cs.float().is_finite()).then(cs.float()))
                finite.write_excel(book, sheet, position=(1, 0), autofit=True, freeze_panes=(2, 0))
                sheet.set_row(0, _MEANING_HEIGHT, meaning)
                for place, column in enumerate(frame.columns):
                    sheet.write(0, place, words.get(column, ""))
                    for row in _infinite(frame[column]):
                        sheet.write(row + 2, place, _BEYOND)
    except FileCreateError as error:
        raise OSError(f"{path} cannot be written ({error}); close it where it is open") from error
    return path


def _sheet_name(book: Workbook, name: str) -> str:
    """As much of a name as a workbook takes, numbered where another sheet has the same letters."""
    short = name[:_LONGEST_NAME]
    return f"{name[: _LONGEST_NAME - 4]}_{len(book.sheetnames)}" if short in book.sheetnames else short


def _infinite(column: pl.Series) -> list[int]:
    """The places of what is beyond the horizon: a sheet has no such number."""
    return column.is_infinite().arg_true().to_list() if column.dtype.is_float() else []
