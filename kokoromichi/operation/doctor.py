"""What is looked at before the bot is started: each finding with its cure, and nothing that needs a login."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import tempfile
from enum import Enum
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.requirements import Requirement

from kokoromichi.core.clock import DAY_US
from kokoromichi.core.copying.marking import refuse_half_moved
from kokoromichi.core.errors import ConfigurationError, KokoroError, StorageError, UnpreparedError
from kokoromichi.core.models import SECOND_US
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.local.opening import database_of, is_there
from kokoromichi.core.providers.local.ownership import FolderLock
from kokoromichi.core.providers.local.placing import UNPACKING
from kokoromichi.operation.portal import RefusedTokenError, UnreachableError, look_up
from kokoromichi.operation.starting import dangers
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.economy_laws import economy_findings
from kokoromichi.rules.findings import EconomyError
from kokoromichi.services.health import clock_finding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator
    from pathlib import Path

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.settings import Settings

_LITTLE_BYTES: Final = 1 << 30
_NEXT_TO_NOTHING_BYTES: Final = 1 << 26
_PROBE_BYTES: Final = 1 << 16
_DRIFT_S: Final = 60
_SHOWN: Final = 5
_EXTRAS: Final = {"mongo": ("bot", "mongo"), "postgres": ("bot", "postgres")}
_OF_EXTRAS: Final = {"bot": "discord.py", "mongo": "pymongo", "postgres": "asyncpg"}


class Verdict(Enum):
    """How bad a finding is."""

    WELL = "well"
    WARNING = "warning"
    AWAY = "away"
    """What is asked does not answer: starting again may help."""
    WRONG = "wrong"
    """A person must act: starting again does not help."""


class Finding(NamedTuple):
    """What was found about one thing.

    Attributes:
        what: The thing: ``token``, ``storage`` ...
        verdict: How bad it is.
        said: A sentence.
        cure: What to do; empty where nothing is to be done.
    """

    what: str
    verdict: Verdict
    said: str
    cure: str = ""


async def examine(
    settings: Settings, clock: Clock, commands: Collection[str], *, asks_discord: bool = True
) -> AsyncIterator[Finding]:
    """Look at everything that the bot needs, one thing after the other.

    Args:
        settings: What the operator set.
        clock: What tells the time.
        commands: The slash commands that the bot has.
        asks_discord: Whether Discord is asked about the token, the application and the commands.
    """
    for finding in (*_libraries(settings), *_economy(settings), *_files(settings), _disk(settings)):
        yield finding
    async for finding in _storage(settings, clock):
        yield finding
    if asks_discord:
        async for finding in _discord(settings, clock, commands):
            yield finding


def _libraries(settings: Settings) -> Iterator[Finding]:
    """What is installed, against what pyproject.toml wants for this provider."""
    wanted = [Requirement(text) for text in requires("kokoromichi") or ()]
    extras = _EXTRAS.get(settings.provider, ("bot",))
    lacking = []
    for one in wanted:
        if one.marker and not any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            lacking.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            lacking.append(f"{one.name} is {found}, not {one.specifier}")
    if lacking:
        cure = f"pip install -c constraints.txt 'kokoromichi[{','.join(extras)}]'"
        yield Finding("libraries", Verdict.WRONG, "; ".join(lacking), cure)
        return
    names = ("kokoromichi", *(_OF_EXTRAS[extra] for extra in extras), "apsw")
    shown = ", ".join(f"{name} {version(name)}" for name in names)
    yield Finding("libraries", Verdict.WELL, f"Python {platform.python_version()}, {shown}")


def _economy(settings: Settings) -> Iterator[Finding]:
    try:
        economy = load_economy(settings.economy_dir)
    except EconomyError as unreadable:
        yield Finding("economy", Verdict.WRONG, str(unreadable), "correct the file, or unset ECONOMY_DIR")
        return
    findings = economy_findings(economy)
    if findings:
        said = "; ".join(map(str, findings[:_SHOWN]))
        yield Finding("economy", Verdict.WRONG, said, "`kokoromichi economy check` lists all of them")
    else:
        yield Finding("economy", Verdict.WELL, f"{settings.economy_dir} breaks no law (hash {economy.hash})")


def _files(settings: Settings) -> Iterator[Finding]:
    """What lies on this machine with more rights, or in more danger, than it should."""
    for said, cure in dangers(settings):
        yield Finding("safety", Verdict.WARNING, said, cure)
    if settings.heartbeat_file is None:
        said = "HEARTBEAT_FILE is not set: `kokoromichi health` has nothing to look at"
        yield Finding("heartbeat", Verdict.WARNING, said, "name a file for the bot to touch")
    for left in settings.data_dir.glob(f"{UNPACKING}*"):
        said = f"{left} is of a restore that was cut off, unless one runs now"
        yield Finding("restore", Verdict.WARNING, said, "restore again, which removes it, or delete it")


def _disk(settings: Settings) -> Finding:
    """Room for what is played, and for what an erasure or a backup needs for a moment."""
    folder = _nearest(settings.data_dir)
    free = shutil.disk_usage(folder).free
    database = database_of(settings.data_dir)
    needed = max(_LITTLE_BYTES, 2 * database.stat().st_size if database.exists() else 0)
    said = f"{free / 1e9:,.1f} GB are free in {folder}"
    if free < _NEXT_TO_NOTHING_BYTES:
        return Finding("disk", Verdict.WRONG, said, "make room: the next act may find none")
    if free < needed:
        cure = f"make room: {needed / 1e9:,.1f} GB let an erasure and a backup pass"
        return Finding("disk", Verdict.WARNING, said, cure)
    return Finding("disk", Verdict.WELL, said)


async def _storage(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Read it and write to it."""
    if settings.provider == "local" and (busy := await asyncio.to_thread(_folder_finding, settings.data_dir)):
        yield busy
        if busy.verdict is not Verdict.WARNING:
            return
    reads_only = settings.provider == "local"
    if reads_only and not is_there(database_of(settings.data_dir)):
        yield Finding("storage", Verdict.WELL, f"{settings.data_dir} may be written, and holds no store yet")
        return
    try:
        async with build_provider(settings, read_only=True, clock=clock) as store:
            await store.verify()
            await refuse_half_moved(store)
            players = len(await store.user_ids())
            if not reads_only:
                await store.probe()
            done = "is sound and is read" if reads_only else "is read and written, its tables are up to date"
            yield _mirror_or_well(store, f"{store.name} {done}: {players:,} player{'s' * (players != 1)}")
            if finding := await clock_finding(store, clock.now_us()):
                yield Finding("clock", Verdict.WARNING, finding, "set the clock right")
    except UnpreparedError as new:
        verdict = Verdict.WARNING if new.version else Verdict.WELL
        yield Finding("storage", Verdict.WRONG if new.grant else verdict, str(new), new.grant)
    except ConfigurationError as wrong:
        yield Finding("storage", Verdict.WRONG, str(wrong), "correct the setting")
    except StorageError as away:
        # Of a file nothing but a person brings the answer; a server may be on its way.
        verdict = Verdict.WRONG if reads_only else Verdict.AWAY
        yield Finding("storage", verdict, str(away), "start the store, or mend what it says")
    except KokoroError as wrong:
        yield Finding("storage", Verdict.WRONG, str(wrong), "correct the setting")


