"""The client of allocation against allocation itself, served by uvicorn on a real port.

Every method is called. What needs a plan of the real planner is walked through in tests/allocation; here its
routes answer that there is no such plan or order, in the error that means that.
"""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import uvicorn
from chubei_allocation.app import create_app
from chubei_cli.migrate import migrate
from chubei_shared.contracts import network
from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.alternatives import AlternativesRequest
from chubei_shared.contracts.authority import Authority
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.incidents import IncidentDeclaration
from chubei_shared.contracts.oral_orders import Account, OralOrder, Papers
from chubei_shared.contracts.orders import OrderStatus, Step, StepKind
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer

NAMES = {
    "name_zh": "示例",
    "name_en": "example",
    "provenance": {"certainty": "invented", "source": "contract test"},
}
DISTRICT = network.District(
    id="sample",
    residents=1000,
    duty_share=0.01,
    deadline_min=720,
    circuity=1.4,
    speed_kmh=12,
    group_shares={},
    attributions=[],
    **NAMES,
)
SUBDISTRICT = network.SubDistrict(id="A#1", residents=1000, lon=116.3, lat=39.9, **NAMES)
SITE = network.LoadingSite(
    place_id="store:1",
    docks=[{"from_min": 0, "manned": 2}],
    load_fixed_min=10,
    load_kg_per_min=100,
    provenance=NAMES["provenance"],
)
SHELTER = network.Shelter(
    id="P#1",
    subdistrict_id="A#1",
    lon=116.3,
    lat=39.9,
    capacity=100,
    kit_id="indoor",
    bays=1,
    unload_fixed_min=5,
    unload_kg_per_min=60,
    opens_min=30,
    max_size=2,
    **NAMES,
)
TRUCK = network.VehicleType(
    id="TRUCK:1",
    count=2,
    start_place_id="store:1",
    available_min=20,
    payload_kg=1500,
    volume_l=15000,
    size=1,
    **NAMES,
)


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """A migrated allocation apart from that of other tests, on a port of its own."""
    own = settings.model_copy(update={"database_prefix": "contractalloc"})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHUBEI_DATABASE_URL", own.database_url)
        environment.setenv("CHUBEI_DATABASE_PREFIX", own.database_prefix)
        migrate("allocation")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(own), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def as_(url: str, settings: Settings):
    """A client for someone in these roles."""
    signer, opened = Signer(settings.keys_dir, "gateway"), []

    def client(*roles: Role, token: str | None = None) -> AllocationClient:
        bearer = token or signer.issue(Caller(f"the-{roles[0]}", frozenset(roles)))
        http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {bearer}"}, trust_env=False)
        opened.append(http)
        return AllocationClient(http)

    yield client
    for http in opened:
        http.close()


def declaration() -> IncidentDeclaration:
    return IncidentDeclaration(
        id=uuid4(),
        kind="fire",
        level=4,
        name="示例",
        occurred_at=datetime.now(UTC) - timedelta(hours=1),
        exercise=True,
    )


