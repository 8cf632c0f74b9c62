"""A client of plans: asked for, compared, approved, and carried out by orders."""

from collections.abc import Iterator
from uuid import UUID

from chubei_shared.contracts.alternatives import (
    AlternativesPage,
    AlternativesRequest,
    AlternativesView,
    PlanDifference,
)
from chubei_shared.contracts.authority import Approval, Authority, AuthorityView
from chubei_shared.contracts.memos import Memo
from chubei_shared.contracts.oral_orders import (
    Account,
    OralOrder,
    OralOrderPage,
    OralOrderView,
    Papers,
)
from chubei_shared.contracts.orders import (
    OrderCodes,
    OrderPage,
    OrderStatus,
    OrderTurn,
    OrderView,
    Step,
)
from chubei_shared.contracts.photos import Photo, PhotoList, PhotoView
from chubei_shared.contracts.picks import PickList
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
from chubei_shared.contracts.rest import RestClient


class PlanClient(RestClient):
    """What is to be done."""

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

    def alternatives(self, incident_id: UUID, request: AlternativesRequest) -> AlternativesView:
        """Ask for two or three plans side by side."""
        return self._post(f"/v1/incidents/{incident_id}/alternatives", request, AlternativesView)

    def alternatives_of(self, incident_id: UUID) -> Iterator[AlternativesView]:
        """Those asked for, the latest first."""
        return self._rows(f"/v1/incidents/{incident_id}/alternatives", AlternativesPage)

    def read_alternatives(self, alternatives_id: UUID) -> AlternativesView:
        return self._get(f"/v1/alternatives/{alternatives_id}", AlternativesView)

    def difference(self, plan_id: UUID, from_plan: UUID) -> PlanDifference:
        """How a plan differs from another of its incident."""
        return self._get(f"/v1/plans/{plan_id}/difference", PlanDifference, **{"from": from_plan})

    def memo(self, plan_id: UUID, seen: str | None = None) -> Memo:
        """The decision memo as it is, or as the approver who was shown the one of this hash saw it."""
        return self._get(f"/v1/plans/{plan_id}/memo", Memo, hash=seen)

    def approve(self, plan_id: UUID, seen: str | None = None) -> PlanSummary:
        """Hold all that the plan takes and make its orders; `seen`: the hash of the memo that was read.

        Where two persons have to approve, the plan stays proposed after the first.

        Raises Shortage (the plan is refused; `more["shortages"]` names each short line), or Unavailable while
        inventory is away: the approval then goes on by itself, and calling again asks how it stands.
        """
        return self._post(f"/v1/plans/{plan_id}:approve", Approval(seen=seen), PlanSummary)

    def refuse(self, plan_id: UUID, reason: str) -> PlanSummary:
        return self._post(f"/v1/plans/{plan_id}:refuse", Refusal(reason=reason), PlanSummary)

    # Authority and oral orders

    def put_authority(self, authority: Authority, if_match: str | None = None) -> AuthorityView:
        return self._put("/v1/authority", authority, AuthorityView, if_match)

    def authority(self, version: int | None = None) -> AuthorityView:
        return self._get("/v1/authority", AuthorityView, version=version)

    def oral_order(self, plan_id: UUID, order: OralOrder) -> OralOrderView:
        """Enter a named person's word: the plan is approved at once. Raises as `approve`."""
        return self._post(f"/v1/plans/{plan_id}:oral-order", order, OralOrderView)

    def oral_orders(
        self, incident_id: UUID | None = None, open: bool = False, overdue: bool = False
    ) -> Iterator[OralOrderView]:
        """The latest first."""
        return self._rows(
            "/v1/oral-orders", OralOrderPage, incident_id=incident_id, open=open, overdue=overdue
        )

    def read_oral_order(self, order_id: UUID) -> OralOrderView:
        return self._get(f"/v1/oral-orders/{order_id}", OralOrderView)

    def file_papers(self, order_id: UUID, papers: Papers) -> OralOrderView:
        return self._post(f"/v1/oral-orders/{order_id}:papers", papers, OralOrderView)

    def account(self, order_id: UUID, account: Account) -> OralOrderView:
        """For a break-glass entry."""
        return self._post(f"/v1/oral-orders/{order_id}:account", account, OralOrderView)

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

    def order_turn(self, order_id: UUID) -> OrderTurn:
        """Whose turn it is, and what the goods are called."""
        return self._get(f"/v1/orders/{order_id}/turn", OrderTurn)

    def add_photo(self, order_id: UUID, photo: Photo) -> PhotoView:
        """Of what was found at a stop: kept as long as personal data are."""
        return self._post(f"/v1/orders/{order_id}/photos", photo, PhotoView)

    def photos(self, order_id: UUID) -> PhotoList:
        return self._get(f"/v1/orders/{order_id}/photos", PhotoList)

    def order_codes(self, order_id: UUID) -> OrderCodes:
        """What a driver or receiver tells the other side when goods change hands."""
        return self._get(f"/v1/orders/{order_id}/codes", OrderCodes)

    def pick_list(self, order_id: UUID) -> PickList:
        """What is to be taken for an order at each place, by bin in walking order."""
        return self._get(f"/v1/orders/{order_id}/pick-list", PickList)
