"""What players write, parsed once and strictly: amounts and items."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.failures import BadAmountError, BadNameError, NoReasonError
from kokoromichi.chat.texts import plain, refusal, say
from kokoromichi.core.errors import StorageError
from kokoromichi.rules import codes
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import discord

    from kokoromichi.chat.context import Context
    from kokoromichi.chat.game import Game
    from kokoromichi.core.models import UserProfile

_AMOUNT: Final = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,18})(?P<part>\.\d{1,9})?(?P<unit>[kmb]?)", re.ASCII
)
_UNITS: Final = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_SHARES: Final = {"all": 1, "max": 1, "half": 2}
_TELLING_CHARS: Final = 4
"""A shorter word of a name is like too many others."""
SUGGESTIONS: Final = 25
"""Discord shows so many while somebody types."""


class Amount(NamedTuple):
    """An amount of gold as it was asked for.

    Attributes:
        gold: Whole gold, or 0 where a share of the balance was asked for.
        share: The balance is divided by it: 1 is all, 2 half; 0 where gold was named.
    """

    gold: int
    share: int = 0


def parsed_amount(text: str) -> Amount:
    """``1500``, ``1,500``, ``1.5k``, ``2m``, ``all`` or ``half``.

    Raises:
        BadAmountError: It is none of these, or no whole gold.
    """
    word = text.strip().lower()
    if word in _SHARES:
        return Amount(0, _SHARES[word])
    found = _AMOUNT.fullmatch(word)
    if found is None:
        raise BadAmountError(text)
    gold = Decimal(found["whole"].replace(",", "") + (found["part"] or "")) * _UNITS[found["unit"]]
    if gold != int(gold):
        raise BadAmountError(text)
    return Amount(int(gold))


def found_name(text: str, names: Mapping[str, str], unknown: Callable[[str], str]) -> str:
    """The id that is meant, written as id or name, however they are cased.

    Args:
        text: What was written.
        names: Names by id.
        unknown: The sentence that says that there is no such thing.

    Raises:
        BadNameError: There is none; it carries what is written almost alike.
    """
    if text in names:
        return text  # As a suggestion that was taken always is.
    wanted = _folded(text)
    by_word = {_folded(word): found_id for found_id, name in names.items() for word in (name, found_id)}
    if wanted in by_word:
        return by_word[wanted]
    # One word of a name is often all that somebody remembers, or all that stood before a space.
    parts = ((part, found_id) for word, found_id in by_word.items() for part in word.split("_"))
    by_part = {part: found_id for part, found_id in parts if len(part) >= _TELLING_CHARS} | by_word
    near = dict.fromkeys(by_part[part] for part in difflib.get_close_matches(wanted, by_part, n=3))
    raise BadNameError(unknown(text), tuple(f"{plain(names[found_id])} (`{found_id}`)" for found_id in near))


def _folded(text: str) -> str:
    return text.strip().casefold().replace(" ", "_").replace("-", "_")


def choices(typed: str, names: Mapping[str, str], wanted: Iterable[str]) -> list[app_commands.Choice[str]]:
    """What to offer while somebody types: names that contain it, in the order of ``wanted``."""
    part = _folded(typed)
    found = [item_id for item_id in wanted if part in _folded(names.get(item_id, item_id)) or part in item_id]
    return [
        app_commands.Choice(name=names.get(item_id, item_id)[:100], value=item_id)
        for item_id in found[:SUGGESTIONS]
    ]


class AmountConverter(commands.Converter[Amount]):
    """An argument that is an amount."""

    async def convert(self, _ctx: Context, argument: str) -> Amount:  # type: ignore[override] # Our context.
        """Parse it."""
        return parsed_amount(argument)


class ReasonConverter(commands.Converter[str]):
    """An argument that says why an admin acts."""

    async def convert(self, _ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Take the words, and no blanks for them."""
        if not (words := argument.strip()):
            raise NoReasonError
        return words


class ItemConverter(commands.Converter[str]):
    """An argument that names an item of the store, or one that its author holds and no store has any more."""

    async def convert(self, ctx: Context, argument: str) -> str:  # type: ignore[override] # Our context.
        """Find it."""
        if argument not in ctx.services.item_names and await _holds(ctx, ctx.player_id, argument):
            return argument
        return found_name(argument, ctx.services.item_names, _refusal_of(codes.UNKNOWN_ITEM))


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
    if await _holds(ctx, user_id, text):
        return text
    return found_name(text, ctx.services.item_names, _refusal_of(codes.UNKNOWN_ITEM))


async def _holds(ctx: Context, user_id: str, item_id: str) -> bool:
    found = await ctx.services.profile(user_id)
    return found is not None and found.inventory.get(item_id, 0) > 0


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
ReasonArgument = Annotated[str, ReasonConverter]
ItemArgument = Annotated[str, ItemConverter]
AnyItemArgument = Annotated[str, AnyItemConverter]
BusinessArgument = Annotated[str, BusinessConverter]
CharacterArgument = Annotated[str, CharacterConverter]


async def offered_items(interaction: discord.Interaction[Game], typed: str) -> list[app_commands.Choice[str]]:
    """Autocompletion over everything that the store sells."""
    names = interaction.client.services.item_names
    return choices(typed, names, names)


async def held_items(interaction: discord.Interaction[Game], typed: str) -> list[app_commands.Choice[str]]:
    """Autocompletion over what the player holds."""
    found = await _profile(interaction)
    held = () if found is None else found.inventory
    return choices(typed, interaction.client.services.item_names, held)


async def offered_businesses(
    interaction: discord.Interaction[Game], typed: str
) -> list[app_commands.Choice[str]]:
    """Autocompletion over every business."""
    names = interaction.client.services.business_names
    return choices(typed, names, names)


async def all_characters(
    interaction: discord.Interaction[Game], typed: str
) -> list[app_commands.Choice[str]]:
    """Autocompletion over every character."""
    names = interaction.client.services.character_names
    return choices(typed, names, names)


async def own_characters(
    interaction: discord.Interaction[Game], typed: str
) -> list[app_commands.Choice[str]]:
    """Autocompletion over the player's collection."""
    found = await _profile(interaction)
    own = () if found is None else found.collection
    return choices(typed, interaction.client.services.character_names, own)


async def _profile(interaction: discord.Interaction[Game]) -> UserProfile | None:
    """Whoever types, or None; also where the storage is down: then nothing is offered, and no alarm given."""
    try:
        return await interaction.client.provider.profile(str(interaction.user.id))
    except StorageError:
        return None
