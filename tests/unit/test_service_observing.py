"""The bot's activity: rows of the schema, whole players in or out, and a store that may be away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from kokoromichi.core.clock import moment_of
from kokoromichi.core.errors import CommitUnknownError, StorageError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.core.schemas import ACTIVITY_SCHEMA
from kokoromichi.rules.acts import SESSION_GAP_S
from kokoromichi.services.bundle import Services
from kokoromichi.services.observing import ActivityService
from tests.contract.stored import NOON_US
from tests.unit.passing_providers import PassingProvider
from tests.unit.service_world import ECONOMY, ROOT, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from kokoromichi.core.data_provider import Stream
    from kokoromichi.core.models import AnswerT, ChangeSet, UserProfile


def seen(world: World) -> pl.DataFrame:
    assert isinstance(world.provider, MemoryProvider)
    return pl.DataFrame(world.provider.observations("activity"), ACTIVITY_SCHEMA)


async def test_acts_and_refusals_are_rows_of_the_schema() -> None:
    world = await World.open()
    activity = world.services.activity
    await activity.note("ada", "buy")
    world.clock.advance(1)
    await activity.note("ada", "buy", "too_poor")
    assert seen(world).select("user_id", "at", "act", "code", "economy_hash").rows() == [
        ("ada", moment_of(NOON_US), "buy", None, ECONOMY.hash),
        ("ada", moment_of(NOON_US + 1_000_000), "buy", "too_poor", ECONOMY.hash),
    ]
    assert (
        seen(world).select("slot", "outcome", "hold", "level", "units_held").null_count().row(0) == (2,) * 5
    )


async def test_a_command_is_noted_by_the_name_that_its_act_has_everywhere() -> None:
    world = await World.open()
    for command in ("daily", "buy", "favorite"):
        await world.services.activity.note("ada", command)
    assert seen(world)["act"].to_list() == ["claim", "buy", "favorite"]


async def test_a_session_ends_with_a_long_silence() -> None:
    world = await World.open()
    for wait_s in (0, SESSION_GAP_S - 1, SESSION_GAP_S - 1, SESSION_GAP_S, 5):
        world.clock.advance(wait_s)
        await world.services.activity.note("ada", "battle")
    await world.services.activity.note("bo", "battle")
    first = NOON_US // 1_000_000
    second = first + 3 * SESSION_GAP_S - 2
    battles = seen(world).filter(act="battle")
    assert battles["session"].to_list() == [first, first, first, second, second, second + 5]


async def test_whole_players_are_in_or_out_by_their_share() -> None:
    world = await World.open()
    executor = world.services.executor
    names = [str(number) for number in range(2_000)]
    shares = {
        share: {name for name in names if ActivityService(executor, share).is_noted(name)}
        for share in (0, 0.1, 0.5, 1)
    }
    assert shares[0] == set()
    assert shares[1] == set(names)
    assert shares[0.1] < shares[0.5]
    assert 140 < len(shares[0.1]) < 260
    assert 900 < len(shares[0.5]) < 1_100
    activity = ActivityService(executor, 0.1)
    for name in names[:200]:
        for _ in range(2):
            await activity.note(name, "daily")
    noted = seen(world).group_by("user_id").len()
    assert set(noted["user_id"]) == shares[0.1] & set(names[:200])
    assert set(noted["len"]) == {2}


async def test_a_store_that_is_away_costs_the_note_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Away(PassingProvider):
        async def append_observations(self, stream: Stream, rows: Sequence[Mapping[str, object]]) -> None:
            message = f"{stream} is away with {len(rows)} rows"
            raise StorageError(message)

    inner = await World.open()
    services = Services(Away(inner.provider), ECONOMY, inner.clock)
    await services.activity.note("ada", "buy")
    assert "activity is away with 1 rows" in caplog.text


async def test_a_purchase_is_noted_with_what_it_was_made_from() -> None:
    world = await World.open()
    services = world.services
    for item_id, quantity in (("health_potion", 2), ("mana_potion", 1)):
        receipt = await services.store.purchase("ada", item_id, quantity)
        await services.activity.note("ada", "buy", receipt=receipt)
    trained = await services.progress.train("ada")
    await services.activity.note("ada", "train", receipt=trained)
    opening_gold = ECONOMY.config.opening.gold
    held = pl.col("units_held").list
    shown = seen(world).select(
        "act", "slot", "outcome", "gold", "level", held.get(0).alias("potions"), held.get(1).alias("manas")
    )
    assert shown.rows() == [
        ("buy", 0, "health_potion", opening_gold, 1, 0, 0),
        ("buy", 1, "mana_potion", opening_gold - 200, 1, 2, 0),
        ("train", 2, "train", opening_gold - 350, 1, 2, 1),
    ]


async def test_a_purchase_that_is_sent_again_is_noted_with_what_it_was_first_made_from() -> None:
    class Forgetful(PassingProvider):
        answers = False

        async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
            answer = await super().apply(change)
            if change.request_id is not None and not self.answers:
                self.answers = True
                raise CommitUnknownError(change.request_id)
            return answer

    world = await World.open()
    services = Services(Forgetful(world.provider), ECONOMY, world.clock)
    with pytest.raises(CommitUnknownError):
        await services.store.purchase("ada", "health_potion", request_id="r-1")
    receipt = await services.store.purchase("ada", "health_potion", request_id="r-1")
    await services.activity.note("ada", "buy", receipt=receipt)
    assert seen(world).select("gold", pl.col("units_held").list.get(0)).rows() == [
        (ECONOMY.config.opening.gold, 0)
    ]


async def test_a_store_that_was_shown_is_noted_with_the_purse() -> None:
    world = await World.open()
    profile = await world.services.executor.open_account("ada")
    await world.services.activity.note_shown(profile, "potion")
    assert seen(world).select("act", "outcome", "gold", "level", "slot").rows() == [
        ("shown", "potion", ECONOMY.config.opening.gold, 1, None)
    ]
    assert seen(world)["units_held"].to_list() == [[0] * len(ECONOMY.catalogue)]


async def test_the_end_of_a_session_says_how_they_stood_at_their_last_command() -> None:
    world = await World.open()
    services, activity = world.services, world.services.activity
    receipt = await services.store.purchase("ada", "health_potion")
    await activity.note("ada", "buy", receipt=receipt)
    world.clock.advance(600)
    activity.prolong("ada")  # Looks at something.
    await services.bank.transfer("bo", "ada", 100)  # What they get afterwards is none of it.
    world.clock.advance(SESSION_GAP_S - 1)
    await activity.end_quiet()
    assert "end" not in seen(world)["act"]
    world.clock.advance(1)
    await activity.end_quiet()
    await activity.end_quiet()
    ends = seen(world).filter(act="end")
    gold = ECONOMY.config.opening.gold - 100
    assert ends.select("user_id", "session", "at", "outcome", "slot", "gold").rows() == [
        ("ada", NOON_US // 1_000_000, moment_of(NOON_US + 600_000_000), "quiet", 1, gold)
    ]
    assert ends["units_held"].list.get(0).to_list() == [1]


async def test_a_session_of_refusals_alone_ends_with_the_purse_that_was_not_spent() -> None:
    world = await World.open()
    await world.services.executor.open_account("ada")
    await world.services.activity.note("ada", "buy", "sold_out")
    world.clock.advance(SESSION_GAP_S)
    await world.services.activity.end_quiet()
    assert seen(world).filter(act="end").select("outcome", "slot", "gold", "level").rows() == [
        ("quiet", 0, ECONOMY.config.opening.gold, 1)
    ]


async def test_the_end_is_noted_by_the_next_command_or_by_the_bots_own_end() -> None:
    world = await World.open()
    await world.services.executor.open_account("ada")
    await world.services.activity.note("ada", "battle")
    world.clock.advance(SESSION_GAP_S)
    await world.services.activity.note("ada", "battle")
    world.clock.advance(60)
    await world.services.activity.close()
    assert seen(world).select("act", "outcome", "session").rows() == [
        ("battle", None, NOON_US // 1_000_000),
        ("end", "quiet", NOON_US // 1_000_000),
        ("battle", None, NOON_US // 1_000_000 + SESSION_GAP_S),
        ("end", "closed", NOON_US // 1_000_000 + SESSION_GAP_S),
    ]


async def test_nothing_is_said_of_a_player_after_their_erasure() -> None:
    world = await World.open()
    for player in ("ada", "bo"):
        receipt = await world.services.store.purchase(player, "health_potion")
        await world.services.activity.note(player, "buy", receipt=receipt)
    await world.services.admin.erase("ada", actor=ROOT, reason="asked for it")
    # Another process has erased this one, which nobody has told us.
    await world.provider.erase("bo", "erased_0123")
    await world.services.activity.close()
    assert seen(world)["act"].to_list() == ["buy", "buy"]
    assert not {"ada", "bo"} & {*seen(world)["user_id"]}


class Asked(PassingProvider):
    """Lets something happen while a player is looked up."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def profile(self, user_id: str) -> UserProfile | None:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().profile(user_id)


