"""Players of a terminal: a name is its id, so that nothing has to remember who is who."""

from __future__ import annotations

import re
from typing import Final

from kokoromichi.core.errors import MisuseError

_LETTERS: Final = "_abcdefghijklmnopqrstuvwxyz0123456789"
_BASE: Final = len(_LETTERS) + 1
_MOST_CHARS: Final = 11
_FIRST_ID: Final = 2**63 - _BASE**_MOST_CHARS
"""From here on, ids are a terminal's: Discord counts them by time, and comes here in the year 2082."""
_NAME: Final = re.compile(rf"[a-z0-9_]{{1,{_MOST_CHARS}}}", re.ASCII)


def player_id(name: str) -> int:
    """The id of a name, the same one each time; case does not matter.

    Raises:
        MisuseError: It is no name.
    """
    folded = name.casefold()
    if _NAME.fullmatch(folded) is None:
        message = f"{name!r} is no player's name: 1 to {_MOST_CHARS} of a-z, 0-9 and _"
        raise MisuseError(message)
    number = 0
    for place in range(_MOST_CHARS):
        number = number * _BASE + (1 + _LETTERS.index(folded[place]) if place < len(folded) else 0)
    return _FIRST_ID + number


def player_name(user_id: str) -> str | None:
    """The name of an id, or None where it is no terminal's."""
    number = int(user_id) - _FIRST_ID if user_id.isdecimal() else -1
    if not 0 < number < _BASE**_MOST_CHARS:
        return None
    places = []
    for _ in range(_MOST_CHARS):
        number, place = divmod(number, _BASE)
        places.append(_LETTERS[place - 1] if place else " ")
    return "".join(reversed(places)).rstrip()
