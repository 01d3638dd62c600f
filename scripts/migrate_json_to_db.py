"""Move everything to a database and print the report as JSON: `kokoromichi migrate` has all options."""

from __future__ import annotations

import sys

from kokoromichi.cli.app import app

if __name__ == "__main__":
    sys.exit(app(["migrate", "--json", *sys.argv[1:]]))
