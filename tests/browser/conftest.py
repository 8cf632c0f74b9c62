"""A whole Chubei as `chubei up` runs it, and a real Chromium. BROWSER=none leaves these tests out, and says so."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from chubei_cli.state import Running, StateFolder
from chubei_cli.up import running
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.tokens import Role
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, expect, sync_playwright

from tests.browser import chromium, district
from tests.browser.night import Night
from tests.browser.store import House, Store

Open = Callable[..., Page]
HERE = Path(__file__).parent
expect.set_options(timeout=chromium.PATIENT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("BROWSER") != "none":
        return
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="BROWSER=none"))


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """The state folder of the house."""
    with tempfile.TemporaryDirectory(prefix="chubei-web-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def house(state: Path) -> Iterator[Running]:
    """It serves over HTTPS too, as TLS_NAME. The administrator's password is ADMIN_PASSWORD."""
    with running(state, options=["--tls", "--name", TLS_NAME]) as found:
        first = StateFolder(state).first_password.read_text().strip()
        with httpx.Client(base_url=found.urls["gateway"], timeout=60, trust_env=False) as http:
            admin = GatewayClient(http)
            admin.sign_in("admin", first)
            admin.change_password(first, ADMIN_PASSWORD)
        yield found


@pytest.fixture(scope="session")
def url(house: Running) -> str:
    """The gateway's address on this machine."""
    return house.urls["gateway"]


TLS_NAME = "chubei.test"
ADMIN_PASSWORD = secrets.token_urlsafe(12)


@pytest.fixture
def store(admin: GatewayClient, house: Running, state: Path) -> Store:
    """A store with a few lots, and people who work there."""
    return Store(admin, House(house.urls, StateFolder(state).keys))


@pytest.fixture
def admin(url: str) -> Iterator[GatewayClient]:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        client = GatewayClient(http)
        client.sign_in("admin", ADMIN_PASSWORD)
        yield client


@pytest.fixture(scope="session")
def night(url: str) -> Iterator[Night]:
    """A small exercise in two sub-districts of the sample, its plan approved and told up to minute 150."""
    people = {"110102001": 150, "110102003": 150}
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        client = GatewayClient(http)
        client.sign_in("admin", ADMIN_PASSWORD)
        found = Night(url, client, solve_s=4, people=people)
        found.play(150)
        yield found


@pytest.fixture(scope="session")
def seeded_admin(url: str) -> Iterator[GatewayClient]:
    """An administrator of a house that knows the sample district."""
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        client = GatewayClient(http)
        client.sign_in("admin", ADMIN_PASSWORD)
        district.seed(client)
        yield client


@pytest.fixture
def someone(admin: GatewayClient) -> Callable[..., tuple[str, str]]:
    """Make a person with these roles; their name and password, to be changed at the first sign-in."""

    def make(*roles: Role, display_name: str = "测试人员") -> tuple[str, str]:
        name, password = f"p-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        admin.create_user(
            NewUser(username=name, display_name=display_name, roles=list(roles), password=password)
        )
        return name, password

    return make


@pytest.fixture(scope="package")
def driver() -> Iterator[Playwright]:
    """One, as two can not be at once; and ended after these tests, as no other event loop can run beside it."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="package")
def browser(driver: Playwright) -> Iterator[Browser]:
    with chromium.chromium(driver) as found:
        yield found


def _left(error: Error) -> bool:
    """Whether a page only complains that it was left in the middle of a request."""
    return error.name == "AbortError"


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Open]:
    """Open a page in a browser of its own. What its console calls an error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_(path: str = "/", language: str = "zh", **device: object) -> Page:
        context = chromium.person(browser, url, language, **device)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: None if _left(error) else errors.append(error.stack or str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((url, "blob:", "data:")) else errors.append(asked.url),
        )
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
