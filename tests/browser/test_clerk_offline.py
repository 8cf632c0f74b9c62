"""A clerk's day in a basement: no network, a reload, a crash; back online the books balance, each report once."""

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chubei_shared.contracts.catalogue import Lot, lot_id
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser import chromium, clerk
from tests.browser.store import GOODS, Store

_SIGN = {"receive": 1, "issue": -1, "transfer": -1, "seal": -1, "release": 1}
_NAMES = {"receive": "收货", "issue": "发货", "transfer": "移库", "seal": "封存", "release": "解封"}


def _acts(store: Store, chance: random.Random, number: int) -> list[dict]:
    codes = [chance.choice(list(GOODS)) for _ in range(number)]
    return [{"code": f"chubei:lot:{store.lots[c]}", "units": chance.randint(1, 3), "item": c} for c in codes]


def _by_kind(page: Page, kind: str, acts: list[dict], expected: dict[str, int]) -> None:
    clerk.go(page, _NAMES[kind])
    clerk.quickly(page, acts)
    for act in acts:
        expected[act["item"]] += _SIGN[kind] * act["units"]


def _open(context: BrowserContext) -> Page:
    """The page, without a network: from the device."""
    page = context.pages[0]
    page.goto("/")
    expect(page.get_by_role("heading", name="输入 PIN")).to_be_visible(timeout=clerk.LONG_MS)
    clerk.enter_pin(page)
    clerk.at_home(page)
    return page


BREAKS_OFF = """path => {
  const whole = window.fetch
  window.fetch = async (request) => {
    const answer = await whole(request)
    if (!request.url.endsWith(path)) return answer
    window.fetch = whole
    return new Response(new ReadableStream({ pull: (body) => body.error(new TypeError('network error')) }), answer)
  }
}"""
"""The next answer to a path has a head, and its body never comes."""


def test_an_offline_day(browser: Browser, url: str, store: Store, tmp_path: Path):
    chance = random.Random(5)  # noqa: S311
    before = {row.id for row in store.inventory.movements(place_id=store.id, limit=500).rows}
    expected = dict.fromkeys(GOODS, 480)
    context = chromium.device(browser, url, tmp_path)
    page = context.pages[0]
    page.goto("/")
    clerk.begin(page, *store.clerk())
    clerk.installed(page)
    context.set_offline(True)
    offline_since = time.time()

    # By hand: a tap too many is undone, a transfer, a receipt of a lot that nobody has heard of
    clerk.go(page, "发货")
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    page.get_by_role("button", name="确认发货 24 瓶").click()
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已登记:撤销 发货")).to_be_visible()
    clerk.to_send(page, 2)
    expect(page.get_by_text("没有网络,显示的是")).to_be_visible()
    _new_lot(page)
    expected["1029901"] += 48 - 5

    for kind, number in (("receive", 40), ("issue", 40), ("transfer", 20)):
        _by_kind(page, kind, _acts(store, chance, number), expected)
    clerk.to_send(page, 104)
    page.reload()
    clerk.enter_pin(page)
    clerk.to_send(page, 104)
    sealed = _acts(store, chance, 16)
    for kind, acts in (("seal", sealed), ("issue", _acts(store, chance, 64)), ("release", sealed[:8])):
        _by_kind(page, kind, acts, expected)
    clerk.confirm_is_shown(page)
    _by_kind(page, "receive", _acts(store, chance, 8), expected)
    clerk.to_send(page, 200)
    chromium.cookies_are_kept(tmp_path, offline_since)
    chromium.lose_power(tmp_path)

    context = chromium.device(browser, url, tmp_path)
    context.set_offline(True)
    page = _open(context)
    clerk.to_send(page, 200)
    lost = _lose_one_answer(page)
    context.set_offline(False)
    clerk.all_sent(page)
    assert lost == ["/v1/movements:batch"]
    context.close()

    after = [row for row in _all_movements(store) if row.id not in before]
    assert len(after) == len({row.id for row in after}) == 200
    assert store.shelf() == expected
    assert store.inventory.books().faults == []


