"""A client of what keepers do at their shelters."""

from typing import Any
from uuid import UUID

from chubei_shared.contracts.allocation_client import AllocationClient
from chubei_shared.contracts.orders import OrderView
from chubei_shared.contracts.shelters import (
    Answer,
    AskForMore,
    DeliveryList,
    GivenBack,
    HandOut,
    KeeperStep,
    RecordPage,
    RecordView,
)


class KeeperClient(AllocationClient):
    """With a keeper's link, only what is about its own shelter answers."""

    def deliveries(self, incident_id: UUID, shelter_id: str) -> DeliveryList:
        """What comes to a shelter, and the codes for its receipts."""
        return self._get(_shelter(incident_id, shelter_id, "deliveries"), DeliveryList)

    def keeper_step(self, incident_id: UUID, shelter_id: str, step: KeeperStep) -> OrderView:
        """An arrival or a receipt, reported at the shelter."""
        return self._post(_shelter(incident_id, shelter_id, "steps"), step, OrderView)

    def hand_out(self, incident_id: UUID, shelter_id: str, body: HandOut) -> RecordView:
        """Goods go to people, by list or by count."""
        return self._post(_shelter(incident_id, shelter_id, "hand-outs"), body, RecordView)

    def ask_for_more(self, incident_id: UUID, shelter_id: str, body: AskForMore) -> RecordView:
        return self._post(_shelter(incident_id, shelter_id, "requests"), body, RecordView)

    def answer_request(self, request: RecordView, reply: str, **more: Any) -> RecordView:
        """`more`: the decision, and what is accepted."""
        path = _shelter(request.incident_id, request.shelter_id, f"requests/{request.id}:answer")
        return self._post(path, Answer(reply=reply, **more), RecordView)

    def give_back(self, incident_id: UUID, shelter_id: str, body: GivenBack) -> RecordView:
        """What comes back from people, or goes back to a store."""
        return self._post(_shelter(incident_id, shelter_id, "returns"), body, RecordView)

    def shelter_records(self, incident_id: UUID, shelter_id: str | None = None) -> RecordPage:
        """What was recorded at a shelter, or at all: the latest first."""
        all_of_them = f"/v1/incidents/{incident_id}/shelter-records"
        at = _shelter(incident_id, shelter_id, "records") if shelter_id else all_of_them
        return self._get(at, RecordPage)


def _shelter(incident_id: UUID, shelter_id: str, what: str) -> str:
    return f"/v1/incidents/{incident_id}/shelters/{shelter_id}/{what}"
