"""What players read when something fails, and that nothing is charged twice or for nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import discord
import pytest

from kokoromichi.bot import KokoroBot, create_bot
from kokoromichi.core.errors import CommitUnknownError, ConflictError, InvalidProfileError, StorageError
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.services.authority import Actor, Role
from kokoromichi.settings import Settings
from tests.bot.table import embed_of, told

if TYPE_CHECKING:
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.models import AnswerT, ChangeSet, UserProfile
    from tests.bot.table import Table

Outcome: TypeAlias = Literal["stored", "down", "busy", "unknown and lost", "unknown and stored", "bug"]

UNAVAILABLE = "Storage is unavailable. Nothing was charged; try again in a moment."
CHECKING = "The storage did not answer in time. Checking; please do not repeat the command."
BOUGHT = "1 × Health Potion for 100 gold. You hold 1.\nBalance: 9,900 gold."
PAUSE_S = 30


class Brittle(MemoryProvider):
    """Stands for a store that fails where it is told to.

    Attributes:
        outcomes: What becomes of the next commits, in their order; after the last of them all are stored.
        unreadable: Whether no player can be read.
        edited: Whether another hand made a player's file unreadable.
    """

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.outcomes: list[Outcome] = []
        self.unreadable = False
        self.edited = False

    async def profile(self, user_id: str) -> UserProfile | None:
        if self.unreadable:
            message = "the database does not answer"
            raise StorageError(message)
        if self.edited:
            message = "gold is no number"
            raise InvalidProfileError(message)
        return await super().profile(user_id)

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        outcome = self.outcomes.pop(0) if self.outcomes else "stored"
        if outcome == "down":
            message = "the database does not answer"
            raise StorageError(message)
        if outcome == "busy":
            message = "somebody was faster"
            raise ConflictError(message)
        if outcome == "bug":
            raise ZeroDivisionError
        if outcome == "unknown and lost":
            raise CommitUnknownError(str(change.request_id))
        answer = await super().apply(change)
        if outcome == "unknown and stored":
            raise CommitUnknownError(str(change.request_id))
        return answer


@pytest.fixture
def store(clock: ManualClock) -> Brittle:
    return Brittle(clock)


@pytest.fixture
def simcord_bot(store: Brittle, clock: ManualClock) -> KokoroBot:
    return create_bot(Settings(_env_file=None, shard_count=1), provider=store, clock=clock)


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated Discord waits out short sleeps, and lets the test decide about long ones."""
    monkeypatch.setattr("kokoromichi.chat.context._PAUSES_S", (PAUSE_S, 2 * PAUSE_S))


async def purchases(table: Table) -> int:
    """How many were booked."""
    return len(await table.bot.provider.read_ledger(kind="purchase"))


async def test_while_storage_is_down_nothing_is_charged(table: Table, store: Brittle) -> None:
    store.outcomes = ["down"]
    assert await table.refusal(table.alice, "buy", item="health_potion") == UNAVAILABLE
    store.outcomes = ["down"]
    assert told(await table.said(table.alice, "!buy health_potion")) == UNAVAILABLE
    assert await purchases(table) == 0
    assert told(await table.asked(table.alice, "buy", item="health_potion")) == BOUGHT


@pytest.mark.parametrize("command", ["profile", "balance", "daily", "train", "summon"])
async def test_every_command_says_so(table: Table, store: Brittle, command: str) -> None:
    store.outcomes = ["down"]
    assert await table.refusal(table.alice, command) == UNAVAILABLE


@pytest.mark.parametrize("outcome", ["unknown and lost", "unknown and stored"])
async def test_an_unknown_commit_is_resolved_by_its_request_id(
    table: Table, store: Brittle, outcome: Outcome
) -> None:
    await table.asked(table.alice, "balance")
    store.outcomes = [outcome]
    await table.slash(table.alice, "buy", item="health_potion")
    assert table.last_told() == CHECKING
    await table.env.advance_time(PAUSE_S)
    assert table.last_told() == BOUGHT
    assert await purchases(table) == 1
    assert (await table.profile(table.alice)).gold == 9_900


async def test_an_unknown_commit_that_the_game_refuses_then_is_refused(table: Table, store: Brittle) -> None:
    await table.asked(table.alice, "balance")
    store.outcomes = ["unknown and lost"]
    await table.slash(table.alice, "buy", item="health_potion", quantity=10)
    await table.endow(table.alice, gold=0)
    await table.env.advance_time(PAUSE_S)
    assert table.last_told() == "Need 1,000 gold, have 0."
    assert await purchases(table) == 0


async def test_a_fate_is_found_out_also_where_discord_hears_nothing(table: Table, store: Brittle) -> None:
    await table.asked(table.alice, "balance")
    store.outcomes = ["unknown and lost"]
    table.env.inject_error("POST", "/channels/*/messages", status=400, times=2)
    await table.alice.send(table.channel, "!buy health_potion")
    assert await purchases(table) == 0
    await table.env.advance_time(PAUSE_S)
    assert table.last_told() == BOUGHT
    assert await purchases(table) == 1


