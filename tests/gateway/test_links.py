"""Links: made by people, opened by whoever has one, for one thing, until they are over."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import redis
from chubei_gateway.app import create_app
from chubei_gateway.links import codes, links
from chubei_gateway.links.tables import Link
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.contracts.links import LinkMade, LinkPurpose, NewLink
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthorized, Unavailable
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role, revocation_key
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

Connect = Callable[[], GatewayClient]
SignInAs = Callable[..., GatewayClient]


@pytest.fixture(autouse=True)
def _untried(house: Settings) -> None:
    """What other tests tried wrongly is forgotten."""
    store = redis.Redis.from_url(house.redis_url)
    if keys := [*store.scan_iter("chubei:tries:code*"), *store.scan_iter("chubei:tries:link*")]:
        store.delete(*keys)


@pytest.fixture
def commander(sign_in_as: SignInAs) -> GatewayClient:
    return sign_in_as(Role.COMMANDER)


def new_link(order: UUID | None = None, **more: Any) -> NewLink:
    told: dict[str, Any] = {
        "id": uuid4(), "purpose": "order", "subject": [str(order or uuid4())], "holder_name": "司机王师傅",
        "phone": "13812345678", "expires_at": datetime.now(UTC) + timedelta(days=1),
    }  # fmt: skip
    return NewLink.model_validate(told | more)


def secret(made: LinkMade) -> str:
    return made.path.removeprefix("/l/")


def test_a_link_opens_its_one_thing(commander: GatewayClient, connect: Connect, admin: GatewayClient) -> None:
    order = uuid4()
    made = commander.make_link(new_link(order))
    for code in (secret(made), made.code, made.code.lower().replace("-", " ")):
        driver = connect()
        token = driver.open_link(code)
        assert (token.purpose, token.subject, token.holder_name) == ("order", [str(order)], "司机王师傅")
        assert 0 < token.expires_in_s <= 600
        assert driver.http.get(f"/v1/orders/{order}").json()["body"] == "guest:司机王师傅"
        for method, path in [
            ("GET", f"/v1/orders/{uuid4()}"), ("GET", "/v1/labels"), ("GET", "/v1/me"), ("GET", "/v1/links"),
            ("GET", "/v1/sessions"), ("POST", "/v1/links"), ("POST", f"/v1/links/{made.id}:revoke"),
            ("GET", "/v1/events"), ("GET", "/v1/inventory/events"), ("POST", "/v1/me/password"),
        ]:  # fmt: skip
            assert driver.http.request(method, path).status_code == 403, (method, path)
    opened = [r for r in admin.audit("guest:司机王师傅", "link.open") if str(made.id) in r.target]
    assert [r.outcome for r in opened] == [200] * 3
    shown = next(link for link in commander.links(LinkPurpose.ORDER, str(order)))
    assert shown.first_used_at
    assert shown.last_used_at
    assert shown.first_used_at < shown.last_used_at


def test_reads_tell_no_secret(commander: GatewayClient, tx: Transactions) -> None:
    made = commander.make_link(new_link())
    answer = commander.http.get("/v1/links", params={"subject": made.subject[0]})
    (row,) = answer.json()["rows"]
    assert row["phone"] == "138****5678"
    assert row["created_by"] == commander.me().username
    stored = tx(lambda session: str(vars(session.get_one(Link, made.id))))
    for told in (secret(made), made.code, made.code.replace("-", "")):
        assert told not in answer.text
        assert told not in stored
    assert re.fullmatch(r"/l/[A-Za-z0-9_-]{32}", made.path)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", made.code)


def test_the_same_request_is_the_same_link(commander: GatewayClient, sign_in_as: SignInAs) -> None:
    new = new_link()
    first = commander.http.post("/v1/links", json=new.model_dump(mode="json"))
    again = commander.http.post("/v1/links", json=new.model_dump(mode="json"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    with pytest.raises(Conflict, match="another link"):
        commander.make_link(new.model_copy(update={"holder_name": "别人"}))
    with pytest.raises(Conflict, match="another link"):
        sign_in_as(Role.COMMANDER).make_link(new)
    assert [link.id for link in commander.links(subject=new.subject[0])] == [new.id]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"expires_at": datetime.now(UTC) - timedelta(seconds=1)}, "expires_at"),
        ({"expires_at": datetime.now(UTC) + timedelta(days=31)}, "expires_at"),
        ({"subject": [str(UUID(int=0))]}, "subject"),
        ({"subject": ["no-order"]}, "subject"),
        ({"subject": [str(UUID(int=0)), "more"]}, "subject"),
    ],
)
def test_what_is_wrong_is_named(commander: GatewayClient, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        commander.make_link(new_link(**wrong))
    assert refused.value.more["errors"][0]["field"] == field


def test_links_are_made_by_those_whose_business_it_is(admin: GatewayClient, sign_in_as: SignInAs) -> None:
    for other in (admin, sign_in_as(Role.AUDITOR, Role.APPROVER)):
        with pytest.raises(Forbidden):
            other.make_link(new_link())
    assert sign_in_as(Role.CLERK).make_link(new_link()).code


def test_a_revoked_link_ends_at_once_everywhere(
    commander: GatewayClient, sign_in_as: SignInAs, connect: Connect, allocation_url: str, house: Settings
) -> None:
    order = uuid4()
    made = commander.make_link(new_link(order))
    driver = connect()
    token = driver.open_link(made.code).access_token
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{allocation_url}/v1/orders/{order}", headers=headers).status_code == 200
    with pytest.raises(Forbidden):
        sign_in_as(Role.CLERK).revoke_link(made.id)
    ended = commander.revoke_link(made.id)
    assert ended.revoked_at
    assert commander.revoke_link(made.id) == ended
    assert httpx.get(f"{allocation_url}/v1/orders/{order}", headers=headers).status_code == 401
    assert driver.http.get(f"/v1/orders/{order}").status_code == 401
    for code in (made.code, secret(made)):
        with pytest.raises(Unauthorized):
            connect().open_link(code)
    with pytest.raises(NotFound):
        commander.revoke_link(uuid4())
    store = redis.Redis.from_url(house.redis_url)
    assert store.delete(revocation_key(str(made.id)))  # a server that lost its memory learns of it again
    until = time.monotonic() + 10
    while not store.exists(revocation_key(str(made.id))):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_link_ends_with_its_time(commander: GatewayClient, connect: Connect, tx: Transactions) -> None:
    made = commander.make_link(new_link(expires_at=datetime.now(UTC) + timedelta(seconds=90)))
    assert connect().open_link(made.code).expires_in_s <= 90
    over = update(Link).where(Link.id == made.id).values(expires_at=datetime.now(UTC))
    tx(lambda session: session.execute(over))
    with pytest.raises(Unauthorized):
        connect().open_link(made.code)


def test_a_link_is_forgotten_with_its_holder_some_time_after_its_end(
    commander: GatewayClient, tx: Transactions, house: Settings
) -> None:
    keep = timedelta(days=house.personal_data_days)
    old, new = (commander.make_link(new_link()).id for _ in range(2))
    for link_id, ago in ((old, keep + timedelta(hours=1)), (new, keep - timedelta(hours=1))):
        over = update(Link).where(Link.id == link_id).values(expires_at=datetime.now(UTC) - ago)
        tx(lambda session, over=over: session.execute(over))
    tx(links.purge, keep)
    assert [tx(links.known, link_id) for link_id in (old, new)] == [False, True]


def test_wrong_codes_lock_out_the_address_but_not_the_link(
    commander: GatewayClient, connect: Connect, admin: GatewayClient
) -> None:
    made = commander.make_link(new_link())
    stranger = connect()
    for _ in range(20):
        with pytest.raises(Unauthorized):
            stranger.open_link("0000-0000")
    with pytest.raises(TooMany) as refused:
        stranger.open_link(made.code)
    assert 0 < refused.value.more["retry_after_s"] <= 15 * 60
    assert stranger.open_link(secret(made))
    assert next(admin.audit(act="link.open", subject="?")).outcome == 401


def test_right_codes_are_not_counted(commander: GatewayClient, connect: Connect) -> None:
    made = commander.make_link(new_link())
    driver = connect()
    for _ in range(25):
        assert driver.open_link(made.code)


def test_a_link_is_not_made_while_its_subject_can_not_be_checked(
    house: Settings, serve: Callable[..., Any], inventory_url: str, sign_in_as: SignInAs
) -> None:
    """But the same request again is answered: it was checked before."""
    commander = sign_in_as(Role.COMMANDER)
    new = new_link()
    made = commander.make_link(new)
    alone = {"inventory_url": inventory_url, "allocation_url": "http://127.0.0.1:1"}
    with serve(create_app(Settings.model_validate(house.model_dump() | alone))) as url:
        commander.http.base_url = httpx.URL(url)
        with pytest.raises(Unavailable, match="subject can not be checked"):
            commander.make_link(new_link())
        assert commander.make_link(new) == made


def test_nobody_is_called_like_a_guest(admin: GatewayClient) -> None:
    for name in ("guest:wang", "Guest:wang"):
        with pytest.raises(Conflict):
            admin.create_user(
                NewUser(username=name, display_name="x", roles=[Role.CLERK], password="given at first")
            )
    body = {"username": "x9", "display_name": "x", "roles": ["guest"], "password": "given at first"}
    refused = admin.http.post("/v1/users", json=body)
    assert (refused.status_code, "guest" in refused.json()["detail_en"]) == (422, True)


@given(link_id=st.uuids(), data=st.data())
def test_a_code_is_read_in_any_writing(settings: Settings, link_id: UUID, data: st.DataObject) -> None:
    mint = codes.Codes(settings.keys_dir)
    code = mint.code(link_id)
    looks = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(
        data.draw(st.sampled_from(looks.get(letter, letter + letter.lower())))
        + data.draw(st.sampled_from(["", "-", " "]))
        for letter in code
    )
    assert codes.is_short(typed)
    assert mint.digest(typed) == mint.digest(codes.grouped(code)) != mint.digest(mint.secret(link_id))
    assert not codes.is_short(mint.secret(link_id))
