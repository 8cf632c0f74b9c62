"""`make screens`: one picture of every page, in both languages, on a phone, a desk and a wall."""

import argparse
import re
import secrets
import tempfile
from base64 import b32decode
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from chubei_cli.state import StateFolder
from chubei_cli.up import running
from chubei_gateway.second_factor import totp
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.identity import NewUser
from chubei_shared.tokens import Role
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import (
    chromium,
    command_tour,
    desk_tour,
    district,
    district_tour,
    night_tour,
    order_tour,
    tour,
)
from tests.browser.clerk import sign_in
from tests.browser.command_post import CommandPost
from tests.browser.night import Night
from tests.browser.store import House, Store

SIZES = {"phone": chromium.PHONE, "desktop": chromium.DESKTOP, "wall": chromium.WALL}
OPEN = {"sign-in": "/sign-in", "break-glass": "/break-glass", "status": "/status", "nothing": "/no-such-page"}
"""Pages for everyone: name and path."""
PATIENT_MS = 180_000
"""What a page may take on a machine that plans at the same time."""
FRAMES = "(function frame() { requestAnimationFrame(frame) })()"
"""Without it a page that stands still is not drawn again when a wall's picture sizes it, and plots come out small."""
PASSWORD = secrets.token_urlsafe(12)


class Camera:
    """Takes pictures of one person's page."""

    def __init__(self, page: Page, out: Path, language: str, size: str) -> None:
        self._page, self._out, self._mark = page, out, f"{language}-{size}"

    def visit(self, name: str, path: str) -> None:
        self._page.goto(path)
        self._page.wait_for_load_state("networkidle")
        self.take(name)

    def take(self, name: str) -> None:
        self._page.screenshot(path=self._out / f"{name}-{self._mark}.png", full_page=True)


def someone(browser: Browser, url: str, language: str, size: str) -> Page:
    """A page in a browser of its own."""
    context = chromium.person(browser, url, language, **SIZES[size])
    context.set_default_timeout(PATIENT_MS)
    page = context.new_page()
    page.add_init_script(FRAMES)
    return page


def account(page: Page, camera: Camera, name: str) -> None:
    """An approver's own account: password, authenticator, recovery codes, signing in with a code."""
    page.goto("/sign-in")
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.wait_for_url("**/command")
    camera.visit("account", "/account")
    camera.visit("enrol", "/second-factor")
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.locator("section img").wait_for()
    camera.take("enrol-qr")
    secret = b32decode(page.locator("section code").inner_text().replace(" ", ""))
    page.locator("#code").fill(totp.code_at(secret, totp.step_at(datetime.now(UTC))))
    page.locator("form button").click()
    page.locator("ol").wait_for()
    camera.take("recovery-codes")
    camera.visit("account-enrolled", "/account")
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.locator("#username").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("form button").click()
    page.locator("#code").wait_for()
    camera.take("sign-in-code")


def approver(admin: GatewayClient, http: httpx.Client) -> str:
    """A new one, whose password is PASSWORD; the username."""
    name, first = f"zhou-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    admin.create_user(NewUser(username=name, display_name="周审批", roles=[Role.APPROVER], password=first))
    with httpx.Client(base_url=http.base_url, timeout=30, trust_env=False) as theirs:
        client = GatewayClient(theirs)
        client.sign_in(name, first)
        client.change_password(first, PASSWORD)
    return name


