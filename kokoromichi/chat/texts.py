"""What the bot says, by key.

Refusals have their sentences in ``services.refusals``, but for those here that are truer in a circumstance;
what commands and their arguments do stands with each of them in ``commands``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kokoromichi.core.models import SECOND_US
from kokoromichi.rules.use import MOST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kokoromichi.core.errors import RefusedError

_MARKUP: Final = re.compile(r"[\\*_~`|\[\]<>#]")

ENGLISH: Final[dict[str, str]] = {
    # What went wrong.
    "error.edited": "What is stored of a player in this was changed by another hand, and cannot be read. "
    "Nothing was charged; an admin must mend it, and trying again does not help.",
    "error.gone": "That command is not there any more, or changed; Discord will show the new ones soon. "
    "Nothing was charged.",
    "error.changed": "Prices or other numbers have changed since you were asked. Nothing happened; "
    "ask again.",
    "error.storage": "Storage is unavailable. Nothing was charged; try again in a moment.",
    "error.busy": "Too many changes at once. Nothing was charged; try again.",
    "error.checking": "The storage did not answer in time. Checking; please do not repeat the command.",
    "error.unknown": "It could not be found out whether this went through. Do not repeat it; "
    "tell an admin the number `{request_id}`.",
    "error.closing": "The bot is restarting. Nothing was charged; try again in a minute.",
    "error.muted": "I may not write in {channel}, so nothing was done there. Ask me where I may, or here.",
    "error.direct_closed": "Only you may read that answer, and you take no direct messages from me. "
    "Nothing was done; use `{name}`, or allow them.",
    "error.slower": "Slow down: again {ready}.",
    "error.argument": "{name} is not right: {why}. `{usage}`",
    "error.missing": "{name} is missing. `{usage}`",
    "error.extra": "{rest} is not understood here. `{usage}`",
    "error.quotes": "The quotation marks do not match. `{usage}`",
    "error.forbidden": "You may not do that here: it needs {needed}.",
    "error.admin": "the owner of the bot, or Manage Server in a server that the owner has named",
    "error.owner": "the owner of the bot",
    "error.server_only": "That works only in a server.",
    "error.unexpected": "Something went wrong on our side. Please tell an admin the number `{reference}`.",
    "error.unsent": "Discord did not take what we sent. What you asked for may be done: look before you "
    "repeat it, and tell an admin the number `{reference}`.",
    "error.grouped": "The number can be read in two ways: write it without a space, or begin the reason "
    "with a word.",
    "error.not_yours": "That question was not asked of you.",
    "error.expired": "That question is over; this click did nothing.",
    "error.bot_player": "Bots have no purse.",
    "error.did_you_mean": "Did you mean {names}?",
    "error.character": "There is no character {name}.",
    "error.command": "There is no command {name}.",
    "error.shelf": "There is no shelf {name}.",
    "error.kind": "There is no kind of transaction {name}.",
    "error.range": "it must be from {least} to {most}",
    "error.choice": "it must be one of: {offered}",
    "error.whole": "it must be a whole number",
    "error.amount": "write it in digits alone, such as 1500, or with k, m or b behind them, such as 2k "
    "for 2000; or all, or half",
    "error.count": "write it in digits alone, such as 12, or 2k for 2000",
    "error.first": "it comes before the number",
    "error.player": "I have seen nobody of that name here, or two; mention them with @, or write their id",
    "as_of": "Storage is unavailable; this is how things stood {when}.",
    # Words that stand in many places.
    "gold": "{gold} gold",
    "gems": "{gems:gem}",
    "units": "{quantity} × {item}",
    "sure": "Are you sure?",
    "most": "That is most of what you have.",
    "confirm": "Confirm",
    "cancel": "Cancel",
    "cancelled": "Cancelled. Nothing happened.",
    "timed_out": "Nobody answered in time. Nothing happened.",
    "previous": "Previous",
    "next": "Next",
    "page": "Page {page} of {pages}",
    "nothing": "Nothing here yet.",
    "now": "now",
    "of_cap": "{gold} of at most {cap}",
    # Accounts.
    "profile.title": "{name}",
    "profile.purse": "Purse",
    "profile.streak": "Streak",
    "profile.streak_value": "Day {streak}, best {best}",
    "profile.level": "Level",
    "profile.level_value": "{level} ({xp} XP)",
    "profile.collection": "Collection",
    "profile.collection_value": "Characters {kinds}, shards {shards}",
    "profile.battles": "Battles",
    "profile.battles_value": "{won} won, {lost} lost",
    "profile.affection": "Affection",
    "profile.affection_value": "{affection}",
    "profile.favorite": "Favorite",
    "balance.title": "Balance",
    "balance.rank": "Rank {rank} of {players}",
    "daily.title": "Daily reward",
    "streak.title": "Streak",
    "cooldowns.title": "What you may do when",
    "streak.now": "Day {streak} of your streak; your best is {best}.",
    "streak.none": "You have no streak yet; `/daily` begins one.",
    "streak.broken": "Your streak of {streak} broke {broke}; your best is {best}.",
    "streak.next": "The next claim pays {gold} gold and {gems:gem}. It opens {opens}.",
    "streak.breaks": "The streak breaks {breaks}.",
    "rich_list.title": "The richest",
    "rich_list.as_of": "-# As it was {when}",
    "rich_list.row": "{rank}. {player} · {gold} gold",
    "rich_list.own": "You are number {rank} of {players}",
    "history.title": "Your transactions",
    "history.row": "{when} · **{kind}**{what}",
    "history.part": " · {part}",
    "history.moved": "{sign}{amount}",
    "history.gold": "{moved} gold ({after})",
    "history.gems": "{moved} gems ({after})",
    "history.item": "{moved} × {name}",
    "history.newest": "The newest {rows}",
    "exchange.title": "Exchange",
    "exchange.changed": "A pack costs {price} gold now, and cost {was} when you saw it last.",
    "exchange.question": "Buy {gems:gem} for {gold} gold?",
    "pings.title": "Notifications",
    "pings.on": "You are notified of gold and gifts that others send you.",
    "pings.off": "Others name you when they send you something, and nothing notifies you of it.",
    "transfer.title": "Transfer",
    "transfer.today": "Gold sent today",
    "transfer.question": "Send {gold} gold to {receiver}? That is most of what you have.",
    # The shop.
    "store.title": "Store",
    "store.row": "**{name}** · {price} gold{left}\n*{description}* `{item_id}`",
    "store.stock": " · {stock} left",
    "store.room": " · you own {owned} of at most {limit}",
    "store.owned": " · you own {owned}",
    "purchase.title": "Bought",
    "purchase.question": "Buy {quantity} × {item} for {gold} gold in all?",
    "purchase.changed": "A unit costs {price} gold now, and cost {was} when you saw it last.",
    "purchase.above_list": "A unit costs {price} gold now; its list price is {was}.",
    "sale.question": "Sell {quantity} × {item} for {gold} gold in all?",
    "sale.title": "Sold",
    "use.title": "Used",
    "use.several": "{quantity} × {told}",
    "gift.title": "Gift",
    "gift.question": "Give {quantity} × {item} to {receiver}?",
    "inventory.title": "Inventory",
    "inventory.retired": "{quantity} × `{item_id}`, retired: sell it back",
    "inventory.worthless": "{quantity} × `{item_id}`, retired",
    "inventory.row": "{quantity} × **{name}** (`{item_id}`)",
    # Summons.
    "summon.question": "Make {pulls:pull} for {gems:gem}? That is most of what you have.",
    "summon.title": "Summoned",
    "summon.first": "`{rarity}` **{name}** · new",
    "summon.again": "`{rarity}` {name}",
    "summon.pity": "{rarity} or better is certain within {left} pulls",
    "summon.certain": "The next pull is certain to be {rarity} or better",
    "rates.title": "Your odds at the next pull",
    "rates.table": "```\n{rows}\n```",
    "rates.row": "{rarity:<6} {chance:>8}",
    "rates.within_ten": "{rarity} or better among the next ten pulls: {chance}",
    "rates.price": "One pull {price:gem}, ten {ten_price}",
    "collection.title": "Your collection",
    "collection.row": "`{rarity}` **{name}**",
    "collection.retired": "`{waifu_id}`, retired",
    "collection.none": "Nobody yet; `/summon` brings the first.",
    "collection.foot": "Characters {own} of {kinds} · shards {shards}",
    "character.rarity": "Rarity",
    "character.element": "Element",
    "character.mythology": "Mythology",
    "character.owned": "In your collection",
    "character.missing": "Not in your collection yet",
    "character.redeem": "To choose with /redeem",
    "character.redeem_value": "{shards:shard}",
    "redeem.question": "Choose {character} for {shards:shard}? That is most of what you have.",
    "redeem.title": "Chosen",
    "favorite.title": "Favorite",
    "favorite.none": "Nobody stands in your profile now.",
    # Battles.
    "battle.tier": "Tier {tier}: level {level}, {gold} gold",
    "battle.won": "Victory",
    "battle.lost": "Defeat",
    "battle.paid": "You beat an opponent of tier {tier}: {gold} gold and {xp} XP. Your chance was {chance}.",
    "battle.unpaid": "You lost to an opponent of tier {tier}, and learned {xp} XP. Your chance was {chance}.",
    "battle.tired": "You were tired: too few HP cost you some of your chance.",
    "battle.tired_now": "Too few HP: every chance is lower than rested.",
    "battle.consumed": "It took {items}.",
    "battle.took": "{units} × {item}",
    "battle.after": "Level {level}, {hp} HP.\nBalance: {gold} gold.",
    "auto_use.title": "Potions and scrolls",
    "auto_use.on": "Battles take health potions and revive scrolls by themselves where they help.",
    "auto_use.off": "Battles take no health potion and no revive scroll by themselves.",
    "battle_stats.title": "Your battles",
    "battle.hp": "Health",
    "battle.hp_value": "{hp} of {full} HP",
    "battle.next": "Next battle",
    "battle.today": "Gold won today",
    "battle.effects": "At work",
    "battle.luck": "More gold until {until}",
    "battle.guard": "Full XP for lost battles until {until}",
    "battle.stamina": "Battles cost less HP; battles left: {battles}",
    "battle.opponent": "**Tier {tier}** · level {level} · {gold} gold, {xp} XP · you win {chance}",
    # Training and businesses.
    "train.question": "Train for {gold} gold? That is most of what you have.",
    "train.title": "Trained",
    "invest.title": "Opened",
    "invest.question": "Open {business} for {gold} gold?",
    "invest.changed": "It cost {was} when you saw it last.",
    "businesses.title": "Businesses",
    "businesses.offered": "**{name}** `{business_id}` · {price} gold · leaves {left} a day",
    "businesses.owned": "**{name}** · yours · leaves {left} a day\n*{waiting} gold waits, full {full}*",
    "businesses.full": "**{name}** · yours · leaves {left} a day\n*{waiting} gold waits, full: collect it*",
    "businesses.retired": "`{business_id}` · yours · retired, and earns nothing",
    "businesses.terms": "-# After {upkeep} % of upkeep; a business earns for {hours:hour}, "
    "then waits to be collected.",
    "businesses.waiting": "After upkeep, {gold} gold waits for /collect",
    "collect.title": "Collected",
    # The economy.
    "economy.title": "The economy",
    "economy.days": "{first} to {last} (UTC), read {when}",
    "economy.supply": "In all purses",
    "economy.median": "Middle purse",
    "economy.top": "Richest {share}",
    "economy.top_value": "hold {share}",
    "economy.net": "Change",
    "economy.players": "Players",
    "economy.active": "Active a day",
    "economy.faucet": "Came in",
    "economy.sink": "Went out",
    "economy.kind": "{kind} {gold}",
    # Pictures.
    "picture.balance": "Your gold",
    "picture.supply": "Gold in all purses, at the end of the day",
    "picture.flows": "Gold that came in and went out, each day",
    "picture.faucets": "came in",
    "picture.sinks": "went out",
    "picture.utc": "UTC",
    # Help.
    "help.title": "Commands",
    "help.cog": "### {name}",
    "help.row": "`/{name}` {about}",
    "help.foot": "/help and a command's name: how it is used · {prefix} works like /",
    "help.usage": "`/{name}` or `{prefix}{usage}`",
    "help.aliases": "Also as {names}",
    "help.argument": "`{name}` {about}",
    # Kinds of ledger rows.
    "kind.opening": "Opening",
    "kind.daily": "Daily reward",
    "kind.battle": "Battle",
    "kind.sale": "Sale",
    "kind.income": "Income",
    "kind.reward": "Found in a chest",
    "kind.purchase": "Purchase",
    "kind.summon": "Summon",
    "kind.train": "Training",
    "kind.invest": "Business",
    "kind.upkeep": "Upkeep",
    "kind.exchange": "Exchange",
    "kind.fee": "Fee",
    "kind.transfer": "Transfer",
    "kind.gift": "Gift",
    "kind.use": "Use",
    "kind.restock": "Restock",
    "kind.admin_act": "An admin's act",
    "kind.grant": "An admin's grant",
    "kind.import": "Import",
    "kind.correction": "Correction",
    # What admins do.
    "owner.act": "{actor} · {what}",
    "owner.grant": "{player} {amount} {what}",
    "owner.incident": "⚠ {what}",
    "admin.title": "Admin",
    "admin.which": "`/help` lists what an admin may do; each act needs a reason.",
    "admin.grant": "Granted",
    "admin.taken": "Taken away",
    "admin.price": "Price",
    "admin.stock": "Stock",
    "admin.freeze": "Frozen accounts",
    "admin.frozen": "{player} neither acts nor receives from now on.",
    "admin.unfrozen": "{player} plays on.",
    "admin.clocks": "Clocks",
    "admin.reset": "Reset",
    "admin.reset_question": "Put {player} back to the beginning? Gold, gems, items and progress are gone.",
    "admin.erase": "Erase",
    "admin.erase_question": "Forget {player} for good? Nobody can undo that. Should they come back, they "
    "begin anew: with the opening, and not frozen.",
    "admin.audit": "Audit",
    "admin.health": "Storage",
    "admin.health_told": "{provider}. Players: {players}, ledger rows: {ledger_rows}, commits on their "
    "way: {waiting}.\nLast commit: {committed}. Mirror: {mirrored}.",
    "admin.never": "none",
    "admin.export": "The ledger",
    "admin.too_large": "The ledger is too large to attach: use `kokoromichi ledger export`.",
    "admin.reconcile": "Differences",
    "admin.corrected": "Differences, now booked as corrections",
    "admin.difference": "{player} · {what}: the ledger says {ledger}, stored is {stored}",
    "admin.no_difference": "Everything is as the ledger says.",
    "admin.more": "… and {count} more",
    "admin.reload": "Economy",
    "admin.unsound": "Nothing was changed: the files hold no sound economy.\n{findings}",
    "sync.title": "Slash commands",
    "sync.told": "Discord knows {count:command} now.",
    # Receipts, by the name of their class: what each act answers.
    "ClaimReceipt": "You received {reward_gold} gold and {reward_gems:gem}. Day {streak} of your streak.\n"
    "Balance: {gold} gold, {gems:gem}.",
    "TransferReceipt": "{amount_gold} gold left your purse for {receiver}; {fee_gold} of it was the fee.\n"
    "Balance: {gold} gold.",
    "PurchaseReceipt": "{quantity} × {item} for {cost_gold} gold. You hold {owned}.\nBalance: {gold} gold.",
    "SaleReceipt": "{quantity} × {item} for {paid_gold} gold. You hold {owned}.\nBalance: {gold} gold.",
    "UseReceipt": "{item}: {effect}. You hold {owned} more.",
    "GiftReceipt": "{quantity} × {item} went to {receiver}. You hold {owned} more.",
    "ExchangeReceipt": "{bought_gems:gem} for {cost_gold} gold.\nBalance: {gold} gold, {gems:gem}.",
    "SummonReceipt": "{cost_gems:gem} paid. You have {gems:gem} and {shards:shard}.",
    "FavoriteReceipt": "{character} stands in your profile now.",
    "TrainReceipt": "{xp_gained} XP for {cost_gold} gold. Level {level}, {xp} XP.\nBalance: {gold} gold.",
    "InvestReceipt": "{business} is yours for {cost_gold} gold; it earns from now on.\nBalance: {gold} gold.",
    "CollectReceipt": "{income_gold} gold earned, {upkeep_gold} of it burned as upkeep.\n"
    "Balance: {gold} gold.",
    "GrantReceipt": "{player}: {granted}, now {after}.",
    "PriceReceipt": "{item} costs {price_gold} gold now; in the list it stands at {list_price_gold}.",
    "StockReceipt": "{item}: {stock} left now; the change is {units}.",
    "RedeemReceipt": "{character} is yours for {cost_shards:shard}. You have {shards:shard}.",
    "ClocksReceipt": "{player} may claim, fight and send anew today.",
    "ResetReceipt": "{player} begins anew, with {gold} gold and {gems:gem}.",
    "ReloadReceipt": "Economy `{economy_hash}` is in force, in the place of `{former_hash}`.",
    "EraseReceipt": "What is left stands under `{pseudonym}`.",
    # What an item did, by its effect.
    "effect.heal_hp": "{amount} HP back",
    "effect.grant_xp": "{amount} XP",
    "effect.affection_xp": "{amount} affection, and as much XP",
    "effect.half_hp_cost": "your next battles cost {amount} % of the HP",
    "effect.double_train_xp": "your next training gives {amount} % of the XP",
    "effect.gold_percent_day": "battles pay {amount} % more gold until {until}",
    "effect.full_loss_xp_day": "lost battles give full XP until {until}",
    "effect.pity_count": "your pity count went up by {amount}",
    "effect.chest_gold": "{amount} gold lay inside. Balance: {gold} gold",
}


REFUSED: Final[dict[tuple[str, str], str]] = {
    ("already_active", "heal_hp"): "You have all your HP; {item_id} would do nothing.",
    (
        "already_active",
        "half_hp_cost",
    ): "You have fought no battle since the last {item_id}; it would do nothing.",
    ("already_active", "double_train_xp"): "Your next training is boosted already; `/train` first.",
    ("already_active", "pity_count"): "Your next pull is guaranteed already; `/summon` first.",
    ("not_usable", "win_permille"): "{item_id} is drunk in a battle: `/battle`, and yes to the potion.",
    ("not_usable", "full_loss_xp_once"): "{item_id} works by itself, in the next battle that you lose.",
    ("not_usable", "none"): "{item_id} is for collecting; there is nothing to use.",
    (
        "bad_quantity",
        "use",
    ): f"{{quantity}} cannot be used at once: from 1 to {MOST_AT_ONCE}, and one at a time of what does not "
    "add up.",
    ("over_limit", "gift"): "They may own {limit_units} at most, and own {owned_units}.",
    ("not_owned", "favorite"): "{item_id} is not in your collection.",
    ("bad_amount", "admin"): "The number must be whole and fit what it is for; {amount} does not.",
    ("bad_quantity", "admin"): "The number must be whole and fit what it is for; {quantity} does not.",
    ("over_limit", "admin"): "They may own {limit_units} at most, and own {owned_units}.",
    ("not_owned", "admin"): "They hold {owned_units} of {item_id}.",
    ("too_poor", "admin"): "They have {have} {currency}; {need} cannot be taken away.",
}
"""Sentences that are truer than the services' own, by the refusal and its circumstance."""


