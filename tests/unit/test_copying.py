"""Copies between stores: whole, resumable, and never over what is ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.core.clock import ManualClock
from kokoromichi.core.copying import copy_all as copying
from kokoromichi.core.copying.copy_all import copy_all
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.models import ChangeSet, CounterChange, Movement, UserChange
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.transactions import Committed

if TYPE_CHECKING:
    from kokoromichi.core.bulk_load import Batch
    from kokoromichi.core.copying.report import CopyProgress, CopyReport


async def grant(
    store: MemoryProvider, user_id: str, gold: int, request_id: str | None = None, item: str = "silk"
) -> None:
    """One act: gold and an item."""
    profile = await store.profile(user_id)
    held, version = (profile.gold, profile.version) if profile else (0, 0)
    rows = (Movement("grant", "gold", gold, held + gold), Movement("grant", item_id=item, quantity=1))
    user = UserChange(user_id, version, rows, {"level": version + 1})
    change = ChangeSet(version, (user,), Committed(held + gold, 0), request_id=request_id, digest="d")
    await store.apply(change)


async def busy() -> MemoryProvider:
    """A store with two players, a transfer, a counter, an answer, the system's row and a section."""
    store = MemoryProvider(ManualClock())
    await grant(store, "anna", 100, request_id="first")
    await grant(store, "bert", 50)
    await grant(store, "anna", 7)
    sent = UserChange("anna", 2, (Movement("transfer", "gold", -10, 97, counterparty="bert"),))
    got = UserChange("bert", 1, (Movement("transfer", "gold", 10, 60, counterparty="anna"),))
    await store.apply(ChangeSet(9, (sent, got), Committed(97, 0), reason="rent"))
    counter = CounterChange("visits", 5, creates=True)
    restock = Movement("restock", item_id="silk", quantity=5)
    await store.apply(ChangeSet(10, (), Committed(0, 0), (counter,), (restock,)))
    await store.save_user("bert", {"x_own": {"a": [1, None]}})
    await store.save_game_data("guilds", {"names": ["été"]})
    return store


async def everything(store: MemoryProvider) -> dict[str, object]:
    """All that a copy carries; ids of rows may be numbered anew."""
    frames = [frame.drop("entry_id", "tx_id").rows() async for frame in store.ledger_frames()]
    return {
        "users": [await store.get_user(user_id) for user_id in await store.user_ids()],
        "rows": [row for frame in frames for row in frame],
        "counters": await store.counters(),
        "requests": [asked async for asked in store.stored_responses()],
        "sections": {name: await store.get_game_data(name) for name in await store.sections()},
    }


class Dying(MemoryProvider):
    """A store that dies before its ``lives``-th load."""

    lives = 1_000

    async def load(self, batch: Batch) -> None:
        self.lives -= 1
        if self.lives < 0:
            message = "the store died"
            raise StorageError(message)
        await super().load(batch)


async def test_a_copy_is_equal_and_there_and_back_is_too() -> None:
    source, target, back = await busy(), MemoryProvider(), MemoryProvider()
    for one, other in ((source, target), (target, back)):
        report = await copy_all(one, other)
        assert report.complete
        assert report.done == report.planned
    assert await everything(back) == await everything(target) == await everything(source)


async def test_a_second_run_changes_nothing() -> None:
    source, target = await busy(), MemoryProvider()
    first = await copy_all(source, target)
    before = await everything(target)
    second = await copy_all(source, target)
    assert second.complete
    assert second.planned.total() == second.done.total() == 0
    assert second.skipped == first.done
    assert second.verified == first.verified
    assert await everything(target) == before


async def test_a_report_says_what_was_verified() -> None:
    report = await copy_all(await busy(), MemoryProvider())
    assert {book: (found["rows"], found["gold"]) for book, found in report.verified.items()} == {
        "admin": (6, 157),
        "purchases": (1, 0),
        "transfers": (2, 0),
    }
    assert report.document()["complete"] is True


async def test_what_is_new_in_the_source_follows() -> None:
    source, target = await busy(), MemoryProvider()
    await copy_all(source, target)
    await grant(source, "anna", 1)
    await grant(source, "zoe", 1)
    report = await copy_all(source, target)
    assert report.complete
    assert (report.done["users"], report.done["ledger_rows"]) == (2, 4)
    assert await everything(target) == await everything(source)


async def test_a_dry_run_needs_no_target_and_writes_nothing() -> None:
    source, target = await busy(), MemoryProvider()
    alone = await copy_all(source, None, dry_run=True)
    compared = await copy_all(source, target, dry_run=True)
    assert alone.planned == compared.planned
    assert alone.planned == {"users": 2, "ledger_rows": 9, "counters": 1, "requests": 1, "sections": 1}
    assert not alone.done
    assert await everything(target) == await everything(MemoryProvider())


