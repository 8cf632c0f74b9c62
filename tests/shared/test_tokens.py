"""Tokens: what the signer says the verifier reads, and nobody else can say it."""

import hmac
import json
import stat
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from chubei_shared.errors import Forbidden, Unauthorized
from chubei_shared.settings import Settings
from chubei_shared.tokens import (
    PEOPLE,
    Caller,
    Role,
    Signer,
    Verifier,
    check_roles,
    ensure_keys,
    grant_of,
    revocation_key,
)
from chubei_shared.web import redis_client
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def store(settings: Settings) -> "redis.Redis":
    return redis.Redis.from_url(settings.redis_url)


@pytest.fixture(scope="module")
def verifier(settings: Settings, store: "redis.Redis") -> Verifier:
    return Verifier(settings.keys_dir, store)


@pytest.fixture(scope="module")
def gateway(settings: Settings) -> Signer:
    return Signer(settings.keys_dir, "gateway")


@pytest.fixture(scope="module")
def allocation(settings: Settings) -> Signer:
    return Signer(settings.keys_dir, "allocation")


callers = st.builds(
    Caller,
    subject=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    roles=st.frozensets(st.sampled_from(PEOPLE), min_size=1),
    places=st.frozensets(st.text("abc-1", min_size=1, max_size=5), max_size=3),
    session_id=st.none() | st.uuids().map(str),
    must_change_password=st.booleans(),
    acting_for=st.none() | st.just("somebody"),
    break_glass=st.booleans(),
)


@given(caller=callers)
def test_what_is_signed_is_what_is_read(caller: Caller, gateway: Signer, verifier: Verifier) -> None:
    assert verifier.verify(gateway.issue(caller)) == caller


def test_only_a_service_issues_its_role_and_nothing_else(
    gateway: Signer, allocation: Signer, verifier: Verifier
) -> None:
    service = Caller("allocation", frozenset({Role.SERVICE}), acting_for="wang")
    assert verifier.verify(allocation.issue(service)).person == "wang"
    for signer, roles in [
        (gateway, {Role.SERVICE}),
        (gateway, {Role.SERVICE, Role.ADMIN}),
        (allocation, PEOPLE),
    ]:
        with pytest.raises(Unauthorized):
            verifier.verify(signer.issue(Caller("x", frozenset(roles))))


def test_a_token_that_was_good_is_refused_once_it_has_expired(gateway: Signer, verifier: Verifier) -> None:
    commander = Caller("x", frozenset({Role.COMMANDER}))
    token = gateway.issue(commander, timedelta(seconds=-4))  # clocks may be five seconds apart
    assert verifier.verify(token) == commander
    time.sleep(2)
    with pytest.raises(Unauthorized):
        verifier.verify(token)


def test_a_guest_has_one_link_and_no_other_role(
    gateway: Signer, allocation: Signer, verifier: Verifier
) -> None:
    only, link = frozenset({Role.GUEST}), str(uuid4())
    guest = Caller("guest:王师傅", only, session_id=link, grant="order:1")
    assert verifier.verify(gateway.issue(guest)) == guest
    for signer, other in [
        (allocation, guest),
        (gateway, Caller("x", only, session_id=link)),
        (gateway, Caller("x", only, grant="order:1")),
        (gateway, Caller("x", only | {Role.ADMIN}, session_id=link, grant="order:1")),
        (gateway, Caller("x", only | {Role.SERVICE}, session_id=link, grant="order:1")),
        (gateway, Caller("x", frozenset({Role.ADMIN}), session_id=link, grant="order:1")),
    ]:
        with pytest.raises(Unauthorized):
            verifier.verify(signer.issue(other))


@given(one=st.lists(st.text(max_size=4), min_size=1), other=st.lists(st.text(max_size=4), min_size=1))
def test_a_grant_is_for_one_thing(one: list[str], other: list[str]) -> None:
    guest = Caller("x", frozenset({Role.GUEST}), grant=grant_of("headcount", *one))
    assert guest.may("headcount", *one)
    assert guest.may("headcount", *other) == (one == other)
    assert not guest.may("order", *one)
    assert Caller("x", frozenset({Role.CLERK})).may("order", *one)


