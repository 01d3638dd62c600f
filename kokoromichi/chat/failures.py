"""From an error to what the player reads: refused, failed, misused, or unexpected with a number."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.declaring import usage_of
from kokoromichi.chat.texts import moment, plain, refusal, say
from kokoromichi.core.errors import (
    CommitUnknownError,
    ConflictError,
    InvalidProfileError,
    NoRoomError,
    RefusedError,
    StorageError,
)
from kokoromichi.core.models import SECOND_US
from kokoromichi.services.authority import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from kokoromichi.chat.context import Context


class Failure(NamedTuple):
    """What to say.

    Attributes:
        text: The sentence.
        reference: The number under which the log has the traceback; empty where there is none.
    """

    text: str
    reference: str = ""

    @property
    def unexpected(self) -> bool:
        """Whether nobody foresaw it."""
        return bool(self.reference)


class ClosingError(commands.CheckFailure):
    """The bot takes no more commands."""


class TooFastError(commands.CheckFailure):
    """Its player gives too many commands.

    Attributes:
        wait_s: How long they must wait, in seconds.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"again in {wait_s:.0f} s")
        self.wait_s = wait_s


class MutedError(commands.CheckFailure):
    """The bot may not write where the command was given."""


class FormerCommandError(commands.CheckFailure):
    """The command was given as it was before an upgrade: Discord shows it so until ``/sync``."""


class DirectMessagesClosedError(commands.CommandError):
    """The answer is for the author's eyes alone, and they take no direct message."""


class TermsChangedError(commands.CommandError):
    """The economy has changed since its player was asked."""


class NotAllowedError(commands.CheckFailure):
    """Whoever asks has not the role that the command needs.

    Attributes:
        least: That role.
    """

    def __init__(self, least: Role) -> None:
        super().__init__(f"needs the role {least.name}")
        self.least = least


class BotPlayerError(commands.BadArgument):
    """A bot was named where a player must be."""


class BadAmountError(commands.BadArgument):
    """What was written is no amount."""


class BadCountError(commands.BadArgument):
    """What was written is no number, or a share where there is nothing to have a share of."""


class NoReasonError(commands.BadArgument):
    """An admin's act came without a word of why."""


class NumberFirstError(commands.BadArgument):
    """A number was written before what it counts."""


class GroupedCountError(commands.BadArgument):
    """What may be a number in groups of three digits was read as a smaller one, and the rest as a reason."""


class BadNameError(commands.BadArgument):
    """What was written names nothing that there is.

    Attributes:
        text: The sentence that says so.
        near: Names that are written almost alike.
    """

    def __init__(self, text: str, near: tuple[str, ...]) -> None:
        super().__init__(text)
        self.text = text
        self.near = near


def describe_failure(ctx: Context, error: Exception) -> Failure:
    """The sentence for an error, by its kind; a wrapped one is unwrapped first."""
    error = innermost(error)
    if isinstance(error, RefusedError):
        return Failure(describe_refusal(ctx, error))
    if isinstance(error, CommitUnknownError):
        return Failure(say("error.unknown", request_id=error.request_id))
    if isinstance(error, InvalidProfileError):
        return Failure(say("error.edited"))
    if isinstance(error, NoRoomError):
        return Failure(plain(str(error)))
    if isinstance(error, StorageError):
        return Failure(say("error.storage"))
    if isinstance(error, ConflictError):
        return Failure(say("error.busy"))
    if (text := _describe_misuse(ctx, error)) is not None:
        return Failure(text)
    reference = secrets.token_hex(4)
    unsent = isinstance(error, discord.HTTPException)
    return Failure(say("error.unsent" if unsent else "error.unexpected", reference=reference), reference)


def describe_refusal(ctx: Context, error: RefusedError) -> str:
    """The sentence of a refusal, as true as what is known of its circumstances lets it be."""
    circumstances = []
    if ctx.command is not None:
        circumstances.append((ctx.command.root_parent or ctx.command).name)
    if (offer := ctx.services.live.offers.get(str(error.numbers.get("item_id")))) is not None:
        circumstances.append(offer.effect)
    return refusal(error, ctx.services.names, circumstances)