async def test_a_player_who_is_ahead_or_has_diverged_is_listed_and_left_alone() -> None:
    source, target = await busy(), MemoryProvider()
    await copy_all(source, target)
    await grant(target, "anna", 1_000)  # Ahead.
    await grant(target, "bert", 5)  # Diverged: both went on.
    await grant(source, "bert", 6)
    await grant(source, "carl", 3)
    before = [await target.get_user(user_id) for user_id in ("anna", "bert")]
    report = await copy_all(source, target)
    assert not report.complete
    assert [failure.name for failure in report.failed if failure.what == "user"] == ["anna", "bert"]
    assert [await target.get_user(user_id) for user_id in ("anna", "bert")] == before
    assert await target.get_user("carl") == await source.get_user("carl")
    assert "same command again" in report.undo
    with pytest.raises(StorageError, match="anna"):
        report.raise_if_failed()


async def test_an_equal_version_with_other_rows_has_diverged() -> None:
    source, target = MemoryProvider(), MemoryProvider()
    await grant(source, "anna", 1)
    await grant(target, "anna", 2)
    report = await copy_all(source, target)
    assert [failure.name for failure in report.failed] == ["anna"]


async def test_a_player_of_the_target_alone_is_listed() -> None:
    source, target = MemoryProvider(), MemoryProvider()
    await grant(source, "anna", 1)
    await grant(target, "zoe", 2)
    report = await copy_all(source, target)
    assert [failure.name for failure in report.failed] == ["zoe"]
    assert await target.get_user("anna") == await source.get_user("anna")


async def test_a_counter_does_not_move_where_the_ledger_has_diverged() -> None:
    source, target = await busy(), MemoryProvider()
    await grant(target, "anna", 3)
    report = await copy_all(source, target)
    assert await target.counters() == {}
    assert "counter" in {failure.what for failure in report.failed}


async def level_up(store: MemoryProvider, user_id: str, level: int) -> None:
    """An act without a row: a version more, and another level."""
    profile = await store.profile(user_id)
    assert profile is not None
    raised = UserChange(user_id, profile.version, (), {"level": level})
    await store.apply(ChangeSet(20, (raised,), Committed(0, 0)))


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ({"source": 8, "target": 9}, "both have version 4, and differ"),
        ({"target": 9}, "the target is ahead: version 4, and the source has 3"),
    ],
    ids=["as often", "only there"],
)
async def test_a_player_who_changed_without_a_row_is_told_apart_by_the_version(
    levels: dict[str, int], why: str
) -> None:
    source, target = await busy(), MemoryProvider()
    await copy_all(source, target)
    for name, level in levels.items():
        await level_up({"source": source, "target": target}[name], "anna", level)
    report = await copy_all(source, target)
    assert [(failure.what, failure.name, failure.why) for failure in report.failed] == [("user", "anna", why)]
    profile = await target.profile("anna")
    assert profile is not None
    assert profile.level == 9


async def test_what_the_target_alone_has_of_the_system_s_is_listed() -> None:
    source, target = await busy(), MemoryProvider()
    await grant(source, "carl", 1, request_id="other")
    await copy_all(source, target)
    own = CounterChange("own", 1, creates=True)
    await target.apply(
        ChangeSet(20, (), Committed(0, 0), (own,), (Movement("restock", item_id="silk", quantity=1),))
    )
    report = await copy_all(source, target)
    found = {(failure.what, failure.name): failure.why for failure in report.failed}
    assert found == {
        ("user", "system"): "the target has rows of the system that the source does not have",
        ("counter", "own"): "the target has it, and the source does not",
    }


async def test_an_id_that_the_target_remembers_for_another_act_is_listed() -> None:
    source, target = MemoryProvider(), MemoryProvider()
    await source.apply(ChangeSet(1, (), Committed(0, 0), request_id="r-1", digest="ours"))
    await target.apply(ChangeSet(1, (), Committed(0, 0), request_id="r-1", digest="theirs"))
    report = await copy_all(source, target)
    assert [(failure.what, failure.name) for failure in report.failed] == [("request", "r-1")]
    assert [asked.digest async for asked in target.stored_responses()] == ["theirs"]


async def test_a_section_that_differs_is_listed_and_left_alone() -> None:
    source, target = await busy(), MemoryProvider()
    await target.save_game_data("guilds", {"names": ["mine"]})
    report = await copy_all(source, target)
    assert [(failure.what, failure.name) for failure in report.failed] == [("section", "guilds")]
    assert await target.get_game_data("guilds") == {"names": ["mine"]}


async def test_a_mirror_is_no_source_and_follows_even_where_sections_differ() -> None:
    source, mirror = await busy(), MemoryProvider()
    mirror.mirror_of = "memory"
    await copy_all(source, mirror)
    await source.save_game_data("guilds", {"names": []})
    assert (await copy_all(source, mirror)).complete
    assert await mirror.get_game_data("guilds") == {"names": []}
    with pytest.raises(MisuseError, match="mirror of memory"):
        await copy_all(mirror, source)


