"""An existing installation into a target: one ``import`` row per user, currency and item, by ``system``."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from kokoromichi.core.copying.report import CopyProgress, CopyReport, ProgressCallback
from kokoromichi.core.copying.retry import retry
from kokoromichi.core.documents import checked_document, checked_player
from kokoromichi.core.errors import KokoroError, MisuseError, RequestMismatchError, StorageError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM
from kokoromichi.core.models import ChangeSet, Movement, Receipt, UserChange
from kokoromichi.core.validation import digest_of

if TYPE_CHECKING:
    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document
    from kokoromichi.core.reference.installation import Installation
    from kokoromichi.core.reference.union import ReferenceUser

_AT_ONCE: Final = 32
_PAGE: Final = 1_000
_CORRECT: Final = "correct it in the source and give the same command again"
_IMPORTED: Final = 2
"""The version of a player just imported: the rows, then the fields that no profile has."""


class Imported(Receipt, frozen=True, gc=False, tag="Imported"):
    """A user was imported."""


async def import_installation(
    installation: Installation,
    target: DataProvider | None,
    *,
    clock: Clock,
    dry_run: bool = False,
    progress: ProgressCallback | None = None,
) -> CopyReport:
    """Import users and game data; a second run adds nothing, and what was played since stays.

    Args:
        installation: The source, read.
        target: An open store; a dry run may do without.
        clock: Stamps the rows.
        dry_run: Plan only.
        progress: Told how far each part is.

    Returns:
        What was planned, done, skipped and failed; players whom the target has from elsewhere are listed as
        failed and not touched.

    Raises:
        MisuseError: There is no target, or it is a mirror.
    """
    if target is None and not dry_run:
        message = "an import needs a target; only a dry run may do without"
        raise MisuseError(message)
    if target is not None and target.mirror_of is not None:
        message = f"{target.where} is a mirror of {target.mirror_of}: import into {target.mirror_of} itself"
        raise MisuseError(message)
    report = CopyReport(
        f"existing installation {installation.label}", target.name if target else None, dry_run
    )
    importing = _Importing(installation, target, clock, report, progress or (lambda _step: None))
    try:
        await importing.plan()
        if target is not None and not dry_run:
            await importing.carry_out(target)
            await importing.verify(target)
    except StorageError as error:
        report.fail(
            "store", target.name if target else "", str(error), "cure it and give the same command again"
        )
    report.close()
    return report


class _Importing:
    """One import: plan, write, verify."""

    def __init__(
        self,
        installation: Installation,
        target: DataProvider | None,
        clock: Clock,
        report: CopyReport,
        on_progress: ProgressCallback,
    ) -> None:
        self._installation = installation
        self._target = target
        self._at_us = clock.now_us()
        self._report = report
        self._on_progress = on_progress
        self._todo: list[ReferenceUser] = []
        self._before = 0
        self._erased: set[str] = set()
        self._sections: list[str] = []

    async def plan(self) -> None:
        """Find what the target lacks; nothing is written."""
        if self._target is not None:
            self._erased |= (await self._target.erased_as(self._installation.users)).keys()
        for user in self._installation.users.values():
            if self._target is not None and await self._is_there(self._target, user):
                continue
            try:
                checked_player({**user.unknown, **user.fields}, user.user_id)
            except MisuseError as unfit:
                self._report.fail("user", user.user_id, str(unfit), _CORRECT)
                continue
            self._todo.append(user)
            self._report.planned["users"] += 1
            self._report.planned["ledger_rows"] += len(movements_of(user))
        for name, section in self._installation.sections.items():
            await self._plan_section(name, section)

    async def _plan_section(self, name: str, section: object) -> None:
        stored = await self._target.get_game_data(name) if self._target else None
        if stored == section or (stored is not None and self._before):
            self._report.skipped["sections"] += 1  # What an earlier import brought, and a game may change.
        elif stored is not None:
            cure = "save the right one under another name in the target, then give the same command again"
            self._report.fail("section", name, "the target has its own", cure)
        else:
            try:
                checked_document(section, f"section {name}")
            except MisuseError as unfit:
                self._report.fail("section", name, str(unfit), _CORRECT)
                return
            self._sections.append(name)
            self._report.planned["sections"] += 1

    async def _is_there(self, target: DataProvider, user: ReferenceUser) -> bool:
        """Whether there is nothing to do for a user: imported before, or not to be touched."""
        try:
            imported = await target.get_response(request_id_of(user), _digest(user)) is not None
        except RequestMismatchError:  # Imported, and erased since: nobody brings them back by this.
            self._erased.add(user.user_id)
            self._skip(user)
            return True
        stored = await target.profile(user.user_id)
        if stored is None and user.user_id in self._erased:  # However the source has changed since.
            self._skip(user)
            return True
        if stored is None:
            return False
        if not imported:
            booked = await self._booked_in(target, user)
            imported = booked == +_booked(user)  # Answers are forgotten after a while, rows are not.
            why = "the target has this player, who did not come by this import"
            if booked is not None:
                why = "imported before, and the source has changed since"
        if not imported:
            cure = "the target keeps its own; book the difference by hand if the source is right"
            self._report.fail("user", user.user_id, why, cure)
            return True
        if stored.version < _IMPORTED and stored.unknown != user.unknown:
            return False  # Cut off between its two steps.
        self._before += 1
        self._skip(user)
        return True

    def _skip(self, user: ReferenceUser) -> None:
        self._report.skipped["users"] += 1
        self._report.skipped["ledger_rows"] += len(movements_of(user))

    async def _booked_in(self, target: DataProvider, user: ReferenceUser) -> Counter[str] | None:
        """What import rows in the target give a user, or None where there are none."""
        found: Counter[str] = Counter()
        before = None
        while True:
            page = await target.read_ledger(user_id=user.user_id, kind="import", before=before, limit=_PAGE)
            for row in page:
                found[row.currency or ""] += row.amount or 0
                found[f"item {row.item_id}"] += row.quantity or 0
            if len(page) < _PAGE:
                return +found if page or before else None
            before = page[-1].entry_id

    async def carry_out(self, target: DataProvider) -> None:
        """Write users, some at once, then game data."""
        for first in range(0, len(self._todo), _AT_ONCE):
            users = self._todo[first : first + _AT_ONCE]
            outcomes = await asyncio.gather(*(self._write(target, user) for user in users))
            for user, error in zip(users, outcomes, strict=True):
                if error is None:
                    self._report.done["users"] += 1
                    self._report.done["ledger_rows"] += len(movements_of(user))
                else:
                    cure = "cure it and give the same command again"
                    self._report.fail("user", user.user_id, str(error), cure)
            self._on_progress(
                CopyProgress("users", self._report.done["users"], self._report.planned["users"])
            )
        for name in self._sections:
            await target.save_game_data(name, self._installation.sections[name])
            self._report.done["sections"] += 1
            self._on_progress(
                CopyProgress("sections", self._report.done["sections"], self._report.planned["sections"])
            )

    async def _write(self, target: DataProvider, user: ReferenceUser) -> KokoroError | None:
        """Book one user: its rows in one commit, then the fields that are kept as they are."""
        change = ChangeSet(
            self._at_us,
            (UserChange(user.user_id, 0, movements_of(user), user.fields),),
            Imported(),
            actor=SYSTEM,
            reason=f"import from the existing installation {self._installation.label}",
            request_id=request_id_of(user),
            digest=_digest(user),
        )
        try:
            await retry(target, lambda: target.apply(change))
            if user.unknown:
                kept: Document = {**user.unknown, "version": 1}
                await retry(target, lambda: target.save_user(user.user_id, kept))
        except KokoroError as error:
            return error
        return None

    async def verify(self, target: DataProvider) -> None:
        """Hold the import rows in the target against the source's values: counts and sums of every user."""
        found: dict[str, Counter[str]] = {}
        rows: Counter[str] = Counter()
        async for frame in target.ledger_frames():
            imported = frame.filter(frame["kind"] == "import")
            for user_id, currency, amount, item_id, quantity in imported.select(
                "user_id", "currency", "amount", "item_id", "quantity"
            ).iter_rows():
                sums = found.setdefault(user_id, Counter())
                rows[user_id] += 1
                sums[currency or ""] += amount or 0
                sums[f"item {item_id}"] += quantity or 0
        failed = {failure.name for failure in self._report.failed if failure.what == "user"}
        listed = failed | self._erased
        totals: Counter[str] = Counter()
        for user_id, user in self._installation.users.items():
            if user_id in listed:
                continue
            if +found.get(user_id, Counter()) != +_booked(user) or rows[user_id] != len(movements_of(user)):
                why = "its import rows in the target are not what the source says"
                self._report.fail("user", user_id, why, "look at its ledger: kokoromichi audit")
            totals.update(rows=rows[user_id], gold=user.gold, gems=user.gems)
        digest = digest_of("import", SYSTEM, [f"{user_id} {rows[user_id]}" for user_id in sorted(rows)])
        self._report.verified["admin"] = {**totals, "digest": digest}


def request_id_of(user: ReferenceUser) -> str:
    """The request id of a user's import: the same in every run over the same values.

    It holds no id: it stays in the rows of a player who is erased, and must lead from them to nobody.
    """
    return f"import:{_digest(user)}"


def movements_of(user: ReferenceUser) -> tuple[Movement, ...]:
    """The import rows of a user: each currency, then each item."""
    money = [
        Movement("import", currency, getattr(user, currency), getattr(user, currency))
        for currency in CURRENCIES
    ]
    goods = [Movement("import", item_id=item_id, quantity=units) for item_id, units in user.items.items()]
    return (*money, *goods)


def _booked(user: ReferenceUser) -> Counter[str]:
    sums = Counter({currency: getattr(user, currency) for currency in CURRENCIES})
    sums.update({f"item {item_id}": units for item_id, units in user.items.items()})
    return sums


def _digest(user: ReferenceUser) -> str:
    kept = json.dumps([user.fields, user.unknown], sort_keys=True)
    return digest_of("import", user.user_id, [user.gold, user.gems, *map(str, user.items.items()), kept])
