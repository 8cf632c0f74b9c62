"""Goods come in and go out."""

from typing import Any


def test_what_is_received_is_on_hand(yard: Any) -> None:
    yard.receive(100)
    assert yard.stock() == (100, 0, 100)
    yard.admin.record(yard.issue(40))
    assert yard.stock() == (60, 0, 60)
