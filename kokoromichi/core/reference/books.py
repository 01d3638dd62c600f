"""What an existing installation wrote beside its users: ledger lines, pending purchases. None is replayed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kokoromichi.core.reference.values import ImportFinding, Raw, Unreadable, parse_json, shown, whole_number

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kokoromichi.core.reference.users import FindingCallback

PURCHASES: Final = "purchases"
"""The ledger that an installation may have patched in."""


@dataclass(slots=True)
class OldLedger:
    """The lines of one ledger file.

    Attributes:
        good: Lines that are objects, in their order.
        broken: Texts of the other ones.
        torn: Whether the last line is broken.
        repeats: Lines that are identical to an earlier one; they have no id, so all are kept.
    """

    good: list[dict[str, Raw]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    torn: bool = False
    repeats: int = 0

    @property
    def status(self) -> str:
        """The state of the file."""
        return "torn last line" if self.torn else "broken lines" if self.broken else "ok"

    def lines_of(self, user_ids: Collection[str]) -> list[dict[str, Raw]]:
        """The lines of these users."""
        return [line for line in self.good if user_of(line) in user_ids]

    def document(self, user_ids: Collection[str]) -> dict[str, Raw]:
        """Counts; of lines and cost where the ledger knows any cost."""
        counts: dict[str, Raw] = {"good_lines": len(self.good), "broken_lines": len(self.broken)}
        if any("cost" in line for line in self.good):
            own = self.lines_of(user_ids)
            counts |= {
                "identical_repeats_kept": self.repeats,
                "lines_of_unknown_users": len(self.good) - len(own),
                "good_lines_of_migrated_users": len(own),
                "cost_of_migrated_users": sum(cost_of(line) for line in own),
            }
        return counts


def user_of(line: dict[str, Raw]) -> str:
    """Whose a line is; empty where it does not say."""
    user_id = line.get("user_id")
    return user_id if isinstance(user_id, str) else ""


def cost_of(line: dict[str, Raw]) -> int:
    """The cost of a line in gold, 0 where it says none."""
    return whole_number(line.get("cost", 0))[0]


def costs_by_user(ledger: OldLedger | None) -> tuple[Counter[str], Counter[str]]:
    """Lines and cost in gold by user id."""
    lines: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    for line in ledger.good if ledger else ():
        lines[user_of(line)] += 1
        costs[user_of(line)] += cost_of(line)
    return lines, costs


def read_ledger_file(path: Path, name: str, on_finding: FindingCallback) -> OldLedger:
    """Read one ledger file line by line; blank lines count for nothing."""
    ledger = OldLedger()
    seen: set[bytes] = set()
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw.strip()
            if not line:
                continue
            try:
                value, _odd = parse_json(line)
            except Unreadable:
                value = None
            ledger.torn = not isinstance(value, dict)
            if not isinstance(value, dict):
                text = shown(line.decode("utf-8", "backslashreplace"))
                ledger.broken.append(text)
                on_finding(
                    ImportFinding(
                        "broken_ledger_line", f"{name}:{number}", "", text, "reported, not repaired"
                    )
                )
                continue
            ledger.good.append(value)
            digest = hashlib.blake2b(line, digest_size=16).digest()
            if digest in seen:
                ledger.repeats += 1
                on_finding(ImportFinding("possible_repeat", f"{name}:{number}", "", shown(value), "kept"))
            seen.add(digest)
    return ledger


@dataclass(frozen=True, slots=True)
class Pending:
    """The purchases that an installation remembers as pending; their gold was taken then, none is applied.

    Attributes:
        entries: Entries in the file.
        distinct: The first entry of each ``tx_id``, or of each text where there is none.
        never_applied: Distinct ones that never took anything.
    """

    entries: int
    distinct: tuple[dict[str, Raw], ...]
    never_applied: int

    def document(self) -> dict[str, Raw]:
        """Counts."""
        return {
            "entries": self.entries,
            "distinct_tx": len(self.distinct),
            "never_applied_tx": self.never_applied,
            "apply": 0,
        }


def read_pending(raw: Raw, on_finding: FindingCallback) -> Pending:
    """Read the pending purchases of a parsed file."""
    where = "pending_transactions.json"
    if not isinstance(raw, list):
        if raw is not None:
            on_finding(ImportFinding("unusable_pending", where, "", shown(raw), "none"))
        return Pending(0, (), 0)
    distinct: dict[str, dict[str, Raw]] = {}
    for entry in raw:
        if not isinstance(entry, dict):
            on_finding(ImportFinding("unusable_pending", where, "", shown(entry), "none"))
            continue
        tx_id = entry.get("tx_id")
        key = json.dumps(entry if tx_id is None else tx_id, sort_keys=True)
        first = distinct.setdefault(key, entry)
        repeated = first is not entry
        on_finding(
            ImportFinding(
                "pending_repeated" if repeated else "pending_recorded",
                where,
                shown(entry.get("user_id")),
                shown(entry if tx_id is None else tx_id),
                "recorded, nothing applied",
            )
        )
    never = sum(not entry.get("post_balances") for entry in distinct.values())
    return Pending(len(raw), tuple(distinct.values()), never)
