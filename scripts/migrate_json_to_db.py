"""Move everything to a database: a thin door to ``kokoromichi migrate``, which has all options."""

from __future__ import annotations

import sys

from kokoromichi.cli.app import app

if __name__ == "__main__":
    sys.exit(app(["migrate", *sys.argv[1:]]))
