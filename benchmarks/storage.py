"""How fast the storage is: ratios to what others make of the same work, measured within one run.

    python benchmarks/storage.py [local] [large] [postgres] [mongo] [audit] [--rounds 5] [--seconds 3]
        [--purchases 20000] [--rows 1000000] [--folder FOLDER]

Without a name all parts run: purchases in the local store against bare SQLite, a grown
local store, changes in PostgreSQL against pgbench
and its export against a bare COPY, purchases in MongoDB against bare driver calls, and the audit of a ledger.
Both sides of a ratio take turns, and the median over the rounds counts. TMPDIR (local files: --folder) names
the disk. The last line is one JSON object: every figure by name, and the goals that were missed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import _storage_audit
import _storage_large
import _storage_local
import _storage_mongo
import _storage_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS: Final[dict[str, Callable[[argparse.Namespace], dict[str, float]]]] = {
    "large": lambda asked: _storage_large.measured(asked.folder, asked.rows),
    "local": lambda asked: _storage_local.measured(asked.folder, asked.rounds, asked.purchases),
    "postgres": lambda asked: _storage_postgres.measured(asked.rounds, asked.seconds, asked.rows),
    "mongo": lambda asked: _storage_mongo.measured(asked.rounds, asked.seconds, asked.rows // 5),
    "audit": lambda asked: _storage_audit.measured(asked.rounds, asked.rows),
}
AT_LEAST: Final = {
    "local_to_grouped_sqlite": 0.7,
    "local_alone_to_sqlite": 0.6,
    "postgres_to_pgbench": 0.6,
    "postgres_many_to_pgbench": 1.2,
    "mongo_change_1_to_bare": 0.8,
    "mongo_change_8_to_bare": 0.8,
    "mongo_service_1_to_bare": 0.8,
    "mongo_service_8_to_bare": 0.8,
}
AT_MOST: Final = {
    "postgres_export_to_copy": 1.5,
    "postgres_export_added_mb": 200,
    "audit_s": 0.2,
    "large_open_s": 0.8,
    "large_open_mb": 150,
    "large_newest_ten_p99_ms": 1,
    "large_richest_ten_ms": 1,
    "large_thirty_days_ms": 1,
    "large_audit_s": 5,
    "large_audit_mb": 400,
    "large_export_s": 4,
    "large_export_mb": 200,
}


def missed(found: dict[str, float]) -> list[str]:
    """The goals that were measured and not reached."""
    too_low = [name for name, goal in AT_LEAST.items() if found.get(name, goal) < goal]
    return too_low + [name for name, goal in AT_MOST.items() if found.get(name, goal) > goal]


def main() -> None:
    """Measure the chosen parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each side's turn at a database")
    parser.add_argument("--purchases", type=int, default=20_000, help="of each turn in local files")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the ledger; a fifth in MongoDB")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; the system's temporary one")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found: dict[str, float] = {}
    for part in asked.parts or PARTS:
        print(f"== {part}")
        found |= {f"{part}_{name}": value for name, value in PARTS[part](asked).items()}
    print(json.dumps({"benchmark": "storage", **found, "missed": missed(found)}))


if __name__ == "__main__":
    main()
