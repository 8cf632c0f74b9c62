"""The example that PLANNING.md shows: it is the file in deploy/scenarios, and it does what is said of it."""

from __future__ import annotations

import re
from pathlib import Path

from chubei_allocation.planner import Stop, check, load_json, parse_scenario, plan

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "scenarios" / "tiny.json"
DESCRIPTION = ROOT / "services" / "allocation" / "PLANNING.md"


def test_the_description_shows_the_file() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```$", DESCRIPTION.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks == [EXAMPLE.read_text("utf-8")]


def test_everyone_in_the_example_can_be_served() -> None:
    scenario = parse_scenario(load_json(EXAMPLE.read_bytes(), EXAMPLE.name))
    made = plan(scenario, Stop(time_limit_s=None, work_limit=100))
    assert check(scenario, made) == []
    assert (made.claims.supported, made.claims.settled) == (300, 300)
    assert (made.claims.utility, made.solver.status, made.unmet) == (1.0, "optimal", ())
    assert {visit.node for trip in made.trips for visit in trip.visits} == {"store", "shop", "school", "park"}
