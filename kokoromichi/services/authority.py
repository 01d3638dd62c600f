"""Who asks for an admin's act, and whether they may: checked here, whatever a command has checked before."""

from __future__ import annotations

import logging
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.core.errors import MisuseError
from kokoromichi.rules import codes
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Collection

_LOG: Final = logging.getLogger(__name__)


class Role(IntEnum):
    """What somebody may do; each role includes those below it."""

    PLAYER = 0
    MANAGER = 1
    OWNER = 2


class Actor(NamedTuple):
    """Who asks.

    Attributes:
        user_id: As it is written into the ledger's ``actor``.
        role: What they were found to be, for this one act.
    """

    user_id: str
    role: Role


class MostGranted(NamedTuple):
    """What one grant of an admin may give or take; None sets no limit.

    Attributes:
        gold: The most gold.
        units: The most gems, or units of an item.
    """

    gold: int | None = None
    units: int | None = None

    def of(self, what: str) -> int | None:
        """The most of ``gold``, ``gems`` or an item."""
        return self.gold if what == "gold" else self.units


_NAMES: Final[dict[Role, str]] = {Role.PLAYER: "player", Role.MANAGER: "manager", Role.OWNER: "owner"}


def role_of(*, owns_bot: bool, managed_guild_id: int | None, admin_guilds: Collection[int]) -> Role:
    """What somebody may do: all servers share one economy, so managing any server is not enough.

    Args:
        owns_bot: Whether they own the bot, alone or in a team.
        managed_guild_id: The server in which they ask, if they manage it; else None.
        admin_guilds: The servers whose managers the owner has made admins; none unless they are named.
    """
    if owns_bot:
        return Role.OWNER
    return Role.MANAGER if managed_guild_id in admin_guilds else Role.PLAYER


def admit(actor: Actor, act: str, least: Role = Role.MANAGER) -> None:
    """Let somebody do what needs a role, or log who tried it.

    Args:
        actor: Who asks.
        act: What for, as the log names it.
        least: The role that the act needs.

    Raises:
        RefusedError: not_allowed.
    """
    if actor.role < least:
        _LOG.warning("not allowed: user %s, a %s, tried %s", actor.user_id, _NAMES[actor.role], act)
        raise refused(codes.NOT_ALLOWED, _NAMES[least], _NAMES[actor.role])


def authorise(actor: Actor, act: str, reason: str) -> None:
    """Let an admin's act pass.

    Args:
        actor: Who asks.
        act: What for, as the log names it.
        reason: Why, in their words; never empty.

    Raises:
        RefusedError: not_allowed.
        MisuseError: There is no reason or no actor.
    """
    admit(actor, act)
    if not actor.user_id.strip() or not reason.strip():
        message = "an admin's act needs a reason and an actor"
        raise MisuseError(message)
    # Upon whom, and why, stands in the ledger: a log outlives an erasure.
    _LOG.info("admin: user %s (%s) asks for %s", actor.user_id, _NAMES[actor.role], act)
