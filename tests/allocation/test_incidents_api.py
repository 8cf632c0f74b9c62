"""Incidents over HTTP: people shared out exactly, told once, and refused with a remedy."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_shared.contracts.incidents import IncidentDeclaration
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role


def declaration(**more) -> IncidentDeclaration:
    return IncidentDeclaration(
        **{
            "id": uuid4(),
            "kind": "flood",
            "level": 3,
            "name": "示例内涝",
            "occurred_at": datetime.now(UTC) - timedelta(minutes=90),
            **more,
        }
    )


def test_one_per_cent_is_shared_out_by_residents_and_then_by_capacity(district):
    found = district.commander.declare(declaration())
    assert found.people == 300
    assert [(p.shelter_id, p.people) for p in found.points] == list(
        zip(district.shelters, (150, 50, 100), strict=True)
    )
    assert sum(p.groups["infant"] for p in found.points) == 6
    assert sum(p.groups["frail"] for p in found.points) == 9
    assert found.deadline_at - found.occurred_at == timedelta(hours=12)
    assert found.minutes_left in (629, 630)
    assert found.declared_by == "the-commander"


def test_people_known_better_than_by_a_share(district):
    found = district.commander.declare(declaration(people_by_subdistrict={"B": 40, "A": 0}))
    assert [(p.shelter_id, p.people) for p in found.points] == [(district.shelters[2], 40)]


def test_the_same_declaration_again_is_the_same_incident_and_another_body_is_not(district):
    body = declaration()
    first, again = (district.commander.declare(body) for _ in range(2))
    assert again.declared_at == first.declared_at
    with pytest.raises(Conflict, match="mint a new one"):
        district.commander.declare(body.model_copy(update={"level": 1}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"occurred_at": datetime.now(UTC) + timedelta(hours=2)}, "lies in the future"),
        ({"occurred_at": datetime.now(UTC) - timedelta(days=31)}, "more than 30 days ago"),
        ({"people_by_subdistrict": {"Z": 1}}, "no sub-district Z"),
        ({"people_by_subdistrict": {"A": 0}}, "Nobody is affected"),
        ({"closures": [("NOWHERE", "P")]}, "no shelter or loading site NOWHERE, P"),
    ],
)
def test_a_wrong_declaration_says_what_to_correct(district, change, told):
    with pytest.raises(Invalid, match=told):
        district.commander.declare(declaration(**change))


def test_people_without_a_shelter_are_not_forgotten(district):
    full = district.network().shelters[2].model_copy(update={"capacity": 0})
    district.commander.put_shelter(full)
    with pytest.raises(Invalid, match="Sub-district B has 100 people but no shelter"):
        district.commander.declare(declaration())


def test_without_a_district_there_is_no_incident(house):
    house.clear()
    with pytest.raises(Conflict, match="put /v1/district first"):
        house.as_(Role.COMMANDER).declare(declaration())


def test_incidents_are_listed_page_by_page_the_latest_first(district):
    made = [district.commander.declare(declaration()).id for _ in range(5)]
    http = district.house.http(Role.AUDITOR)
    first = http.get("/v1/incidents", params={"limit": 3}).json()
    second = http.get("/v1/incidents", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["rows"] + second["rows"]] == [str(one) for one in reversed(made)]
    assert second["next_cursor"] is None
    assert [one.id for one in district.commander.incidents()] == made[::-1]
    assert http.get("/v1/incidents", params={"cursor": "xx"}).json()["status"] == 422


@pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.AUDITOR, Role.ADMIN])
def test_only_the_commander_declares(district, role):
    with pytest.raises(Forbidden):
        district.house.as_(role).declare(declaration())


def test_an_unknown_incident_is_not_found(district):
    with pytest.raises(NotFound):
        district.commander.incident(uuid4())
    with pytest.raises(NotFound):
        district.commander.served(uuid4())
