"""What an admin may do: each act with a reason, and in the ledger with its actor."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import discord
from discord import app_commands
from discord.ext import commands

from kokoromichi.analysis.export import export_ledger
from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.chat.arguments import (
    AnyItemArgument,
    CountArgument,
    ItemArgument,
    PlayerArgument,
    ReasonArgument,
    item_of,
    offered_items,
)
from kokoromichi.chat.context import Context, actor_of
from kokoromichi.chat.declaring import act_of, group
from kokoromichi.chat.embeds import Picture, card, warning
from kokoromichi.chat.receipts import receipt_card
from kokoromichi.chat.texts import mention, moment, plain, say
from kokoromichi.chat.views import Click
from kokoromichi.core.models import NEVER, Receipt
from kokoromichi.rules import codes
from kokoromichi.rules.findings import EconomyError
from kokoromichi.services.authority import Role
from kokoromichi.services.health import health_of
from kokoromichi.services.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kokoromichi.chat.game import Game
    from kokoromichi.core.data_provider import DataProvider
    from kokoromichi.services.receipts import GrantReceipt
    from kokoromichi.services.reconciling import Difference

T = TypeVar("T")
ReceiptT = TypeVar("ReceiptT", bound=Receipt)

SHOWN_DIFFERENCES: Final = 20
FILE_BYTES: Final = 8_000_000
"""What every server lets be attached; a larger export is the command line's."""
LEAST_ROW_BYTES: Final = 200
"""No row of the exported ledger is shorter."""


async def offered_to_admins(
    interaction: discord.Interaction[Game], typed: str
) -> list[app_commands.Choice[str]]:
    """Autocompletion over everything that the store sells: the library asks no check before it."""
    allowed = (await actor_of(interaction)).role >= Role.MANAGER
    return await offered_items(interaction, typed) if allowed else []


