"""The map and the 12 hours with a night on them: for pictures of them."""

from collections.abc import Callable

from chubei_shared.tokens import Role
from playwright.sync_api import Page

from tests.browser.night import Night

STILL_MS = 5_000
"""Until a map has come to rest, drawn without a graphics card."""


def walk(page: Page, night: Night, seen: Callable[[str], None]) -> None:
    """From the sign-in page on; `seen` is called with the name of each page once it stands."""

    def look(name: str) -> None:
        page.wait_for_timeout(STILL_MS)
        seen(name)

    page.goto("/sign-in")
    page.locator("#username").fill(night.someone(Role.COMMANDER))
    page.locator("#password").fill(night.password)
    page.locator("form button").click()
    page.wait_for_url("**/command")
    page.locator("main li a").first.wait_for()
    look("incidents")
    page.goto(f"/command/incidents/{night.incident.id}/map")
    page.locator(".trip").first.wait_for()
    look("map")
    page.locator(".trip").first.click()
    look("map-trip")
    page.goto(f"/command/incidents/{night.incident.id}/hours")
    page.locator("ol li").first.wait_for()
    look("hours")
    more = page.locator("section > button.tool[aria-expanded]")
    more.first.click()
    more.last.click()
    page.locator("dl").wait_for()
    look("hours-expert")
