"""How smoothly the pages draw what is much: 1,000 trips on the map and the Gantt chart, 10,000 lots in a clerk's list.

A real Chromium, without a graphics card unless this machine has one, on a whole `chubei up`. The trips and lots are
made up: what the services answer is replaced by so many, and all else is as it is for people.
"""

import json
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from chubei_cli.state import StateFolder
from chubei_cli.up import running
from chubei_shared.contracts.gateway_client import GatewayClient
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser import chromium, clerk
from tests.browser.command_post import CommandPost
from tests.browser.store import House, Store

TRIPS, LOTS = 1_000, 10_000
PATIENT_MS = 180_000
ENOUGH_FPS = 20
"""From so many frames a second on a drawing follows the hand."""

_WATCH = """() => {
  const gaps = (window.gaps = [])
  let last = 0
  const step = (now) => {
    if (last) gaps.push(now - last)
    last = now
    window.watching = requestAnimationFrame(step)
  }
  window.watching = requestAnimationFrame(step)
}"""
_READ = "() => (cancelAnimationFrame(window.watching), window.gaps)"


@dataclass(frozen=True)
class Frames:
    """Frames a second while somebody did something, and the longest that one frame took."""

    what: str
    per_s: float
    longest_ms: float
    judged: bool = True
    """Against ENOUGH_FPS. Not the map: without a graphics card it is drawn by software, whatever the page does."""


def measured() -> list[Frames]:
    with (
        tempfile.TemporaryDirectory(prefix="chubei-frames-") as folder,
        running(Path(folder)) as found,
        sync_playwright() as driver,
        chromium.chromium(driver) as browser,
        httpx.Client(base_url=found.urls["gateway"], timeout=120, trust_env=False) as http,
    ):
        state = StateFolder(Path(folder))
        admin = GatewayClient(http)
        first = state.first_password.read_text().strip()
        admin.sign_in("admin", first)
        admin.change_password(first, secrets.token_urlsafe(12))
        lots = _lots(browser, Store(admin, House(found.urls, state.keys)), found.urls["gateway"])
        return [*_trips(browser, CommandPost(admin, found.urls["gateway"]), found.urls["gateway"]), *lots]


def _page(browser: Browser, url: str) -> Page:
    context = chromium.person(browser, url)
    context.set_default_timeout(PATIENT_MS)
    page = context.new_page()
    page.goto("/")
    return page


def _while(page: Page, what: str, act: Callable[[], None], judged: bool = True) -> Frames:
    page.evaluate(_WATCH)
    act()
    gaps: list[float] = page.evaluate(_READ)
    return Frames(what, 1000 * len(gaps) / sum(gaps), max(gaps), judged)


def _trips(browser: Browser, post: CommandPost, url: str) -> list[Frames]:
    incident = post.declare()
    page = _page(browser, url)
    page.route("**/progress", lambda route: _with_trips(route, page))
    clerk.sign_in(page, post.commander.name, post.commander.password)
    page.wait_for_url("**/command")
    page.goto(f"/command/incidents/{incident.id}/map")
    page.locator(".trip").first.wait_for()
    canvas = page.locator("canvas.maplibregl-canvas")
    canvas.wait_for()
    page.wait_for_load_state("networkidle")
    on_map = _while(
        page,
        f"地图 {TRIPS} 车次,拖动 / the map of {TRIPS} trips, dragged",
        lambda: _drag(page, canvas),
        judged=False,
    )
    page.goto(f"/command/incidents/{incident.id}/hours")
    page.locator("section > button.tool[aria-expanded]").first.click()
    chart = page.locator("[role=img]").filter(has=page.locator("canvas, svg")).last
    chart.wait_for()
    gantt = _while(
        page,
        f"甘特图 {TRIPS} 车次,滚动 / the Gantt chart of {TRIPS} trips, scrolled",
        lambda: _roll(page, chart),
    )
    page.context.close()
    return [on_map, gantt]


def _with_trips(route: Route, page: Page) -> None:
    answer = route.fetch()
    told = answer.json()
    network = page.request.get("/v1/network").json()
    places = [one for one in page.request.get("/v1/places?limit=500").json()["rows"] if one.get("lon")]
    shelters = network["shelters"]
    pairs = islice(zip(cycle(places), cycle(shelters), strict=False), TRIPS)
    trips = [_trip(number, place, shelter) for number, (place, shelter) in enumerate(pairs)]
    route.fulfill(response=answer, body=json.dumps(told | {"trips": trips}))


def _trip(number: int, place: dict[str, Any], shelter: dict[str, Any]) -> dict[str, Any]:
    """From a place to a shelter, in the first ten hours."""
    began = 30 + number % 570
    ends = [(place, True, began, began + 15), (shelter, False, began + 35, began + 50)]
    stops = [
        {
            "stop": stop, "place_id": at["id"], "name_zh": at["name_zh"], "name_en": at["name_en"],
            "lon": at["lon"], "lat": at["lat"], "loads": loads, "goods": {}, "planned_arrive_min": come,
            "planned_end_min": go, "arrive_min": come, "end_min": go, "done": False,
        }
        for stop, (at, loads, come, go) in enumerate(ends)
    ]  # fmt: skip
    return {
        "order_id": str(UUID(int=number)), "number": f"M-{number:04}", "vehicle": f"VAN-N#{number % 200 + 1}",
        "state": "on_time", "late_min": 0, "overdue": False, "zh": "", "en": "", "status": "planned",
        "where": "on_the_way", "stop": 1, "last": None, "planned_end_min": began + 50, "end_min": began + 50,
        "stops": stops,
    }  # fmt: skip


def _drag(page: Page, canvas: Any) -> None:
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for turn in range(4):
        page.mouse.move(x + (-1) ** turn * 150, y + (-1) ** turn * 80, steps=20)
    page.mouse.up()


def _roll(page: Page, chart: Any) -> None:
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(30):
        page.mouse.wheel(0, 120)
        page.wait_for_timeout(30)


def _lots(browser: Browser, store: Store, url: str) -> list[Frames]:
    page = _page(browser, url)
    page.route("**/v1/offline-kit**", lambda route: _with_lots(route, store.id))
    clerk.begin(page, *store.clerk())
    clerk.go(page, "库存与标签")
    page.locator(".rows li").first.wait_for()

    def look_for_one() -> None:
        page.get_by_label("名称、编码、批号").press_sequentially(f"L-0{LOTS - 1}", delay=120)
        page.locator(".rows li").first.wait_for()
        page.mouse.wheel(0, 2000)

    typed = _while(page, f"{LOTS:,} 批次,查找 / {LOTS:,} lots, one of them looked for", look_for_one)
    page.context.close()
    return [typed]


def _with_lots(route: Route, place_id: str) -> None:
    answer = route.fetch()
    told = answer.json()
    if told["whole"]:
        like = told["lots"][0]
        ids = [str(UUID(int=10**9 + number)) for number in range(LOTS)]
        told["lots"] += [like | {"id": id, "lot_no": f"L-{number:05}"} for number, id in enumerate(ids)]
        told["bins"] += [{"account": place_id, "lot_id": id, "units": 24} for id in ids]
    route.fulfill(response=answer, body=json.dumps(told))
