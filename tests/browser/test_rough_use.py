"""Pages as they are used: a wheel over a number, a slow network, a service that is away, long codes on a phone."""

import re

import pytest
from chubei_shared.tokens import Role
from playwright.sync_api import Route, expect

from tests.browser.chromium import PHONE
from tests.browser.test_response_pages import desk

__all__ = ["desk"]


def test_an_order_is_found_by_what_stands_on_it(desk, night):
    page = desk("/command", Role.COMMANDER)

    def ten_times(route: Route) -> None:
        """As many orders as a large night has."""
        answer = route.fetch()
        told = answer.json()
        copies = [
            row | {"id": f"{row['id']}-{n}", "number": f"{row['number']}-{n}"}
            for n in range(9)
            for row in told["rows"]
        ]
        route.fulfill(response=answer, json=told | {"rows": told["rows"] + copies})

    page.route("**/v1/orders?*", ten_times)
    page.goto(f"/command/incidents/{night.incident.id}/orders")
    rows = page.get_by_role("main").locator("details")
    total = 10 * len(night.orders)
    assert total > 30
    expect(rows).to_have_count(30)
    page.get_by_role("button", name=f"还有 {total - 30} 张").click()
    expect(rows).to_have_count(min(60, total))
    order = night.orders[-1]
    find = page.get_by_role("searchbox")
    find.fill(f"{order.number}-7".lower())
    expect(rows).to_have_count(1)
    for words in (order.vehicle, order.stops[0].name_zh, order.stops[-1].name_zh):
        find.fill(words)
        alike = [
            one
            for one in night.orders
            if words in one.vehicle or any(words in stop.name_zh for stop in one.stops)
        ]
        expect(rows).to_have_count(min(60, 10 * len(alike)))
    find.fill("没有这样的")
    expect(rows).to_have_count(0)
    expect(page.get_by_text("没有找到")).to_be_visible()


def test_the_wheel_scrolls_and_counts_nothing(desk):
    page = desk("/stocktakes", Role.ADMIN)
    page.get_by_role("button", name="改门限").click()
    field = page.get_by_role("spinbutton").first
    field.fill("50")
    field.hover()
    with page.expect_event("console", lambda message: message.text == "rolled"):
        page.evaluate("addEventListener('wheel', () => setTimeout(() => console.log('rolled'), 100))")
        page.mouse.wheel(0, 120)
    expect(field).to_have_value("50")


def test_a_page_says_that_it_waits_for_an_answer(desk):
    page = desk("/command", Role.COMMANDER)
    held: list[Route] = []
    page.route("**/v1/readiness", lambda route: held.append(route))
    page.goto("/readiness")
    expect(page.get_by_text("正在等服务器答复")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_text("正在等服务器答复")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "asked", "never"),
    [
        ("/admin/authority", "**/v1/authority*", "还没有录入"),
        ("/admin/response-plan", "**/v1/response-plan*", "还没有录入"),
        ("/readiness/history", "**/v1/readiness/*", "没有告警"),
    ],
)
def test_what_was_not_answered_is_not_said_to_be_empty(desk, path, asked, never):
    page = desk("/command", Role.ADMIN, Role.COMMANDER)
    page.route(asked, lambda route: route.fulfill(status=502, json={"detail": "调配服务连不上"}))
    page.goto(path)
    expect(page.get_by_role("alert")).to_contain_text("连不上")
    expect(page.get_by_text(never)).to_have_count(0)
    expect(page.get_by_role("button", name="新增")).to_have_count(0)
    page.unroute(asked)
    page.reload()
    expect(page.get_by_role("main").locator("tbody tr, p").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "asked", "told"),
    [
        ("/admin/catalogue", "**/v1/items?*", "目录里还没有物资"),
        ("/admin/fleet", "**/v1/{vehicle-types,loading-sites}", "还没有登记"),
    ],
)
def test_an_empty_list_says_what_to_do_next(desk, path, asked, told):
    page = desk("/command", Role.ADMIN)
    page.route(asked, lambda route: route.fulfill(json={"rows": []} if "items" in asked else []))
    page.goto(path)
    expect(page.get_by_text(told).first).to_be_visible()
    expect(page.get_by_role("main").locator("table")).to_have_count(0)
    page.unroute(asked)
    page.reload()
    expect(page.get_by_role("main").locator("tbody tr").first).to_be_visible()
    expect(page.get_by_text(told)).to_have_count(0)


def test_on_paper_there_is_nothing_to_press(desk):
    page = desk("/admin/catalogue", Role.ADMIN)
    expect(page.get_by_role("button", name="修改").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="修改")).to_have_count(0)
    expect(page.get_by_role("main").locator("tbody tr").first).to_be_visible()


def test_the_time_line_names_plans_and_people_as_people_do(desk, night):
    page = desk(f"/command/incidents/{night.incident.id}/timeline", Role.COMMANDER)
    lines = page.get_by_role("main").locator("ol")
    expect(lines).to_contain_text("方案")
    expect(lines).not_to_contain_text(re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|\bn-[0-9a-f]{8}"))


def test_the_open_tab_is_seen_on_a_phone(desk):
    page = desk("/readiness/agreements", Role.COMMANDER, language="en", **PHONE)
    tabs = page.get_by_role("navigation", name="Readiness")
    expect(tabs.get_by_role("link", name="Agreements and drills")).to_be_in_viewport(ratio=1)
    tabs.get_by_role("link", name="Stock care").click()
    page.wait_for_url("**/care")
    expect(tabs.get_by_role("link", name="Stock care")).to_be_in_viewport(ratio=1)


def test_the_numbers_over_the_bars_are_whole(desk, night):
    """On a phone the letters are large: no bar is drawn over a number, and none ends at the edge."""
    page = desk(f"/command/incidents/{night.incident.id}/overview", Role.COMMANDER, **PHONE)
    page.locator("svg .planned").last.wait_for()
    assert page.locator("svg text ~ rect, svg g:has(text) ~ rect, svg g:has(text) ~ g rect").count() == 0
    edges = """svg => [...svg.querySelectorAll('text')].map(one => one.getBoundingClientRect())
        .filter(one => one.width && (one.left < svg.getBoundingClientRect().left
                                     || one.right > svg.getBoundingClientRect().right)).length"""
    assert page.locator("svg:has(.planned)").evaluate(edges) == 0


def test_drawings_are_read_in_forced_colours(desk, night):
    page = desk(
        f"/command/incidents/{night.incident.id}/overview",
        Role.COMMANDER,
        forced_colors="active",
        color_scheme="dark",
    )
    drawing = page.locator("svg:has(.planned)")
    expect(drawing).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(drawing.locator("text").first).to_have_css("fill", "rgb(28, 39, 51)")


def test_on_paper_an_exercise_is_one(desk, night):
    """Grounds are not printed, so its mark must not be white."""
    page = desk(f"/command/incidents/{night.incident.id}/overview", Role.COMMANDER)
    mark = page.get_by_role("note").filter(has_text="这是演练")
    expect(mark).to_have_css("color", "rgb(255, 255, 255)")
    page.emulate_media(media="print")
    expect(mark).to_have_css("color", "rgb(0, 0, 0)")
