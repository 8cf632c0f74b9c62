"""Sign-in, refresh tokens, passwords, sessions and their end."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import redis
from argon2 import PasswordHasher
from chubei_gateway import sessions
from chubei_gateway.app import create_app
from chubei_gateway.tables import RefreshToken, User
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser, UserUpdate
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthorized
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role, revocation_key
from sqlalchemy import select, update
from sqlalchemy.orm import Session

PASSWORD = "correct horse battery"
"""Of everyone whom `sign_in_as` makes."""
Connect = Callable[[], GatewayClient]
SignInAs = Callable[..., GatewayClient]


def test_first_account_must_change_its_password(admin: GatewayClient, anyone: GatewayClient) -> None:
    assert anyone.first_account().username == "admin"
    assert not anyone.first_account().must_change_password
    assert admin.me().roles == [Role.ADMIN]


def test_first_password_opens_nothing_but_its_change(connect: Connect, admin: GatewayClient) -> None:
    name = f"new-{uuid4().hex[:8]}"
    admin.create_user(
        NewUser(username=name, display_name="新", roles=[Role.CLERK, Role.AUDITOR], password="given at first")
    )
    client = connect()
    assert client.sign_in(name, "given at first").must_change_password
    for path in ("/v1/audit", "/v1/sessions", "/v1/parcels/1"):
        answer = client.http.get(path)
        assert answer.status_code == 403
        assert "POST /v1/me/password" in answer.json()["detail_en"]
    assert client.me().must_change_password
    assert not client.change_password("given at first", PASSWORD).must_change_password
    assert client.http.get("/v1/parcels/1").status_code == 200


def test_wrong_password_and_unknown_name_have_one_answer(sign_in_as: SignInAs, connect: Connect) -> None:
    name = sign_in_as(Role.CLERK).me().username
    answers = [
        connect().http.post("/v1/sessions", json={"username": who, "password": "not the password"})
        for who in (name, f"nobody-{uuid4().hex[:8]}")
    ]
    assert [a.status_code for a in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["content-type"] == "application/problem+json"


def test_name_is_matched_in_any_case_and_recorded_as_written(sign_in_as: SignInAs, connect: Connect) -> None:
    name = f"Wang-{uuid4().hex[:8]}"
    sign_in_as(Role.CLERK, username=name)
    other = connect()
    other.sign_in(name.upper(), PASSWORD)
    assert other.me().username == name


@pytest.mark.parametrize("password", ["short", "given at first", "THE NAME"])
def test_new_password_must_be_one(connect: Connect, admin: GatewayClient, password: str) -> None:
    name = f"clerk-number-{uuid4().hex[:8]}"
    admin.create_user(NewUser(username=name, display_name="x", roles=[Role.CLERK], password="given at first"))
    client = connect()
    client.sign_in(name, "given at first")
    new = name.upper() if password == "THE NAME" else password
    answer = client.http.post("/v1/me/password", json={"old_password": "given at first", "new_password": new})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "new_password"
    assert answer.json()["errors"][0]["remedy"]


def test_password_change_needs_the_old_one_and_ends_other_sessions(
    sign_in_as: SignInAs, connect: Connect
) -> None:
    client, other = sign_in_as(Role.CLERK), connect()
    other.sign_in(client.me().username, PASSWORD)
    with pytest.raises(Invalid, match="old password"):
        client.change_password("a wrong old password", "another good password")
    client.change_password(PASSWORD, "another good password")
    assert client.me()
    with pytest.raises(Unauthorized):
        other.me()


def test_refresh_rotates_and_reuse_ends_the_session(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions
) -> None:
    name = sign_in_as(Role.CLERK).me().username
    client, thief = connect(), connect()
    first = client.sign_in(name, PASSWORD)
    second = client.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    tx(_age_replaced_tokens)
    with pytest.raises(Unauthorized):
        thief.refresh(first.refresh_token)
    with pytest.raises(Unauthorized):
        client.refresh(second.refresh_token)
    answer = httpx.get(
        client.http.base_url.join("/v1/me"), headers={"Authorization": f"Bearer {second.access_token}"}
    )
    assert answer.status_code == 401


def test_refresh_whose_answer_was_lost_may_come_again(sign_in_as: SignInAs, connect: Connect) -> None:
    name = sign_in_as(Role.CLERK).me().username
    client = connect()
    first = client.sign_in(name, PASSWORD)
    client.refresh(first.refresh_token)  # lost on the way
    again = client.refresh(first.refresh_token)
    assert client.refresh(again.refresh_token)


def _age_replaced_tokens(session: Session) -> None:
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.replaced_at.is_not(None))
        .values(replaced_at=RefreshToken.replaced_at - sessions.GRACE - timedelta(seconds=1))
    )


def test_only_hashes_of_refresh_tokens_are_stored(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions
) -> None:
    name = sign_in_as(Role.CLERK).me().username
    token = connect().sign_in(name, PASSWORD).refresh_token
    stored = tx(lambda session: session.scalars(select(RefreshToken.token_hash)).all())
    assert token.encode() not in b"".join(stored)
    assert {len(one) for one in stored} == {32}


def test_client_renews_by_itself_after_a_401(sign_in_as: SignInAs) -> None:
    client = sign_in_as(Role.CLERK)
    tokens = client.refresh(client.http.auth._tokens.refresh_token)  # type: ignore[attr-defined]
    client.http.auth.take(tokens.model_copy(update={"access_token": "expired"}))  # type: ignore[attr-defined]
    assert client.me()


def test_session_list_shows_own_and_all_to_an_admin(sign_in_as: SignInAs, admin: GatewayClient) -> None:
    client = sign_in_as(Role.COMMANDER)
    name = client.me().username
    own = list(client.sessions())
    assert {s.username for s in own} == {name}
    assert [s.current for s in own] == [True]
    assert own == [s.model_copy(update={"current": True}) for s in admin.sessions(name)]
    assert {s.username for s in admin.sessions()} > {name, "admin"}


def test_revoked_session_fails_at_once_at_the_gateway_and_at_a_service(
    sign_in_as: SignInAs, admin: GatewayClient, inventory_url: str
) -> None:
    client = sign_in_as(Role.CLERK)
    token = client.http.auth._tokens.access_token  # type: ignore[attr-defined]
    ours = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{inventory_url}/v1/parcels/1", headers=ours).status_code == 200
    session_id = next(admin.sessions(client.me().username)).id
    admin.revoke_session(session_id)
    assert httpx.get(f"{inventory_url}/v1/parcels/1", headers=ours).status_code == 401
    with pytest.raises(Unauthorized):
        client.me()
    assert [s.revoked for s in admin.sessions() if s.id == session_id] == [True]


def test_revocation_that_redis_forgot_is_announced_again(
    sign_in_as: SignInAs, house: Settings, tx: Transactions
) -> None:
    """A Redis-protocol server that lost its memory learns of the revocation within seconds."""
    client = sign_in_as(Role.CLERK)
    session_id = next(client.sessions()).id
    client.sign_out()
    store = redis.Redis.from_url(house.redis_url)
    assert store.delete(revocation_key(str(session_id)))
    deadline = time.monotonic() + 10
    while not store.exists(revocation_key(str(session_id))):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nobody_ends_another_persons_session(sign_in_as: SignInAs) -> None:
    one, other = sign_in_as(Role.CLERK), sign_in_as(Role.CLERK)
    with pytest.raises(NotFound):
        one.revoke_session(next(other.sessions()).id)
    with pytest.raises(NotFound):
        one.revoke_session(UUID(int=0))
    assert other.me()


def test_too_many_tries_wait_even_with_the_right_password(sign_in_as: SignInAs, connect: Connect) -> None:
    name = sign_in_as(Role.CLERK).me().username
    client = connect()
    for _ in range(10):
        with pytest.raises(Unauthorized):
            client.sign_in(name, "not the password")
    with pytest.raises(TooMany) as refused:
        client.sign_in(name, PASSWORD)
    assert 0 < refused.value.more["retry_after_s"] <= 15 * 60


def test_disabled_person_is_out_at_once(sign_in_as: SignInAs, admin: GatewayClient, connect: Connect) -> None:
    client = sign_in_as(Role.CLERK)
    name = client.me().username
    assert admin.update_user(name, UserUpdate(disabled=True)).disabled
    with pytest.raises(Unauthorized):
        client.me()
    with pytest.raises(Unauthorized):
        connect().sign_in(name, PASSWORD)


def test_session_of_a_disabled_person_is_not_renewed(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions, inventory_url: str
) -> None:
    """However they were disabled: here not by the verb, which ends the sessions itself."""
    name = sign_in_as(Role.CLERK).me().username
    client = connect()
    tokens = client.sign_in(name, PASSWORD)
    tx(lambda session: session.execute(update(User).where(User.username == name).values(disabled=True)))
    with pytest.raises(Unauthorized):
        client.refresh(tokens.refresh_token)
    ours = {"Authorization": f"Bearer {tokens.access_token}"}
    assert httpx.get(f"{inventory_url}/v1/parcels/1", headers=ours).status_code == 401


def test_new_roles_need_a_new_sign_in(sign_in_as: SignInAs, admin: GatewayClient, connect: Connect) -> None:
    client = sign_in_as(Role.CLERK)
    name = client.me().username
    admin.update_user(name, UserUpdate(display_name="只改名"))
    assert client.me().display_name == "只改名"
    admin.update_user(name, UserUpdate(roles=[Role.AUDITOR]))
    with pytest.raises(Unauthorized):
        client.me()
    again = connect()
    again.sign_in(name, PASSWORD)
    assert next(again.audit(subject="admin")).subject == "admin"
    with pytest.raises(Forbidden):
        next(again.users())


def test_forgotten_password_is_given_anew(
    sign_in_as: SignInAs, admin: GatewayClient, connect: Connect
) -> None:
    name = sign_in_as(Role.CLERK).me().username
    admin.update_user(name, UserUpdate(password="a second first one"))
    assert connect().sign_in(name, "a second first one").must_change_password


def test_last_administrator_stays(admin: GatewayClient) -> None:
    for user in admin.users():  # those that other tests have made
        if Role.ADMIN in user.roles and user.username != "admin":
            admin.update_user(user.username, UserUpdate(disabled=True))
    for change in (UserUpdate(disabled=True), UserUpdate(roles=[Role.CLERK])):
        with pytest.raises(Conflict, match="appoint another"):
            admin.update_user("admin", change)
    assert admin.me().roles == [Role.ADMIN]


def test_service_role_and_service_names_are_not_for_people(admin: GatewayClient) -> None:
    body = {"username": "x1", "display_name": "x", "roles": ["service"], "password": "given at first"}
    answer = admin.http.post("/v1/users", json=body)
    assert answer.status_code == 422
    assert "service" in answer.json()["detail_en"]
    assert admin.http.patch("/v1/users/admin", json={"roles": ["service"]}).status_code == 422
    with pytest.raises(Conflict):
        admin.create_user(
            NewUser(username="allocation", display_name="x", roles=[Role.CLERK], password="given at first")
        )


def test_username_is_taken_in_any_case(sign_in_as: SignInAs, admin: GatewayClient) -> None:
    name = sign_in_as(Role.CLERK).me().username
    with pytest.raises(Conflict, match="taken"):
        admin.create_user(
            NewUser(username=name.upper(), display_name="x", roles=[Role.CLERK], password="given at first")
        )


def test_first_account_is_made_once(house: Settings, serve: Callable[..., Any], admin: GatewayClient) -> None:
    """Another start with another first password changes nothing."""
    again = Settings.model_validate(house.model_dump() | {"initial_admin_password": "another first password"})
    with serve(create_app(again)) as url, httpx.Client(base_url=url, timeout=20) as http:
        assert not GatewayClient(http).first_account().must_change_password
        with pytest.raises(Unauthorized):
            GatewayClient(http).sign_in("admin", "another first password")


def test_old_hash_is_made_anew_at_the_next_sign_in(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions
) -> None:
    name = sign_in_as(Role.CLERK).me().username
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    tx(lambda session: session.execute(update(User).where(User.username == name).values(password_hash=weak)))
    connect().sign_in(name, PASSWORD)
    strong = tx(lambda session: session.get_one(User, name).password_hash)
    assert strong.startswith("$argon2id$v=19$m=32768,t=3,p=1$")
    connect().sign_in(name, PASSWORD)


def test_sign_in_goes_on_without_redis(
    house: Settings, serve: Callable[..., Any], sign_in_as: SignInAs
) -> None:
    """On the night people must get in: tries are not counted, revocations not seen, and the log says so."""
    name = sign_in_as(Role.CLERK).me().username
    without = Settings.model_validate(house.model_dump() | {"redis_url": "redis://127.0.0.1:1/0"})
    with serve(create_app(without)) as url, httpx.Client(base_url=url, timeout=20) as http:
        clerk = GatewayClient(http)
        clerk.sign_in(name, PASSWORD)
        assert clerk.me().username == name
        assert {part.name: part.status for part in clerk.health().parts}["redis"] == "away"
        clerk.sign_out()


def test_everyone_may_ask_what_people_are_called_and_nothing_else(
    sign_in_as: SignInAs, admin: GatewayClient
) -> None:
    clerk = sign_in_as(Role.CLERK)
    name = clerk.me().username
    admin.update_user(name, UserUpdate(display_name="王保管"))
    asked = sign_in_as(Role.AUDITOR)
    assert asked.person_names([name, "nobody-at-all"]) == {name: "王保管"}
    assert asked.http.get("/v1/person-names", params={"username": ["a"] * 101}).status_code == 422
    assert asked.http.get("/v1/person-names", params={"username": "\x00"}).status_code == 422
    assert asked.http.get("/v1/person-names").status_code == 422
