"""The allocation service over httpx: incidents, plans, orders, and the district that they are about."""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx
from pydantic import BaseModel

from chubei_shared.client import send
from chubei_shared.contracts.incidents import IncidentDeclaration, IncidentPage, IncidentView
from chubei_shared.contracts.network import (
    District,
    LoadingSite,
    Network,
    NetworkChange,
    Shelter,
    SubDistrict,
    VehicleType,
)
from chubei_shared.contracts.orders import OrderPage, OrderStatus, OrderView, ServedView, Step
from chubei_shared.contracts.plans import (
    PlanPage,
    PlanRequest,
    PlanSummary,
    PlanView,
    Reasons,
    Refusal,
    RequestPage,
    RequestView,
)

M = TypeVar("M", bound=BaseModel)


class AllocationClient:
    """Calls through `http`, whose base URL and Authorization header are the caller's (gateway or service).

    Every method raises the AppError that the service answered, or Unavailable where there was no answer.
    Methods that create something take ids minted by the caller: after Unavailable, call again with the same.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    # The district

    def put_network(self, network: Network) -> NetworkChange:
        """Create or replace all that `network` names, in one transaction; what it does not name stays."""
        return self._put("/v1/network", network, NetworkChange)

    def network(self) -> Network:
        return self._get("/v1/network", Network)

    def put_district(self, district: District) -> District:
        return self._put("/v1/district", district, District)

    def put_subdistrict(self, row: SubDistrict) -> SubDistrict:
        return self._put(f"/v1/subdistricts/{_segment(row.id)}", row, SubDistrict)

    def put_loading_site(self, row: LoadingSite) -> LoadingSite:
        return self._put(f"/v1/loading-sites/{_segment(row.place_id)}", row, LoadingSite)

    def put_shelter(self, row: Shelter) -> Shelter:
        return self._put(f"/v1/shelters/{_segment(row.id)}", row, Shelter)

    def put_vehicle_type(self, row: VehicleType) -> VehicleType:
        return self._put(f"/v1/vehicle-types/{_segment(row.id)}", row, VehicleType)

    # Incidents

    def declare(self, incident: IncidentDeclaration) -> IncidentView:
        return self._post("/v1/incidents", incident, IncidentView)

    def incident(self, incident_id: UUID) -> IncidentView:
        return self._get(f"/v1/incidents/{incident_id}", IncidentView)

    def incidents(self) -> Iterator[IncidentView]:
        """All incidents, the latest first."""
        return self._rows("/v1/incidents", IncidentPage)

    def served(self, incident_id: UUID) -> ServedView:
        """People served by what has been received so far, against the approved plan."""
        return self._get(f"/v1/incidents/{incident_id}/served", ServedView)

    # Plans

    def request_plan(self, request: PlanRequest) -> RequestView:
        return self._post("/v1/plan-requests", request, RequestView)

    def plan_request(self, request_id: UUID) -> RequestView:
        return self._get(f"/v1/plan-requests/{request_id}", RequestView)

    def plan_requests(self, incident_id: UUID | None = None) -> Iterator[RequestView]:
        return self._rows("/v1/plan-requests", RequestPage, incident_id=incident_id)

    def cancel_request(self, request_id: UUID) -> RequestView:
        return self._post(f"/v1/plan-requests/{request_id}:cancel", None, RequestView)

    def plan(self, plan_id: UUID) -> PlanView:
        return self._get(f"/v1/plans/{plan_id}", PlanView)

    def plans(self, incident_id: UUID | None = None) -> Iterator[PlanSummary]:
        """Plans without their trips, the latest first."""
        return self._rows("/v1/plans", PlanPage, incident_id=incident_id)

    def reasons(self, plan_id: UUID) -> Reasons:
        """Why a plan does not serve more."""
        return self._get(f"/v1/plans/{plan_id}/reasons", Reasons)

    def approve(self, plan_id: UUID) -> PlanSummary:
        """Hold all that the plan takes and make its orders.

        Raises Shortage (the plan is refused; `more["shortages"]` names each short line), or Unavailable while
        inventory is away: the approval then goes on by itself, and calling again asks how it stands.
        """
        return self._post(f"/v1/plans/{plan_id}:approve", None, PlanSummary)

    def refuse(self, plan_id: UUID, reason: str) -> PlanSummary:
        return self._post(f"/v1/plans/{plan_id}:refuse", Refusal(reason=reason), PlanSummary)

    # Orders

    def order(self, order_id: UUID) -> OrderView:
        return self._get(f"/v1/orders/{order_id}", OrderView)

    def orders(
        self, incident_id: UUID | None = None, status: OrderStatus | None = None
    ) -> Iterator[OrderView]:
        """Dispatch orders by number."""
        return self._rows("/v1/orders", OrderPage, incident_id=incident_id, status=status)

    def step(self, order_id: UUID, step: Step) -> OrderView:
        """Record a step; loading and receipt move stock. The order as it is afterwards."""
        return self._post(f"/v1/orders/{order_id}/steps", step, OrderView)

    # How

    def _get(self, path: str, answer: type[M], **params: Any) -> M:
        query = {key: str(value) for key, value in params.items() if value is not None}
        return answer.model_validate_json(send(self._http, "GET", path, params=query).content)

    def _put(self, path: str, body: BaseModel, answer: type[M]) -> M:
        return self._send("PUT", path, body, answer)

    def _post(self, path: str, body: BaseModel | None, answer: type[M]) -> M:
        return self._send("POST", path, body, answer)

    def _send(self, method: str, path: str, body: BaseModel | None, answer: type[M]) -> M:
        content = {"json": body.model_dump(mode="json")} if body else {}
        return answer.model_validate_json(send(self._http, method, path, **content).content)

    def _rows(self, path: str, page: type[BaseModel], **params: Any) -> Iterator[Any]:
        """Every row of a collection, page by page."""
        cursor: str | None = None
        while True:
            found: Any = self._get(path, page, cursor=cursor, **params)
            yield from found.rows
            if (cursor := found.next_cursor) is None:
                return


def _segment(name: str) -> str:
    """An id as one segment of a path: ids may contain # and :."""
    return quote(name, safe="")
