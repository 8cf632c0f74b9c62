"""Break-glass: in without the second factor, for two hours, loudly, until two others have accounted for it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from chubei_gateway.app import create_app
from chubei_gateway.tables import UserSession, outbox_table
from chubei_shared.contracts.break_glass import TELL, BreakGlass
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, NotFound, SecondFactorNeeded, Unauthorized
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from sqlalchemy import select, update

from tests.gateway.test_second_factor import PASSWORD, enrol

Connect = Callable[[], GatewayClient]
SignInAs = Callable[..., GatewayClient]
REASON, WITNESS = "地震,手机被压在楼里", "值班员孙某"


def request_of(name: str, **other: Any) -> BreakGlass:
    return BreakGlass.model_validate(
        {"username": name, "password": PASSWORD, "reason": REASON, "witness": WITNESS} | other
    )


@pytest.fixture
def name(sign_in_as: SignInAs) -> str:
    """An approver, also an administrator, who has enrolled."""
    client = sign_in_as(Role.APPROVER, Role.ADMIN)
    enrol(client)
    return client.me().username


def mine(client: GatewayClient, name: str, all_of_them: bool = False) -> list[Any]:
    return [row for row in client.broken_glass(all_of_them).rows if row.username == name]


def test_an_approver_gets_in_for_two_hours_and_not_as_administrator(
    name: str, connect: Connect, admin: GatewayClient, tx: Transactions
) -> None:
    with pytest.raises(SecondFactorNeeded):
        connect().sign_in(name, PASSWORD)
    client = connect()
    tokens = client.break_glass(request_of(name))
    assert client.http.get("/v1/labels").status_code == 200
    assert client.http.get("/v1/users").status_code == 403
    assert jwt.decode(tokens.access_token, options={"verify_signature": False})[
        "brk"
    ]  # told to every service
    assert client.refresh(tokens.refresh_token)
    assert client.http.get("/v1/users").status_code == 403
    with pytest.raises(Forbidden, match="break-glass"):
        client.begin_second_factor(PASSWORD)
    (own,) = [s for s in client.sessions() if s.current]
    assert own.break_glass
    assert own.expires_at - own.created_at == timedelta(hours=2)
    (row,) = mine(admin, name)
    assert (row.id, row.reason, row.witness, row.accounts_wanted) == (own.id, REASON, WITNESS, 2)
    said = next(admin.audit(act="session.break_glass", subject=name))
    assert (said.target, said.outcome) == (str(own.id), 201)
    assert REASON in said.reason
    assert WITNESS in said.reason
    events = tx(
        lambda session: session.scalars(
            select(outbox_table.c.body).where(outbox_table.c.topic == "session.break_glass")
        ).all()
    )
    (event,) = (e for e in events if e["id"] == str(own.id))
    assert (event["username"], event["reason"], event["witness"]) == (name, REASON, WITNESS)
    wakes = tx(
        lambda session: session.scalars(
            select(outbox_table.c.body).where(outbox_table.c.topic == f"task:{TELL}")
        ).all()
    )
    assert {"args": [event], "queue": "allocation"} in wakes


def test_its_tokens_end_with_it(name: str, connect: Connect, tx: Transactions) -> None:
    client = connect()
    tokens = client.break_glass(request_of(name))
    session_id = next(s.id for s in client.sessions() if s.current)
    soon = datetime.now(UTC) + timedelta(seconds=100)
    tx(lambda s: s.execute(update(UserSession).where(UserSession.id == session_id).values(expires_at=soon)))
    assert client.refresh(tokens.refresh_token).expires_in_s <= 100
    assert next(s.expires_at for s in client.sessions() if s.id == session_id) == soon


def test_two_others_account_for_it(
    name: str, connect: Connect, admin: GatewayClient, sign_in_as: SignInAs
) -> None:
    client = connect()
    client.break_glass(request_of(name))
    (row,) = mine(admin, name)
    with pytest.raises(Forbidden, match="Another person"):
        client.account_for_break_glass(row.id, "我自己说没有问题")
    other = sign_in_as(Role.APPROVER)
    assert other.account_for_break_glass(row.id, "已电话核实,确有其事").accounts_wanted == 1
    assert other.account_for_break_glass(row.id, "已电话核实,确有其事").accounts_wanted == 1
    with pytest.raises(Conflict, match="already"):
        other.account_for_break_glass(row.id, "另一种说法,不一样")
    assert mine(admin, name)
    done = admin.account_for_break_glass(row.id, "查过审计,只批了一个方案")
    assert [one.by for one in done.accounts] == [other.me().username, "admin"]
    assert not mine(admin, name)
    assert mine(admin, name, all_of_them=True)
    with pytest.raises(NotFound):
        admin.account_for_break_glass(UUID(int=0), "没有这一个")
    with pytest.raises(Forbidden):
        sign_in_as(Role.COMMANDER).account_for_break_glass(row.id, "不归指挥员说")


def test_who_came_in_that_way_accounts_for_nobody(
    name: str, connect: Connect, admin: GatewayClient, sign_in_as: SignInAs
) -> None:
    second = sign_in_as(Role.APPROVER)
    enrol(second)
    one, two = connect(), connect()
    one.break_glass(request_of(name))
    two.break_glass(request_of(second.me().username))
    (row,) = mine(admin, name)
    with pytest.raises(Forbidden, match="signed in as usual"):
        two.account_for_break_glass(row.id, "互相说明是不行的")


def test_refusals_are_recorded(
    name: str, connect: Connect, admin: GatewayClient, sign_in_as: SignInAs
) -> None:
    with pytest.raises(Unauthorized):
        connect().break_glass(request_of(name, password="not the password"))
    assert next(admin.audit(act="session.break_glass", subject=name)).outcome == 401
    clerk = sign_in_as(Role.CLERK)
    enrol(clerk)
    with pytest.raises(Forbidden, match="approvers"):
        connect().break_glass(request_of(clerk.me().username))
    assert next(admin.audit(act="session.break_glass", subject=clerk.me().username)).outcome == 403
    without = sign_in_as(Role.APPROVER)
    with pytest.raises(Conflict, match="sign in as usual"):
        connect().break_glass(request_of(without.me().username))
    for field in ("reason", "witness"):
        body = request_of(name).model_dump() | {field: " "}
        answer = connect().http.post("/v1/break-glass", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


@pytest.fixture
def without_redis(
    house: Settings, serve: Callable[..., AbstractContextManager[str]], admin: GatewayClient
) -> Iterator[str]:
    away = Settings.model_validate(house.model_dump() | {"redis_url": "redis://127.0.0.1:1/0"})
    with serve(create_app(away)) as url:
        yield url


def test_it_works_while_redis_is_away(name: str, without_redis: str, admin: GatewayClient) -> None:
    with httpx.Client(base_url=without_redis, timeout=20) as http:
        client = GatewayClient(http)
        client.break_glass(request_of(name))
        assert client.me().username == name
    assert mine(admin, name)
