"""Policies are values: what they say of shares, what cannot be one, and that a scenario names them."""

from __future__ import annotations

import pytest
from chubei_allocation.planner import ScenarioError, parse_scenario
from chubei_allocation.planner.figures import figures
from chubei_allocation.planner.policies import FAIR, POLICIES, TOTAL, Policy
from hypothesis import given
from hypothesis import strategies as st
from planner_cases import plain


def test_fair_puts_the_first_half_before_the_second() -> None:
    assert [FAIR.utility(r) for r in (0, 0.2, 0.5, 0.75, 1)] == pytest.approx([0, 0.3, 0.75, 0.875, 1])
    assert [TOTAL.utility(r) for r in (0, 0.2, 0.5, 0.75, 1)] == pytest.approx([0, 0.2, 0.5, 0.75, 1])


@given(st.floats(0, 1), st.floats(0, 1))
def test_every_policy_is_concave_and_never_falls(a: float, b: float) -> None:
    for policy in POLICIES.values():
        u = policy.utility
        assert u((a + b) / 2) >= (u(a) + u(b)) / 2 - 1e-12
        assert (u(a) - u(b)) * (a - b) >= 0


@pytest.mark.parametrize(
    "pieces",
    [
        ((0.5, 0.5), (1.0, 1.5)),  # convex
        ((0.5, 2.5), (1.0, -0.5)),  # falls
        ((0.5, 1.0), (0.4, 1.0), (1.0, 1.0)),  # shares do not ascend
        ((0.5, 2.0),),  # says nothing of the second half
        ((1.0, 0.9),),  # full service is worth less than 1
    ],
)
def test_what_is_no_policy_is_refused(pieces: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="policy odd"):
        Policy("odd", pieces)


def test_a_scenario_names_a_policy_and_the_checker_has_it_too() -> None:
    for name, policy in POLICIES.items():
        data = plain() | {"policy": name, "demands": []}
        for point in data["points"]:
            point |= {"groups": {}, "weight": 1, "on_hand": {"water": 3 * point["people"], "quilt": 35}}
            point["opens_min"] = 0
        scored = figures(parse_scenario(data), ())
        people = [point["people"] for point in data["points"]]
        by_hand = sum(0.7 * policy.utility(min(35, n) / n) * n for n in people) / sum(people)
        assert scored.utility == pytest.approx(by_hand)
    with pytest.raises(ScenarioError, match=r"fair, total"):
        parse_scenario(plain() | {"policy": "none"})
