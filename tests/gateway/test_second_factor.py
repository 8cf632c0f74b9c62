"""The second factor: RFC 6238's codes, enrolment, sign-in, recovery, reset, and where it is required."""

import re
from base64 import b32decode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from chubei_cli.account import signed_in
from chubei_cli.errors import CommandError
from chubei_gateway.app import create_app
from chubei_gateway.second_factor import totp
from chubei_gateway.second_factor.keys import Keys
from chubei_gateway.second_factor.tables import RecoveryCode, SecondFactor
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Forbidden, Invalid, SecondFactorNeeded, TooMany, Unauthorized
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

PASSWORD = "correct horse battery"
Connect = Callable[[], GatewayClient]
SignInAs = Callable[..., GatewayClient]
NOW = datetime(2026, 5, 12, 6, 28, 1, tzinfo=UTC)


class Phone:
    """An authenticator application."""

    def __init__(self, uri: str) -> None:
        asked = parse_qs(urlsplit(uri).query)
        self.secret = b32decode(asked["secret"][0])

    def code(self, later: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_at(datetime.now(UTC)) + later)


def enrol(client: GatewayClient) -> tuple[Phone, list[str]]:
    """With the code of the step before, so that the present one and the next are still good."""
    phone = Phone(client.begin_second_factor(PASSWORD).uri)
    return phone, client.confirm_second_factor(phone.code(-1)).codes


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(at_s: int, code: str) -> None:
    """Appendix B, HMAC-SHA-1."""
    assert totp.code_at(b"12345678901234567890", at_s // totp.STEP_S, digits=8) == code


@given(st.binary(min_size=20, max_size=20), st.integers(-3, 3))
def test_a_code_is_taken_half_a_minute_around_and_once(secret: bytes, off: int) -> None:
    step = totp.step_at(NOW) + off
    code = totp.code_at(secret, step)
    others = {totp.code_at(secret, totp.step_at(NOW) + around) for around in (-1, 0, 1)}
    found = totp.matching_step(secret, code, NOW, after=None)
    assert (found is not None) == (code in others)
    if found == step:
        assert totp.matching_step(secret, code, NOW, after=found) in (None, step + 1, step + 2)
        assert totp.matching_step(secret, code, NOW, after=totp.step_at(NOW) + 1) is None


def test_a_secret_opens_for_its_person_and_key_only(
    house: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys, secret = Keys(house.keys_dir), b"x" * 20
    sealed = keys.sealed(secret, "li")
    assert secret not in sealed
    assert keys.opened(sealed, "li") == secret
    assert keys.opened(sealed, "wang") is None
    other = tmp_path_factory.mktemp("keys")
    (other / "gateway.key").write_text("another key")
    assert Keys(other).opened(sealed, "li") is None
    assert Keys(other).digest("ABCDE-12345", "li") != keys.digest("ABCDE-12345", "li")
    assert keys.digest("abcde 1o345", "li") == keys.digest("ABCDE-10345", "li")


def test_who_enrolled_signs_in_with_a_code_once_each(sign_in_as: SignInAs, connect: Connect) -> None:
    client = sign_in_as(Role.APPROVER)
    name = client.me().username
    assert not client.me().second_factor
    secret = client.begin_second_factor(PASSWORD)
    assert "<svg" in secret.qr_svg
    assert name in secret.uri
    assert secret.secret in secret.uri
    connect().sign_in(name, PASSWORD)  # nothing is asked before it is confirmed
    phone = Phone(secret.uri)
    with pytest.raises(Invalid, match="phone's clock"):
        client.confirm_second_factor(f"{(int(phone.code()) + 1) % 10**6:06d}")
    codes = client.confirm_second_factor(phone.code(-1)).codes
    assert len(set(codes)) == 10
    assert client.me().second_factor
    answer = connect().http.post("/v1/sessions", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:chubei:problem:second-factor-needed"
    with pytest.raises(SecondFactorNeeded, match="used before"):
        connect().sign_in(name, PASSWORD, phone.code(-1))  # that of the enrolment
    code = phone.code()
    assert connect().sign_in(name, PASSWORD, code)
    with pytest.raises(SecondFactorNeeded, match="used before"):
        connect().sign_in(name, PASSWORD, code)
    with pytest.raises(Unauthorized) as refused:
        connect().sign_in(name, "a wrong password", phone.code(1))
    assert not isinstance(refused.value, SecondFactorNeeded)
    assert connect().sign_in(name, PASSWORD, phone.code(1))  # the wrong password used nothing up


def test_a_recovery_code_is_good_for_one_sign_in(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions
) -> None:
    client = sign_in_as(Role.COMMANDER)
    name = client.me().username
    phone, codes = enrol(client)
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", codes[0])
    connect().sign_in(name, PASSWORD, codes[0].lower().replace("-", " "))
    with pytest.raises(SecondFactorNeeded):
        connect().sign_in(name, PASSWORD, codes[0])
    assert client.second_factor().recovery_codes_left == 9
    kept = tx(lambda session: session.query(RecoveryCode.digest).filter_by(username=name).all())
    assert not [one for one in codes if any(one.replace("-", "").encode() in row.digest for row in kept)]
    fresh = client.renew_recovery_codes(PASSWORD, codes[1]).codes
    with pytest.raises(SecondFactorNeeded):
        connect().sign_in(name, PASSWORD, codes[2])
    connect().sign_in(name, PASSWORD, fresh[0])
    with pytest.raises(Invalid, match="code"):
        client.remove_second_factor(PASSWORD, "000000")
    with pytest.raises(Invalid, match="password"):
        client.remove_second_factor("not the password", phone.code())
    client.remove_second_factor(PASSWORD, phone.code())
    assert not connect().sign_in(name, PASSWORD).second_factor_due


def test_enrolment_needs_the_password_and_ends_other_sessions(sign_in_as: SignInAs, connect: Connect) -> None:
    client, other = sign_in_as(Role.CLERK), connect()
    other.sign_in(client.me().username, PASSWORD)
    with pytest.raises(Invalid, match="password"):
        client.begin_second_factor("not the password")
    with pytest.raises(Conflict, match="begin with"):
        client.confirm_second_factor("123456")
    enrol(client)
    assert client.me().second_factor
    with pytest.raises(Unauthorized):
        other.me()
    with pytest.raises(Conflict, match="one already"):
        client.begin_second_factor(PASSWORD)


def test_codes_can_not_be_tried_for_ever(sign_in_as: SignInAs, connect: Connect) -> None:
    client = sign_in_as(Role.APPROVER)
    name = client.me().username
    phone, _ = enrol(client)
    wrong = f"{(int(phone.code()) + 1) % 10**6:06d}"
    for _ in range(10):
        with pytest.raises(SecondFactorNeeded):
            connect().sign_in(name, PASSWORD, wrong)
    with pytest.raises(TooMany):
        connect().sign_in(name, PASSWORD, phone.code())


def test_an_administrator_resets_anothers_and_it_is_told(
    sign_in_as: SignInAs, admin: GatewayClient, connect: Connect
) -> None:
    client = sign_in_as(Role.APPROVER)
    name = client.me().username
    enrol(client)
    assert admin.user(name).second_factor
    with pytest.raises(Forbidden):
        client.reset_second_factor("admin")
    with pytest.raises(Forbidden, match="another administrator"):
        admin.reset_second_factor("admin")
    admin.reset_second_factor(name)
    with pytest.raises(Unauthorized):
        client.me()
    connect().sign_in(name, PASSWORD)
    assert next(admin.audit(act="second_factor.reset")).target == name


def test_the_command_line_takes_a_code(
    sign_in_as: SignInAs, gateway_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = sign_in_as(Role.ADMIN)
    name = client.me().username
    phone, _ = enrol(client)
    with pytest.raises(CommandError, match="CHUBEI_CODE"), signed_in(gateway_url, name, PASSWORD):
        raise AssertionError("nobody is let in without a code")
    monkeypatch.setenv("CHUBEI_CODE", phone.code())
    with signed_in(gateway_url, name, PASSWORD) as http:
        assert http.get("/v1/me").json()["username"] == name


def test_what_another_key_sealed_is_no_crash(
    sign_in_as: SignInAs, connect: Connect, tx: Transactions
) -> None:
    client = sign_in_as(Role.APPROVER)
    name = client.me().username
    phone, _ = enrol(client)
    tx(
        lambda session: session.execute(
            update(SecondFactor).where(SecondFactor.username == name).values(sealed_secret=b"x" * 48)
        )
    )
    with pytest.raises(SecondFactorNeeded):
        connect().sign_in(name, PASSWORD, phone.code())


@pytest.mark.parametrize("code", ["٣٤٥٦٧٨", "12345", "1" * 21, "abc def gh", "\0\0\0\0\0\0"])
def test_what_is_no_code_is_refused(code: str, sign_in_as: SignInAs, connect: Connect) -> None:
    client = sign_in_as(Role.CLERK)
    enrol(client)
    body = {"username": client.me().username, "password": PASSWORD, "code": code}
    assert connect().http.post("/v1/sessions", json=body).status_code in (401, 422)


@pytest.fixture
def strict(
    house: Settings,
    inventory_url: str,
    allocation_url: str,
    serve: Callable[..., AbstractContextManager[str]],
    admin: GatewayClient,
) -> Iterator[str]:
    """A gateway of the same house where approvers and administrators need a second factor."""
    behind = {"inventory_url": inventory_url, "allocation_url": allocation_url, "second_factor": "required"}
    with serve(create_app(Settings.model_validate(house.model_dump() | behind))) as url:
        yield url


def test_where_it_is_required_nothing_goes_before_enrolment(strict: str, admin: GatewayClient) -> None:
    names = {role: f"p-{uuid4().hex[:12]}" for role in (Role.APPROVER, Role.CLERK)}
    for role, name in names.items():
        admin.create_user(NewUser(username=name, display_name=name, roles=[role], password="given at first"))
    with httpx.Client(base_url=strict, timeout=20) as http:
        clerk = GatewayClient(http)
        clerk.sign_in(names[Role.CLERK], "given at first")
        assert not clerk.change_password("given at first", PASSWORD).second_factor_due
    with httpx.Client(base_url=strict, timeout=20) as http:
        approver = GatewayClient(http)
        assert approver.sign_in(names[Role.APPROVER], "given at first").must_change_password
        assert approver.change_password("given at first", PASSWORD).second_factor_due
        assert approver.me().second_factor_due
        for path in ("/v1/sessions", "/v1/labels", "/v1/break-glass"):
            answer = http.get(path)
            assert answer.status_code == 403, path
            assert "POST /v1/me/second-factor" in answer.json()["detail_en"]
        phone, _ = enrol(approver)
        assert not approver.me().second_factor_due
        assert http.get("/v1/labels").status_code == 200
        assert not approver.sign_in(names[Role.APPROVER], PASSWORD, phone.code()).second_factor_due


def test_a_service_refuses_who_is_in_only_to_enrol(
    strict: str, admin: GatewayClient, allocation_url: str
) -> None:
    """It asks the token, not the gateway."""
    name = f"p-{uuid4().hex[:12]}"
    admin.create_user(
        NewUser(username=name, display_name=name, roles=[Role.APPROVER], password="given at first")
    )
    with httpx.Client(base_url=strict, timeout=20) as http:
        approver = GatewayClient(http)
        approver.sign_in(name, "given at first")
        token = approver.change_password("given at first", PASSWORD).access_token
    answer = httpx.get(f"{allocation_url}/v1/labels", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert "second-factor" in answer.json()["detail_en"]


def test_half_a_minute_is_what_a_clock_may_be_off() -> None:
    secret = b"y" * 20
    early = totp.code_at(secret, totp.step_at(NOW - timedelta(seconds=90)))
    assert totp.matching_step(secret, early, NOW, None) is None
