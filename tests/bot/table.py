"""What the tests of the bot play at: one server, one channel, two players, and what they were answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import discord
    from simcord import Env
    from simcord.actors import MemberActor
    from simcord.results import InteractionResult

    from kokoromichi.bot import KokoroBot
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.models import UserProfile


class Table:
    """One server of players.

    Attributes:
        env: The simulated Discord.
        bot: The bot.
        clock: The bot's clock.
        channel: Where they talk.
        alice: A player; ``bob`` is another one.
    """

    def __init__(self, env: Env, bot: KokoroBot, clock: ManualClock) -> None:
        self.env = env
        self.bot = bot
        self.clock = clock
        self.guild = env.create_guild()
        self.channel = self.guild.create_text_channel("market")
        self.alice: MemberActor = self.guild.add_member(env.create_user("alice"))
        self.bob: MemberActor = self.guild.add_member(env.create_user("bob"))

    async def profile(self, player: MemberActor) -> UserProfile:
        """What is stored of a player."""
        found = await self.bot.provider.profile(str(player.id))
        assert found is not None
        return found

    async def said(self, player: MemberActor, text: str) -> discord.Embed:
        """The embed that a text command is answered with."""
        asked = await player.send(self.channel, text)
        answer = self.channel.last_message
        assert answer is not None
        assert answer.id != asked.id, f"{text!r} was not answered"
        return answer.embeds[0]


def embed_of(result: InteractionResult) -> discord.Embed:
    """The one embed of an answer."""
    assert result.response is not None or result.followups
    message = result.response or result.followups[-1]
    (embed,) = message.embeds
    return embed