class Admin(commands.Cog):
    """For the bot's owner and managers of named servers: each act needs a reason, and is in the ledger."""

    @group(least=Role.MANAGER)
    @app_commands.default_permissions(manage_guild=True)
    async def admin(self, ctx: Context) -> None:
        """What an admin may do."""
        await ctx.answer(card(say("admin.title"), say("admin.which")))

    @act_of(admin)
    @app_commands.describe(user="Whose", amount="How much; negative takes it away", reason="Why")
    async def gold(
        self, ctx: Context, user: PlayerArgument, amount: CountArgument, *, reason: ReasonArgument
    ) -> None:
        """Give gold to a player, or take it away."""
        grant = partial(ctx.services.admin.grant, ctx.player_named(user), "gold", amount)
        await _answer_grant(ctx, await _done(ctx, reason, grant))

    @act_of(admin)
    @app_commands.describe(user="Whose", item="What", quantity="Units; negative takes away", reason="Why")
    @app_commands.autocomplete(item=offered_to_admins)
    async def item(
        self,
        ctx: Context,
        user: PlayerArgument,
        item: AnyItemArgument,
        quantity: CountArgument,
        *,
        reason: ReasonArgument,
    ) -> None:
        """Give items to a player, or take them away."""
        user_id = ctx.player_named(user)
        grant = partial(ctx.services.admin.grant, user_id, await item_of(ctx, user_id, item), quantity)
        await _answer_grant(ctx, await _done(ctx, reason, grant))

    @act_of(admin)
    @app_commands.describe(item="Of what", gold="Gold of a unit; 0 gives the list price back", reason="Why")
    @app_commands.autocomplete(item=offered_to_admins)
    async def price(
        self, ctx: Context, item: ItemArgument, gold: CountArgument, *, reason: ReasonArgument
    ) -> None:
        """Set a price, until the next reload."""
        set_price = partial(ctx.services.admin.set_price, item, gold or None)
        await ctx.answer(receipt_card(ctx, say("admin.price"), await _done(ctx, reason, set_price)))

    @act_of(admin)
    @app_commands.describe(item="Of what", units="How many shall be left", reason="Why")
    @app_commands.autocomplete(item=offered_to_admins)
    async def stock(
        self, ctx: Context, item: ItemArgument, units: CountArgument, *, reason: ReasonArgument
    ) -> None:
        """Set how much of a limited item is left."""
        set_stock = partial(ctx.services.admin.set_stock, item, units)
        await ctx.answer(receipt_card(ctx, say("admin.stock"), await _done(ctx, reason, set_stock)))

    @act_of(admin)
    @app_commands.describe(user="Whom", reason="Why")
    async def freeze(self, ctx: Context, user: PlayerArgument, *, reason: ReasonArgument) -> None:
        """Stop a player: whatever they would do, or be sent, is refused."""
        freeze = partial(ctx.services.admin.freeze, ctx.player_named(user))
        receipt = await _done(ctx, reason, freeze)
        await ctx.answer(card(say("admin.freeze"), say("admin.frozen", player=mention(receipt.user_id))))

    @act_of(admin)
    @app_commands.describe(user="Whom", reason="Why")
    async def unfreeze(self, ctx: Context, user: PlayerArgument, *, reason: ReasonArgument) -> None:
        """Let a player go on."""
        unfreeze = partial(ctx.services.admin.unfreeze, ctx.player_named(user))
        receipt = await _done(ctx, reason, unfreeze)
        await ctx.answer(card(say("admin.freeze"), say("admin.unfrozen", player=mention(receipt.user_id))))

    @act_of(admin)
    @app_commands.describe(user="Whose", reason="Why")
    async def clocks(self, ctx: Context, user: PlayerArgument, *, reason: ReasonArgument) -> None:
        """Open a player's day again: claim, battle and caps, after a clock was wrong."""
        clear = partial(ctx.services.admin.clear_clocks, ctx.player_named(user))
        await ctx.answer(receipt_card(ctx, say("admin.clocks"), await _done(ctx, reason, clear)))

    @act_of(admin)
    @app_commands.describe(user="Whom", reason="Why")
    async def reset(self, ctx: Context, user: PlayerArgument, *, reason: ReasonArgument) -> None:
        """Put a player back to the beginning; you are asked once more."""
        user_id = ctx.player_named(user)
        await _asked(ctx, "reset", user_id, reason, partial(ctx.services.admin.reset, user_id))

    @act_of(admin)
    @app_commands.describe(user="Whom", reason="Why")
    async def erase(self, ctx: Context, user: PlayerArgument, *, reason: ReasonArgument) -> None:
        """Forget a player who asks for it, for good; you are asked once more."""
        user_id = ctx.player_named(user)
        await _asked(ctx, "erase", user_id, reason, partial(ctx.services.admin.erase, user_id))

    @act_of(admin)
    @app_commands.describe(reason="Why")
    async def audit(self, ctx: Context, *, reason: ReasonArgument) -> None:
        """Check that every coin is accounted for."""
        report = await _looked(ctx, "audit", reason, audit_provider)
        await ctx.answer(card(say("admin.audit"), plain(report)))

    @act_of(admin)
    @app_commands.describe(reason="Why")
    async def health(self, ctx: Context, *, reason: ReasonArgument) -> None:
        """Show how the storage does."""
        found = await _looked(ctx, "health", reason, health_of)
        moments = {
            "committed": say("admin.never")
            if found.last_commit_us == NEVER
            else moment(found.last_commit_us),
            "mirrored": say("admin.never") if found.mirrored_us == NEVER else moment(found.mirrored_us),
        }
        await ctx.answer(card(say("admin.health"), say("admin.health_told", **found._asdict(), **moments)))

    @act_of(admin)
    @app_commands.describe(reason="Why")
    async def export(self, ctx: Context, *, reason: ReasonArgument) -> None:
        """Export the ledger as a file of JSON lines."""
        content = await _looked(ctx, "export", reason, _exported)
        if content is None or len(content) > FILE_BYTES:
            await ctx.answer(warning(say("admin.too_large")))
        else:
            await ctx.answer(card(say("admin.export")), picture=Picture("ledger.jsonl", content))

    @act_of(admin)
    @app_commands.describe(
        user="Whom; everybody when left out", book="Book what differs as corrections", reason="Why"
    )
    async def reconcile(
        self,
        ctx: Context,
        user: discord.User | None = None,
        book: Literal["no", "yes"] | None = None,
        *,
        reason: ReasonArgument,
    ) -> None:
        """Compare what is stored with what the ledger adds up to."""
        reconcile = partial(
            ctx.services.admin.reconcile,
            None if user is None else ctx.player_named(user),
            book=book == "yes",
            actor=await actor_of(ctx),
            reason=reason,
            request_id=ctx.request_id,
        )
        found = await ctx.bot.storage.ask(reconcile, writes=True)
        rows = [_format_difference(ctx, each) for each in found[:SHOWN_DIFFERENCES]]
        if len(found) > len(rows):
            rows.append(say("admin.more", count=len(found) - len(rows)))
        title = say("admin.corrected" if found and book == "yes" else "admin.reconcile")
        await ctx.answer(card(title, "\n".join(rows) or say("admin.no_difference")))

    @act_of(admin)
    @app_commands.describe(reason="Why")
    async def reload(self, ctx: Context, *, reason: ReasonArgument) -> None:
        """Activate the economy's files, whole or not at all; an admin's prices end with it."""
        reload = partial(ctx.services.admin.reload, ctx.bot.settings.economy_dir)
        try:
            receipt = await _done(ctx, reason, reload)
        except EconomyError as unsound:
            await ctx.answer(warning(say("admin.unsound", findings=plain(unsound))))
        else:
            await ctx.answer(receipt_card(ctx, say("admin.reload"), receipt))


