"""The clerk's pages for everyone: in both languages, on a phone, by keyboard alone, and as axe reads them."""

import pytest
from chubei_shared.contracts.stocktakes import StocktakeState
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import axe, chromium, clerk, tour
from tests.browser.keys import press_to
from tests.browser.store import GOODS, Store
from tests.browser.test_account import OWN, settle
from tests.browser.weight import MOST_KB, weights


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_no_serious_fault_on_any_page(open_page, store, language):
    page = open_page("/", language, **chromium.PHONE)
    faults: dict[str, list[str]] = {}
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        if found := axe.serious(page):
            faults[name] = found
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.setdefault(name, []).append(f"{wide} px wider than the phone")
        small = page.evaluate(_SMALL_TARGETS)
        if small:
            faults.setdefault(name, []).append(f"smaller than 44 px: {small}")

    tour.walk(page, store, language, look)
    assert faults == {}
    assert len(seen) == len(set(seen)) > 25


_SMALL_TARGETS = """
[...document.querySelectorAll('main button, main a, main input:not(.unseen), main select')]
  .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML.slice(0, 120))
"""


def test_a_day_by_keyboard_alone(open_page, store):
    page = open_page("/")
    clerk.begin(page, *store.clerk())
    press_to(page, "发货")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="发货")).to_be_visible()
    press_to(page, "饮用水")
    page.keyboard.press("Enter")
    press_to(page, "箱(每箱 24 瓶) 加一")
    page.keyboard.press("Enter")
    press_to(page, "确认发货 48 瓶")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已登记:发货 · 饮用水 48 瓶")).to_be_visible()
    press_to(page, "撤销")
    clerk.scan(
        page, f"chubei:lot:{store.lots['1029905']}"
    )  # the gun's Enter does not press the button in focus
    expect(page.get_by_role("button", name="确认发货 12 份")).to_be_visible()
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 432


def test_a_button_tapped_twice_does_one_thing(open_page, store):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.go(page, "发货")
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    page.locator("main form").evaluate("form => { form.requestSubmit(); form.requestSubmit() }")
    clerk.confirm_is_shown(page)
    clerk.all_sent(page)
    assert store.shelf()["1029901"] == 456
    undo = page.get_by_role("button", name="撤销")
    undo.evaluate("button => { button.click(); button.click() }")
    expect(undo).to_have_count(0)
    clerk.all_sent(page)
    clerk.go_records(page)
    expect(page.locator("main li.card")).to_have_count(2)
    assert store.shelf()["1029901"] == 480


@pytest.mark.parametrize(
    ("typed", "units"),
    [("１２", 12), ("1,200", 1200), (" 7 ", 7), ("1.5", None), ("-3", None), ("12瓶", None)],
)
def test_only_a_whole_number_is_a_quantity(open_page, store, typed, units):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.go(page, "收货")
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    page.locator("#pad-units").fill(typed)
    confirm = page.locator("main form button[type=submit]")
    if units is not None:
        expect(confirm).to_contain_text(f"{24 + units:,} 瓶")
        return
    page.get_by_text("凭证号").click()
    page.get_by_label("凭证号").fill("A-7")  # which draws the form anew
    expect(page.locator("#pad-units:invalid")).to_have_value(typed)
    confirm.click()
    expect(page.locator("#pad-units:invalid:focus")).to_have_value(typed)
    page.get_by_role("button", name="零散(瓶) 加一").click()
    expect(page.locator("#pad-units:invalid")).to_have_count(0)
    expect(confirm).to_contain_text("25 瓶")


def test_nothing_that_has_the_focus_lies_under_the_button_that_confirms(open_page, store):
    page = open_page("/", "en", **chromium.PHONE)
    clerk.begin(page, *store.clerk("Wang Li"))
    clerk.go(page, "Transfer")
    clerk.scan(page, f"chubei:lot:{store.lots['1019903']}")
    expect(page.locator("main form")).to_be_visible()
    page.get_by_text("Voucher number").click()  # which makes the form longer than the phone
    focused, bar = page.locator("main form :focus:not(.foot *)"), page.locator("main .foot")
    seen = 0
    for key in ("Tab", "Shift+Tab"):
        for _ in range(12):
            page.keyboard.press(key)
            page.evaluate("new Promise(requestAnimationFrame)")
            if focused.count():
                field, foot = focused.bounding_box(), bar.bounding_box()
                assert field["y"] + field["height"] <= foot["y"], focused.evaluate("one => one.outerHTML")
                seen += 1
    assert seen > 8
    clerk.choose_place(page, store.other)
    page.locator("#pad-packs").fill("0")
    page.locator("#pad-units").fill("1")
    expect(page.get_by_role("button", name="Transfer: 1 piece", exact=True)).to_be_enabled()
    clerk.confirm(page)
    clerk.go_records(page)
    expect(page.locator("main li.card")).to_contain_text("Quilt 1 piece")


def _count(page: Page, store: Store, found: dict[str, int]) -> None:
    for code, units in found.items():
        clerk.scan(page, f"chubei:lot:{store.lots[code]}")
        if GOODS[code][3] > 1:
            page.locator("#pad-packs").fill("0")
        page.locator("#pad-units").fill(str(units))
        assert "480" not in page.locator("main .card.lot").inner_text()
        clerk.confirm(page)


