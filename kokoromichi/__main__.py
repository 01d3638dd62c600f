"""``python -m kokoromichi``: the same as ``kokoromichi``."""

from __future__ import annotations

from kokoromichi.cli import main

main()
