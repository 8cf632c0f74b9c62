"""On a name that is not localhost, over TLS: as phones come."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from chubei_cli.state import Running
from chubei_shared.tokens import Role
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Error, Playwright, expect

from tests.browser import chromium
from tests.browser.conftest import TLS_NAME
from tests.browser.test_sign_in import sign_in

RESOLVE = f"--host-resolver-rules=MAP {TLS_NAME} 127.0.0.1"


@pytest.fixture
def address(house: Running) -> str:
    return f"https://{TLS_NAME}:{house.ports['https']}"


@pytest.fixture
def trusting(state: Path, house: Running, driver: Playwright) -> Iterator[Browser]:
    """A browser that takes our certificate, by its key, and no other that it does not know."""
    leaf = x509.load_pem_x509_certificates((state / "tls/server.pem").read_bytes())[0]
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pin = b64encode(hashlib.sha256(key).digest()).decode()
    with chromium.chromium(driver, RESOLVE, f"--ignore-certificate-errors-spki-list={pin}") as browser:
        yield browser


def test_people_sign_in_and_the_pages_stay_on_the_phone(trusting, address, someone):
    name, password = someone(Role.CLERK)
    context = chromium.person(trusting, address, **chromium.PHONE)
    page = context.new_page()
    answer = page.goto("/sign-in")
    assert answer is not None
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert page.evaluate("isSecureContext")
    sign_in(page, name, password)
    expect(page.get_by_role("heading", name="设置新密码")).to_be_visible()
    assert {c["name"]: (c["domain"], c["secure"]) for c in context.cookies()} == {
        "__Host-chubei-access": (TLS_NAME, True),
        "__Host-chubei-refresh": (TLS_NAME, True),
    }
    scope = page.evaluate("navigator.serviceWorker.ready.then(found => found.scope)")
    assert scope == f"{address}/"
    context.close()


def test_a_browser_that_does_not_know_the_authority_refuses(address, driver):
    with chromium.chromium(driver, RESOLVE) as browser:
        context = chromium.person(browser, address)
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            context.new_page().goto("/sign-in")
