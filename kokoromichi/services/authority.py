"""Who asks for an admin's act, and whether he may: checked here, whatever a command has checked before."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from kokoromichi.core.errors import MisuseError
from kokoromichi.rules import codes
from kokoromichi.services.refusals import refused


class Role(IntEnum):
    """What somebody may do; each role includes those below it."""

    PLAYER = 0
    MANAGER = 1
    OWNER = 2


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        user_id: As it is written into the ledger's ``actor``.
        role: What he was found to be, for this one act.
    """

    user_id: str
    role: Role


_NAMES: Final[dict[Role, str]] = {Role.PLAYER: "player", Role.MANAGER: "manager", Role.OWNER: "owner"}


def authorise(actor: Actor, reason: str, least: Role = Role.MANAGER) -> None:
    """Let an admin's act pass.

    Args:
        actor: Who asks.
        reason: Why, in his words; never empty.
        least: The role that the act needs.

    Raises:
        RefusedError: not_allowed.
        MisuseError: There is no reason or no actor.
    """
    if not actor.user_id.strip() or not reason.strip():
        message = "an admin's act needs a reason and an actor"
        raise MisuseError(message)
    if actor.role < least:
        raise refused(codes.NOT_ALLOWED, _NAMES[least], _NAMES[actor.role])
