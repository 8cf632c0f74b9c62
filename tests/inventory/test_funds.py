"""Funds: what is allotted to reserves, held by call-offs and spent, to the fen."""

from datetime import timedelta
from uuid import uuid4

import pytest
from chubei_shared.contracts.call_offs import CallOff, CallOffStep
from chubei_shared.contracts.funds import FundAccount
from chubei_shared.contracts.reserves import Fund
from chubei_shared.errors import Conflict


def test_a_fund_tells_what_is_allotted_held_and_spent(yard):
    fund = FundAccount(
        id=f"fund-{uuid4().hex[:8]}",
        name_zh="资金",
        name_en="Fund",
        budget_fen=100_000,
        provenance=yard.invented,
    )
    yard.admin.put_fund(fund)
    today = yard.today()

    def part(budget_fen: int, item: str) -> Fund:
        return Fund(
            id=f"{fund.id}:{item}", mode="fund", account_id=fund.id, place_id=yard.store, item_code=item,
            party="资金", budget_fen=budget_fen, unit_price_fen=200, approval_min=60, delivery_min=240,
            valid_from=today, valid_until=today + timedelta(days=30), last_verified_on=today,
            provenance=yard.invented,
        )  # fmt: skip

    first = part(80_000, yard.item)
    yard.admin.put_reserve(first)
    with pytest.raises(Conflict) as refused:
        yard.admin.put_reserve(part(20_200, yard.new_item()))
    assert refused.value.more["left_fen"] == 20_000
    with pytest.raises(Conflict):
        yard.admin.put_fund(fund.model_copy(update={"budget_fen": 79_999}), "*")

    order = CallOff(id=uuid4(), reserve_id=first.id, quantity=50, ordered_at=yard.now())
    yard.admin.call_off(order)
    held = yard.admin.fund(fund.id)
    assert (held.allotted_fen, held.held_fen, held.spent_fen, held.left_fen) == (80_000, 10_000, 0, 90_000)

    def step(state: str, **more: int) -> None:
        body = CallOffStep(id=uuid4(), state=state, happened_at=yard.now(), **more)
        yard.admin.call_off_step(order.id, body)

    with pytest.raises(Conflict, match=r"900\.00 yuan left, not the 900\.01 yuan") as refused:
        step("confirmed", amount_fen=100_001)
    assert refused.value.more["left_fen"] == 90_000
    step("confirmed", amount_fen=12_000)
    held = yard.admin.fund(fund.id)
    assert (held.held_fen, held.spent_fen, held.left_fen) == (12_000, 0, 88_000)
    step("ready")
    with pytest.raises(Conflict):
        step("collected", amount_fen=100_001)
    step("collected", amount_fen=12_100)
    spent = yard.admin.fund(fund.id)
    assert (spent.held_fen, spent.spent_fen, spent.left_fen) == (0, 12_100, 87_900)
    left = yard.admin.reserve(first.id)
    assert (left.quantity, left.used, left.available) == (400, 50, 339)  # 21 yuan more: 11 units fewer
