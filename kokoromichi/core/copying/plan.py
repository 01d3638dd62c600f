"""What a copy has to do: both stores compared, and nothing written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kokoromichi.core.copying.marking import MARK
from kokoromichi.core.copying.tally import Key, Tally, tally
from kokoromichi.core.documents import checked_document, checked_player
from kokoromichi.core.errors import InvalidProfileError, MisuseError
from kokoromichi.core.kinds import CURRENCIES, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from kokoromichi.core.copying.report import CopyReport
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.core.documents import Document
    from kokoromichi.core.models import UserProfile
    from kokoromichi.core.reader import Reader

_KEEP: Final = "the target keeps what it has; copy the other way if its version is the right one"
_CORRECT: Final = "correct it in the source and give the same command again"


@dataclass(slots=True)
class Plan:
    """What is to be written.

    Attributes:
        there: Rows that the target has, by player and book.
        rows: What the source's ledger says, by player and book.
        sound: Players, and the system, whose target is a past of the source or equal to it.
        versions: Of players to write: their version in the source, and in the target or 0.
        counters: Counters to set.
        requests: The ids that the target remembers, each with its digest.
        sections: Game data to store.
        user_ids: Whose rows are compared, the system's among them; None for everybody's.
    """

    there: dict[Key, int] = field(default_factory=dict)
    rows: dict[Key, Tally] = field(default_factory=dict)
    sound: set[str] = field(default_factory=set)
    versions: dict[str, tuple[int, int]] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    sections: dict[str, Document] = field(default_factory=dict)
    user_ids: frozenset[str] | None = None

    def lacking(self) -> dict[str, int]:
        """Rows that each sound player lacks in the target."""
        found: defaultdict[str, int] = defaultdict(int)
        for key, one in self.rows.items():
            if key[0] in self.sound:
                found[key[0]] += one.rows - self.there.get(key, 0)
        return found


async def make_plan(
    source: Reader,
    target: DataProvider | None,
    report: CopyReport,
    user_ids: Collection[str] | None = None,
    known: Mapping[Key, Tally] | None = None,
) -> Plan:
    """Compare two stores, or count one; differences that a copy must not touch go into the report.

    Args:
        source: Where from.
        target: Where to, or None.
        report: Where the differences go.
        user_ids: Only these players, and no requests; everything when left out.
        known: With ``user_ids``: what the target's ledger holds, which is not read then.
    """
    plan = Plan(user_ids=None if user_ids is None else frozenset({*user_ids, SYSTEM}))
    theirs: Mapping[Key, Tally] = {}
    if plan.user_ids is not None and known is not None:
        theirs = {key: one for key, one in known.items() if key[0] in plan.user_ids}
    elif target is not None:
        theirs = await tally(target.ledger_frames(plan.user_ids))
    plan.there = {key: one.rows for key, one in theirs.items()}
    plan.rows = await tally(source.ledger_frames(plan.user_ids), plan.there)
    diverged = {key[0] for key, one in theirs.items() if _differs(one, plan.rows.get(key))}
    await _plan_users(source, target, plan, report, diverged)
    if SYSTEM in diverged:
        _fail(report, SYSTEM, "the target has rows of the system that the source does not have")
    else:
        plan.sound.add(SYSTEM)
    for key, one in plan.rows.items():
        if key[0] in plan.sound:
            report.planned["ledger_rows"] += one.rows - plan.there.get(key, 0)
            report.skipped["ledger_rows"] += plan.there.get(key, 0)
    await _plan_counters(source, target, plan, report)
    if user_ids is None:
        await _plan_requests(source, target, plan, report)
    await _plan_sections(source, target, plan, report)
    return plan


def _differs(theirs: Tally, ours: Tally | None) -> bool:
    """Whether the target's rows are no first part of the source's."""
    return ours is None or theirs.rows > ours.rows or theirs.digest != ours.prefix


def _fail(report: CopyReport, user_id: str, why: str) -> None:
    report.fail("user", user_id, why, _KEEP)


async def _plan_users(
    source: Reader, target: DataProvider | None, plan: Plan, report: CopyReport, diverged: set[str]
) -> None:
    booked: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CURRENCIES, 0))
    missing: defaultdict[str, int] = defaultdict(int)
    for (user_id, book), one in plan.rows.items():
        missing[user_id] += one.rows - plan.there.get((user_id, book), 0)
        booked[user_id]["gold"] += one.gold
        booked[user_id]["gems"] += one.gems
    known = await source.user_ids() if plan.user_ids is None else sorted(plan.user_ids - {SYSTEM})
    for user_id in sorted({*known} - await _erased_since(target, known, report)):
        profile = await _fit_profile(source, user_id, report)
        stored = await target.profile(user_id) if target else None
        if profile is None:
            continue
        if user_id in diverged:
            _fail(report, user_id, "its ledger rows in the target are not the first ones of the source")
        elif any(getattr(profile, currency) != booked[user_id][currency] for currency in CURRENCIES):
            why = "the balance in the source is not the sum of its ledger rows"
            cure = "audit the source, and give the same command again"
            report.fail("user", user_id, why, cure)
        elif stored is None or stored.version < profile.version:
            plan.versions[user_id] = profile.version, stored.version if stored else 0
            plan.sound.add(user_id)
            report.planned["users"] += 1
        elif stored == profile and not missing[user_id]:
            plan.sound.add(user_id)
            report.skipped["users"] += 1
        else:
            _fail(report, user_id, _ahead(stored.version, profile.version))
    if target is not None and plan.user_ids is None:
        for user_id in sorted(set(await target.user_ids()) - set(known)):
            _fail(report, user_id, "the target has this player, and the source does not")


async def _erased_since(
    target: DataProvider | None, user_ids: Collection[str], report: CopyReport
) -> set[str]:
    """Who of the source was erased in the target, of which the source does not know; told as failed."""
    if target is None or target.mirror_of is not None:  # A mirror is as its store is.
        return set()
    hidden, known = await target.erased_as(user_ids), set(user_ids)
    gone = {user_id for user_id, pseudonym in hidden.items() if pseudonym not in known}
    for user_id in sorted(gone):
        cure = "no copy brings anybody back: erase them in the source as well"
        report.fail("user", user_id, "was erased in the target", cure)
    return gone


async def _fit_profile(source: Reader, user_id: str, report: CopyReport) -> UserProfile | None:
    """A player as every store can hold it; None, and told, of one whom another hand has made unfit."""
    try:
        profile = await source.profile(user_id)
        if profile is not None:
            checked_player(profile.document(), user_id)
    except (InvalidProfileError, MisuseError) as unfit:
        report.fail("user", user_id, str(unfit), _CORRECT)
        return None
    return profile


def _ahead(theirs: int, ours: int) -> str:
    if theirs == ours:
        return f"both have version {ours}, and differ"
    return f"the target is ahead: version {theirs}, and the source has {ours}"


async def _plan_counters(source: Reader, target: DataProvider | None, plan: Plan, report: CopyReport) -> None:
    """Counters carry no version: they follow the ledger, so that they move only when no row has diverged."""
    ours = await source.counters()
    theirs = await target.counters() if target else {}
    differing = {name: value for name, value in ours.items() if theirs.get(name) != value}
    report.skipped["counters"] += len(ours) - len(differing)
    for name in sorted(theirs.keys() - ours.keys()):
        report.fail("counter", name, "the target has it, and the source does not", _KEEP)
    if differing and report.failed:
        why = "it follows ledger rows, and the target has rows that the source does not have"
        for name in sorted(differing):
            report.fail("counter", name, why, "cure what failed above")
        return
    plan.counters = differing
    report.planned["counters"] += len(differing)


async def _plan_requests(source: Reader, target: DataProvider | None, plan: Plan, report: CopyReport) -> None:
    if target is not None:
        plan.requests = {asked.request_id: asked.digest async for asked in target.stored_responses()}
    async for asked in source.stored_responses():
        known = plan.requests.get(asked.request_id)
        if known is None:
            report.planned["requests"] += 1
        elif known == asked.digest:
            report.skipped["requests"] += 1
        else:
            report.fail("request", asked.request_id, "the target remembers it for another act", _KEEP)


async def _plan_sections(source: Reader, target: DataProvider | None, plan: Plan, report: CopyReport) -> None:
    theirs = set(await target.sections()) if target else set()
    for name in await source.sections():
        if name == MARK:
            continue
        ours = await source.get_game_data(name)
        try:
            checked_document({} if ours is None else ours, "the section in the source")
        except MisuseError as unfit:
            report.fail("section", name, str(unfit), _CORRECT)
            continue
        stored = await target.get_game_data(name) if target and name in theirs else None
        if ours is None or ours == stored:
            report.skipped["sections"] += 1
        elif stored is None or (target is not None and target.mirror_of is not None):
            plan.sections[name] = ours
            report.planned["sections"] += 1
        else:
            cure = "save the right one in both stores, then give the same command again"
            report.fail("section", name, "source and target differ", cure)
