"""The map of a night and its 12 hours: what the services say, drawn; live; without a request to anyone else."""

import json
import re
from pathlib import Path

import pytest
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.chromium import PHONE, WALL
from tests.browser.clerk import sign_in
from tests.browser.night import Night

LONG_MS = 120_000
"""A plan on a busy machine."""
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[116.33, 39.87], [116.4, 39.87], [116.4, 39.97], [116.33, 39.87]]],
}
WIDER = "document.documentElement.scrollWidth > screen.width"


def begin(page: Page, night: Night, name: str) -> Page:
    """Sign in as a commander, and open one of the incident's pages."""
    sign_in(page, night.someone(Role.COMMANDER), night.password)
    page.wait_for_url("**/command")
    page.goto(f"/command/incidents/{night.incident.id}/{name}")
    return page


def test_the_map_shows_the_night_and_keeps_an_outline(open_page, night: Night, tmp_path: Path):
    faults: list[str] = []
    page = open_page("/sign-in")
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    begin(page, night, "map")
    with night.as_(Role.AUDITOR) as auditor:
        shown = auditor.progress(night.incident.id)
    expect(page.get_by_text(shown.zh)).to_be_visible()
    expect(page.locator(".trip")).to_have_count(min(15, len(shown.trips)))
    page.locator(".trip").first.click()
    expect(page.locator("section h2").first).to_contain_text(shown.trips[0].number[:8])
    page.get_by_role("button", name="关闭").click()
    _find_something(page)

    page.get_by_text("图层与轮廓").click()
    page.get_by_text("断路", exact=True).click()
    outline = tmp_path / "district.geojson"
    outline.write_text('{"type": "Point", "coordinates": [116, 39]}')
    page.locator("input[type=file]").set_input_files(outline)
    expect(page.get_by_role("status").filter(has_text="没有区域")).to_be_visible()
    outline.write_text(json.dumps(SQUARE))
    page.locator("input[type=file]").set_input_files(outline)
    expect(page.get_by_text("已载入 1 个区域")).to_be_visible()
    page.reload()
    page.get_by_text("图层与轮廓").click()
    expect(page.get_by_text("已显示 1 个区域的轮廓")).to_be_visible()
    assert axe.serious(page) == []
    assert faults == []


def _find_something(page: Page) -> None:
    """Whoever clicks about on the drawn map comes upon a place, a shelter or a vehicle."""
    canvas = page.locator("canvas.maplibregl-canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box
    found = page.locator(".beside section h2").first
    for row in range(2, 30):
        for column in range(2, 30):
            page.mouse.click(box["x"] + box["width"] * column / 32, box["y"] + box["height"] * row / 32)
            if found.inner_text() != "车次":
                return
    raise AssertionError("nothing is drawn on the map")


def test_the_twelve_hours_go_on_as_things_are_told(open_page, night: Night):
    page = begin(open_page("/sign-in"), night, "hours")
    with night.as_(Role.AUDITOR) as auditor:
        before = auditor.progress(night.incident.id)
        expect(page.get_by_text(before.zh)).to_be_visible()
        night.play(400, since_min=150)
        after = auditor.progress(night.incident.id)
        assert after.zh != before.zh
        expect(page.get_by_text(after.zh)).to_be_visible()
    expect(page.locator(".figures")).to_contain_text(f"{after.actual:,} / {after.people:,}")
    expect(page.get_by_role("img", name=f"实际 {after.actual}")).to_be_visible()
    page.get_by_role("button", name=f"全部 {len(after.items)} 项").click()
    for item in after.items:
        expect(page.locator("table").first).to_contain_text(item.name_zh)
    page.get_by_role("button", name="看车辆、装车位、卸车位").click()
    expect(page.get_by_role("img", name="甘特图")).to_be_visible()
    page.get_by_role("button", name="装车位", exact=True).click()
    page.get_by_role("button", name="专家视图").click()
    expect(page.get_by_text(night.plan.snapshot_hash)).to_be_visible()
    assert axe.serious(page) == []


def test_one_more_of_what_binds_is_planned_and_told(open_page, night: Night):
    page = open_page("/sign-in")
    vans = {
        "kind": "vehicles",
        "id": "VAN-N",
        "zh": "面包车",
        "en": "vans",
        "share": 1,
        "people": 9,
        "points": {},
    }

    def binding(route):  # in a night as small as this one nothing has to bind
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"binding": [vans]})

    page.route("**/reasons", binding)
    begin(page, night, "hours")
    page.get_by_role("button", name="多 10 辆会怎样").click()
    expect(page.get_by_text(re.compile("^约多救助 [0-9,]+ 人"))).to_be_visible(timeout=LONG_MS)
    with night.as_(Role.AUDITOR) as auditor:
        assert next(iter(auditor.plan_requests(night.incident.id))).what_if


@pytest.mark.parametrize("device", [PHONE, WALL], ids=["phone", "wall"])
def test_both_fit_a_phone_and_a_wall_in_english(open_page, night: Night, device):
    page = open_page("/sign-in", language="en", **device)
    sign_in(page, night.someone(Role.APPROVER), night.password)
    page.wait_for_url("**/command")
    page.get_by_role("link", name=night.incident.name).first.click()
    expect(page.get_by_role("heading", name=night.incident.name)).to_be_visible()
    if device is PHONE:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="The 12 hours").first.click()
    expect(page.get_by_text("What binds, and what one more would give")).to_be_visible()
    assert axe.serious(page) == []
    assert not page.evaluate(WIDER)
    if device is PHONE:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Map", exact=True).first.click()
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    assert axe.serious(page) == []
    assert not page.evaluate(WIDER)


def test_a_thousand_trips_are_drawn_without_a_thousand_elements(open_page, night: Night):
    page = open_page("/sign-in")

    def many(route):
        answer = route.fetch()
        told = answer.json()
        more = [
            trip | {"order_id": f"{trip['order_id'][:-4]}{n:04}", "number": f"M-{n:04}"}
            for n, trip in zip(range(1000), told["trips"] * 1000, strict=False)
        ]
        route.fulfill(response=answer, json=told | {"trips": more})

    page.route("**/progress", many)
    begin(page, night, "map")
    expect(page.get_by_role("button", name="全部 1000")).to_be_visible()
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('*').length") < 1000
    page.get_by_label("单号、车辆、起讫点").fill("M-0999")
    page.locator(".trip").click()
    expect(page.locator("section h2").first).to_contain_text("M-0999")
