"""The device itself: its PIN, what is readable on it without one, and a tablet that a whole shift shares."""

import re

from playwright.sync_api import Page, expect

from tests.browser import chromium, clerk

_ALL_THAT_LIES_HERE = """
async () => {
  const db = await new Promise((found) => {
    const asked = indexedDB.open('chubei-clerk')
    asked.onsuccess = () => found(asked.result)
  })
  let all = JSON.stringify({ ...localStorage, ...sessionStorage })
  const text = (value) => {
    if (value instanceof ArrayBuffer) return new TextDecoder().decode(value)
    if (ArrayBuffer.isView(value)) return new TextDecoder().decode(value)
    if (value && typeof value === 'object') return Object.values(value).map(text).join(' ')
    return String(value)
  }
  for (const store of db.objectStoreNames) {
    const rows = await new Promise((found) => {
      const asked = db.transaction(store).objectStore(store).getAll()
      asked.onsuccess = () => found(asked.result)
    })
    all += rows.map(text).join(' ')
  }
  db.close()
  return all
}
"""


def issue(page: Page, lot: object, units: int) -> None:
    clerk.go(page, "发货")
    clerk.quickly(page, [{"code": f"chubei:lot:{lot}", "units": units}])


def lock(page: Page) -> None:
    page.get_by_role("link", name="‹ 首页").click()
    page.get_by_role("button", name="锁定").click()


def test_nothing_of_the_store_is_readable_without_the_pin(open_page, store):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.offline(page)
    issue(page, store.lots["1029901"], 5)
    lying_here = page.evaluate(_ALL_THAT_LIES_HERE)
    assert "王保管" in lying_here  # who has a vault is shown before the PIN is asked for
    for secret in ("饮用水", "示例厂", str(store.lots["1029901"]), clerk.PIN, "issue"):
        assert secret not in lying_here


def test_a_wrong_pin_is_told_and_tried_ever_more_slowly(open_page, store):
    page = open_page("/", **chromium.PHONE)
    wide = "１３５７９０"  # as a Chinese keyboard may type clerk.PIN
    clerk.begin(page, *store.clerk(), pin=wide)
    page.get_by_role("button", name="锁定").click()
    for _ in range(2):
        clerk.enter_pin(page, "000000")
        expect(page.get_by_text("PIN 不对", exact=True)).to_be_visible(timeout=clerk.LONG_MS)
        page.reload()  # that it was tried is not forgotten by a reload
        expect(page.get_by_role("heading", name="输入 PIN")).to_be_visible()
    clerk.enter_pin(page, "000000")
    expect(page.get_by_text(re.compile(r"请 \d+ 秒后再试"))).to_be_visible(timeout=clerk.LONG_MS)
    page.reload()
    clerk.enter_pin(page)
    expect(page.get_by_text(re.compile(r"请 \d+ 秒后再试"))).to_be_visible(timeout=clerk.LONG_MS)
    expect(page.get_by_text(re.compile(r"请 \d+ 秒后再试"))).to_have_count(0, timeout=clerk.LONG_MS)
    clerk.enter_pin(page, wide)
    clerk.at_home(page)
    page.get_by_role("button", name="锁定").click()
    clerk.enter_pin(page)
    clerk.at_home(page)


def test_who_is_idle_for_ten_minutes_is_asked_again(open_page, store):
    page = open_page("/sign-in", **chromium.PHONE)
    page.clock.install()
    page.goto("/sign-in")
    clerk.begin(page, *store.clerk())
    page.clock.fast_forward("11:00")
    expect(page.get_by_role("heading", name="输入 PIN")).to_be_visible(timeout=clerk.LONG_MS)


def test_a_forgotten_pin_keeps_what_was_not_sent(open_page, store):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.offline(page)
    issue(page, store.lots["1029901"], 5)
    clerk.to_send(page, 1)
    lock(page)
    page.get_by_role("button", name="忘记 PIN").click()
    expect(page.get_by_text("换新 PIN 须先联网并用密码登录")).to_be_visible()
    page.context.set_offline(False)
    page.reload()
    page.get_by_role("button", name="忘记 PIN").click()
    expect(page.get_by_text("有 1 条未发送的记录仍用旧 PIN 加密")).to_be_visible()
    clerk.set_pin(page, "246802")
    clerk.at_home(page)
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 480
    clerk.go_records(page)
    page.get_by_label(re.compile("^PIN")).fill(clerk.PIN)
    page.get_by_role("button", name="取回").click()
    expect(page.get_by_text("已入账")).to_be_visible(timeout=clerk.LONG_MS)
    assert store.shelf()["1029901"] == 475
    expect(page.get_by_role("button", name="取回")).to_have_count(0)


def test_a_tablet_shared_by_a_shift(open_page, store):
    """What 李四 did is sent by 李四 alone; the next one sees how many they are, and nothing of them."""
    first, second = store.clerk("李四"), store.clerk("赵六")
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *first)
    clerk.offline(page)
    issue(page, store.lots["1029901"], 5)
    clerk.to_send(page, 1)
    lock(page)
    page.context.set_offline(False)
    page.get_by_role("button", name="换人登录").click()
    clerk.begin(page, *second, pin="975310")
    expect(page.get_by_text("李四 有 1 条尚未发送")).to_be_visible()
    issue(page, store.lots["1029901"], 7)
    clerk.all_sent(page)
    rows = store.inventory.movements(place_id=store.id, limit=500).rows
    assert [row.recorded_by for row in rows if row.kind == "issue"] == [second[0]]
    page.get_by_role("button", name="退出登录").click()
    clerk.sign_in(page, *first)
    clerk.enter_pin(page)
    clerk.all_sent(page)
    rows = store.inventory.movements(place_id=store.id, limit=500).rows
    assert [row.recorded_by for row in rows if row.kind == "issue"] == [second[0], first[0]]
    assert store.shelf()["1029901"] == 468


def test_another_person_signed_in_does_not_send_what_is_not_theirs(open_page, store):
    """The page of one, the cookies of another: nothing is sent under the wrong name."""
    first, second = store.clerk("李四"), store.clerk("赵六")
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *first)
    other = page.context.new_page()
    other.goto("/sign-in")
    clerk.sign_in(other, *second)
    expect(other.get_by_role("heading", name="为本机设置 PIN")).to_be_visible()
    issue(page, store.lots["1029901"], 5)
    expect(page.get_by_text("请以 李四 登录后发送")).to_be_visible(timeout=clerk.LONG_MS)
    clerk.to_send(page, 1)
    assert store.shelf()["1029901"] == 480