def _mirror_or_well(store: DataProvider, said: str) -> Finding:
    if store.mirror_of is None:
        return Finding("storage", Verdict.WELL, said)
    cure = f"set PROVIDER={store.mirror_of}, or DATA_DIR to a folder of its own"
    return Finding("storage", Verdict.WRONG, f"{store.where} is a mirror of {store.mirror_of}", cure)


def _folder_finding(folder: Path) -> Finding | None:
    """Whether a local folder may be written and nobody else holds it; None where both is so. Blocks."""
    there = _nearest(folder)
    if not there.is_dir():
        return Finding("storage", Verdict.WRONG, f"{there} is a file", "name a folder in DATA_DIR")
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
        if there == folder:
            FolderLock(folder).release()
    except StorageError as held:
        cure = "a bot runs, and writes there: stop it before you start another"
        return Finding("storage", Verdict.WARNING, str(held), cure)
    except OSError as failed:
        said = f"{there} cannot be written: {failed.strerror or failed}"
        return Finding("storage", Verdict.WRONG, said, "let this account write it, and make room")
    return None


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there; a file where one stands in the way."""
    return next(one for one in (folder, *folder.absolute().parents) if one.exists())


async def _discord(settings: Settings, clock: Clock, commands: Collection[str]) -> AsyncIterator[Finding]:
    if not settings.discord_token.get_secret_value():
        cure = "take it from the page Bot of the developer portal, and put it into the environment or .env"
        yield Finding("token", Verdict.WRONG, "DISCORD_TOKEN is not set", cure)
        return
    try:
        found = await look_up(settings, settings.admin_guilds)
    except RefusedTokenError:
        cure = "copy it anew from the developer portal"
        yield Finding("token", Verdict.WRONG, "Discord refuses DISCORD_TOKEN", cure)
        return
    except UnreachableError as away:
        said = f"Discord cannot be asked: {away}"
        yield Finding("token", Verdict.AWAY, said, "look at the network, and ask again")
        return
    yield Finding("token", Verdict.WELL, f"Discord knows the bot as {found.name}")
    if settings.text_commands and not found.reads_messages:
        cure = "switch on Message Content on the page Bot of the developer portal, or set TEXT_COMMANDS=false"
        yield Finding("intents", Verdict.WRONG, "text commands need Message Content, which is off", cure)
    else:
        yield Finding("intents", Verdict.WELL, "the bot is given what it asks for")
    yield _admins(settings, found.unknown_guilds, public=found.public)
    yield _commands(found.commands, commands)
    if found.at_us is not None:
        yield _clock(abs(clock.now_us() - found.at_us))


def _admins(settings: Settings, unknown: tuple[int, ...], *, public: bool) -> Finding:
    named = len(settings.admin_guilds)
    who = f"the bot's owner, and managers of {named} servers" if named else "the bot's owner alone"
    if unknown:
        said = f"the bot is not in the servers {', '.join(map(str, unknown))} of ADMIN_GUILDS"
        return Finding("admins", Verdict.WARNING, said, "invite it there, or correct the ids")
    if public:
        cure = "switch Public Bot off on the page Bot, unless every server shall share one economy"
        return Finding("admins", Verdict.WARNING, f"anybody may invite the bot; admins are {who}", cure)
    return Finding("admins", Verdict.WELL, f"admins are {who}")


def _commands(shown: Collection[str], ours: Collection[str]) -> Finding:
    lacking, left = sorted(set(ours) - set(shown)), sorted(set(shown) - set(ours))
    if not lacking and not left:
        return Finding("commands", Verdict.WELL, f"Discord shows all {len(ours)} slash commands")
    parts = [f"lacks {', '.join(lacking)}"] if lacking else []
    parts += [f"still shows {', '.join(left)}"] if left else []
    cure = "the bot's owner says !sync once it runs"
    return Finding("commands", Verdict.WARNING, f"Discord {' and '.join(parts)}", cure)


def _clock(apart_us: int) -> Finding:
    said = f"this machine's clock and Discord's are {apart_us / SECOND_US:,.0f} s apart"
    if apart_us > DAY_US:
        return Finding("clock", Verdict.WRONG, said, "set the clock: days of the game go by it")
    if apart_us > _DRIFT_S * SECOND_US:
        return Finding("clock", Verdict.WARNING, said, "let the machine's clock be set by the network (NTP)")
    return Finding("clock", Verdict.WELL, said)
