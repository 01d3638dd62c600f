"""What is wrong with an economy, said so that a designer can mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

ECONOMY_FILE: Final = "economy.toml"
CATALOGUE_FILE: Final = "store_catalog.json"
WAIFUS_FILE: Final = "waifus.json"

NO_NEW_SECTION: Final = (
    "a new faucet or sink is an act with a rule of its own, which is written in code: "
    "see docs/architecture.md, One more of anything"
)
"""Why numbers alone add no way in which gold is paid or taken, and how it is done."""

_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where it stands, and what would cure it.

    Attributes:
        file: The file that holds the number, as the caller named it.
        field: The path of the field in that file, parts joined by dots; empty for the whole file.
        value: What stands there, as text; empty where nothing does.
        law: The name of the law that is broken.
        text: What is wrong and what to write instead, in one sentence.
    """

    file: str
    field: str
    value: str
    law: str
    text: str

    def __str__(self) -> str:
        """Say it in one line."""
        stands = f" = {self.value}" if self.value else ""
        place = f"{self.file}: {self.field}{stands}" if self.field else self.file
        return f"{place}: {self.text} [{self.law}]"


class FindingsError(ValueError):
    """Something that was written down cannot be used; every reason is listed.

    Attributes:
        findings: What is wrong, at least one; each names file, field, value and cure.
    """

    def __init__(self, findings: Iterable[Finding]) -> None:
        """Keep the findings.

        Args:
            findings: What is wrong, in the order in which to read it.
        """
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__(self.findings)

    def __str__(self) -> str:
        """List the findings, one a line."""
        return "\n".join(str(finding) for finding in self.findings)


class EconomyError(FindingsError):
    """An economy that cannot be used."""


def shown(value: object) -> str:
    """Write a value as the one line of a message, cut where it is long."""
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def from_validation(
    error: ValidationError, file: str, names: Mapping[int, str] | None = None
) -> EconomyError:
    """Turn pydantic's errors into findings that name file, field, value and cure.

    Args:
        error: What pydantic raised.
        file: The file that was read.
        names: For a file that is a list: what to call the object at a place.
    """
    return EconomyError(_finding(detail, file, names or {}) for detail in error.errors(include_url=False))


def _finding(detail: ErrorDetails, file: str, names: Mapping[int, str]) -> Finding:
    kind = detail["type"]
    first, *rest = detail["loc"] or ("",)
    if isinstance(first, int):
        first = names.get(first, first)
    field = ".".join(str(part) for part in (first, *rest) if part != "[key]")
    context: Mapping[str, object] = detail.get("ctx", {})
    value = "nothing" if kind == "missing" else shown(detail["input"])
    cure = _cure(kind, detail["msg"], context)
    if _LAWS.get(kind) == "known_field" and not rest:
        cure = f"{cure}; {NO_NEW_SECTION}"
    return Finding(file, field, value, _LAWS.get(kind, "right_shape"), cure)


_LAWS: Final[dict[str, str]] = {
    "missing": "complete",
    "extra_forbidden": "known_field",
    "unexpected_keyword_argument": "known_field",
    "int_type": "whole_number",
    "greater_than_equal": "in_range",
    "less_than_equal": "in_range",
    "value_error": "fits_together",
}


def _cure(kind: str, message: str, context: Mapping[str, object]) -> str:
    if kind == "int_type":
        return "must be a whole number, written without point, quotes or exponent"
    if kind == "missing":
        return "is missing; write it"
    if _LAWS.get(kind) == "known_field":
        return "is no field of the economy; take it out or correct its name (docs/economy.md lists them)"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}"
    if kind == "tuple_type":
        return "must be a list, [...]"
    return message.removeprefix("Value error, ")
