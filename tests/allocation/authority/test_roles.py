"""Every route of plans, approval, authority and oral orders, every role, every state: who gets what answer."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from chubei_allocation.api_parameters import READERS
from chubei_allocation.approval import api as approval_api
from chubei_allocation.authority import api as authority_api
from chubei_allocation.oral_orders import api as oral_api
from chubei_allocation.oral_orders import rules
from chubei_allocation.plans import api_alternatives
from chubei_shared.tokens import Role
from sqlalchemy import text

PEOPLE = {
    Role.CLERK: "lin",
    Role.COMMANDER: "wang",
    Role.APPROVER: "sun",
    Role.AUDITOR: "gao",
    Role.ADMIN: "he",
}
PLAN = "/v1/plans/{id}"
ORAL = "/v1/oral-orders/{id}"
PLAN_ROUTES = {
    ("POST", PLAN + ":approve"): (Role.APPROVER,),
    ("POST", PLAN + ":refuse"): (Role.APPROVER,),
    ("POST", PLAN + ":oral-order"): (Role.COMMANDER, Role.APPROVER),
    ("GET", PLAN + "/memo"): READERS,
    ("GET", PLAN + "/difference"): READERS,
}
OTHER_ROUTES = {
    ("PUT", "/v1/authority"): (Role.ADMIN,),
    ("GET", "/v1/authority"): READERS,
    ("POST", "/v1/incidents/{id}/alternatives"): (Role.COMMANDER,),
    ("GET", "/v1/incidents/{id}/alternatives"): READERS,
    ("GET", "/v1/alternatives/{id}"): READERS,
    ("GET", "/v1/oral-orders"): READERS,
}
ORAL_ROUTES = {
    ("GET", ORAL): READERS,
    ("POST", ORAL + ":papers"): (Role.APPROVER,),
    ("POST", ORAL + ":account"): (Role.APPROVER, Role.AUDITOR),
}
STATES = ("proposed", "what_if", "approving", "approved", "refused", "superseded")
GOES = {":approve": {"proposed"}, ":refuse": {"proposed", "what_if"}, ":oral-order": {"proposed"}}
"""The states in which what is asked for is done; in all others it is a conflict."""


def test_no_route_is_missing_here():
    routers = (approval_api, authority_api, oral_api, api_alternatives)
    there = {
        (method, route.path) for api in routers for route in api.router.routes for method in route.methods
    }
    assert PLAN_ROUTES.keys() | OTHER_ROUTES.keys() | ORAL_ROUTES.keys() == there


def ask(bureau, role, method, url, json=None, **more):
    return bureau.house.http(role, name=PEOPLE[role]).request(method, url, json=json, **more).status_code


def body_of(bureau, path):
    if path.endswith(":refuse"):
        return {"reason": "不"}
    if path.endswith(":oral-order"):
        return bureau.oral("qian", given_at=datetime.now(UTC).isoformat()).model_dump(mode="json")
    return None


class Copies:
    """Copies of one plan in whatever state, one after the other: no more than one is ever in force."""

    def __init__(self, bureau, plan) -> None:
        self.bureau, self.plan = bureau, plan

    def make(self, state: str):
        request_id, plan_id = uuid4(), uuid4()
        status = "proposed" if state == "what_if" else state
        decided = status != "proposed"
        values = {
            "old_request": self.plan.request_id, "request": request_id, "old": self.plan.id, "plan": plan_id,
            "status": status, "by": "zhou" if decided else None, "hold": uuid4() if decided else None,
            "what_if": state == "what_if",
        }  # fmt: skip
        self.bureau.house.tx(self._copy, values)
        return plan_id

    def _copy(self, session, values) -> None:
        def like(table: str, old: str, changes: dict[str, str]) -> None:
            columns = session.scalars(
                text("SELECT column_name FROM information_schema.columns WHERE table_name = :t"), {"t": table}
            ).all()
            told = ", ".join(changes.get(column, column) for column in columns)
            names = ", ".join(columns)
            session.execute(
                text(f"INSERT INTO {table} ({names}) SELECT {told} FROM {table} WHERE id = {old}"),  # noqa: S608
                values,
            )

        session.execute(text("UPDATE plan SET status = 'refused' WHERE status IN ('approving', 'approved')"))
        like("plan_request", ":old_request", {"id": ":request"})
        like(
            "plan",
            ":old",
            {
                "id": ":plan",
                "request_id": ":request",
                "status": ":status",
                "what_if": "CAST(:what_if AS boolean)",
                "decided_by": "CAST(:by AS text)",
                "decided_at": "CASE WHEN CAST(:by AS text) IS NULL THEN NULL ELSE now() END",
                "hold_id": "CAST(:hold AS uuid)",
                "hold_expires_at": "now() + interval '1 day'",
            },
        )


def test_who_may_do_what_to_a_plan_in_which_state(bureau):
    for place, codes in ((bureau.world.north, ("1020101", "1040101")), (bureau.world.south, ("1010201",))):
        bureau.world.receive(place, dict.fromkeys(codes, 5000))
    request_id = bureau.world.request(bureau.world.declare(), modes=["physical"])
    bureau.world.solve(request_id)
    plan_id = bureau.world.commander.plan_request(request_id).plan_id
    copies = Copies(bureau, bureau.world.commander.plan(plan_id))
    found, due = {}, {}
    for state in STATES:
        for (method, path), roles in PLAN_ROUTES.items():
            for role in PEOPLE:
                plan_id = copies.make(state)
                more = {"params": {"from": str(copies.plan.id)}} if path.endswith("difference") else {}
                key = (state, path, role)
                found[key] = ask(bureau, role, method, path.format(id=plan_id), body_of(bureau, path), **more)
                verb = path.removeprefix(PLAN)
                done = 201 if verb == ":oral-order" else 200
                due[key] = 403 if role not in roles else done if state in GOES.get(verb, STATES) else 409
    assert found == due


def test_who_may_read_and_write_the_rest(bureau):
    incident = bureau.world.declare()
    alternatives = {
        "id": str(uuid4()),
        "variants": [{"name": "a"}, {"name": "b", "policy": "total"}],
        "now_min": 0,
    }
    bodies = {
        "/v1/authority": bureau.document().model_dump(mode="json"),
        "/v1/incidents/{id}/alternatives": alternatives,
    }
    found, due = {}, {}
    for (method, path), roles in OTHER_ROUTES.items():
        of = alternatives["id"] if path.startswith("/v1/alternatives") else incident.id
        for role in PEOPLE:
            json = bodies[path] if method != "GET" else None
            found[method, path, role] = ask(bureau, role, method, path.format(id=of), json)
            done = 202 if method == "POST" else 200
            due[method, path, role] = done if role in roles else 403
    assert found == due


@pytest.mark.parametrize(("state", "break_glass"), sorted(rules.MOVES))
def test_who_may_close_an_oral_order_in_which_state(bureau, state, break_glass):
    found, due = {}, {}
    plan = bureau.proposed()
    copies = Copies(bureau, plan)
    for (method, path), roles in ORAL_ROUTES.items():
        for role in PEOPLE:
            order_id = _oral_order(bureau, copies.make("approved"), state, break_glass)
            json = {
                ":papers": {"document_no": "17"}, ":account": {"finding": "属实"},
            }.get(path.removeprefix(ORAL))  # fmt: skip
            found[path, role] = ask(bureau, role, method, path.format(id=order_id), json)
            goes = {
                "": True,
                ":papers": state == "open",
                ":account": break_glass and state != "closed",
            }[path.removeprefix(ORAL)]
            due[path, role] = 403 if role not in roles else 200 if goes else 409
    assert found == due


def _oral_order(bureau, plan_id, state, break_glass):
    order_id = uuid4()

    def put(session) -> None:
        session.execute(
            text(
                "INSERT INTO oral_order SELECT :id, p.id, p.incident_id, 'zhou', 'MAYOR', 'district', 'phone', now(),"
                " 'x', '', :glass, 'x', 'watch', now(), now() + interval '48 hours',"
                " CASE WHEN :there THEN '1' END, CASE WHEN :there THEN 'zhou' END, CASE WHEN :there THEN now() END,"
                " '', NULL, CASE WHEN :closed THEN now() END, '{}' FROM plan p WHERE p.id = :plan"
            ),
            {
                "id": order_id, "plan": plan_id, "glass": break_glass, "there": state != "open",
                "closed": state == "closed",
            },
        )  # fmt: skip
        for person in ("a", "b") if break_glass and state == "closed" else ():
            session.execute(
                text("INSERT INTO oral_order_account VALUES (:id, :person, 'x', now())"),
                {"id": order_id, "person": person},
            )

    bureau.house.tx(put)
    return order_id