def _new_lot(page: Page) -> None:
    """Two packs of a new lot come in, five of it go out again."""
    clerk.go(page, "收货")
    page.get_by_role("button", name="登记新批次").click()
    page.get_by_label("物资").select_option("1029901")
    page.get_by_label("批号").fill("批 “é𝄞”/7\\")
    page.get_by_label("生产厂家").fill("新 厂")
    page.get_by_label("到期日期").fill("2030-02-28")
    page.get_by_role("button", name="用这个批次").click()
    page.get_by_role("button", name="箱(每箱 24 瓶) 加一").click()
    page.get_by_role("button", name="确认收货 48 瓶").click()
    clerk.go(page, "发货")
    page.get_by_role("button", name="批 “é𝄞”/7").click()
    page.locator("#pad-packs").fill("0")
    page.locator("#pad-units").fill("5")
    page.get_by_role("button", name="确认发货").click()
    expect(page.get_by_text("已登记:发货 · 饮用水 5 瓶")).to_be_visible()


_DIES_AS_IT_MARKS_A_LINE = """
(moment) => {
  const put = IDBObjectStore.prototype.put
  IDBObjectStore.prototype.put = function (...told) {
    const mark = String(told[0].place_id).startsWith('picked:')
    if (mark && moment === 'before') alert('now')
    if (mark && moment === 'after') this.transaction.addEventListener('complete', () => alert('now'))
    return put.apply(this, told)
  }
}
"""


def test_a_device_that_dies_in_a_short_pick_has_reported_and_marked_it_or_neither(
    browser: Browser, url: str, store: Store, tmp_path: Path
):
    store.hold({"1029901": 100})
    context = chromium.device(browser, url, tmp_path)
    page = context.pages[0]
    page.goto("/")
    clerk.begin(page, *store.clerk())
    clerk.installed(page)
    cookies = context.cookies()
    context.set_offline(True)
    for moment in ("before", "after"):
        clerk.go(page, "拣货")
        page.locator("main .row").click()
        expect(page.get_by_text("货位 A-04-1")).to_be_visible()
        expect(page.get_by_text(clerk.ALL_SENT)).to_be_visible()
        clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
        page.get_by_role("button", name="数量不够").click()
        page.locator("#pad-packs").fill("4")
        page.evaluate(_DIES_AS_IT_MARKS_A_LINE, moment)
        with page.expect_event("dialog"):  # it stands still at this very moment
            page.get_by_role("button", name="短拣:缺 4 瓶").evaluate("one => setTimeout(() => one.click())")
        chromium.lose_power(tmp_path)
        context = chromium.device(browser, url, tmp_path)
        context.set_offline(True)
        page = _open(context)
    clerk.to_send(page, 1)
    clerk.go(page, "拣货")
    page.locator("main .row").click()
    expect(page.get_by_text("短拣 4 瓶 · 待发送")).to_be_visible()
    context.add_cookies(cookies)
    context.set_offline(False)
    clerk.all_sent(page)
    expect(page.get_by_text("短拣 4 瓶 · 已入账")).to_be_visible()
    context.close()
    (short,) = [row for row in _all_movements(store) if row.kind == "short_pick"]
    assert sorted(entry.quantity for entry in short.entries) == [-4, 4]
    assert store.inventory.books().faults == []


def _lose_one_answer(page: Page) -> list[str]:
    """The first batch reaches the services, and the answer is lost on its way."""
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append("/v1/movements:batch")
        route.fetch()
        return route.abort("connectionreset")

    page.route("**/v1/movements:batch", lose)
    return lost


def _all_movements(store: Store) -> list:
    rows, cursor = [], None
    while True:
        page = store.inventory.movements(place_id=store.id, cursor=cursor, limit=200)
        rows += page.rows
        if (cursor := page.next_cursor) is None:
            return rows


