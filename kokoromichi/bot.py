"""The bot: settings in, one running game out; the folder ``commands`` is walked for what it can do."""

from __future__ import annotations

import asyncio
import logging
import pkgutil
import signal
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import discord
import typer
from discord import app_commands
from discord.ext import commands

from kokoromichi.chat.context import Context
from kokoromichi.chat.embeds import warning
from kokoromichi.chat.game import PREFIX, Game
from kokoromichi.chat.gateway import GatewayLog, discord_errors
from kokoromichi.chat.lifecycle import Lifecycle
from kokoromichi.chat.loops import Heartbeat, Housekeeping
from kokoromichi.chat.metering import Metering
from kokoromichi.chat.outage import StorageWatch
from kokoromichi.chat.reporting import Reporting
from kokoromichi.chat.texts import say
from kokoromichi.core.copying.marking import refuse_half_moved
from kokoromichi.core.data_manager import DataManager
from kokoromichi.core.errors import MisuseError, StorageError
from kokoromichi.core.logging_config import configure_logging
from kokoromichi.core.provider_manager import build_provider
from kokoromichi.core.providers.memory import MemoryProvider
from kokoromichi.operation.exits import DISCORD_FAILED, exit_on_error, fail
from kokoromichi.operation.starting import log_start, owner_only
from kokoromichi.operation.telemetry import Telemetry
from kokoromichi.rules.economy import load_economy
from kokoromichi.rules.economy_laws import check_economy
from kokoromichi.services.authority import MostGranted
from kokoromichi.services.bundle import Services
from kokoromichi.services.health import clock_finding
from kokoromichi.settings import Settings, shipped_folder

if TYPE_CHECKING:
    from typing import Any

    from kokoromichi.core.clock import Clock
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.executor import Dice

log = logging.getLogger(__name__)

COMMANDS: Final = Path(__file__).resolve().parent / "commands"
GRACE_S: Final = 8.0
"""How long commands in flight may go on after SIGTERM: Docker kills ten seconds after it."""
LAST_WORDS_S: Final = 1.0
"""How long those that come after it may take to be told so."""
_REMEMBERED_EVENTS: Final = 20_000
_PUBLIC: Final = (
    "the bot is public: anybody may invite it to a server of theirs, which then plays in this same economy "
    "(its managers are no admins unless ADMIN_GUILDS names it); to decide alone where it plays, "
    "switch Public Bot off on the page Bot of the developer portal"
)


class KokoroBot(Game):
    """The game on Discord.

    Args:
        settings: What the operator set.
        provider: Where acts are stored; the bot opens and closes it.
        services: The game over that provider.
        telemetry: What counts their acts.

    Attributes:
        running: Commands and buttons in flight, by anything hashable that stands for one.
    """

    def __init__(
        self,
        settings: Settings,
        provider: DataProvider,
        services: Services,
        telemetry: Telemetry,
    ) -> None:
        # The game does not speak, and its log need not say so at every start.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            command_prefix=commands.when_mentioned_or(PREFIX),
            intents=_intents(text_commands=settings.text_commands),
            allowed_mentions=discord.AllowedMentions.none(),
            help_command=None,
            tree_cls=DeduplicatingTree,
            case_insensitive=True,
            strip_after_prefix=True,
            shard_count=settings.shard_count,
            shard_ids=list(settings.shard_ids) or None,  # type: ignore[arg-type] # None is its default.
        )
        self.settings = settings
        self.provider = provider
        self.services = services
        self._telemetry = telemetry
        self.storage = StorageWatch(services.clock)
        self.closing = False
        self.limits_spam = True
        self.questions = set()
        self.running: set[object] = set()
        self._idle = asyncio.Event()
        self._unmirrored = ""
        self._heard: OrderedDict[int, None] = OrderedDict()

    async def setup_hook(self) -> None:
        """Open the storage, activate the economy, and load every command; a failure stops the start.

        Raises:
            StorageError: The storage cannot be used; it says what, where, and the cure.
        """
        await self.provider.open()
        await refuse_half_moved(self.provider)
        if finding := await clock_finding(self.provider, self.services.now_us()):
            log.error("%s", finding)
        await self.services.start()
        for cog in (GatewayLog(), Lifecycle(self), Heartbeat(self), Housekeeping(self)):
            await self.add_cog(cog)
        if self.settings.metrics_port or self.settings.metrics_file:
            await self.add_cog(Metering(self, self._telemetry))
        if self.settings.owner_channel:
            await self.add_cog(Reporting(self, self._telemetry, self.settings.owner_channel))
        for name in extension_names():
            await self.load_extension(name)
        if self.application is not None and self.application.bot_public:
            log.warning(_PUBLIC)
        log.info("ready: provider %s, %d commands", self.provider.name, len(self.commands))

    async def on_message(self, message: discord.Message) -> None:
        """Answer a text command, once however often the event comes."""
        if not message.author.bot and self.claim_event(message.id):
            await self.process_commands(message)

    async def get_context(self, origin: Any, /, *, cls: Any = None) -> Any:
        """Every command is given our context."""
        return await super().get_context(origin, cls=cls or Context)

    async def mirrored(self) -> tuple[Services, int] | None:
        """The game as the local mirror has it; see ``Game.mirrored``."""
        if self.settings.mirror_dir is None:
            return None
        try:
            found = await DataManager(self.provider, self.services.clock).mirror()
        except (MisuseError, StorageError) as why:
            if str(why) != self._unmirrored:
                self._unmirrored = str(why)
                log.warning("no command is answered from the mirror: %s", why)
            return None
        services = Services(found.value, self.services.live.economy, self.services.clock)
        return services, found.as_of_us

    def claim_event(self, event_id: int) -> bool:
        """Note an event; see ``Game.claim_event``."""
        if event_id in self._heard:
            return False
        self._heard[event_id] = None
        if len(self._heard) > _REMEMBERED_EVENTS:
            self._heard.popitem(last=False)
        return True

    def begin(self, work: object) -> None:
        """Count a command or a button in, until ``finish``."""
        self.running.add(work)
        self._idle.clear()

    def finish(self, work: object) -> None:
        """Count it out again; twice is harmless."""
        self.running.discard(work)
        if not self.running:
            self._idle.set()

    async def close(self) -> None:
        """Close in order: no new commands, those in flight to their end, the gateway, the storage."""
        if self.closing:
            return
        self.closing = True
        await self._wait_for_running(GRACE_S)
        for shard in self.shards.values():
            await shard.disconnect()
        # What came with the gateway's last words is told so too, while there are commands to tell it.
        await self._wait_for_running(LAST_WORDS_S)
        await super().close()
        await self.services.activity.close()
        await self.provider.close()

    async def _wait_for_running(self, patience_s: float) -> None:
        if not self.running:
            return
        log.info("closing: waiting for %d commands", len(self.running))
        try:
            await asyncio.wait_for(self._idle.wait(), patience_s)
        except asyncio.TimeoutError:
            log.warning("closing: %d commands did not end in %.0f s", len(self.running), patience_s)


