from __future__ import annotations

from kokoromichi.rules.codes import CHARACTER_OWNED, NOT_FOR_SALE, NOT_OWNED, OK, TOO_POOR
from kokoromichi.rules.collection import Redeemed, choose_favorite, redeem


def test_who_is_owned_may_be_the_favourite_and_nobody_too() -> None:
    assert [choose_favorite(1, copies).code for copies in (0, 1, 9)] == [NOT_OWNED, OK, OK]
    assert choose_favorite(0, 0).code == OK


def test_shards_buy_a_character_that_is_not_owned() -> None:
    assert redeem(250, 0, 200) == Redeemed(OK, 1, 50)
    assert redeem(200, 0, 200) == Redeemed(OK, 1, 0)
    assert redeem(199, 0, 200) == Redeemed(TOO_POOR, 0, 199)
    assert redeem(250, 1, 200) == Redeemed(CHARACTER_OWNED, 1, 250)
    assert redeem(250, 0, 0) == redeem(250, 0, -5) == Redeemed(NOT_FOR_SALE, 0, 250)