def test_expired_token_is_refused(gateway: Signer, verifier: Verifier) -> None:
    clerk = Caller("x", frozenset({Role.CLERK}))
    assert verifier.verify(gateway.issue(clerk, timedelta(seconds=-3)))  # clocks may differ a little
    with pytest.raises(Unauthorized):
        verifier.verify(gateway.issue(clerk, timedelta(seconds=-6)))


def test_changed_token_is_refused(gateway: Signer, verifier: Verifier) -> None:
    head, body, signature = gateway.issue(Caller("x", frozenset({Role.CLERK}))).split(".")
    claims = json.loads(urlsafe_b64decode(body + "=="))
    claims["roles"] = ["admin"]
    forged = _encoded(json.dumps(claims).encode())
    for token in (f"{head}.{forged}.{signature}", f"{head}.{body}.", f"{head}.{body}", "", "..."):
        with pytest.raises(Unauthorized):
            verifier.verify(token)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_other_algorithms_are_refused(
    algorithm: str, settings: Settings, gateway: Signer, verifier: Verifier
) -> None:
    """Also HMAC with the public key, which everyone has, as its secret."""
    body = gateway.issue(Caller("x", frozenset({Role.ADMIN}))).split(".")[1]
    head = _encoded(json.dumps({"alg": algorithm, "kid": "gateway"}).encode())
    signed = f"{head}.{body}".encode()
    secret = (settings.keys_dir / "gateway.pub").read_bytes()
    signature = hmac.digest(secret, signed, "sha256") if algorithm == "HS256" else b""
    with pytest.raises(Unauthorized):
        verifier.verify(f"{head}.{body}.{_encoded(signature)}")


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def test_stranger_is_refused(tmp_path: Path, verifier: Verifier) -> None:
    ensure_keys(tmp_path)
    with pytest.raises(Unauthorized):
        verifier.verify(Signer(tmp_path, "gateway").issue(Caller("x", frozenset({Role.ADMIN}))))
    ensure_keys(tmp_path, ["stranger"])
    with pytest.raises(Unauthorized):
        verifier.verify(Signer(tmp_path, "stranger").issue(Caller("x", frozenset({Role.ADMIN}))))


def test_revoked_session_is_refused_and_others_are_not(
    gateway: Signer, verifier: Verifier, store: "redis.Redis"
) -> None:
    revoked, other = (Caller("x", frozenset({Role.CLERK}), session_id=str(uuid4())) for _ in range(2))
    assert revoked.session_id
    store.set(revocation_key(revoked.session_id), "", ex=60)
    with pytest.raises(Unauthorized, match="revoked"):
        verifier.verify(gateway.issue(revoked))
    assert verifier.verify(gateway.issue(other)) == other


def test_unreachable_revocation_list_lets_tokens_pass_and_says_so(
    gateway: Signer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    away = redis_client(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    caller = Caller("x", frozenset({Role.CLERK}), session_id=str(uuid4()))
    assert Verifier(settings.keys_dir, away).verify(gateway.issue(caller)) == caller
    assert "revocation list unreachable" in caplog.text


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys")
    before = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert before.keys() == {"gateway.key", "gateway.pub", "allocation.key", "allocation.pub"}
    ensure_keys(tmp_path / "keys")
    assert {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()} == before
    assert stat.S_IMODE((tmp_path / "keys" / "gateway.key").stat().st_mode) == 0o600


def test_clerk_works_at_own_stores_only() -> None:
    clerk = Caller("x", frozenset({Role.CLERK}), frozenset({"north"}))
    assert clerk.works_at("north")
    assert not clerk.works_at("south")
    assert not Caller("x", frozenset({Role.COMMANDER}), frozenset({"north"})).works_at("north")
    assert Caller("x", frozenset({Role.ADMIN})).works_at("south")


def test_roles_are_checked() -> None:
    check_roles(Caller("x", frozenset({Role.CLERK, Role.ADMIN})), {Role.ADMIN})
    with pytest.raises(Forbidden) as refused:
        check_roles(Caller("x", frozenset({Role.CLERK})), {Role.APPROVER, Role.ADMIN})
    assert refused.value.more == {"roles": ["admin", "approver"]}
