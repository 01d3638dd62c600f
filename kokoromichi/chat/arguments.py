"""What players write, parsed once and strictly: amounts, things and other players."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.failures import (
    BadAmountError,
    BadCountError,
    BadNameError,
    GroupedCountError,
    NoReasonError,
    NumberFirstError,
)
from kokoromichi.chat.known import seen_in
from kokoromichi.chat.names import choices, found_name, ids_by_word
from kokoromichi.chat.texts import plain, refusal, say
from kokoromichi.core.errors import StorageError
from kokoromichi.rules import codes
from kokoromichi.rules.catalogue import folded
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from kokoromichi.chat.context import Context
    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import UserProfile
    from kokoromichi.services.bundle import Services

_AMOUNT: Final = re.compile(r"(?P<whole>-?[0-9]{1,18})(?:(?:\.(?P<part>[0-9]{1,2}))?(?P<unit>[kmb]))?")
"""Digits, or digits with a unit; before a unit one or two behind a point: nobody marks thousands so."""
_UNITS: Final = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_THOUSANDS: Final = re.compile(r"(?<!\S)-?[0-9]{1,3}\s+\Z")
_HUNDREDS: Final = re.compile(r"[0-9]{3}(?![0-9])")
"""Together a number in groups of three digits, as many write it."""
_SHARES: Final = {"all": 1, "max": 1, "half": 2}
_MOST: Final = 10**18
"""What is larger is no number of 64 bits, nor anybody's."""
_MENTIONED: Final = re.compile(r"<@!?[0-9]+>|[0-9]{15,20}")
MOST_DAYS: Final = 365
"""As many days are shown of anything."""


class Amount(NamedTuple):
    """How much or how many of something was asked for.

    Attributes:
        units: A whole number, or 0 where a share was asked for.
        share: What there is is divided by it: 1 is all, 2 half; 0 where a number was named.
    """

    units: int
    share: int = 0

    def __str__(self) -> str:
        """As it would be written."""
        return next((word for word, share in _SHARES.items() if share == self.share), str(self.units))

    def of(self, whole: int) -> int:
        """The number that is meant where there are ``whole``, rounded down."""
        return whole // self.share if self.share else self.units

    def of_units(self, held: int) -> int:
        """The same of things: all of none is one, which is refused as too many; half of one is none."""
        return self.of(max(1, held))


ONE: Final = Amount(1)


def parsed_amount(text: str) -> Amount:
    """``1500``, ``1.5k``, ``3m``, ``all`` or ``half``: nothing that somebody could read as another number.

    Elsewhere a point, a comma or a space is a mark of thousands for some, and of a fraction for others.

    Raises:
        BadAmountError: It is none of these.
    """
    word = text.strip().lower()
    if word in _SHARES:
        return Amount(0, _SHARES[word])
    found = _AMOUNT.fullmatch(word)
    count = 0 if found is None else _count(found["whole"], found["part"] or "", found["unit"])
    if found is None or abs(count) > _MOST:
        raise BadAmountError(text)
    return Amount(count)


def _count(whole: str, part: str, unit: str | None) -> int:
    if unit is None:
        return int(whole)
    hundredths = int(whole + part.ljust(2, "0"))
    return hundredths * _UNITS[unit] // 100


def _taken_words(ctx: Context, first: str, names: Mapping[str, str]) -> str:
    """The most words of a text command that name something, ``first`` alone where none do."""
    view, known = ctx.view, ids_by_word(names)
    for word in reversed(list(re.finditer(r"\S+", view.buffer[view.index :]))):
        text = f"{first} {view.buffer[view.index : view.index + word.end()]}"
        if folded(text) in known:
            view.index += word.end()
            return text
    return first


class AmountConverter(commands.Converter[Amount]):
    """An argument that says how much or how many, of gold or of anything else."""

    async def convert(self, _ctx: Context, argument: str | int) -> Amount:  # type: ignore[override] # Our context.
        """Parse it; who has commands from before an upgrade still sends numbers."""
        return parsed_amount(str(argument))