def clerks(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """A clerk's pages: phone and tablet or desk; nobody counts boxes at a wall."""
    for language in ("zh", "en"):
        for size in ("phone", "desktop"):
            page = someone(browser, house.urls["gateway"], language, size)
            page.goto("/")
            tour.walk(page, Store(admin, house), language, Camera(page, out, language, size).take, "clerk-")
            page.context.close()


def orders(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """An order on a clerk's phone, from its first line to the driver: of a small incident that is no exercise."""
    for language in ("zh", "en"):
        night = Night(house.urls["gateway"], admin, solve_s=3, people={"110102001": 40}, exercise=False)
        order = max(
            (one for one in night.orders if one.stops[0].kind == "warehouse"),
            key=lambda one: len(one.stops[0].load),
        )
        page = someone(browser, night.url, language, "phone")
        order_tour.walk(page, night, order, language, Camera(page, out, language, "phone").take)
        page.context.close()


def commanders(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """An incident's pages, as a commander sees them."""
    url = house.urls["gateway"]
    post = CommandPost(admin, url)
    for language in ("zh", "en"):
        for size in SIZES:
            page = someone(browser, url, language, size)
            page.goto("/command")
            sign_in(page, post.commander.name, post.commander.password)
            page.wait_for_url(re.compile("^[^?]*/command"))
            command_tour.walk(page, post, Camera(page, out, language, size).take, "incident-")
            page.context.close()


def situation(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """The map and the 12 hours of a night in the whole district, four hours after it happened."""
    night = Night(house.urls["gateway"], admin)
    night.play(240)
    nodes = night.plan.scenario
    night.close_way(nodes["sources"][0]["id"], nodes["points"][3]["id"])
    for language in ("zh", "en"):
        for size in SIZES:
            page = someone(browser, night.url, language, size)
            night_tour.walk(page, night, Camera(page, out, language, size).take)
            page.context.close()


def district_pages(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """Of the sample district, from a real check, with an exercise under way; guests on their phones."""
    url = house.urls["gateway"]
    district.seed(admin)
    district.check(admin)
    night = district.Night(admin, url)
    desk = CommandPost(admin, url).person(Role.COMMANDER, Role.APPROVER, Role.ADMIN, display_name="何主任")
    stocktake_id = str(uuid4())
    Store(admin, house).counted(stocktake_id, {"1029901": 478, "1019901": 479}, begin=True)
    for language in ("zh", "en"):
        for size in SIZES:
            page = someone(browser, url, language, size)
            page.goto("/command")
            sign_in(page, "admin", PASSWORD)
            page.wait_for_url(re.compile("^[^?]*/command"))
            district_tour.walk(page, Camera(page, out, language, size).take)
            page.context.close()
            page = someone(browser, url, language, size)
            page.goto("/command")
            sign_in(page, desk.name, desk.password)
            page.wait_for_url(re.compile("^[^?]*/command"))
            desk_tour.walk(page, stocktake_id, Camera(page, out, language, size).take)
            page.context.close()
        page = someone(browser, url, language, "phone")
        district_tour.guests(page, night, Camera(page, out, language, "phone").take)
        page.context.close()


def open_pages(browser: Browser, admin: GatewayClient, house: House, out: Path) -> None:
    """Those for everyone, and an approver's own account."""
    for language in ("zh", "en"):
        for size in SIZES:
            page = someone(browser, house.urls["gateway"], language, size)
            camera = Camera(page, out, language, size)
            for name, path in OPEN.items():
                camera.visit(name, path)
            account(page, camera, approver(admin, admin.http))
            page.context.close()


PARTS = {
    "open": open_pages,
    "incident": commanders,
    "situation": situation,
    "clerk": clerks,
    "orders": orders,
    "district": district_pages,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screens"))
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="these parts alone")
    told = parser.parse_args()
    out: Path = told.out
    out.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENT_MS)
    with (
        tempfile.TemporaryDirectory(prefix="chubei-screens-") as folder,
        running(Path(folder)) as found,
        sync_playwright() as driver,
        chromium.chromium(driver) as browser,
        httpx.Client(base_url=found.urls["gateway"], timeout=120, trust_env=False) as http,
    ):
        first = StateFolder(Path(folder)).first_password.read_text().strip()
        admin = GatewayClient(http)
        admin.sign_in("admin", first)
        admin.change_password(first, PASSWORD)
        house = House(found.urls, StateFolder(Path(folder)).keys)
        for part in told.only:
            PARTS[part](browser, admin, house, out)


if __name__ == "__main__":
    main()
