"""A stand-in for Discord, as far as a bot of discord.py uses it: HTTP API and gateway on 127.0.0.1.

What it stands for. The bot runs in its own process, over real HTTP and a real WebSocket, with discord.py as
it is installed. The stand-in says HELLO, takes IDENTIFY and RESUME, sends READY, GUILD_CREATE, MESSAGE_CREATE
and INTERACTION_CREATE, acknowledges heartbeats, keeps what it sent for a session and replays what a RESUME
says was missed. It takes interaction callbacks, followups, edits, deletions, messages and the command tree,
and notes each with the question that it answers. A callback for a question that has one already is refused
with 40060, as Discord does; a message's words arrive empty without the intent for them, unless they name the
bot. By order it delivers an event twice, drops a connection with any close code, invalidates a session,
answers the next requests with 429 or 502 (before it carried them out or after), and knows one token alone.

What it does not do. No rate limits but the ordered ones, no permissions, no members beyond whoever asks, no
limits on what a message may hold (simcord checks those), no compression, no voice, no threads, and no time of
its own: an interaction's token never expires, and no question fails because it waited for three seconds. A
message command has a channel of its own, so that whatever appears in it answers that message.
"""

from __future__ import annotations

from tests.bot.standin.asked import Answer, Asked
from tests.bot.standin.ids import GUILDS, OWNER, TOKEN, User
from tests.bot.standin.server import StandIn

__all__ = ["GUILDS", "OWNER", "TOKEN", "Answer", "Asked", "StandIn", "User"]
