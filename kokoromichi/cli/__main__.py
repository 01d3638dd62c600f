"""``python -m kokoromichi.cli``: the same as ``kokoromichi``."""

from __future__ import annotations

from kokoromichi.cli import main

main()