def test_a_walk_through_every_method(as_):
    admin, commander, approver = as_(Role.ADMIN), as_(Role.COMMANDER), as_(Role.APPROVER)
    assert admin.put_district(DISTRICT) == DISTRICT
    assert admin.put_subdistrict(SUBDISTRICT) == SUBDISTRICT
    assert admin.put_loading_site(SITE) == SITE
    assert admin.put_shelter(SHELTER) == SHELTER
    assert admin.put_vehicle_type(TRUCK) == TRUCK
    whole = network.Network(
        district=DISTRICT,
        subdistricts=[SUBDISTRICT],
        loading_sites=[SITE],
        shelters=[SHELTER],
        vehicle_types=[TRUCK],
    )
    assert admin.network() == whole
    assert admin.put_network(whole).changed == 0

    incident = commander.declare(declaration())
    assert commander.incident(incident.id).points == incident.points
    assert [one.id for one in commander.incidents()] == [incident.id]
    assert commander.served(incident.id).people == 10

    requested = [
        commander.request_plan(PlanRequest(id=uuid4(), incident_id=incident.id, now_min=n)) for n in range(25)
    ]
    assert commander.plan_request(requested[0].id) == requested[0]
    listed = list(commander.plan_requests(incident.id))  # more than a page
    assert [one.id for one in listed] == [one.id for one in reversed(requested)]
    assert list(commander.plan_requests(uuid4())) == []
    assert commander.cancel_request(requested[0].id).status == "cancelled"

    assert list(commander.plans(incident.id)) == []
    assert list(commander.orders(incident.id, OrderStatus.DONE)) == []
    variants = [{"name": "a"}, {"name": "b", "policy": "total"}]
    two = AlternativesRequest.model_validate({"id": uuid4(), "variants": variants, "now_min": 0})
    assert commander.alternatives(incident.id, two).id == two.id
    assert [one.id for one in commander.alternatives_of(incident.id)] == [two.id]
    everything = {"cross_store": True, "modes": list(Mode), "requisition": True}
    tiers = [{"id": "head", **everything, "name_zh": "局长", "name_en": "head"}]
    document = Authority.model_validate({"tiers": tiers, "provenance": NAMES["provenance"]})
    assert admin.put_authority(document).authority == document
    assert admin.authority(version=1).version == 1
    assert list(commander.oral_orders(open=True, overdue=True)) == []

    nobody = uuid4()
    word = OralOrder(id=uuid4(), given_by="a", how="phone", given_at=datetime.now(UTC), witness="b")
    step = Step(id=uuid4(), stop=0, step=StepKind.ARRIVED, occurred_at=datetime.now(UTC))
    for call in (
        lambda: commander.plan(nobody),
        lambda: approver.approve(nobody),
        lambda: approver.refuse(nobody, "不"),
        lambda: commander.order(nobody),
        lambda: commander.step(nobody, step),
        lambda: commander.memo(nobody),
        lambda: commander.difference(nobody, nobody),
        lambda: commander.read_alternatives(nobody),
        lambda: commander.oral_order(nobody, word),
        lambda: commander.read_oral_order(nobody),
        lambda: approver.file_papers(nobody, Papers(document_no="17")),
        lambda: approver.account(nobody, Account(finding="x")),
    ):
        with pytest.raises(NotFound, match=str(nobody)):
            call()


def test_what_is_refused_arrives_as_the_error_that_was_raised(as_):
    as_(Role.ADMIN).put_district(DISTRICT)
    body = declaration().model_copy(update={"occurred_at": datetime.now(UTC) + timedelta(days=1)})
    with pytest.raises(Invalid, match="lies in the future"):
        as_(Role.COMMANDER).declare(body)
    with pytest.raises(Forbidden) as refused:
        as_(Role.CLERK).declare(body)
    assert refused.value.more["roles"] == ["commander"]
    with pytest.raises(Unauthorized):
        as_(Role.CLERK, token="not-a-token").network()
    with pytest.raises(Invalid) as unknown:
        as_(Role.ADMIN).put_shelter(SHELTER.model_copy(update={"subdistrict_id": "Z"}))
    assert unknown.value.more["errors"][0]["field"] == "subdistrict_id"


def test_the_same_id_with_another_body_is_a_conflict(as_):
    as_(Role.ADMIN).put_network(
        network.Network(district=DISTRICT, subdistricts=[SUBDISTRICT], shelters=[SHELTER])
    )
    body = declaration()
    first = as_(Role.COMMANDER).declare(body)
    assert as_(Role.COMMANDER).declare(body).declared_at == first.declared_at
    with pytest.raises(Conflict):
        as_(Role.COMMANDER).declare(body.model_copy(update={"name": "另一次"}))


def test_no_service_is_unavailable():
    with httpx.Client(base_url="http://127.0.0.1:9", trust_env=False) as nowhere, pytest.raises(Unavailable):
        AllocationClient(nowhere).network()
