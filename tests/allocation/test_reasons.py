"""Why a plan does not serve more, over HTTP."""

from uuid import uuid4

import pytest
from chubei_shared.contracts.plans import Lacking
from chubei_shared.errors import NotFound

WATER, BED = "1020101", "1010201"


def test_a_plan_that_serves_all_has_nothing_that_binds(stocked):
    found = stocked.commander.reasons(stocked.proposed().id)
    assert (found.people, found.supported, found.settled) == (300, 300, 300)
    assert (found.unmet, found.binding) == ([], [])
    assert found.en == "everybody is supported and settled in time: nothing binds"


def test_what_is_short_is_named_with_whom_it_concerns(stocked):
    stocked.take_away(stocked.south, BED, 150)  # 250 beds for 300 people
    plan = stocked.proposed()
    found = stocked.commander.reasons(plan.id)
    assert found.settled == plan.settled <= 250
    assert sum(row.not_settled for row in found.unmet) == 300 - plan.settled
    assert all(isinstance(row, Lacking) and row.short.keys() == {BED} for row in found.unmet)
    beds = next(row for row in found.binding if row.kind == "items")
    assert beds.id == BED
    assert beds.zh.startswith("行军床：及时可取 250，已用 ")
    assert beds.en.startswith("beds: 250 to be had in time, ")
    assert beds.points == {row.point: row.not_settled for row in found.unmet}
    docks = [row for row in found.binding if row.kind in ("docks", "crews")]
    assert all("示例" in row.zh and "Example" in row.en for row in docks)


def test_a_plan_that_is_not_there_has_no_reasons(district):
    with pytest.raises(NotFound):
        district.commander.reasons(uuid4())
