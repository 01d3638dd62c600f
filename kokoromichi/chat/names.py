"""What players call things: the id that a name stands for, and names to offer while somebody types."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from discord import app_commands

from kokoromichi.chat.failures import BadNameError
from kokoromichi.chat.texts import plain
from kokoromichi.rules.catalogue import folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TELLING_CHARS: Final = 4
"""A shorter word of a name is like too many others."""
SUGGESTIONS: Final = 25
"""Discord shows so many while somebody types."""


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
    wanted, by_word = folded(text), ids_by_word(names)
    if wanted in by_word:
        return by_word[wanted]
    # One word of a name is often all that somebody remembers, or all that stood before a space.
    parts = ((part, found_id) for word, found_id in by_word.items() for part in word.split("_"))
    by_part = {part: found_id for part, found_id in parts if len(part) >= _TELLING_CHARS} | by_word
    near = dict.fromkeys(by_part[part] for part in difflib.get_close_matches(wanted, by_part, n=3))
    raise BadNameError(unknown(text), tuple(_with_id(found_id, names[found_id]) for found_id in near))


def _with_id(found_id: str, name: str) -> str:
    return f"`{found_id}`" if name == found_id else f"{plain(name)} (`{found_id}`)"


def ids_by_word(names: Mapping[str, str]) -> dict[str, str]:
    """Ids by the words that stand for them, as ``folded`` makes them."""
    return {folded(word): found_id for found_id, name in names.items() for word in (name, found_id)}


def choices(typed: str, names: Mapping[str, str], wanted: Iterable[str]) -> list[app_commands.Choice[str]]:
    """What to offer while somebody types: names that contain it, in the order of ``wanted``."""
    part = folded(typed)
    found = [item_id for item_id in wanted if part in folded(names.get(item_id, item_id)) or part in item_id]
    return [
        app_commands.Choice(name=names.get(item_id, item_id)[:100], value=item_id)
        for item_id in found[:SUGGESTIONS]
    ]
