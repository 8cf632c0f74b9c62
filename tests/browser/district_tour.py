"""The pages of a district that is ready, or not, and of those who run it: one after another, for pictures of them."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.district import Night

Look = Callable[[str], None]
PAGES = {
    "readiness": ("/readiness", ".verdict"),
    "readiness-losses": ("/readiness/losses", "tbody tr"),
    "readiness-history": ("/readiness/history", ".plot svg"),
    "readiness-care": ("/readiness/care", "tbody tr"),
    "readiness-agreements": ("/readiness/agreements", "tbody tr"),
    "exercises": ("/command/exercises", ".note"),
    "admin-people": ("/admin/people", "tbody tr"),
    "admin-catalogue": ("/admin/catalogue", "tbody tr"),
    "admin-stores": ("/admin/stores", "tbody tr"),
    "admin-fleet": ("/admin/fleet", "tbody tr"),
    "admin-posts": ("/admin/posts", "tbody tr"),
    "admin-plan": ("/admin/response-plan", "tbody tr"),
    "admin-authority": ("/admin/authority", "tbody tr"),
    "stocktakes": ("/stocktakes", "main .card"),
    "admin-imports": ("/admin/imports", "select option"),
    "admin-audit": ("/admin/audit", "tbody tr"),
}
"""Name: path, and what is there when the page stands."""
BAD = "地点编号,货位编号,行走次序\nSTORE-N,A-01-1,10\nSTORE-X,A-01-2,二十\n"


def walk(page: Page, seen: Look) -> None:
    """Of an administrator who is signed in."""
    for name, (path, standing) in PAGES.items():
        page.goto(path)
        page.locator(standing).first.wait_for(state="attached")
        page.wait_for_timeout(500)  # for what follows it, and plots
        seen(name)
    page.goto("/admin/people")
    page.locator("tbody tr").first.wait_for()
    page.locator("main .bar button").click()
    page.locator("main form").wait_for()
    seen("admin-people-new")
    page.goto("/admin/imports")
    page.locator("main select").select_option("bins")
    file = {"name": "bins.csv", "mimeType": "text/csv", "buffer": BAD.encode()}
    page.locator("main input[type=file]").set_input_files(file)
    page.locator("main form button").click()
    page.locator("main mark").first.wait_for()
    seen("admin-imports-faults")
    page.goto("/admin/audit")
    page.locator("main .bar button").click()
    page.locator("main .notice").wait_for()
    seen("admin-audit-verified")


def guests(page: Page, night: Night, seen: Look) -> None:
    """Of people with a link, on their phones."""
    page.goto("/l")
    page.locator("main input").wait_for()
    seen("guest-code")
    page.goto(night.supplier.path)
    page.locator("main .item").first.wait_for()
    seen("guest-supplier")
    page.goto(night.keeper.path)
    page.locator("main form input").first.wait_for()
    seen("guest-keeper")
    _, driver, keeper = night.order
    page.goto(driver.path)
    page.locator("main .stops").wait_for()
    seen("guest-driver")
    page.goto(keeper.path)
    parts = page.locator("main nav button")
    parts.first.wait_for()
    for number, name in enumerate(("receive", "hand-out", "more", "back"), start=1):
        parts.nth(number).click()
        page.locator("main section, main fieldset input").first.wait_for()
        seen(f"guest-{name}")
