"""Finding and reading the files that say what is simulated, with errors that say what to mend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from kokoromichi.options import near, plain
from kokoromichi.rules.findings import Finding, FindingsError, shown
from kokoromichi.settings import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails
    from typing_extensions import Self

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class SetupError(FindingsError):
    """A scenario or a population that cannot be played."""

    @classmethod
    def of(cls, file: str, field: str, value: object, text: str) -> Self:
        """An error of one finding.

        Args:
            file: The file, or the name of what came from it.
            field: Path of the field in it; empty for the whole.
            value: What stands there.
            text: What is wrong and what to write instead.
        """
        return cls((Finding(file, field, shown(value), "playable", text),))

    @classmethod
    def from_validation(cls, error: ValidationError, file: str, known: Iterable[str] = ()) -> Self:
        """Turn pydantic's errors into findings.

        Args:
            error: What pydantic raised.
            file: The file that was read.
            known: The fields that there are; the nearest stand beside one that is unknown.
        """
        findings = []
        for detail in error.errors(include_url=False):
            field = ".".join(str(part) for part in detail["loc"] if part != "[key]")
            value = "nothing" if detail["type"] == "missing" else shown(detail["input"])
            findings.append(Finding(file, field, value, "playable", _cure(detail, known)))
        return cls(findings)


def _cure(detail: ErrorDetails, known: Iterable[str]) -> str:
    if detail["type"] == "missing":
        return "is missing; write it"
    if detail["type"] == "int_type":
        return "must be a whole number, written without point, quotes or exponent"
    if detail["type"] == "extra_forbidden":
        return f"is no field here; {near(detail['loc'][-1], known)}"
    return detail["msg"].removeprefix("Value error, ")


class Checked(BaseModel):
    """What a file or a notebook describes: frozen, every field known; numpy's integers are integers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _in_plain_numbers(cls, fields: object) -> object:
        return {name: plain(value) for name, value in fields.items()} if isinstance(fields, dict) else fields


def find_file(kind: Literal["scenarios", "populations", "batches"], name_or_path: str | Path) -> Path:
    """Find a scenario, a population or a batch.

    Args:
        kind: The folder of the shipped ones.
        name_or_path: The name of a shipped one, or the path of a ``.toml`` file.

    Raises:
        SetupError: There is none; the known names are listed.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return path
    folder = shipped_folder(kind)
    known = sorted(file.stem for file in folder.glob("*.toml"))
    if str(name_or_path) in known:
        return folder / f"{name_or_path}.toml"
    text = f"is unknown; {near(name_or_path, known)}, or give the path of a .toml file"
    raise SetupError.of(kind, "name", str(name_or_path), text)


def beside(file: Path, named: str) -> str | Path:
    """What a file calls another: a path starts at the file's own folder, the name of a shipped one stays."""
    return file.parent / named if named.endswith(".toml") else named


def read_toml(path: Path) -> dict[str, object]:
    """Read a TOML file; a byte order mark is accepted.

    Raises:
        SetupError: The file cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise SetupError.of(str(path), "", "", f"cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SetupError.of(str(path), "", "", f"is no TOML: {error}") from error
