"""Receipts survive the way into a store and back."""

from __future__ import annotations

import msgspec
import pytest

from kokoromichi.core.models import Receipt
from kokoromichi.services.receipts import BattleReceipt, Pull, PurchaseReceipt, SummonReceipt


def test_a_receipt_comes_back_as_it_went() -> None:
    purchase = PurchaseReceipt("health_potion", 2, 200, 9_800, 2)
    summon = SummonReceipt((Pull("amaterasu", "LR", True),), 50, 50, 0, 3)  # noqa: FBT003 - a receipt's field
    for receipt in (purchase, summon):
        assert Receipt.decoded(receipt.encoded()) == receipt


def test_receipts_of_equal_fields_are_told_apart_by_their_tag() -> None:
    encoded = PurchaseReceipt("health_potion", 2, 200, 9_800, 2).encoded()
    assert b"PurchaseReceipt" in encoded
    assert not isinstance(Receipt.decoded(encoded), BattleReceipt)


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="NoReceipt"):
        Receipt.decoded(b'{"receipt":"NoReceipt"}')