def say(key: str, **values: object) -> str:
    """The text of a key; whole numbers among the values are grouped by thousands.

    ``{gems:gem}`` stands for a number with its noun: ``1 gem``, ``2 gems``.

    Raises:
        KeyError: There is no such text, or it names a value that was not given.
    """
    return ENGLISH[key].format(**{name: _counted(value) for name, value in values.items()})


class _Count(int):
    """A number that is written with the noun which stands in the place of its format."""

    def __format__(self, noun: str, /) -> str:
        number = f"{int(self):,}"
        return f"{number} {noun}{'' if abs(self) == 1 else 's'}" if noun else number


def _counted(value: object) -> object:
    return _Count(value) if type(value) is int else value


def percent(share: float, digits: int = 0) -> str:
    """A share, 0 to 1, in percent; what is above 0 is never shown as 0."""
    least = 10.0**-digits
    shown = 100 * share
    return f"< {least:.{digits}f} %" if 0 < shown < least / 2 else f"{shown:.{digits}f} %"


def moment(at_us: int, style: str = "R") -> str:
    """A time as each reader's own client shows it: relative (``R``), or as a date and time (``f``)."""
    return f"<t:{at_us // SECOND_US}:{style}>"


def refusal(error: RefusedError, names: Mapping[str, str], circumstances: Iterable[str] = ()) -> str:
    """A refusal in the player's words; its times and players as the client shows them.

    Args:
        error: The refusal.
        names: What stands for the ids of items, businesses and characters.
        circumstances: What is known beside it: the name of the command, or of its group, and the effect of
            the item that is refused.
    """
    told = (REFUSED.get((error.code, circumstance)) for circumstance in circumstances)
    sentence = next(filter(None, told), error.refusal.sentence)
    shown = {name: _shown(name, value, names) for name, value in error.numbers.items()}
    return sentence.format(**shown)


def _shown(name: str, value: int | str, names: Mapping[str, str]) -> str:
    if name.endswith("_us"):
        return moment(int(value))
    if name == "user_id":
        return mention(str(value))
    return plain(names.get(value, value)) if isinstance(value, str) else f"{value:,}"


def plain(text: object) -> str:
    """Foreign text as it is written, on one line: it neither formats nor links nor mentions.

    Discord.py's own escaping leaves links alone, and with them a name such as ``[gift](http://...)``.
    """
    return (
        _MARKUP.sub(r"\\\g<0>", " ".join(str(text).split()))
        .replace("@", "@\u200b")
        .replace("://", ":\u200b//")
    )


def verbatim(text: str) -> str:
    """Foreign text that stands between backticks."""
    return text.replace("`", "'")


def mention(user_id: str) -> str:
    """A player's name, as each reader's own client shows it; ids that are not Discord's stay text."""
    return f"<@{user_id}>" if user_id.isdecimal() else f"`{user_id}`"