def test_a_lot_that_a_device_names_is_the_lot_of_the_books(open_page, store):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.offline(page)
    _new_lot(page)
    page.context.set_offline(False)
    clerk.all_sent(page)
    box = Lot(lot_no="批 “é𝄞”/7\\", maker="新 厂", expires_on="2030-02-28")
    rows = store.inventory.stock(place_id=store.id, item_code="1029901", limit=500).rows
    assert {row.lot_id: row.on_hand for row in rows}[lot_id("1029901", box)] == 43
    clerk.go(page, "库存与标签")
    expect(page.get_by_role("button", name="批 “é𝄞”/7")).to_have_count(1)
    expect(page.get_by_role("button", name="批 “é𝄞”/7")).to_contain_text("43 瓶")


def test_an_answer_that_breaks_off_is_none_and_is_asked_for_again(open_page, store):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.go(page, "发货")
    page.evaluate(BREAKS_OFF, "/v1/movements:batch")
    clerk.quickly(page, [{"code": f"chubei:lot:{store.lots['1029901']}", "units": 5}])
    page.get_by_role("button", name="立即发送").click()
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 475


@pytest.mark.parametrize(
    ("off", "said"), [(timedelta(hours=-3), "慢 3 小时"), (timedelta(days=30), "快 30 天")]
)
def test_a_wrong_clock_is_told_and_corrected(open_page, store, off, said):
    page = open_page("/sign-in", **chromium.PHONE)
    page.clock.install(time=datetime.now(UTC) + off)
    page.goto("/sign-in")
    clerk.begin(page, *store.clerk())
    expect(page.get_by_text(said)).to_be_visible(timeout=clerk.LONG_MS)
    clerk.offline(page)
    clerk.go(page, "发货")
    clerk.quickly(page, [{"code": f"chubei:lot:{store.lots['1029901']}", "units": 7}])
    page.context.set_offline(False)
    clerk.all_sent(page)
    row = _all_movements(store)[-1]
    assert (row.kind, row.entries[0].quantity) in {("issue", -7), ("issue", 7)}
    assert abs(row.occurred_at - row.recorded_at) < timedelta(minutes=5)
    clerk.go_records(page)
    expect(page.get_by_text("时间已更正")).to_be_visible()


def test_a_session_that_is_over_costs_a_sign_in_and_no_record(open_page, store, admin):
    name, password = store.clerk()
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, name, password)
    for session in admin.sessions(name):
        admin.revoke_session(session.id)
    clerk.go(page, "发货")
    clerk.quickly(page, [{"code": f"chubei:lot:{store.lots['1029901']}", "units": 5}])
    expect(page.get_by_text("重新登录后继续发送")).to_be_visible(timeout=clerk.LONG_MS)
    clerk.to_send(page, 1)
    assert store.shelf()["1029901"] == 480
    page.get_by_role("link", name="重新登录").click()
    clerk.sign_in(page, name, password)
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 475


def test_a_new_version_loses_nothing_that_waits(browser: Browser, url: str, store: Store):
    """The device has an older version; while its reports can not be sent, it takes the server's newer one."""
    context = chromium.person(browser, url, **chromium.PHONE)

    def older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=f"{answer.text()};self.older = true")

    context.route("**/sw.js", older)
    context.route("**/v1/movements:batch", lambda route: route.abort("connectionreset"))
    page = context.new_page()
    page.goto("/")
    clerk.begin(page, *store.clerk())
    clerk.installed(page)
    page.reload()  # from now on the device's own copy
    clerk.enter_pin(page)
    clerk.at_home(page)
    clerk.go(page, "发货")
    clerk.quickly(
        page, [{"code": f"chubei:lot:{store.lots['1029901']}", "units": units} for units in (1, 2, 4)]
    )
    clerk.to_send(page, 3)
    page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update()).then(() => null)")
    page.get_by_role("button", name="现在更新").click(timeout=clerk.LONG_MS)
    expect(page.get_by_role("heading", name="输入 PIN")).to_be_visible(timeout=clerk.LONG_MS)
    clerk.enter_pin(page)
    clerk.to_send(page, 3)
    context.unroute("**/v1/movements:batch")
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 480 - 7
    context.close()
