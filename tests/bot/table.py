"""What the tests of the bot play at: one server, one channel, two players, and what they were answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

if TYPE_CHECKING:
    from simcord import Env
    from simcord.actors import MemberActor
    from simcord.results import InteractionResult

    from kokoromichi.bot import KokoroBot
    from kokoromichi.core.clock import ManualClock
    from kokoromichi.core.models import UserProfile

UNHURRIED_S = 2
AMOUNTS = {"amount", "gold", "packs", "quantity", "units"}
"""Arguments that say how much: players write these."""


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

    async def endow(self, player: MemberActor, **fields: object) -> None:
        """Give a player what a test needs them to have; the account is opened where there is none."""
        await self.bot.services.executor.open_account(str(player.id))
        document = await self.bot.provider.get_user(str(player.id))
        assert document is not None
        await self.bot.provider.save_user(str(player.id), {**document, **fields})  # type: ignore[dict-item] # A test's values.

    async def slash(self, player: MemberActor, name: str, **options: object) -> InteractionResult:
        """What a slash command comes to; so much later than the one before that nobody asks too fast."""
        self.clock.advance(UNHURRIED_S)
        written = {key: str(value) if key in AMOUNTS else value for key, value in options.items()}
        return await player.slash(self.channel, name, **written)

    async def asked(self, player: MemberActor, name: str, **options: object) -> discord.Embed:
        """The embed that a slash command is answered with, for all to see."""
        result = await self.slash(player, name, **options)
        assert not result.ephemeral, embed_of(result).description
        return embed_of(result)

    async def refusal(self, player: MemberActor, name: str, **options: object) -> str:
        """The sentence that a slash command is refused with, for its author's eyes alone."""
        result = await self.slash(player, name, **options)
        assert result.ephemeral, embed_of(result).description
        return told(embed_of(result))

    def last_told(self) -> str:
        """The body of the newest answer that everybody sees, as it stands now."""
        answer = self.channel.last_message
        assert answer is not None
        return told(answer.embeds[0])

    def buttons(self) -> list[discord.Button]:
        """What stands under it."""
        answer = self.channel.last_message
        assert answer is not None
        rows = [row for row in answer.components if isinstance(row, discord.ActionRow)]
        return [child for row in rows for child in row.children if isinstance(child, discord.Button)]

    async def said(self, player: MemberActor, text: str) -> discord.Embed:
        """The embed that a text command is answered with, in the channel or in a direct message."""
        self.clock.advance(UNHURRIED_S)
        asked = await player.send(self.channel, text)
        answer = self.channel.last_message
        assert answer is not None
        if answer.id == asked.id:
            answer = player.user.dm_channel.last_message
        assert answer is not None
        assert answer.id > asked.id, f"{text!r} was not answered"
        return answer.embeds[0]


def embed_of(result: InteractionResult) -> discord.Embed:
    """The one embed of an answer."""
    assert result.response is not None or result.followups
    message = result.response or result.followups[-1]
    (embed,) = message.embeds
    return embed


def told(embed: discord.Embed) -> str:
    """The body of an embed."""
    assert embed.description is not None
    return embed.description


def fields_of(embed: discord.Embed) -> dict[str, str]:
    """The fields of an embed by name."""
    return {str(field.name): str(field.value) for field in embed.fields}
