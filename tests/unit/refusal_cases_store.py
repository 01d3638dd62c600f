"""The table of refusals, first part: the store's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kokoromichi.rules.use import SESSION_BATTLES
from tests.contract.stored import NOON_US
from tests.unit.service_world import MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_WHOLE_NUMBER: Final = (1.5, 1.0, True, "3", "-50x", None, float("nan"))
NOTHING: Final[Mapping[str, object]] = {}


class Case(NamedTuple):
    """An act that is refused: Ada has what ``ada`` says, Bo is a beginner, nobody else has an account."""

    act: str
    arguments: tuple[object, ...]
    code: str
    numbers: Mapping[str, object] = NOTHING
    ada: Mapping[str, object] = NOTHING
    economy: Mapping[str, object] = NOTHING
    options: Mapping[str, object] = NOTHING


PLAQUES: Final = {"items": {"ema_plaque": 4}}
STORE: Final = [
    *(
        Case(act, ("ada", *names, bad), "bad_quantity", {"quantity": bad}, PLAQUES)
        for bad in (0, -1, -50, -(10**18), *NO_WHOLE_NUMBER)
        for act, names in (
            ("store.purchase", ("ema_plaque",)),
            ("store.sell", ("ema_plaque",)),
            ("store.gift", ("bo", "ema_plaque")),
        )
    ),
    *(
        Case(act, ("ada", *names, name, *options), "unknown_item", {"item_id": name})
        for name in ("../evil", "", "health_potion ", "HEALTH_POTION", "stock.lucky_charm", "\uff58")
        for act, names, options in (
            ("store.purchase", (), (1,)),
            ("store.purchase", (), (-1,)),
            ("store.sell", (), (1,)),
            ("store.gift", ("bo",), (1,)),
        )
    ),
    *(
        Case("store.use", ("ada", name), "unknown_item", {"item_id": name}, options={"draw": 0})
        for name in ("../evil", "")
    ),
    Case(
        "store.purchase",
        ("ada", "ema_plaque", 2),
        "over_limit",
        {"limit_units": 5, "owned_units": 4},
        PLAQUES,
    ),
    Case(
        "store.purchase",
        ("ada", "health_potion", MAX),
        "too_poor",
        {"need": 100 * MAX, "have": 10_000, "currency": "gold"},
        {"items": {"health_potion": 1}},
    ),
    Case("store.purchase", ("ada", "ema_plaque", 10**18), "over_limit", {"limit_units": 5, "owned_units": 0}),
    Case(
        "store.purchase",
        ("ada", "health_potion", 10**18),
        "too_poor",
        {"need": 10**20, "have": 10_000, "currency": "gold"},
    ),
    Case(
        "store.purchase",
        ("ada", "health_potion", 101),
        "too_poor",
        {"need": 10_100, "have": 10_000, "currency": "gold"},
    ),
    Case(
        "store.purchase",
        ("ada", "health_potion", 10**15),
        "too_poor",
        {"need": 10**17, "have": 10_000, "currency": "gold"},
    ),
    Case(
        "store.purchase",
        ("ada", "treasure_chest", 1),
        "out_of_stock",
        {"available_units": 0},
        economy={"store.treasure_chest.stock": 0},
    ),
    Case(
        "store.purchase",
        ("ada", "lucky_charm", 3),
        "out_of_stock",
        {"available_units": 2},
        economy={"store.lucky_charm.stock": 2},
    ),
    Case(
        "store.purchase",
        ("ada", "health_potion", 1),
        "not_for_sale",
        {"item_id": "health_potion"},
        economy={"store.health_potion.price_gold": 0},
    ),
    Case(
        "store.sell",
        ("ada", "ema_plaque", 5),
        "not_owned",
        {"item_id": "ema_plaque", "owned_units": 4},
        PLAQUES,
    ),
    Case(
        "store.sell", ("ada", "ema_plaque", 10**18), "not_owned", {"item_id": "ema_plaque", "owned_units": 0}
    ),
    Case(
        "store.sell",
        ("ada", "ema_plaque", 4),
        "not_for_sale",
        {"item_id": "ema_plaque"},
        PLAQUES,
        {"store.ema_plaque.price_gold": 2},
    ),
    Case("store.sell", ("ada", "ema_plaque", 1), "balance_cap", {"cap": MAX}, {**PLAQUES, "gold": MAX - 399}),
    Case(
        "store.use",
        ("ada", "ema_plaque"),
        "not_owned",
        {"item_id": "ema_plaque", "owned_units": 0},
        options={"draw": 0},
    ),
    *(
        Case(
            "store.use",
            ("ada", name),
            "not_usable",
            {"item_id": name},
            {"items": {name: 1}},
            options={"draw": 0},
        )
        for name in ("ema_plaque", "phoenix_feather", "mana_potion", "revive_scroll")
    ),
    *(
        Case(
            "store.use",
            ("ada", name),
            "already_active",
            {"item_id": name},
            {"items": {name: 2}, **running},
            options={"draw": 0},
        )
        for name, running in {
            "health_potion": {},
            "stamina_drink": {"stamina_battles": SESSION_BATTLES},
            "training_manual": {"double_train": 1},
            "lucky_charm": {"luck_until_us": NOON_US + 1},
            "guardian_amulet": {"guard_until_us": NOON_US + 1},
        }.items()
    ),
    Case(
        "store.use",
        ("ada", "wooden_chest"),
        "balance_cap",
        {"cap": MAX},
        {"items": {"wooden_chest": 1}, "gold": MAX - 179},
        options={"draw": 0},
    ),
    Case(
        "store.use",
        ("ada", "flower_bouquet"),
        "balance_cap",
        {"cap": MAX},
        {"items": {"flower_bouquet": 1}, "affection": MAX - 4},
        options={"draw": 0},
    ),
    Case(
        "store.gift",
        ("ada", "bo", "ema_plaque", 5),
        "not_owned",
        {"item_id": "ema_plaque", "owned_units": 4},
        PLAQUES,
    ),
    Case("store.gift", ("ada", "ada", "ema_plaque", 1), "self_transfer", {}, PLAQUES),
    Case("store.gift", ("ada", "zoe", "ema_plaque", 1), "unknown_player", {"user_id": "zoe"}, PLAQUES),
]
