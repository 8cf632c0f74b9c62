"""What tests of work done offline have in common: a clerk's device, and the boxes that it sees."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from chubei_shared.contracts.catalogue import Lot, lot_id
from starlette.testclient import TestClient


class Phone:
    """A clerk's device: what it reports, and what it is told."""

    def __init__(self, yard: Any, http: TestClient) -> None:
        self.yard, self.http = yard, http
        self.hour = 0

    def report(self, kind: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A movement that is not sent yet; each happens a minute after the one before."""
        self.hour += 1
        at = self.yard.now() - timedelta(days=1) + timedelta(minutes=self.hour)
        body = {"kind": kind, "id": str(uuid4()), "occurred_at": at.isoformat(), "place_id": self.yard.store}
        if kind != "reverse":
            fields["lines"] = [{"item_code": self.yard.item, **line} for line in lines]
        return {name: value for name, value in (body | fields).items() if value is not None}

    def receive(self, quantity: int, lot_no: str = "A1", **fields: Any) -> dict[str, Any]:
        return self.report("receive", {"quantity": quantity, "lot": box(lot_no)}, **fields)

    def issue(self, quantity: int, lot_no: str = "A1", **fields: Any) -> dict[str, Any]:
        return self.report("issue", {"quantity": quantity, "lot": box(lot_no)}, **fields)

    def reverse(self, body: dict[str, Any]) -> dict[str, Any]:
        return self.report("reverse", place_id=None, reverses_id=body["id"])

    def send(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.http.post("/v1/movements:batch", json={"movements": list(bodies)})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def outcomes(self, *bodies: dict[str, Any]) -> list[tuple[str, str | None]]:
        return [(row["outcome"], row["reason"]) for row in self.send(*bodies)]

    def parked(self, **query: Any) -> list[dict[str, Any]]:
        query = {"place_id": self.yard.store} | query
        return self.http.get("/v1/parked-movements", params=query).json()["rows"]

    def disputes(self) -> list[dict[str, Any]]:
        return self.http.get("/v1/disputes", params={"item_code": self.yard.item}).json()["rows"]

    def row(self, place: str | None = None) -> tuple[int, int, int]:
        """On hand, available and in dispute of the item at a place."""
        rows = self.yard.admin.stock(place_id=place or self.yard.store, item_code=self.yard.item).rows
        return (
            sum(r.on_hand for r in rows),
            sum(r.available for r in rows),
            sum(r.disputed for r in rows),
        )


def box(lot_no: str, **changes: Any) -> dict[str, Any]:
    return {"lot_no": lot_no, "maker": "厂", "expires_on": "2031-01-01"} | changes


def id_of(yard: Any, lot_no: str) -> UUID:
    return lot_id(yard.item, Lot(lot_no=lot_no, maker="厂", expires_on=date(2031, 1, 1)))
