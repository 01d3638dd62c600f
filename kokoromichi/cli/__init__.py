"""``kokoromichi ...``: the laboratory and the operator's tools on the command line."""

from __future__ import annotations

from kokoromichi.cli.app import main

__all__ = ["main"]
