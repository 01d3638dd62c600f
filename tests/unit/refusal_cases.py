"""The table of refusals: every act of the services with everything that it is refused for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kokoromichi.analysis.provider_state import audit_provider
from kokoromichi.services.authority import Actor, Role
from tests.contract.stored import NOON_US
from tests.unit.refusal_cases_store import NO_WHOLE_NUMBER, PLAQUES, STORE, Case
from tests.unit.service_world import ECONOMY, MAX, ROOT

DAY_US: Final = 86_400_000_000
TODAY: Final = NOON_US // DAY_US
MIKA: Final = ECONOMY.waifus[0].id
PRICE: Final = ECONOMY.config.redeem.shards[ECONOMY.waifus[0].rarity]

MONEY: Final = [
    Case(
        "daily.claim",
        ("ada",),
        "already_claimed",
        {"next_us": (TODAY + 1) * DAY_US},
        {"last_claim_us": NOON_US},
    ),
    Case(
        "daily.claim",
        ("ada",),
        "already_claimed",
        {"next_us": (TODAY + 1) * DAY_US},
        {"last_claim_us": (TODAY + 1) * DAY_US - 1},
    ),
    Case("daily.claim", ("ada",), "balance_cap", {"cap": MAX}, {"gold": MAX - 999}),
    Case("daily.claim", ("ada",), "balance_cap", {"cap": MAX}, {"gems": MAX - 9}),
    *(
        Case("bank.transfer", ("ada", "bo", bad), "bad_amount", {"amount": bad})
        for bad in (0, -1, -(10**18), 1, *NO_WHOLE_NUMBER)
    ),
    Case("bank.transfer", ("ada", "ada", 100), "self_transfer"),
    Case("bank.transfer", ("ada", "zoe", 100), "unknown_player", {"user_id": "zoe"}),
    Case(
        "bank.transfer",
        ("ada", "bo", 10_001),
        "too_poor",
        {"need": 10_001, "have": 10_000, "currency": "gold"},
    ),
    Case(
        "bank.transfer",
        ("ada", "bo", 10**18),
        "too_poor",
        {"need": 10**18, "have": 10_000, "currency": "gold"},
    ),
    Case(
        "bank.transfer",
        ("ada", "bo", 101),
        "daily_cap",
        {"cap_gold": 20_000, "used_gold": 19_900},
        {"sent_day": TODAY, "sent_gold_today": 19_900},
    ),
    Case(
        "bank.transfer",
        ("ada", "bo", 20_001),
        "daily_cap",
        {"cap_gold": 20_000, "used_gold": 0},
        {"sent_day": TODAY - 1, "sent_gold_today": 19_900, "gold": 50_000},
    ),
    *(
        Case("bank.buy_gems", ("ada", bad), "bad_quantity", {"quantity": bad})
        for bad in (0, -1, *NO_WHOLE_NUMBER)
    ),
    Case("bank.buy_gems", ("ada", 3), "too_poor", {"need": 12_000, "have": 10_000, "currency": "gold"}),
    Case("bank.buy_gems", ("ada", 1), "balance_cap", {"cap": MAX}, {"gems": MAX - 99}),
    Case("bank.buy_gems", ("ada", 1), "not_for_sale", {"item_id": "gems"}, economy={"exchange.gems": 0}),
    *(
        Case("summon.summon", ("ada", bad), "bad_quantity", {"quantity": bad})
        for bad in (0, -1, 2, 9, 11, 100, 10**18, 10.0, *NO_WHOLE_NUMBER)
    ),
    Case("summon.summon", ("ada", 1), "too_poor", {"need": 50, "have": 49, "currency": "gems"}, {"gems": 49}),
    Case(
        "summon.summon",
        ("ada", 10),
        "too_poor",
        {"need": 450, "have": 449, "currency": "gems"},
        {"gems": 449},
    ),
]
PLAY: Final = [
    *(
        Case("battle.fight", ("ada", bad), "tier_unknown", {"tier": bad, "tiers": 7}, options={"draw": 0})
        for bad in (0, -1, 8, 10**18, *NO_WHOLE_NUMBER)
    ),
    Case(
        "battle.fight",
        ("ada", 1),
        "not_owned",
        {"item_id": "mana_potion", "owned_units": 0},
        options={"draw": 0, "mana_potions": 1},
    ),
    Case(
        "battle.fight",
        ("ada", 1),
        "cooling_down",
        {"ready_us": NOON_US + 1},
        {"battle_at_us": NOON_US + 1 - 60_000_000},
        options={"draw": 0},
    ),
    Case(
        "battle.fight",
        ("ada", 1),
        "daily_cap",
        {"cap_gold": 5_000, "used_gold": 5_000},
        {"battle_day": TODAY, "battle_gold_today": 5_000},
        options={"draw": 0},
    ),
    *(
        Case(
            "battle.fight",
            ("ada", 1),
            "balance_cap",
            {"cap": MAX},
            {"gold": MAX - 29},
            options={"draw": draw},
        )
        for draw in (
            0,
            2**32 - 1,
        )  # A refusal that depends on the draw would let one fight on with a better one.
    ),
    Case(
        "progress.train",
        ("ada",),
        "too_poor",
        {"need": 140, "have": 139, "currency": "gold"},
        {"gold": 139, "level": 5},
    ),
    Case("progress.invest", ("ada", "bank"), "unknown_business", {"business_id": "bank"}),
    Case("progress.invest", ("ada", "../evil"), "unknown_business", {"business_id": "../evil"}),
    Case(
        "progress.invest",
        ("ada", "cafe"),
        "already_owned",
        {"business_id": "cafe"},
        {"businesses": {"cafe": 0}},
    ),
    Case(
        "progress.invest",
        ("ada", "cafe"),
        "too_poor",
        {"need": 10_000, "have": 9_999, "currency": "gold"},
        {"gold": 9_999},
    ),
    Case(
        "progress.invest",
        ("ada", "cafe"),
        "not_for_sale",
        {"item_id": "cafe"},
        economy={"business.cafe.price_gold": 0},
    ),
    Case("summon.favorite", ("ada", "mika"), "not_owned", {"item_id": "mika", "owned_units": 0}),
    Case(
        "summon.redeem",
        ("ada", MIKA),
        "too_poor",
        {"need": PRICE, "have": 5, "currency": "shards"},
        {"shards": 5},
    ),
    Case("summon.redeem", ("ada", MIKA), "character_owned", {"waifu_id": MIKA}, {"collection": {MIKA: 1}}),
    Case("summon.redeem", ("ada", "nobody"), "not_for_sale", {"item_id": "nobody"}, {"shards": 10**6}),
    Case(
        "summon.redeem",
        ("ada", MIKA),
        "not_for_sale",
        {"item_id": MIKA},
        {"shards": 10**6},
        economy={"redeem.shards.*": 0},
    ),
    Case("progress.collect", ("ada",), "nothing_to_collect"),
    Case(
        "progress.collect",
        ("ada",),
        "nothing_to_collect",
        {},
        {"businesses": {"cafe": NOON_US - 172_799_999}},
    ),
    Case(
        "progress.collect",
        ("ada",),
        "nothing_to_collect",
        {},
        {"businesses": {"cafe": NOON_US + 300_000_000, "lost": 0}},
    ),
    Case(
        "progress.collect",
        ("ada",),
        "balance_cap",
        {"cap": MAX},
        {"businesses": {"cafe": NOON_US - DAY_US}, "gold": MAX - 499},
    ),
]
GRANTED: Final = {"actor": ROOT, "reason": "a test"}
GRANTS: Final = [
    *(
        Case("admin.grant", ("ada", what, bad), "bad_amount", {"amount": bad}, options=GRANTED)
        for bad in (0, *NO_WHOLE_NUMBER)
        for what in ("gold", "gems", "ema_plaque")
    ),
    *(
        Case("admin.grant", ("ada", what, 1), "unknown_item", {"item_id": what}, options=GRANTED)
        for what in ("../evil", "", "xp", "silver")
    ),
    Case(
        "admin.grant",
        ("ada", "gold", -10_001),
        "too_poor",
        {"need": 10_001, "have": 10_000, "currency": "gold"},
        options=GRANTED,
    ),
    Case(
        "admin.grant",
        ("ada", "gems", -101),
        "too_poor",
        {"need": 101, "have": 100, "currency": "gems"},
        options=GRANTED,
    ),
    Case("admin.grant", ("ada", "gold", MAX - 9_999), "balance_cap", {"cap": MAX}, options=GRANTED),
    Case(
        "admin.grant",
        ("ada", "gems", 10**12 + 1),
        "grant_limit",
        {"most": 10**12, "item_id": "gems"},
        options=GRANTED,
    ),
    Case(
        "admin.grant",
        ("ada", "ema_plaque", -5),
        "not_owned",
        {"item_id": "ema_plaque", "owned_units": 4},
        PLAQUES,
        options=GRANTED,
    ),
    Case(
        "admin.grant",
        ("ada", "ema_plaque", 2),
        "over_limit",
        {"limit_units": 5, "owned_units": 4},
        PLAQUES,
        options=GRANTED,
    ),
]
ADMINS: Final = [
    *(
        Case(
            act,
            arguments,
            "not_allowed",
            {"needed_role": "manager", "role": "player"},
            options={"actor": Actor("ada", Role.PLAYER), "reason": "I want to"},
        )
        for act, arguments in (
            ("admin.grant", ("ada", "gold", 5)),
            ("admin.freeze", ("bo",)),
            ("admin.unfreeze", ("ada",)),
            ("admin.clear_clocks", ("bo",)),
            ("admin.reset", ("bo",)),
            ("admin.set_price", ("ema_plaque", 900)),
            ("admin.set_stock", ("lucky_charm", 900)),
            ("admin.reload", (Path("nowhere"),)),
            ("admin.inspect", ("audit", audit_provider)),
        )
    ),
    *(
        Case(act, ("zoe",), "unknown_player", {"user_id": "zoe"}, options=GRANTED)
        for act in ("admin.freeze", "admin.unfreeze", "admin.clear_clocks", "admin.reset")
    ),
    *(
        Case("admin.set_price", (item_id, 900), "unknown_item", {"item_id": item_id}, options=GRANTED)
        for item_id in ("../evil", "", "store.*", "*")
    ),
    *(
        Case("admin.set_price", ("ema_plaque", bad), "bad_amount", {"amount": bad}, options=GRANTED)
        for bad in (0, -1, MAX + 1, *(bad for bad in NO_WHOLE_NUMBER if bad is not None))
    ),
    Case(
        "admin.set_price",
        ("wooden_chest", 500),
        "price_unsound",
        {
            "finding": "economy.toml: store.wooden_chest.price_gold = 500: is below 70 % of the list price; "
            "raise it, or lower that percentage [lowest_price]"
        },
        options=GRANTED,
    ),
    *(
        Case("admin.set_stock", ("lucky_charm", bad), "bad_quantity", {"quantity": bad}, options=GRANTED)
        for bad in (-1, MAX + 1, *NO_WHOLE_NUMBER)
    ),
    Case("admin.set_stock", ("../evil", 1), "unknown_item", {"item_id": "../evil"}, options=GRANTED),
    Case("admin.set_stock", ("ema_plaque", 1), "stock_unlimited", {"item_id": "ema_plaque"}, options=GRANTED),
    Case(
        "store.purchase",
        ("ada", "ema_plaque"),
        "price_changed",
        {"price_gold": 1_000, "shown_gold": 999},
        options={"expected_price_gold": 999},
    ),
]
FROZEN: Final = [
    *(
        Case(act, ("ada", *arguments), "frozen", {"user_id": "ada"}, {**PLAQUES, "frozen": 1})
        for act, arguments in (
            ("store.purchase", ("ema_plaque",)),
            ("store.sell", ("ema_plaque",)),
            ("store.gift", ("bo", "ema_plaque")),
            ("daily.claim", ()),
            ("bank.transfer", ("bo", 100)),
            ("bank.buy_gems", ()),
            ("summon.favorite", ("",)),
            ("summon.redeem", (MIKA,)),
            ("progress.train", ()),
            ("progress.invest", ("cafe",)),
            ("progress.collect", ()),
        )
    ),
    *(
        Case(act, ("ada", *arguments), "frozen", {"user_id": "ada"}, {"frozen": 1}, options={draw: value})
        for act, arguments, draw, value in (
            ("store.use", ("ema_plaque",), "draws", (0,)),
            ("summon.summon", (), "draws", [0, 0]),
            ("battle.fight", (1,), "draw", 0),
        )
    ),
    *(
        Case(act, ("bo", "ada", *arguments), "frozen", {"user_id": "ada"}, {"frozen": 1})
        for act, arguments in (("store.gift", ("ema_plaque",)), ("bank.transfer", (100,)))
    ),
]
"""A frozen player neither acts nor receives."""
CASES: Final = [*STORE, *MONEY, *PLAY, *GRANTS, *ADMINS, *FROZEN]