async def test_what_the_channel_does_not_take_is_answered_in_a_direct_message(table: Table) -> None:
    table.env.inject_error("POST", "/channels/*/messages", status=500, times=1)
    asked = await table.alice.send(table.channel, "!buy health_potion")
    assert table.channel.last_message == asked
    answer = table.alice.user.dm_channel.last_message
    assert answer is not None
    assert told(answer.embeds[0]) == BOUGHT


async def test_nothing_is_offered_while_storage_is_down(table: Table, store: Brittle) -> None:
    await table.endow(table.alice, inventory={"health_potion": 1}, collection={"echo": 1})
    store.unreadable = True
    assert await table.alice.autocomplete(table.channel, "sell", "item", "") == []
    assert await table.alice.autocomplete(table.channel, "favorite", "character", "") == []
    for command in ("profile", "inventory", "rates", "battle_stats", "businesses", "collection", "streak"):
        assert await table.refusal(table.alice, command) == UNAVAILABLE


async def test_a_fate_that_stays_unknown_is_told_with_its_number(table: Table, store: Brittle) -> None:
    await table.asked(table.alice, "balance")
    store.outcomes = ["unknown and lost"] * 3
    await table.slash(table.alice, "buy", item="health_potion")
    await table.env.advance_time(3 * PAUSE_S)
    assert re.fullmatch(
        r"It could not be found out whether this went through\. Do not repeat it; "
        r"tell an admin the number `\d+`\.",
        table.last_told(),
    )


