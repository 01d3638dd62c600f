"""Receipts survive the way into a store and back."""

from __future__ import annotations

import msgspec
import pytest

from kokoromichi.core.responses import decode_response, encode_response
from kokoromichi.services.receipts import BattleReceipt, Pull, PurchaseReceipt, SummonReceipt


def test_a_receipt_comes_back_as_it_went() -> None:
    purchase = PurchaseReceipt("health_potion", 2, 200, 9_800, 2)
    summon = SummonReceipt((Pull("amaterasu", "LR", True),), 50, 50, 0, 3)  # noqa: FBT003 - a receipt's field
    for receipt in (purchase, summon):
        assert decode_response(encode_response(receipt)) == receipt


def test_receipts_of_equal_fields_are_told_apart_by_their_tag() -> None:
    encoded = encode_response(PurchaseReceipt("health_potion", 2, 200, 9_800, 2))
    assert b"PurchaseReceipt" in encoded
    assert not isinstance(decode_response(encoded), BattleReceipt)


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="NoReceipt"):
        decode_response(b'{"receipt":"NoReceipt"}')