async def test_what_a_copy_cannot_be_made_of_is_misuse() -> None:
    store, other = MemoryProvider(), MemoryProvider()
    with pytest.raises(MisuseError, match="other than its source"):
        await copy_all(store, store)
    with pytest.raises(MisuseError, match="other than its source"):
        await copy_all(store, None)
    other.mirror_of = "postgres"
    with pytest.raises(MisuseError, match="mirrors postgres"):
        await copy_all(store, other)


async def test_a_source_that_breaks_law_1_is_not_spread() -> None:
    source = await busy()
    profile = await source.profile("anna")
    assert profile is not None
    profile.gold += 1  # Edited externally.
    report = await copy_all(source, MemoryProvider())
    assert [failure.name for failure in report.failed if failure.what == "user"] == ["anna"]


async def test_whom_another_hand_has_made_unfit_is_named_in_the_plan_and_the_others_move() -> None:
    source, target = await busy(), MemoryProvider()
    bert = await source.profile("bert")
    assert bert is not None
    bert.unknown["x_own"] = {"a": [1, float("nan")]}
    source._sections["guilds"] = {"names": {"a.b": 1}}  # noqa: SLF001 - another hand asks nobody
    planned = await copy_all(source, None, dry_run=True)
    report = await copy_all(source, target)
    for each in (planned, report):
        told = {failure.name: failure.why for failure in each.failed if failure.what in ("user", "section")}
        assert "nan at x_own.a[1]" in told.pop("bert")
        assert "the key 'a.b' at names" in told.pop("guilds")
        assert not told
    assert await target.user_ids() == ["anna"]
    assert report.planned["users"] == planned.planned["users"] == 1


async def test_progress_ends_where_it_was_planned() -> None:
    steps: list[CopyProgress] = []
    report = await copy_all(await busy(), MemoryProvider(), progress=steps.append)
    last = {step.part: step for step in steps}
    assert {part: step.done for part, step in last.items()} == dict(report.planned)
    assert all(step.done <= step.total for step in steps)


class Picky(MemoryProvider):
    """A store that refuses a document."""

    async def load(self, batch: Batch) -> None:
        if batch.users:
            message = "the document of player anna is too large"
            raise MisuseError(message)


async def test_what_the_target_refuses_is_listed() -> None:
    report = await copy_all(await busy(), Picky())
    assert not report.complete
    assert "player anna is too large" in str(report.failed[-1])


class Held(MemoryProvider):
    """A store of which a dead client holds something for ``times`` tries; ``away`` cannot even be read."""

    times = 0
    away = False

    async def load(self, batch: Batch) -> None:
        self.times -= 1
        if self.times >= 0:
            message = "another client has long held the same player"
            raise StorageError(message)
        await super().load(batch)

    async def counters(self) -> dict[str, int]:
        if self.away and self.times < 6:
            message = "the server cannot be reached"
            raise StorageError(message)
        return await super().counters()


async def test_what_a_dead_client_holds_is_waited_for_and_a_store_that_is_away_is_not() -> None:
    source, target = await busy(), Held()
    target.times = 5
    assert (await copy_all(source, target)).complete
    assert await everything(target) == await everything(source)
    for away, tries, why in ((False, 6, "long held"), (True, 1, "cannot be reached")):
        stuck = Held()
        stuck.times, stuck.away = 6, away
        report = await copy_all(source, stuck)
        assert (6 - stuck.times, why in str(report.failed[0])) == (tries, True)


async def interrupted(source: MemoryProvider, lives: int) -> tuple[Dying, CopyReport]:
    """A copy that dies before its ``lives``-th step, and the target it leaves."""
    target = Dying()
    target.lives = lives
    return target, await copy_all(source, target)


async def test_a_copy_cut_off_at_any_step_is_sound_there_and_ends_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "_ROWS_A_STEP", 1)
    monkeypatch.setattr(copying, "_USERS_A_STEP", 1)
    source = await busy()
    for lives in range(40):
        target, report = await interrupted(source, lives)
        assert (await audit_provider(target)).violations[1].is_empty()
        assert (await audit_provider(target)).violations[2].is_empty()
        if report.complete:
            break
        assert report.failed[-1].what == "store"
        target.lives = 1_000
        assert (await copy_all(source, target)).complete
        assert await everything(target) == await everything(source)
    else:
        pytest.fail("the copy never came to its end")
    assert lives > 5


acts = st.lists(
    st.tuples(
        st.sampled_from(["anna", "bert", "carl"]), st.integers(0, 9), st.sampled_from(["silk", "a.b", "🎁"])
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(before=acts, after=acts, lives=st.integers(0, 12))
async def test_any_history_copied_in_two_runs_with_a_death_between_ends_equal(
    before: list[tuple[str, int, str]], after: list[tuple[str, int, str]], lives: int
) -> None:
    source = MemoryProvider()
    for user_id, gold, item in before:
        await grant(source, user_id, gold, item=item)
    target, _report = await interrupted(source, lives)
    for user_id, gold, item in after:
        await grant(source, user_id, gold, item=item)
    target.lives = 1_000
    assert (await copy_all(source, target)).complete
    assert await everything(target) == await everything(source)
    assert (await audit_provider(target)).sound