class CountConverter(commands.Converter[int]):
    """An argument that says how many where there is nothing to have a share of."""

    async def convert(self, _ctx: Context, argument: str | int) -> int:  # type: ignore[override] # Our context.
        """Parse it, and take no share."""
        try:
            amount = parsed_amount(str(argument))
        except BadAmountError:
            raise BadCountError(str(argument)) from None
        if amount.share:
            raise BadCountError(str(argument))
        return amount.units


class NumberConverter(app_commands.Transformer, commands.Converter[int]):
    """An argument that is the number of something: a page, a tier."""

    type = discord.AppCommandOptionType.integer

    async def transform(self, _interaction: object, value: int, /) -> int:
        """Take what Discord has seen to."""
        return value

    async def convert(self, ctx: Context, argument: str) -> int:  # type: ignore[override] # Our context.
        """Parse it like every number."""
        return await CountConverter().convert(ctx, argument)


class PageConverter(NumberConverter):
    """A page that a text command may leave out before a word."""

    async def convert(self, ctx: Context, argument: str) -> int:  # type: ignore[override] # Our context.
        """Parse it; a word is the next argument's, and the first page is meant."""
        if argument[0].isalpha():
            ctx.view.undo()
            return 1
        return await super().convert(ctx, argument)


class DaysConverter(NumberConverter):
    """An argument that is a number of days, from 1 to ``MOST_DAYS``."""

    @property
    def min_value(self) -> int:
        """The least that Discord lets through."""
        return 1

    @property
    def max_value(self) -> int:
        """The most."""
        return MOST_DAYS

    async def convert(self, ctx: Context, argument: str) -> int:  # type: ignore[override] # Our context.
        """Parse it, and hold text to the bounds that Discord keeps for slash commands."""
        days = await super().convert(ctx, argument)
        if not self.min_value <= days <= self.max_value:
            raise commands.RangeError(days, minimum=self.min_value, maximum=self.max_value)
        return days


class PlayerConverter(app_commands.Transformer, commands.UserConverter):
    """An argument that is a player: mentioned, by id, or by the name of somebody known in this server."""

    type = discord.AppCommandOptionType.user

    async def transform(self, _interaction: object, value: discord.User, /) -> discord.User:
        """Take whom Discord has found."""
        return value

    async def convert(self, ctx: Context, argument: str) -> discord.User:  # type: ignore[override] # Our context.
        """Find them; a name that two have, or nobody whom the bot has seen here, is nobody's."""
        if _MENTIONED.fullmatch(argument):
            return await super().convert(ctx, argument)
        wanted = argument.removeprefix("@").casefold()
        named = {one.id: one for one in seen_in(ctx) if wanted in _names_of(one)}
        if len(named) != 1:
            raise commands.UserNotFound(argument)
        (found,) = named.values()
        return found  # type: ignore[return-value] # A member is as good.


def _names_of(user: discord.User | discord.Member) -> set[str]:
    return {name.casefold() for name in (user.name, user.global_name, user.display_name) if name}


class ReasonConverter(commands.Converter[str]):
    """An argument that says why an admin acts."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Take the words, and neither blanks for them nor what may be the rest of a number."""
        if not (words := argument.strip()):
            raise NoReasonError
        before = "" if ctx.interaction is not None else ctx.view.buffer.rstrip().removesuffix(words)
        if _THOUSANDS.search(before) and _HUNDREDS.match(words):
            raise GroupedCountError
        return words


