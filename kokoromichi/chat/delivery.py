"""How an answer gets to its author: as a card in reply, or as plain text where no card may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import discord

from kokoromichi.chat.embeds import cut
from kokoromichi.chat.texts import mention

if TYPE_CHECKING:
    from kokoromichi.chat.context import Context
    from kokoromichi.chat.embeds import Picture

CONTENT_CHARS: Final = 2_000


def can_answer(ctx: Context) -> bool:
    """Whether the bot may answer where the command was given; a slash command is answered everywhere."""
    if ctx.interaction is not None or _is_unknown(ctx):
        return True
    here = ctx.bot_permissions
    thread = isinstance(ctx.channel, discord.Thread)
    return here.view_channel and (here.send_messages_in_threads if thread else here.send_messages)


def shown(ctx: Context, embed: discord.Embed) -> dict[str, Any]:
    """Content and embed of an answer: an embed, or its words where the bot may send none.

    Its content names who is told beside the author, and these where the answer is no reply to them.
    """
    names = [] if _permits(ctx, "read_message_history") else [ctx.author.mention]
    names += [mention(ctx.receiver_id)] if is_told(ctx) else []
    if _permits(ctx, "embed_links"):
        return {"content": " ".join(names) or None, "embed": embed}
    return {
        "content": cut("\n".join([" ".join(names), plain_text(embed)]).strip(), CONTENT_CHARS),
        "embed": None,
    }


def is_told(ctx: Context) -> bool:
    """Whether somebody else reads the answer and is concerned by it."""
    return bool(ctx.receiver_id) and ctx.guild is not None and not ctx.direct


def telling(ctx: Context) -> dict[str, Any]:
    """What makes a message that names them notify whom the answer concerns."""
    if not is_told(ctx):
        return {}
    users = [discord.Object(int(ctx.receiver_id))]
    return {"allowed_mentions": discord.AllowedMentions(everyone=False, roles=False, users=users)}


def attached(ctx: Context, picture: Picture | None) -> list[discord.File]:
    """The file of a picture, where the bot may send one."""
    return [] if picture is None or not _permits(ctx, "attach_files") else [picture.file()]


def _permits(ctx: Context, name: str) -> bool:
    known = ctx.interaction is None and not ctx.direct and not _is_unknown(ctx)
    return getattr(ctx.bot_permissions, name) if known else True


def _is_unknown(ctx: Context) -> bool:
    """Whether the channel is one that the bot has not been told of: nobody can say what it may do there."""
    return isinstance(ctx.channel, discord.PartialMessageable)


def referring(ctx: Context) -> dict[str, Any]:
    """What makes the answer to a text command a reply, where the bot may reply."""
    if not _permits(ctx, "read_message_history"):
        return {}
    return {"reference": ctx.message.to_reference(fail_if_not_exists=False), "mention_author": False}


def plain_text(embed: discord.Embed) -> str:
    """The words of an embed."""
    parts = [f"**{embed.title}**" if embed.title else "", embed.description or ""]
    parts += [f"**{field.name}** {field.value}" for field in embed.fields]
    parts.append(f"-# {embed.footer.text}" if embed.footer.text else "")
    return "\n".join(part for part in parts if part)