def test_a_blind_count_is_recounted_by_another_approved_by_a_third_and_booked(open_page, store, someone, url):
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.go(page, "盘点")
    page.get_by_role("button", name="开始全库盘点").click()
    expect(page.get_by_text("还有 4 行要点")).to_be_visible()
    assert "480" not in page.locator("main").inner_text()
    clerk.offline(page)
    found = {"1029901": 470, "1029905": 480, "1019903": 480, "1019901": 0}
    _count(page, store, found)
    expect(page.get_by_text("您要点的都已点完")).to_be_visible()
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    expect(page.get_by_role("alert")).to_contain_text("您已点过")
    expect(page.get_by_role("button", name="提交复核")).to_be_disabled()
    page.context.set_offline(False)
    clerk.all_sent(page)
    expect(page.get_by_text("2 行与账面不符")).to_be_visible()

    other = open_page("/", **chromium.PHONE)
    clerk.begin(other, *store.clerk("赵六"))
    clerk.go(other, "盘点")
    expect(other.get_by_text("还有 2 行要点")).to_be_visible()
    _count(other, store, {"1029901": 470, "1019901": 0})
    clerk.all_sent(other)
    other.get_by_role("button", name="提交复核").click()
    expect(other.get_by_text("已提交")).to_be_visible()
    one = store.admin.http.get("/v1/stocktakes", params={"place_id": store.id}).json()["rows"][0]
    assert one["state"] == StocktakeState.REVIEW
    assert store.shelf() == dict.fromkeys(GOODS, 480)  # nothing is booked before somebody else approves

    name, password = someone(Role.APPROVER, display_name="周审批")
    settle(url, name, password)
    desk = open_page("/sign-in", "en")
    clerk.sign_in(desk, name, OWN)
    desk.wait_for_url("**/command")
    desk.get_by_role("navigation", name="Menu").get_by_role("link", name="Stocktakes").click()
    desk.get_by_label("Store", exact=True).select_option(store.id)
    desk.locator(f"main li a[href$='{one['stocktake']['id']}']").click()
    table = desk.get_by_role("region", name="Differences")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).to_contain_text("-480")
    assert axe.serious(desk) == []
    desk.emulate_media(media="print")
    expect(desk.get_by_text("Approved: ")).to_be_visible()
    expect(desk.get_by_role("navigation")).to_be_hidden()
    desk.emulate_media(media="screen")
    desk.get_by_role("button", name="Approve and book").click()
    expect(desk.get_by_role("alertdialog")).to_contain_text("2 lines, 0 more and 490 less")
    desk.get_by_role("button", name="Yes").dblclick()
    expect(desk.locator(".notice.good")).to_contain_text("2 of 4 lines right")
    expect(desk.get_by_role("button", name="Approve and book")).to_have_count(0)
    assert store.shelf() == found
    assert store.inventory.books().faults == []


def test_picking_in_walking_order_with_a_wrong_lot_and_a_short_one(open_page, store):
    hold_id = store.hold({"1029901": 100, "1019903": 10})
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, *store.clerk())
    clerk.go(page, "拣货")
    clerk.offline(page)
    page.locator("main .row").click()
    expect(page.get_by_text("货位 A-02-1")).to_be_visible()  # the quilts are passed before the water
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    expect(page.get_by_role("alert")).to_contain_text("不是这个批次")
    clerk.scan(page, f"chubei:lot:{store.lots['1019903']}")
    page.get_by_role("button", name="已取 10 床").click()
    expect(page.get_by_text("货位 A-04-1")).to_be_visible()  # shown once it is written down
    page.reload()
    clerk.enter_pin(page)
    expect(page.get_by_text("货位 A-04-1")).to_be_visible()
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    page.get_by_role("button", name="数量不够").click()
    page.locator("#pad-packs").fill("4")
    page.get_by_role("button", name="短拣:缺 4 瓶").click()
    expect(page.get_by_text("本单拣完")).to_be_visible()
    page.context.set_offline(False)
    clerk.all_sent(page)
    row = next(
        r for r in store.inventory.movements(place_id=store.id, limit=500).rows if r.kind == "short_pick"
    )
    assert sorted(entry.quantity for entry in row.entries) == [-4, 4]
    lines = store.inventory.get_hold(hold_id).lines
    assert store.inventory.books().faults == []
    assert {line.item_code for line in lines} == {"1029901", "1019903"}


def test_papers_and_labels_open_as_pages_to_print(open_page, store):
    page = open_page("/")
    clerk.begin(page, *store.clerk())
    clerk.go(page, "发货")
    clerk.quickly(page, [{"code": f"chubei:lot:{store.lots['1029901']}", "units": 24}])
    clerk.all_sent(page)
    clerk.go_records(page)
    page.get_by_role("button", name="打印单据").click()
    with page.expect_popup() as paper:
        page.get_by_role("link", name="打开 CK").click()
    expect(paper.value.get_by_text("出库单").first).to_be_visible()
    clerk.go(page, "库存与标签")
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    for link in ("打印标签", "货垛标签"):
        with page.expect_popup() as label:
            page.get_by_role("link", name=link).click()
        expect(label.value.locator("svg.qr").first).to_be_visible()


def test_the_clerks_part_is_light():
    assert sum(weights().values()) <= MOST_KB * 1000