async def test_a_store_that_is_always_busy_charges_nothing(
    table: Table, store: Brittle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kokoromichi.services.executor._TRIES_LOCKED", 1)
    await table.asked(table.alice, "balance")
    store.outcomes = ["busy"] * 10
    sentence = await table.refusal(table.alice, "buy", item="health_potion")
    assert sentence == "Too many changes at once. Nothing was charged; try again."
    assert store.outcomes == []
    assert await purchases(table) == 0


async def test_what_nobody_foresaw_gets_a_number_and_a_traceback_in_the_log(
    table: Table, store: Brittle, caplog: pytest.LogCaptureFixture
) -> None:
    await table.asked(table.alice, "balance")
    store.outcomes = ["bug"]
    sentence = await table.refusal(table.alice, "buy", item="health_potion")
    found = re.fullmatch(
        r"Something went wrong on our side\. Please tell an admin the number `([0-9a-f]{8})`\.", sentence
    )
    assert found is not None
    (record,) = [record for record in caplog.records if found[1] in record.getMessage()]
    assert "ZeroDivisionError" in caplog.text
    assert record.exc_info is not None
    caplog.clear()
    assert told(await table.asked(table.alice, "buy", item="health_potion")) == BOUGHT


async def test_a_button_that_fails_tells_it_like_a_command(table: Table, store: Brittle) -> None:
    await table.endow(table.alice, inventory={"health_potion": 1})
    await table.endow(table.bob)
    asked = await table.slash(table.alice, "gift", user=table.bob, item="health_potion")
    assert asked.response is not None
    store.outcomes = ["down"]
    await table.alice.click(asked.response, label="Confirm")
    assert table.last_told() == UNAVAILABLE
    assert table.buttons() == []
    assert (await table.profile(table.alice)).inventory == {"health_potion": 1}


async def test_a_gift_whose_fate_is_unknown_is_given_once(table: Table, store: Brittle) -> None:
    await table.endow(table.alice, inventory={"health_potion": 2})
    await table.endow(table.bob)
    asked = await table.slash(table.alice, "gift", user=table.bob, item="health_potion")
    assert asked.response is not None
    store.outcomes = ["unknown and stored"]
    await table.alice.click(asked.response, label="Confirm")
    assert table.last_told() == CHECKING
    await table.env.advance_time(PAUSE_S)
    shown = asked.response.embeds[0]
    assert told(shown) == f"1 × Health Potion went to {table.bob.mention}. You hold 1 more."
    assert (await table.profile(table.bob)).inventory == {"health_potion": 1}


async def test_a_frozen_player_acts_no_more(table: Table) -> None:
    await table.endow(table.alice)
    admin = Actor("1", Role.OWNER)
    await table.bot.services.admin.freeze(str(table.alice.id), actor=admin, reason="a dispute")
    sentence = await table.refusal(table.alice, "daily")
    assert sentence == f"The account of {table.alice.mention} is frozen; an admin can tell why."


async def test_who_asks_too_fast_is_told_when_to_ask_again(table: Table) -> None:
    for _ in range(8):
        await table.alice.slash(table.channel, "balance")
    refused = await table.alice.slash(table.channel, "balance")
    ready_s = table.clock.us // 1_000_000 + 10
    assert refused.ephemeral
    assert told(embed_of(refused)) == f"Slow down: again <t:{ready_s}:R>."
    assert not (await table.bob.slash(table.channel, "balance")).ephemeral
    table.clock.advance(10)
    assert not (await table.alice.slash(table.channel, "balance")).ephemeral


async def test_who_asks_too_fast_in_public_is_told_once(table: Table) -> None:
    for _ in range(8):
        await table.alice.send(table.channel, "!balance")
    asked = [await table.alice.send(table.channel, "!balance") for _ in range(5)]
    said = [message for message in table.channel.history() if message.author.id != table.alice.id]
    assert [told(message.embeds[0]).startswith("Slow down") for message in said] == [False] * 8 + [True]
    last = table.channel.last_message
    assert last is not None
    assert last.id == asked[-1].id
    table.clock.advance(10)
    assert not told(await table.said(table.alice, "!balance")).startswith("Slow down")


async def test_an_admin_is_not_slowed(table: Table) -> None:
    table.bot.owner_id = table.alice.id
    answers = [await table.alice.slash(table.channel, "balance") for _ in range(12)]
    assert not any(answer.ephemeral for answer in answers)


async def test_a_slash_command_that_is_gone_says_so(table: Table, caplog: pytest.LogCaptureFixture) -> None:
    table.bot.tree.remove_command("daily")
    result = await table.slash(table.alice, "daily")
    assert result.ephemeral
    assert told(embed_of(result)) == (
        "That command is not there any more, or changed; Discord will show the new ones soon. "
        "Nothing was charged."
    )
    assert "Traceback" not in caplog.text


async def test_who_was_edited_by_another_hand_is_not_told_to_try_again(table: Table, store: Brittle) -> None:
    store.edited = True
    sentence = await table.refusal(table.alice, "daily")
    assert sentence.endswith("an admin must mend it, and trying again does not help.")


async def test_a_clock_that_is_set_back_silences_nobody(table: Table) -> None:
    for _ in range(3):
        await table.alice.slash(table.channel, "balance")
    table.clock.advance(-3_600)
    answers = [await table.alice.slash(table.channel, "balance") for _ in range(8)]
    assert not any(answer.ephemeral for answer in answers)
    answers = [await table.alice.slash(table.channel, "balance") for _ in range(8)]
    assert answers[-1].ephemeral  # Still no faster than anybody else.


async def test_a_closing_bot_takes_no_more_commands(table: Table) -> None:
    table.bot.closing = True
    sentence = await table.refusal(table.alice, "daily")
    assert sentence == "The bot is restarting. Nothing was charged; try again in a minute."
    table.bot.closing = False


async def test_all_of_a_purse_is_sent_once_though_the_command_comes_again_after_a_restart(
    table: Table, clock: ManualClock
) -> None:
    await table.endow(table.alice)
    await table.endow(table.bob)
    asked = await table.alice.send(table.channel, f"!transfer {table.bob.mention} half")
    answer = table.last_told()
    await restarted(table, clock)
    again = table.bot.get_channel(table.channel.id)
    assert isinstance(again, discord.TextChannel)
    await table.bot.process_commands(await again.fetch_message(asked.id))
    assert table.last_told() == answer
    assert (await table.profile(table.alice)).gold == 5_000


async def restarted(table: Table, clock: ManualClock) -> None:
    """Another bot over the same storage."""
    bot = create_bot(Settings(_env_file=None, shard_count=1), provider=table.bot.provider, clock=clock)
    await table.env.restart_bot(bot)
    table.bot = bot


async def test_a_claim_survives_a_restart(table: Table, clock: ManualClock) -> None:
    await table.asked(table.alice, "daily")
    await restarted(table, clock)
    assert (await table.refusal(table.alice, "daily")).startswith("Already claimed today")
    assert (await table.profile(table.alice)).gold == 11_000


async def test_a_battles_cooldown_survives_a_restart(table: Table, clock: ManualClock) -> None:
    await table.asked(table.alice, "battle", tier=1)
    await restarted(table, clock)
    assert (await table.refusal(table.alice, "battle", tier=1)).startswith("Still cooling down")


async def test_a_question_does_not_survive_a_restart(table: Table, clock: ManualClock) -> None:
    await table.endow(table.alice, inventory={"health_potion": 1})
    await table.endow(table.bob)
    asked = await table.slash(table.alice, "gift", user=table.bob, item="health_potion")
    assert asked.response is not None
    await restarted(table, clock)
    clicked = await table.alice.click(asked.response, label="Confirm")
    assert clicked.ephemeral
    assert told(embed_of(clicked)) == "That question is over; this click did nothing."
    assert (await table.profile(table.alice)).inventory == {"health_potion": 1}
