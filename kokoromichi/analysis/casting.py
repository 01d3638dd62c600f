"""Columns in a neighbouring type: taken where nothing is lost, else refused by name, the cure last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT: Final = "%Y-%m-%dT%H:%M:%S%.f%z"
"""How ISO 8601 writes an instant: an export with Z for the zone, other programs with its offset."""


class UnfitColumnError(ValueError):
    """A column that cannot be taken.

    Attributes:
        column: Its name.
        cure: What is wrong with it, and what to do.
    """

    def __init__(self, column: str, cure: str) -> None:
        super().__init__(column, cure)
        self.column = column
        self.cure = cure


def fitted(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Give a frame exactly the columns of a schema; columns in a neighbouring type are cast, without a loss.

    Other zones and other units of time, other integers, floats and decimals that hold whole numbers, texts
    of numbers (``1``, ``1.0``) and of instants (``2026-01-05T12:00:00Z``, ``2026-01-05 13:00:00+01:00``),
    categories and columns of nulls alone are neighbours. Only columns that are cast are read, once,
    to see that nothing is lost.

    Args:
        frame: Columns in any order; further ones are left out.
        schema: What is wanted.

    Raises:
        UnfitColumnError: A column is missing, in a type that is no neighbour, or holds a value that would be
            lost.
    """
    found = frame.collect_schema()
    casts = dict(_casts(found, schema))
    if doubtful := {column: cast for column, cast in casts.items() if not isinstance(found[column], pl.Enum)}:
        lost = [
            (cast.is_null() & pl.col(column).is_not_null()).fill_null(value=False).any().alias(column)
            for column, cast in doubtful.items()
        ]
        for column, is_lost in frame.select(lost).collect().to_dicts()[0].items():
            if is_lost:
                value = frame.filter(pl.col(column).is_not_null(), casts[column].is_null()).select(column)
                first = value.first().collect().item()
                cure = f"{first!r} is no {schema[column]}; correct it, or leave the row out"
                raise UnfitColumnError(column, cure)
    return frame.select(casts.get(column, pl.col(column)).alias(column) for column in schema)


def _casts(found: pl.Schema, schema: pl.Schema) -> Iterator[tuple[str, pl.Expr]]:
    for column, wanted in schema.items():
        if column not in found:
            cure = f"the column is missing; add it in type {wanted}, null where it is not known"
            raise UnfitColumnError(column, cure)
        if found[column] != wanted:
            yield column, _cast(column, found[column], wanted)


def _cast(column: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """An expression that is null wherever the value would not survive."""
    values = pl.col(column)
    if found == pl.Null:
        return pl.lit(None, wanted)
    if wanted == pl.Int64 and found.is_integer():
        return values.cast(wanted, strict=False)
    if wanted == pl.Int64 and (found.is_float() or found.is_decimal()):
        return pl.when(values == values.round()).then(values).cast(wanted, strict=False)
    if wanted == pl.Int64 and found == pl.String:
        return values.str.replace(r"\.0+$", "").cast(wanted, strict=False)
    if wanted == pl.String and isinstance(found, (pl.Categorical, pl.Enum)):
        return values.cast(wanted)
    if isinstance(wanted, pl.Datetime) and found == pl.String:
        written = values.str.replace(" ", "T", literal=True).str.replace("Z$", "+00:00")
        return written.str.to_datetime(_AT, time_unit="us", strict=False)
    if isinstance(wanted, pl.Datetime) and isinstance(found, pl.Datetime):
        return _instant(column, found, wanted)
    if isinstance(wanted, pl.List) and isinstance(found, pl.List) and found.inner.is_integer():
        return values.cast(wanted, strict=False)
    cure = f"the column is {found}, not {wanted}; build the frame with its schema, or cast it"
    raise UnfitColumnError(column, cure)


def _instant(column: str, found: pl.Datetime, wanted: pl.Datetime) -> pl.Expr:
    if found.time_zone is None:
        cure = 'the times have no zone; say which it is, such as .dt.replace_time_zone("UTC")'
        raise UnfitColumnError(column, cure)
    same = pl.col(column).cast(wanted, strict=False)
    return pl.when(same.cast(found) == pl.col(column)).then(same)