class DeduplicatingTree(app_commands.CommandTree[KokoroBot]):
    """Slash commands, each delivery of an interaction but the first passed over."""

    async def on_error(
        self, interaction: discord.Interaction[KokoroBot], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell who uses a command that Discord still shows as it was before an upgrade, until ``/sync``."""
        if isinstance(error, app_commands.CommandSignatureMismatch):
            for begun in [*interaction.client.running]:
                if isinstance(begun, Context) and begun.interaction is interaction:
                    interaction.client.dispatch("command_error", begun, error)
        elif not isinstance(error, app_commands.CommandNotFound):
            await super().on_error(interaction, error)
        elif interaction.type is discord.InteractionType.application_command:
            log.info("request %s: %s", interaction.id, error)
            await interaction.response.send_message(embed=warning(say("error.gone")), ephemeral=True)

    async def interaction_check(self, interaction: discord.Interaction[KokoroBot], /) -> bool:
        """Autocompletion changes nothing and may come as often as it likes."""
        if interaction.type is discord.InteractionType.autocomplete:
            return True
        return interaction.client.claim_event(interaction.id)


def extension_names() -> list[str]:
    """Every module of ``kokoromichi.commands``, ascending."""
    return sorted(f"kokoromichi.commands.{module.name}" for module in pkgutil.iter_modules([str(COMMANDS)]))


async def slash_names(settings: Settings) -> list[str]:
    """The names of the slash commands that the bot has, ascending; nothing of it is opened.

    Raises:
        MisuseError: A setting asks for what is not there.
    """
    shipped = settings.model_copy(update={"economy_dir": shipped_folder("data")})
    async with create_bot(shipped, provider=MemoryProvider()) as bot:
        for name in extension_names():
            await bot.load_extension(name)
        return sorted(command.name for command in bot.tree.get_commands())


def create_bot(
    settings: Settings,
    *,
    provider: DataProvider | None = None,
    clock: Clock | None = None,
    dice: Dice | None = None,
) -> KokoroBot:
    """The bot as the settings ask for it; nothing is opened yet.

    Args:
        settings: What the operator set.
        provider: Where acts are stored; built from the settings when left out.
        clock: What tells the time.
        dice: What rolls.

    Raises:
        MisuseError: A setting asks for what is not there.
        EconomyError: The economy cannot be read, or breaks a law.
    """
    if settings.saas_mode:
        message = "SAAS_MODE is true: an economy for each guild is not built yet; take the setting out"
        raise MisuseError(message)
    _check_shards(settings)
    economy = load_economy(settings.economy_dir)
    check_economy(economy)
    provider = provider or build_provider(settings)
    telemetry = Telemetry()
    services = Services(
        provider,
        economy,
        clock,
        dice,
        activity_sampling=settings.activity_sampling,
        executor_class=telemetry.executor(),
        most_granted=MostGranted(settings.admin_most_gold, settings.admin_most_units),
    )
    return KokoroBot(settings, provider, services, telemetry)


async def serve(settings: Settings) -> None:
    """Run the bot until SIGTERM or SIGINT.

    Raises:
        MisuseError: The token is missing or refused, the portal forbids an intent, or MIRROR_DIR is
            no mirror.
        StorageError: The storage cannot be used.
    """
    token = settings.discord_token.get_secret_value()
    if not token:
        message = "DISCORD_TOKEN is not set: put the bot's token into the environment or .env"
        raise MisuseError(message)
    _point_at(settings)
    bot = create_bot(settings)
    if settings.mirror_dir is not None:
        await _mark_mirror(settings.mirror_dir, bot.provider)
    await bot.provider.open()  # What a person must mend here is told before Discord is asked for anything.
    await refuse_half_moved(bot.provider)
    loop = asyncio.get_running_loop()
    playing = asyncio.ensure_future(bot.start(token))
    stopping: set[asyncio.Task[None]] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stopping.add(asyncio.ensure_future(_end(bot, playing))))
    try:
        with discord_errors():
            await playing
    except (asyncio.CancelledError, Exception) as met:
        if not stopping:  # Told to end while it starts, it may meet what it has just closed.
            raise
        if not isinstance(met, asyncio.CancelledError):
            log.warning("met while it ended: %r", met)
    finally:
        await bot.close()
        await asyncio.gather(*stopping)


async def _end(bot: KokoroBot, playing: asyncio.Future[None]) -> None:
    """Close in order; the library would try for ever to connect where it was about to when it was closed."""
    if bot.extensions and not bot.is_ready():  # All is loaded: what is left of the start is to connect.
        playing.cancel()
    await bot.close()
    playing.cancel()


def run() -> None:
    """Run the bot on Discord until it is stopped by SIGTERM or Ctrl-C."""
    with exit_on_error(), owner_only():
        settings = Settings()
        configure_logging(settings.log_level, settings.log_format)
        log_start(settings)
        try:
            asyncio.run(serve(settings))
        except (
            aiohttp.ClientError,
            asyncio.TimeoutError,
            discord.HTTPException,
            discord.GatewayNotFound,
            discord.ConnectionClosed,
        ) as away:
            fail(f"Discord cannot be reached: {away}. Start the bot again when it can", DISCORD_FAILED)


def _intents(*, text_commands: bool) -> discord.Intents:
    """Slash commands need no privileged intent; reading ``!name`` in a server does."""
    intents = discord.Intents.default()
    intents.message_content = text_commands
    return intents


def _check_shards(settings: Settings) -> None:
    """The shards of this process are among those that there are."""
    if not settings.shard_ids:
        return
    count = settings.shard_count
    if count is None:
        message = "SHARD_IDS needs SHARD_COUNT: how many shards all processes of the bot have together"
        raise MisuseError(message)
    if not all(0 <= shard_id < count for shard_id in settings.shard_ids):
        shards = ",".join(map(str, settings.shard_ids))
        message = f"SHARD_IDS is {shards}; with SHARD_COUNT={count} they go from 0 to {count - 1}"
        raise MisuseError(message)


async def _mark_mirror(folder: Path, provider: DataProvider) -> None:
    """Mark the mirror before the login, so that a MIRROR_DIR that cannot be one ends the start.

    A mirror that is damaged or in use ends nothing: ``Housekeeping`` tells of it until that is mended.
    """
    if provider.beside is None:
        message = f"MIRROR_DIR is set, and the provider {provider.name!r} has no mirror: take the setting out"
        raise MisuseError(message)
    if await asyncio.to_thread(folder.is_file):
        message = f"MIRROR_DIR is {str(folder)!r}, which is a file: name a folder"
        raise MisuseError(message)
    try:
        with suppress(StorageError):
            await provider.beside.open()
            await provider.beside.mark_mirror(provider.name)
    except MisuseError as why:
        await provider.close()
        message = f"MIRROR_DIR cannot be used: {why}"
        raise MisuseError(message) from why


def _point_at(settings: Settings) -> None:
    """Tests put a server of their own in Discord's place."""
    if settings.discord_api_url:
        discord.http.Route.BASE = settings.discord_api_url
    if settings.discord_gateway_url:
        from yarl import URL  # noqa: PLC0415 - comes with discord.py

        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.discord_gateway_url)


if __name__ == "__main__":
    typer.run(run)
