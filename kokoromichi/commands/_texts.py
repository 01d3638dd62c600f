"""Every word of the bot by key: the one place to translate. Refusals have theirs in ``services``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord

from kokoromichi.core.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH: Final[dict[str, str]] = {
    # What went wrong.
    "error.storage": "Storage is unavailable. Nothing was charged; try again in a moment.",
    "error.busy": "Too many changes at once. Nothing was charged; try again.",
    "error.checking": "The storage did not answer in time. Checking; please do not repeat the command.",
    "error.unknown": "It could not be found out whether this went through. Do not repeat it; "
    "tell an admin the number `{request_id}`.",
    "error.closing": "The bot is restarting. Nothing was charged; try again in a minute.",
    "error.slower": "Slow down: again {ready}.",
    "error.argument": "{name} is not right: {why}. `{usage}`",
    "error.missing": "{name} is missing. `{usage}`",
    "error.quotes": "The quotation marks do not match. `{usage}`",
    "error.forbidden": "You may not do that here: it needs {needed}.",
    "error.owner": "the owner of the bot",
    "error.server_only": "That works only in a server.",
    "error.unexpected": "Something went wrong on our side. Please tell an admin the number `{reference}`.",
    "error.not_yours": "That question was not asked of you.",
    "error.expired": "That question is over; this click did nothing.",
    "error.bot_player": "Bots have no purse.",
    "error.did_you_mean": "Did you mean {names}?",
    "error.whole": "it must be a whole number",
    "error.amount": "it must be an amount such as 1500, 1.5k, 2m, all or half",
    "error.player": "there is no such player here",
    "as_of": "Storage is unavailable; this is how things stood {when}.",
    # Words that stand in many places.
    "gold": "{gold} gold",
    "gems": "{gems} gems",
    "unlimited": "unlimited",
    "confirm": "Confirm",
    "cancel": "Cancel",
    "cancelled": "Cancelled. Nothing happened.",
    "timed_out": "Nobody answered in time. Nothing happened.",
    "previous": "Previous",
    "next": "Next",
    "page": "Page {page} of {pages}",
    "nothing": "Nothing here yet.",
    # Accounts.
    "profile.title": "{name}",
    "profile.purse": "Purse",
    "profile.streak": "Streak",
    "profile.streak_value": "{streak} days, best {best}",
    "profile.level": "Level",
    "profile.level_value": "{level} ({xp} XP)",
    "profile.collection": "Collection",
    "profile.collection_value": "{kinds} characters, {shards} shards",
    "profile.battles": "Battles",
    "profile.battles_value": "{won} won, {lost} lost",
    "profile.favorite": "Favorite",
    "balance.title": "Balance",
    "balance.rank": "Rank {rank} of {players}",
    "daily.title": "Daily reward",
    "streak.title": "Streak",
    "streak.now": "You have claimed on {streak} days in a row; your best is {best}.",
    "streak.none": "You have no streak yet; `/daily` begins one.",
    "streak.next": "The next claim pays {gold} gold and {gems} gems. It opens {opens}.",
    "streak.breaks": "The streak breaks {breaks}.",
    "rich_list.title": "The richest",
    "rich_list.row": "{rank}. {player} · {gold} gold",
    "rich_list.own": "You are number {rank} of {players}.",
    "history.title": "Your movements",
    "history.row": "{when} · {kind} · {what}",
    "transfer.title": "Transfer",
    # The shop.
    "store.title": "Store",
    "store.row": "**{name}** (`{item_id}`) · {price} gold\n{description}\n{left}",
    "store.stock": "{stock} left",
    "store.room": "you own {owned} of at most {limit}",
    "store.owned": "you own {owned}",
    "purchase.title": "Bought",
    "sale.title": "Sold",
    "use.title": "Used",
    "gift.title": "Gift",
    "gift.question": "Give {quantity} × {item} to {receiver}?",
    "inventory.title": "Inventory",
    "inventory.row": "{quantity} × **{name}** (`{item_id}`)",
    # Receipts, by the name of their class: what each act answers.
    "ClaimReceipt": "You received {reward_gold} gold and {reward_gems} gems. Day {streak} of your streak.\n"
    "Balance: {gold} gold, {gems} gems.",
    "TransferReceipt": "{amount_gold} gold left your purse for {receiver}; {fee_gold} of it was the fee.\n"
    "Balance: {gold} gold.",
    "PurchaseReceipt": "{quantity} × {item} for {cost_gold} gold. You hold {owned}.\nBalance: {gold} gold.",
    "SaleReceipt": "{quantity} × {item} for {paid_gold} gold. You hold {owned}.\nBalance: {gold} gold.",
    "UseReceipt": "{item}: {effect}. You hold {owned} more.",
    "GiftReceipt": "{quantity} × {item} went to {receiver}. You hold {owned} more.",
    # What an item did, by its effect.
    "effect.heal_hp": "{amount} HP back",
    "effect.grant_xp": "{amount} XP",
    "effect.affection_xp": "{amount} affection, and as much XP",
    "effect.half_hp_cost": "your next battles cost {amount} % of the HP",
    "effect.double_train_xp": "your next training gives {amount} % of the XP",
    "effect.gold_percent_day": "battles pay {amount} % more gold until {until}",
    "effect.full_loss_xp_day": "lost battles give full XP until {until}",
    "effect.pity_count": "your pity count went up by {amount}",
    "effect.chest_gold": "{amount} gold lay in it. Balance: {gold} gold",
}


def say(key: str, **values: object) -> str:
    """The text of a key; whole numbers among the values are grouped by thousands.

    Raises:
        KeyError: There is no such text, or it names a value that was not given.
    """
    return ENGLISH[key].format(**{name: _grouped(value) for name, value in values.items()})


def has_text(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in ENGLISH


def _grouped(value: object) -> object:
    return f"{value:,}" if type(value) is int else value


def moment(at_us: int, style: str = "R") -> str:
    """A time as each reader's own client shows it: relative (``R``), or as a date and time (``f``)."""
    return f"<t:{at_us // 1_000_000}:{style}>"


def refusal(error: RefusedError) -> str:
    """A refusal in the player's words; its times as the client shows them."""
    return error.refusal.sentence.format(**_shown(error.numbers))


def _shown(numbers: Mapping[str, int | str]) -> dict[str, object]:
    return {
        name: moment(int(value)) if name.endswith("_us") else plain(_grouped(value))
        for name, value in numbers.items()
    }


def plain(text: object) -> str:
    """Foreign text, so that it neither formats nor mentions."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(str(text)))


def mention(user_id: str) -> str:
    """A player's name, as each reader's own client shows it; ids that are not Discord's stay text."""
    return f"<@{user_id}>" if user_id.isdecimal() else f"`{user_id}`"
