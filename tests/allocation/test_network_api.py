"""The district over HTTP: put once, put again, wrong, by whom."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from chubei_shared.contracts.network import LoadingSite, Network
from chubei_shared.errors import Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role


def test_the_same_again_changes_nothing(district):
    admin = district.house.as_(Role.ADMIN)
    assert admin.put_network(district.network()).changed == 0
    assert admin.put_shelter(district.network().shelters[0]).id == district.shelters[0]
    assert admin.put_network(district.network()).changed == 0


def test_new_rows_that_come_four_times_at_once_are_new_once(district):
    known, admin = district.network().subdistricts[0], district.house.as_(Role.ADMIN)
    new = [known.model_copy(update={"id": f"new-{number}"}) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(admin.put_network, [Network(subdistricts=new)] * 4))
    assert sorted(change.changed for change in found) == [0, 0, 0, 40]


def test_one_changed_row_is_one_change_and_is_read_back(district):
    wider = district.network().shelters[0].model_copy(update={"bays": 2})
    admin = district.house.as_(Role.ADMIN)
    admin.put_shelter(wider)
    assert admin.network().shelters[0] == wider
    assert admin.put_network(district.network()).changed == 1


def test_everything_is_read_as_it_was_put_with_its_provenance(district):
    assert district.commander.network() == district.network().model_copy(
        update={
            "loading_sites": sorted(district.network().loading_sites, key=lambda s: s.place_id),
            "vehicle_types": sorted(district.network().vehicle_types, key=lambda v: v.id),
        }
    )


def test_collections_are_read_one_by_one(district):
    http = district.house.http(Role.AUDITOR)
    found = {
        kind: len(http.get(f"/v1/{kind}").json()) for kind in ("subdistricts", "shelters", "loading-sites")
    }
    assert found == {"subdistricts": 2, "shelters": 3, "loading-sites": 3}
    assert http.get("/v1/district").json()["attributions"] == ["© OpenStreetMap contributors"]
    assert {row["provenance"]["certainty"] for row in http.get("/v1/vehicle-types").json()} == {"invented"}


def test_an_unknown_subdistrict_or_site_is_named(district):
    lost = district.network().shelters[0].model_copy(update={"subdistrict_id": "Z"})
    truck = district.network().vehicle_types[0].model_copy(update={"start_place_id": "Z9"})
    with pytest.raises(Invalid, match="there is no Z; put it first"):
        district.commander.put_shelter(lost)
    with pytest.raises(Invalid, match="there is no Z9"):
        district.commander.put_vehicle_type(truck)
    assert len(district.commander.network().shelters) == 3


def test_the_path_and_the_body_name_the_same(district):
    body = district.network().loading_sites[0].model_dump(mode="json")
    answer = district.house.http(Role.ADMIN).put("/v1/loading-sites/OTHER", json=body)
    assert answer.status_code == 422
    assert "make them the same" in answer.json()["detail_en"]


def test_bad_figures_are_refused_by_field(district):
    http = district.house.http(Role.ADMIN)
    site = LoadingSite.model_dump(district.network().loading_sites[0], mode="json")
    answer = http.put(f"/v1/loading-sites/{site['place_id']}", json={**site, "load_kg_per_min": 0})
    assert answer.json()["errors"][0]["field"] == "load_kg_per_min"
    facts = district.network().district.model_dump(mode="json")
    answer = http.put("/v1/district", json={**facts, "group_shares": {"infant": 0.6, "frail": 0.5}})
    assert "more than 1" in answer.json()["detail_en"]


@pytest.mark.parametrize("role", [Role.CLERK, Role.APPROVER, Role.AUDITOR])
def test_only_admin_and_commander_write(district, role):
    with pytest.raises(Forbidden):
        district.house.as_(role).put_network(district.network())
    assert district.house.as_(role).network().district.id == "sample"


def test_a_district_not_yet_known_says_what_to_do(house):
    house.clear()
    assert house.as_(Role.ADMIN).network().shelters == []
    answer = house.http(Role.ADMIN).get("/v1/district")
    assert (answer.status_code, answer.json()["type"]) == (404, f"urn:chubei:problem:{NotFound.code}")
