"""What a copy or an import planned, did, passed over and failed at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from kokoromichi.core.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

Part = Literal["users", "ledger_rows", "counters", "requests", "sections"]

PARTS: Final[tuple[Part, ...]] = ("users", "ledger_rows", "counters", "requests", "sections")


class CopyFailure(NamedTuple):
    """One thing that was not copied.

    Attributes:
        what: ``user``, ``section``, ``counter``, ``request`` or ``store``.
        name: Which.
        why: What stood in the way.
        cure: What to do.
    """

    what: str
    name: str
    why: str
    cure: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.what} {self.name}: {self.why}; {self.cure}"


class CopyProgress(NamedTuple):
    """How far a part is: ``done`` of ``total``, both counts."""

    part: Part
    done: int
    total: int


ProgressCallback: TypeAlias = "Callable[[CopyProgress], None]"


@dataclass(slots=True)
class CopyReport:
    """The outcome of a copy.

    Attributes:
        source: Where from.
        target: Where to; None where a dry run had none.
        dry_run: Whether nothing was to be written.
        planned: By part, what the source has and the target lacked.
        done: By part, what was written.
        skipped: By part, what the target had already.
        failed: What was not copied.
        verified: By book, rows, sums of gold and gems, and the digest that source and target agree on.
        undo: What to undo after a failure and how.
    """

    source: str
    target: str | None
    dry_run: bool
    planned: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[CopyFailure] = field(default_factory=list)
    verified: dict[str, dict[str, int | str]] = field(default_factory=dict)
    undo: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything is in the target, or would be."""
        return not self.failed

    @property
    def cut_off(self) -> bool:
        """Whether something that was planned is not in the target, so that it holds half of an economy."""
        short = any(self.done[part] < self.planned[part] for part in PARTS)
        return short or any(failure.what == "store" for failure in self.failed)

    def fail(self, what: str, name: str, why: str, cure: str) -> None:
        """Write down what is not copied."""
        self.failed.append(CopyFailure(what, name, why, cure))

    def close(self) -> None:
        """Say what to undo, when all is written that could be."""
        if self.failed and not self.dry_run:
            self.undo = (
                "The source is as it was. What is done is whole and stays: nothing needs to be undone. "
                "Cure what failed and give the same command again; it goes on from here. To start over, "
                f"empty the target ({self.target}): delete its folder, or drop its tables or collections."
            )

    def raise_if_failed(self) -> None:
        """Raise what failed.

        Raises:
            StorageError: Something did; it names the first of it, and what to do.
        """
        if self.failed:
            message = f"{len(self.failed)} not copied; {self.failed[0]}. {self.undo}".rstrip()
            raise StorageError(message)

    def document(self) -> dict[str, object]:
        """The report as JSON."""
        return {
            "source": self.source,
            "target": self.target,
            "dry_run": self.dry_run,
            "complete": self.complete,
            "planned": {part: self.planned[part] for part in PARTS},
            "done": {part: self.done[part] for part in PARTS},
            "skipped": {part: self.skipped[part] for part in PARTS},
            "failed": [failure._asdict() for failure in self.failed],
            "verified": self.verified,
            "undo": self.undo,
        }
