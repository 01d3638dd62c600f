"""What every provider agrees on when it forgets a player."""

from __future__ import annotations

from typing import Final

from kokoromichi.core.data_provider import checked_user_id
from kokoromichi.core.errors import MisuseError

FORGOTTEN: Final = "erased"
"""The digest of a request whose answer named an erased player: no act has it."""


def checked_pseudonym(user_id: str, pseudonym: str) -> None:
    """Refuse ids between which nothing can be erased.

    Raises:
        MisuseError: One is malformed, or both are one.
    """
    if checked_user_id(user_id) == checked_user_id(pseudonym):
        message = f"user id {user_id!r} cannot be its own pseudonym"
        raise MisuseError(message)
