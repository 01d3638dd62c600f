"""A small data folder of an existing installation, made for one trap at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kokoromichi.core.reference.installation import Installation

ANNA = "123456789012345678"
BERT = "223456789012345678"

Files: TypeAlias = "Mapping[str, object]"


def write(folder: Path, files: Files) -> Path:
    """Write files: bytes and text as they are, other values as JSON as an installation writes it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return folder


def problems(installation: Installation, field: str | None = None) -> list[str]:
    """The codes of what was found, of one field or of all."""
    return [found.problem for found in installation.findings if field in (None, found.field)]


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file's bytes and time of change."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }
