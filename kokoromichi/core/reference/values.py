"""Single values of an existing installation: JSON, whole numbers, item names and times, each by its rule."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from kokoromichi.core.clock import us_of
from kokoromichi.core.documents import MOST_LEVELS
from kokoromichi.core.models import LEAST_INT, MOST_INT, NEVER
from kokoromichi.core.validation import UNSTORABLE_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

Raw: TypeAlias = "dict[str, Raw] | list[Raw] | str | int | float | bool | None"
"""A value as JSON holds it."""

_DIGITS_MOST: Final = 400
_DEPTH_MOST: Final = MOST_LEVELS - 14
"""Below what a document may have: a value is kept inside others of the profile or section."""
_RAW_SHOWN: Final = 200
_ITEM_ID_MOST: Final = 64
_MOMENT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?(Z|z|[+-]\d{2}:?\d{2})?)?"
)


class ImportFinding(NamedTuple):
    """One thing that the import does not take as it stands.

    Attributes:
        problem: A stable code, such as ``unusable_number``.
        where: The file and, within it, the user.
        field: The field, or empty.
        raw: What stands there, as text; long ones are cut.
        used: What was taken instead.
    """

    problem: str
    where: str
    field: str
    raw: str
    used: str


class Unreadable(ValueError):  # noqa: N818 - it says what the text is; nobody but the import catches it
    """Text that is no JSON, cut or damaged."""


def parse_json(data: bytes) -> tuple[Raw, list[str]]:
    """The JSON of a file as an existing installation writes it: NaN and a byte order mark are accepted.

    Returns:
        The value, and the codes of what was odd: ``byte_order_mark``, ``duplicate_key``.

    Raises:
        Unreadable: It is cut, damaged or not UTF-8.
    """
    odd = ["byte_order_mark"] if data.startswith(b"\xef\xbb\xbf") else []

    def unique(pairs: list[tuple[str, Raw]]) -> dict[str, Raw]:
        found = dict(pairs)
        if len(found) != len(pairs) and "duplicate_key" not in odd:
            odd.append("duplicate_key")
        return found

    try:
        value: Raw = json.loads(data.decode("utf-8-sig"), parse_int=_int, object_pairs_hook=unique)
    except (ValueError, RecursionError) as broken:
        raise Unreadable(str(broken)) from None
    return value, odd


def _int(digits: str) -> int | float:
    """An integer; what no store could ever keep becomes infinite instead of costing minutes."""
    return int(digits) if len(digits) <= _DIGITS_MOST else math.copysign(math.inf, -(digits[0] == "-") or 1)


def whole_number(raw: Raw) -> tuple[int, str]:
    """A whole number, exact.

    Returns:
        The number, 0 where it is unusable, and a code of what was odd, or an empty text: ``float_number``
        (cut towards zero), ``text_number``, ``unusable_number``, ``too_large_number``.
    """
    if isinstance(raw, bool) or raw is None or isinstance(raw, (list, dict)):
        return 0, "unusable_number"
    odd = ""
    if isinstance(raw, str):
        if not (raw.isascii() and raw.isdigit()):
            return 0, "unusable_number"
        raw, odd = _int(raw), "text_number"
    if isinstance(raw, float):
        if not math.isfinite(raw):
            return 0, "unusable_number"
        raw, odd = math.trunc(raw), "float_number"
    return (raw, odd) if LEAST_INT <= raw <= MOST_INT else (0, "too_large_number")


def item_key(name: str) -> str:
    """The id of an item's name: NFKC, casefold, runs of other than letters and digits to one ``_``.

    Where nothing remains the text is kept; what is longer than an item id may be ends in a digest.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    key = re.sub(r"[\W_]+", "_", folded).strip("_") or storable_text(name) or "_"
    if len(key) <= _ITEM_ID_MOST:
        return key
    from hashlib import blake2b  # noqa: PLC0415 - hardly ever needed

    return f"{key[:47]}_{blake2b(key.encode(), digest_size=8).hexdigest()}"


def moment_us(raw: Raw, zone: tzinfo) -> int:
    """A time in microseconds since the epoch; a naive one is of ``zone``. NEVER where it cannot be read."""
    if not isinstance(raw, str) or (found := _MOMENT.fullmatch(raw)) is None:
        return NEVER
    day, minute, second, fraction, offset = found.groups()
    text = f"{day}T{minute or '00:00'}:{second or '00'}.{(fraction or '').ljust(6, '0')}"
    try:
        moment = datetime.fromisoformat(text)
        if offset is not None:
            offset = "+00:00" if offset in "Zz" else f"{offset[:3]}:{offset[-2:]}"
            moment = datetime.fromisoformat(text + offset)
        else:
            moment = moment.replace(tzinfo=zone)
        us = us_of(moment.astimezone(timezone.utc))
    except (ValueError, OverflowError):
        return NEVER
    return max(us, NEVER)


def storable_text(text: str) -> str:
    """``text`` without what no store keeps: NUL and halves of surrogate pairs become U+FFFD."""
    return UNSTORABLE_TEXT.sub("�", text)


def storable(value: Raw, on_finding: Callable[[str, str], None], depth: int = 0) -> Raw:
    """A copy of a value that every store can keep.

    Args:
        value: Any JSON.
        on_finding: Told of each change: what was there, and what it became.
        depth: Levels above it.
    """
    if isinstance(value, str):
        kept: Raw = storable_text(value)
    elif isinstance(value, (int, float)) and not _is_storable(value):
        kept = str(value)
    elif isinstance(value, (dict, list)) and depth >= _DEPTH_MOST:
        kept = storable_text(json.dumps(value))
    elif isinstance(value, dict):
        fields: dict[str, Raw] = {}
        for key, inner in value.items():
            name = _storable_key(key)
            while name in fields or (name != key and name in value):
                name += "_"
            if name != key:
                on_finding(shown(key), name)
            fields[name] = storable(inner, on_finding, depth + 1)
        return fields
    elif isinstance(value, list):
        return [storable(inner, on_finding, depth + 1) for inner in value]
    else:
        return value
    if kept != value:
        on_finding(shown(value), shown(kept))
    return kept


def _storable_key(key: str) -> str:
    """A key that every store keeps: none of them reads ``.`` and ``$`` as a path or an operator."""
    key = storable_text(key).replace(".", "\uff0e")
    return f"\uff04{key[1:]}" if key.startswith("$") else key


def _is_storable(number: int | float) -> bool:
    """Whether every store can hold a number."""
    return LEAST_INT <= number <= MOST_INT if isinstance(number, int) else math.isfinite(number)


def larger(first: Raw, second: Raw) -> Raw:
    """One value of two stores: the larger number, the union of objects or lists, else the first."""
    if _is_number(first) and _is_number(second):
        return second if second > first else first  # type: ignore[operator] # Both are numbers.
    if isinstance(first, dict) and isinstance(second, dict):
        both = {key: larger(value, second[key]) if key in second else value for key, value in first.items()}
        return both | {key: value for key, value in second.items() if key not in first}
    if isinstance(first, list) and isinstance(second, list):
        return first + [value for value in second if value not in first]
    return second if first in (None, "") else first


def _is_number(value: Raw) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def shown(raw: Raw) -> str:
    """A raw value as short text for a report."""
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, default=str)
    text = storable_text(text)
    return text if len(text) <= _RAW_SHOWN else text[:_RAW_SHOWN] + "…"
