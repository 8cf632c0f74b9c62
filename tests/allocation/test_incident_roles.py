"""Every route of incidents, every role, every status an incident can have: who gets what answer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_allocation.api_parameters import READERS
from chubei_allocation.incidents.api import router
from chubei_shared.contracts.amendments import Amendment, IncidentStatus
from chubei_shared.tokens import Role

BEGAN = datetime.now(UTC) - timedelta(minutes=200)
PEOPLE = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)
WAY_TO = {
    IncidentStatus.DECLARED: [],
    IncidentStatus.ENDED: ["ended"],
    IncidentStatus.REOPENED: ["ended", "reopened"],
}
INCIDENT = "/v1/incidents/{incident}"
ONE = INCIDENT + "/shelters/{shelter}"
ROUTES = {
    ("POST", "/v1/incidents"): (Role.COMMANDER,),
    ("GET", "/v1/incidents"): READERS,
    ("GET", INCIDENT): READERS,
    ("POST", INCIDENT + "/amendments"): (Role.COMMANDER,),
    ("POST", INCIDENT + "/headcounts"): (Role.CLERK, Role.COMMANDER),
    ("GET", INCIDENT + "/headcounts"): READERS,
    ("GET", INCIDENT + "/shelters"): READERS,
    ("GET", ONE): READERS,
    ("POST", ONE + "/headcounts"): (Role.CLERK, Role.COMMANDER),
}


def body_of(path, shelter):
    """What would be accepted by an incident that goes on."""
    if path.endswith("/headcounts"):
        return {
            "id": str(uuid4()),
            "shelter_id": shelter,
            "people": 5,
            "occurred_at": datetime.now(UTC).isoformat(),
        }
    if path.endswith("/amendments"):
        return {"id": str(uuid4()), "why": "升级", "change": {"kind": "level", "level": 1}}
    return {"id": str(uuid4()), "kind": "flood", "level": 3, "name": "内涝", "occurred_at": BEGAN.isoformat()}


@pytest.mark.parametrize("status", list(IncidentStatus))
def test_who_may_do_what_in_which_status(district, status):
    made = body_of("/v1/incidents", None)
    http = {role: district.house.http(role) for role in PEOPLE}
    incident = http[Role.COMMANDER].post("/v1/incidents", json=made).json()["id"]
    for kind in WAY_TO[status]:
        told = Amendment.model_validate({"id": uuid4(), "why": "test", "change": {"kind": kind}})
        assert district.commander.amend(incident, told).amendments[-1].change.kind == kind
    shelter = district.shelters[0]
    found, due = {}, {}
    for (method, path), roles in ROUTES.items():
        for role in PEOPLE:
            url = path.format(incident=incident, shelter=shelter)
            json = body_of(path, shelter) if method == "POST" else None
            found[method, path, role] = http[role].request(method, url, json=json).status_code
            done = 200 if method == "GET" else 201
            ended = method == "POST" and status is IncidentStatus.ENDED and path != "/v1/incidents"
            due[method, path, role] = 403 if role not in roles else 409 if ended else done
    assert found == due


def test_no_route_of_incidents_is_missing_here():
    here = {(m, p.format(incident="{id}", shelter="{shelter_id}")) for m, p in ROUTES}
    assert here == {(method, route.path) for route in router.routes for method in route.methods}