async def _done(
    ctx: Context,
    reason: str,
    act: Callable[..., Awaitable[ReceiptT]],
    click: Click | None = None,
) -> ReceiptT:
    """Carry out an act in the author's name, with the role that they have at the click."""
    actor = await actor_of(click or ctx)
    return await ctx.act(
        partial(act, actor=actor, reason=reason),
        "confirm" if click else "",
        play=False,
    )


async def _answer_grant(ctx: Context, receipt: GrantReceipt) -> None:
    title = say("admin.taken" if receipt.amount < 0 else "admin.grant")
    await ctx.answer(receipt_card(ctx, title, receipt))


async def _asked(
    ctx: Context, what: str, user_id: str, reason: str, act: Callable[..., Awaitable[Receipt]]
) -> None:
    """Ask the author once more; the act is done at their click."""
    if await ctx.bot.storage.ask(lambda: ctx.services.profile(user_id), writes=False) is None:
        raise refused(codes.UNKNOWN_PLAYER, user_id)
    title = say(f"admin.{what}")

    async def done(click: Click) -> discord.Embed:
        return receipt_card(ctx, title, await _done(ctx, reason, act, click))

    await ctx.ask(card(title, say(f"admin.{what}_question", player=mention(user_id))), done)


async def _looked(ctx: Context, what: str, reason: str, look: Callable[[DataProvider], Awaitable[T]]) -> T:
    actor = await actor_of(ctx)
    inspect = partial(ctx.services.admin.inspect, what, look, actor=actor, reason=reason)
    return await ctx.bot.storage.ask(partial(inspect, request_id=ctx.request_id), writes=True)


async def _exported(provider: DataProvider) -> bytes | None:
    """The ledger's file; None where it has so many rows that they cannot fit, and none is read for that."""
    if await provider.ledger_rows() * LEAST_ROW_BYTES > FILE_BYTES:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        async with provider.snapshot() as reader:
            await export_ledger(reader, path, "jsonl")
        return await asyncio.to_thread(path.read_bytes)


def _format_difference(ctx: Context, found: Difference) -> str:
    return say(
        "admin.difference",
        player=mention(found.user_id),
        what=plain(ctx.services.names.get(found.what, found.what)),
        ledger=found.ledger,
        stored=found.stored,
    )


async def setup(bot: Game) -> None:
    """Load the cog."""
    await bot.add_cog(Admin())