async def two_gone_quiet() -> tuple[World, Asked, ActivityService]:
    """Two players whose sessions are over, which nobody has noted yet."""
    world = await World.open()
    provider = Asked(world.provider)
    services = Services(provider, ECONOMY, world.clock)
    for player in ("ada", "bo"):
        await services.executor.open_account(player)
        await services.activity.note(player, "battle")
    world.clock.advance(SESSION_GAP_S)
    return world, provider, services.activity


async def test_a_session_that_begins_while_quiet_ones_are_ended_goes_on() -> None:
    world, provider, activity = await two_gone_quiet()
    provider.meanwhile = lambda: activity.note("bo", "battle")
    await activity.end_quiet()
    world.clock.advance(60)
    await activity.note("bo", "battle")
    first = NOON_US // 1_000_000
    assert seen(world).filter(user_id="bo").select("act", "session").rows() == [
        ("battle", first),
        ("battle", first + SESSION_GAP_S),
        ("end", first),
        ("battle", first + SESSION_GAP_S),
    ]


async def test_who_is_erased_while_quiet_sessions_are_ended_stops_nothing() -> None:
    world, provider, activity = await two_gone_quiet()

    async def erase() -> None:
        await world.provider.erase("bo", "erased_0123")
        activity.forget("bo")

    provider.meanwhile = erase
    await activity.end_quiet()
    assert seen(world).filter(act="end")["user_id"].to_list() == ["ada"]


async def test_storage_that_is_away_is_waited_for_once_when_the_bot_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Away(PassingProvider):
        asked = 0

        async def profile(self, user_id: str) -> UserProfile | None:
            self.asked += 1
            message = f"{user_id} cannot be read"
            raise StorageError(message)

    inner = await World.open()
    provider = Away(inner.provider)
    services = Services(provider, ECONOMY, inner.clock)
    await services.activity.note("ada", "battle")
    inner.clock.advance(SESSION_GAP_S)
    for player in ("bo", "cy"):
        await services.activity.note(player, "battle")
    await services.activity.close()
    assert provider.asked == 1
    assert "the end of 3 sessions was not noted: ada cannot be read" in caplog.text


async def test_no_more_sessions_are_kept_in_mind_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kokoromichi.services.observing._KNOWN_PLAYERS", 2)
    world = await World.open()
    for player in ("ada", "bo", "cy"):
        world.clock.advance(1)
        await world.services.activity.note(player, "battle")
    assert seen(world).select("user_id", "act").rows() == [
        *(("ada", "battle"), ("bo", "battle")),
        *(("ada", "end"), ("cy", "battle")),
    ]
