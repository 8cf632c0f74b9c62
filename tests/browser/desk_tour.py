"""What desks change, each with its form or question open: for pictures of them, and for axe."""

from collections.abc import Callable

from playwright.sync_api import Page

Look = Callable[[str], None]


def walk(page: Page, stocktake_id: str, seen: Look) -> None:
    """Of somebody who commands, approves and administers; the stocktake has differences to be approved."""

    def look(name: str) -> None:
        page.wait_for_timeout(200)  # for what moves to have come to rest
        seen(name)

    page.goto("/stocktakes")
    page.locator(f"main a[href$='{stocktake_id}']").wait_for()  # the page has come to rest
    page.locator("main .bar button").first.click()
    page.locator("main form summary").click()
    look("stocktakes-open")
    page.goto(f"/stocktakes/{stocktake_id}")
    page.locator("main tbody tr").first.wait_for()
    look("stocktake-review")
    page.locator("main .bar button[type=button].el-button--primary").click()
    page.locator("main [role=alertdialog]").wait_for()
    look("stocktake-approve")
    for name, path in (("posts", "/admin/posts"), ("response-plan", "/admin/response-plan")):
        page.goto(path)
        page.locator("tbody td:last-child button").first.click()
        page.locator("main form").wait_for()
        look(f"{name}-edit")
    page.goto("/admin/catalogue")
    page.locator("tbody tr").first.wait_for()
    page.locator("main .kinds button").nth(1).click()
    page.locator("main [aria-label$=' indoor']").click()
    page.locator("main form").wait_for()
    look("kit-edit")
    page.locator("main .kinds button").nth(2).click()
    page.locator(".card.long td button").nth(1).click()
    page.locator("main [role=alertdialog]").wait_for()
    page.locator(".card.long td button").first.click()
    page.locator("main form").wait_for()
    look("norm-edit")
