"""The same thing asked twice at once, and answers that are late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from simcord import interactions
from simcord.backend import serializers

from kokoromichi.bot import KokoroBot, create_bot
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.settings import Settings
from tests.bot.table import told

if TYPE_CHECKING:
    from simcord.results import ResponseMessage

    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.models import AnswerT, ChangeSet, Receipt
    from tests.bot.table import Table

CLICK, BUTTON = 3, 2
SLOW_S = 60.0
LATE_S = 1.5


class Slow(MemoryProvider):
    """Stands for a store that takes its time: to commit, and to say what a refused request came to before."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.waits_s = 0.0

    async def apply(self, change: ChangeSet[AnswerT]) -> AnswerT:
        if self.waits_s:
            await asyncio.sleep(self.waits_s)
        return await super().apply(change)

    async def get_response(self, request_id: str, digest: str) -> Receipt | None:
        if self.waits_s:
            await asyncio.sleep(self.waits_s)
        return await super().get_response(request_id, digest)


@pytest.fixture
def store(clock: ManualClock) -> Slow:
    return Slow(clock)


@pytest.fixture
def simcord_bot(store: Slow, clock: ManualClock) -> KokoroBot:
    return create_bot(Settings(_env_file=None, shard_count=1), provider=store, clock=clock)


def press(table: Table, message: ResponseMessage, label: str) -> None:
    """Alice's click as Discord delivers it, also where another one is under way."""
    backend = table.env.backend
    stored = backend.get_message(message.channel_id, message.id)
    (button,) = (one for row in message.components for one in row["components"] if one.get("label") == label)
    record, payload = interactions.base_payload(
        backend,
        type=CLICK,
        channel_id=message.channel_id,
        guild_id=table.guild.id,
        user_id=table.alice.id,
        data={"custom_id": button["custom_id"], "component_type": BUTTON},
    )
    record.source_message_id = stored.id
    payload.update({"message": dict(serializers.message_payload(backend, stored))})
    backend.emit("INTERACTION_CREATE", payload)


async def question(table: Table) -> ResponseMessage:
    """Alice asks to give Bob one of her three potions."""
    await table.endow(table.alice, inventory={"health_potion": 3})
    await table.endow(table.bob)
    asked = await table.slash(table.alice, "gift", user=table.bob, item="health_potion")
    assert asked.response is not None
    return asked.response


@pytest.mark.parametrize(
    ("first", "second", "given"),
    [("Confirm", "Confirm", 1), ("Cancel", "Cancel", 0), ("Confirm", "Cancel", 1), ("Cancel", "Confirm", 0)],
)
async def test_two_clicks_at_once_are_one(table: Table, first: str, second: str, given: int) -> None:
    message = await question(table)
    press(table, message, first)
    press(table, message, second)
    await table.env.settle()
    assert (await table.profile(table.bob)).inventory.get("health_potion", 0) == given
    assert (await table.profile(table.alice)).inventory == {"health_potion": 3 - given}
    assert table.buttons() == []


async def test_a_click_after_the_answer_does_nothing(table: Table) -> None:
    message = await question(table)
    components = message.components
    await table.alice.click(message, label="Confirm")
    backend = table.env.backend
    backend.get_message(message.channel_id, message.id).components = components
    late = await table.alice.click(message, label="Confirm")
    assert late.ephemeral
    assert late.response is not None
    assert told(late.response.embeds[0]) == "That question is over; this click did nothing."
    assert (await table.profile(table.bob)).inventory == {"health_potion": 1}


async def test_a_question_that_was_deleted_in_the_moment_of_its_click_is_answered(table: Table) -> None:
    message = await question(table)
    table.env.inject_error("PATCH", "/webhooks/*/messages/@original", status=404, times=1)
    clicked = await table.alice.click(message, label="Confirm")
    assert any("went to" in told(sent.embeds[0]) for sent in clicked.followups if sent.embeds)


async def test_two_claims_at_once_pay_once(table: Table) -> None:
    for _ in range(2):
        table.env.backend.create_message(table.channel.id, table.alice.id, "!daily")
    await table.env.settle()
    answers = sorted(told(message.embeds[0]) for message in table.channel.history() if message.embeds)
    assert len(answers) == 2
    assert answers[0].startswith("Already claimed today")
    assert answers[1].startswith("You received 1,000 gold")
    assert (await table.profile(table.alice)).gold == 11_000


async def test_a_late_answer_is_deferred_and_comes(table: Table, store: Slow) -> None:
    await table.asked(table.alice, "balance")
    store.waits_s = SLOW_S
    asked = await table.slash(table.alice, "buy", item="health_potion")
    await table.env.advance_time(LATE_S)
    assert asked.deferred
    assert not asked.ephemeral
    await table.env.advance_time(SLOW_S)
    assert table.last_told().startswith("1 × Health Potion for 100 gold.")


async def test_a_late_refusal_is_private_and_leaves_nothing_in_public(table: Table, store: Slow) -> None:
    await table.asked(table.alice, "balance")
    store.waits_s = SLOW_S
    before = len(table.channel.history())
    asked = await table.slash(table.alice, "buy", item="phoenix_feather")
    await table.env.advance_time(LATE_S)
    await table.env.advance_time(SLOW_S)
    assert asked.response is None
    (followed,) = asked.followups
    assert followed.ephemeral
    assert told(followed.embeds[0]) == "Need 40,000 gold, have 10,000."
    public = [message for message in table.channel.history() if not message.flags.ephemeral]
    assert len(public) == before


async def test_an_answer_in_time_is_one_request(table: Table) -> None:
    asked = await table.slash(table.alice, "daily")
    assert not asked.deferred
    calls = [entry for entry in table.env.http_requests if "/callback" in str(entry)]
    assert len(calls) == 1


async def test_a_name_that_formats_is_shown_as_it_is(table: Table) -> None:
    mallory = table.guild.add_member(table.env.create_user("**[x](http://x)** @everyone"))
    embed = await table.asked(mallory, "profile")
    assert embed.title == "\\*\\*\\[x\\](http:\u200b//x)\\*\\* @\u200beveryone"


@pytest.mark.parametrize(("command", "options"), [("gift", {"item": "health_potion"}), ("store", {})])
async def test_a_deleted_answer_times_out_in_silence(
    table: Table, command: str, options: dict[str, object]
) -> None:
    await table.endow(table.alice, inventory={"health_potion": 3})
    await table.endow(table.bob)
    asked = await table.slash(
        table.alice, command, **({**options, "user": table.bob} if command == "gift" else options)
    )
    assert asked.response is not None
    table.env.backend.delete_message(asked.response.channel_id, asked.response.id)
    await table.env.advance_time(200)
    assert table.env.errors == []