def innermost(error: Exception) -> Exception:
    """The error itself, out of what discord.py wraps it into."""
    wrappers = (
        commands.CommandInvokeError,
        commands.ConversionError,
        commands.HybridCommandError,
        app_commands.CommandInvokeError,
    )
    while isinstance(error, wrappers):
        error = error.original
    if isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, Exception):
        return innermost(error.__cause__)
    return error


def _describe_misuse(ctx: Context, error: Exception) -> str | None:
    """What was wrong with how the command was given, or None where that was not it."""
    for kind in type(error).__mro__:
        if (sentence := _SENTENCES.get(kind)) is not None:
            return sentence(ctx, error)
    return None


def _argument(why: str, **values: object) -> Callable[[Context, Any], str]:
    """The sentence for an argument that is not right."""

    def told(ctx: Context, _error: Any) -> str:
        parameter = ctx.current_parameter
        name = "" if parameter is None else plain(parameter.displayed_name or parameter.name)
        return say("error.argument", name=name, why=say(why, **values), usage=_usage(ctx))

    return told


def _missing(ctx: Context, error: commands.MissingRequiredArgument) -> str:
    return say("error.missing", name=plain(error.param.name), usage=_usage(ctx))


def _extra(ctx: Context, _error: commands.TooManyArguments) -> str:
    rest = ctx.view.buffer[ctx.view.index :].strip()
    return say("error.extra", rest=plain(rest), usage=_usage(ctx))


def _name(_ctx: Context, error: BadNameError) -> str:
    near = say("error.did_you_mean", names=", ".join(error.near)) if error.near else ""
    return f"{error.text} {near}".strip()


def _out_of_range(ctx: Context, error: commands.RangeError) -> str:
    told = {"least": error.minimum, "most": error.maximum}
    return _argument("error.range", **told)(ctx, error)


def _not_among(ctx: Context, error: commands.BadLiteralArgument) -> str:
    return _argument("error.choice", offered=", ".join(map(str, error.literals)))(ctx, error)


def _slower(ctx: Context, error: TooFastError) -> str:
    return say("error.slower", ready=moment(ctx.services.now_us() + int(error.wait_s * SECOND_US)))


def _not_allowed(_ctx: Context, error: NotAllowedError) -> str:
    return say("error.forbidden", needed=say("error.owner" if error.least is Role.OWNER else "error.admin"))


_SENTENCES: Final[dict[type, Callable[[Context, Any], str]]] = {
    ClosingError: lambda _ctx, _error: say("error.closing"),
    MutedError: lambda ctx, _error: say("error.muted", channel=f"<#{ctx.channel.id}>"),
    DirectMessagesClosedError: lambda ctx, _error: say("error.direct_closed", name=_name_of(ctx)),
    TermsChangedError: lambda _ctx, _error: say("error.changed"),
    BotPlayerError: lambda _ctx, _error: say("error.bot_player"),
    BadNameError: _name,
    NumberFirstError: _argument("error.first"),
    GroupedCountError: lambda _ctx, _error: say("error.grouped"),
    NoReasonError: lambda ctx, _error: say("error.missing", name="reason", usage=_usage(ctx)),
    BadAmountError: _argument("error.amount"),
    BadCountError: _argument("error.count"),
    commands.RangeError: _out_of_range,
    commands.BadLiteralArgument: _not_among,
    commands.UserNotFound: _argument("error.player"),
    commands.BadArgument: _argument("error.whole"),
    app_commands.TransformerError: _argument("error.whole"),
    FormerCommandError: lambda _ctx, _error: say("error.gone"),
    app_commands.CommandSignatureMismatch: lambda _ctx, _error: say("error.gone"),
    commands.MissingRequiredArgument: _missing,
    commands.TooManyArguments: _extra,
    TooFastError: _slower,
    commands.ArgumentParsingError: lambda ctx, _error: say("error.quotes", usage=_usage(ctx)),
    commands.NoPrivateMessage: lambda _ctx, _error: say("error.server_only"),
    NotAllowedError: _not_allowed,
}
"""By the error's class, or the nearest one above it."""


def _usage(ctx: Context) -> str:
    return "" if ctx.command is None else f"/{usage_of(ctx.command)}"


def _name_of(ctx: Context) -> str:
    return "" if ctx.command is None else f"/{ctx.command.qualified_name}"