class ItemConverter(commands.Converter[str]):
    """An argument that names an item of the store, or one that its author holds and no store has any more."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Find it; a number, or ``all``, stands where the item should."""
        names = ctx.services.item_names
        if argument not in names:
            names = await _names_for(ctx, ctx.player_id)
        text = _taken_words(ctx, argument, names)
        try:
            return found_name(text, names, _refusal_of(codes.UNKNOWN_ITEM))
        except BadNameError:
            if ctx.current_parameter is not None:
                with suppress(BadAmountError):
                    parsed_amount(text)
                    if ctx.view.buffer[ctx.view.index :].strip():
                        raise NumberFirstError from None
                    raise commands.MissingRequiredArgument(ctx.current_parameter) from None
            raise


class AnyItemConverter(ItemConverter):
    """An argument that names an item of anybody's: ``item_of`` finds it once it is known whose."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Find it, or take what was written."""
        with suppress(BadNameError):
            return await super().convert(ctx, argument)
        return argument


async def item_of(ctx: Context, user_id: str, text: str) -> str:
    """The id of an item of the store, or of one that this player holds and no store has any more.

    Raises:
        BadNameError: It is neither.
    """
    return found_name(text, await _names_for(ctx, user_id), _refusal_of(codes.UNKNOWN_ITEM))


async def _names_for(ctx: Context, user_id: str) -> dict[str, str]:
    """What items are called: those of the store by their names, retired ones that they hold by their ids."""
    found = await ctx.bot.storage.ask(lambda: ctx.services.profile(user_id), writes=False)
    held = {} if found is None else {item_id: item_id for item_id in found.inventory}
    return {**held, **ctx.services.item_names}


class BusinessConverter(commands.Converter[str]):
    """An argument that names a business."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Find it."""
        return found_name(argument, ctx.services.business_names, _refusal_of(codes.UNKNOWN_BUSINESS))


class CharacterConverter(commands.Converter[str]):
    """An argument that names a character."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Find it."""
        names = ctx.services.character_names
        return found_name(argument, names, lambda text: say("error.character", name=plain(text)))


def _refusal_of(code: int) -> Callable[[str], str]:
    return lambda text: refusal(refused(code, text), {})


AmountArgument = Annotated[Amount, AmountConverter]
CountArgument = Annotated[int, CountConverter]
NumberArgument = Annotated[int, NumberConverter]
PageArgument = Annotated[int, PageConverter]
DaysArgument = Annotated[int, DaysConverter]
PlayerArgument = Annotated[discord.User, PlayerConverter]
PlayerOrSelfArgument = Annotated[discord.User | None, PlayerConverter]
ReasonArgument = Annotated[str, ReasonConverter]
ItemArgument = Annotated[str, ItemConverter]
AnyItemArgument = Annotated[str, AnyItemConverter]
BusinessArgument = Annotated[str, BusinessConverter]
CharacterArgument = Annotated[str, CharacterConverter]


Autocomplete: TypeAlias = (
    "Callable[[discord.Interaction[Game], str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]"
)


def _offering(
    names_of: Callable[[Services], Mapping[str, str]],
    held_of: Callable[[UserProfile], Iterable[str]] | None = None,
) -> Autocomplete:
    """Autocompletion over everything that has a name, or over what of it the player holds."""

    async def offered(interaction: discord.Interaction[Game], typed: str) -> list[app_commands.Choice[str]]:
        names = names_of(interaction.client.services)
        if held_of is None:
            return choices(typed, names, names)
        found = await _profile(interaction)
        return choices(typed, names, () if found is None else held_of(found))

    return offered


async def _profile(interaction: discord.Interaction[Game]) -> UserProfile | None:
    """Whoever types, or None; also where the storage is down: then nothing is offered, and no alarm given."""
    try:
        return await interaction.client.provider.profile(str(interaction.user.id))
    except StorageError:
        return None


offered_items: Final = _offering(lambda services: services.item_names)
held_items: Final = _offering(lambda services: services.item_names, lambda found: found.inventory)
offered_businesses: Final = _offering(lambda services: services.business_names)
all_characters: Final = _offering(lambda services: services.character_names)
own_characters: Final = _offering(lambda services: services.character_names, lambda found: found.collection)
