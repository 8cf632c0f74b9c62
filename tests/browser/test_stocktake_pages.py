"""Stocktakes at the desk: opened by command for some items, approved by nobody who had a hand in it, the threshold."""

import secrets
from uuid import uuid4

import pytest
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import axe, chromium, clerk
from tests.browser.keys import press_to
from tests.browser.test_account import OWN, settle


@pytest.fixture
def desk(open_page, someone, url):
    """A desk of somebody new with these roles, at the list of stocktakes."""

    def open_(*roles: Role, **device: object) -> Page:
        name, password = someone(*roles)
        settle(url, name, password)
        page = open_page("/sign-in", **device)
        clerk.sign_in(page, name, OWN)
        page.wait_for_url("**/command")
        page.goto("/stocktakes")
        return page

    return open_


def test_who_opened_a_stocktake_does_not_approve_it_and_a_late_report_is_looked_at_again(desk, store):
    page = desk(Role.APPROVER, **chromium.PHONE)
    page.get_by_role("button", name="开盘点").click()
    form = page.get_by_role("region", name="开一次盘点")
    form.get_by_label("库点").select_option(store.id)
    reason = '=1+1 <img src=x onerror="alert(1)"> 抽查'
    page.get_by_label("事由").fill(reason)
    page.locator("summary").click()
    form.get_by_label("饮用水", exact=True).check()
    assert axe.serious(page) == []
    page.get_by_role("button", name="开始").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text(reason)
    expect(page.get_by_role("status")).to_contain_text("还有 1 行待清点")
    page.get_by_role("button", name="盲盘表").click()
    expect(page.get_by_role("region", name="盲盘表").locator("tbody tr")).to_have_count(1)
    assert "480" not in page.get_by_role("region", name="盲盘表").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    stocktake_id = page.url.rsplit("/", 1)[1]
    store.counted(stocktake_id, {"1029901": 478})
    expect(page.get_by_text("开盘、清点或提交本次盘点的人不能批准")).to_be_visible()
    expect(page.get_by_role("button", name="批准并入账")).to_have_count(0)

    other = desk(Role.APPROVER)
    other.goto(f"/stocktakes/{stocktake_id}")
    other.get_by_role("button", name="批准并入账").click()
    store.receive("1029901", 1)  # another lot: nothing of the stocktake
    other.get_by_role("button", name="确定").click()
    expect(other.locator(".notice.good")).to_contain_text("账实相符 0/1")
    assert store.shelf()["1029901"] == 479
    expect(page.locator(".notice.good")).to_contain_text("账实相符 0/1")  # told by the event stream


def test_the_threshold_is_changed_by_who_may_and_refused_where_it_says_nothing(desk):
    page = desk(Role.APPROVER)
    source = f"规定 {secrets.token_hex(3)}"
    part = page.get_by_role("region", name="复盘门限")
    part.get_by_role("button", name="更改门限").click()
    kept = {
        name: part.get_by_label(name).input_value()
        for name in ("件数超过", "超过账面的(%)", "按目录价超过(元)")
    }
    for name in kept:
        part.get_by_label(name).fill("")
    part.get_by_label("依据").fill(source)
    part.get_by_role("button", name="保存").click()
    expect(part.get_by_role("alert")).to_contain_text("没有门限")
    for name, value in kept.items():
        part.get_by_label(name).fill(value)
    part.get_by_role("button", name="保存").click()
    expect(part).to_contain_text(source)
    assert axe.serious(page) == []
    page.goto("/stocktakes/no-such-thing")
    expect(page.get_by_role("alert")).to_be_visible()


def test_differences_are_approved_by_keyboard_alone(desk, store):
    stocktake_id = str(uuid4())
    store.counted(stocktake_id, {"1029901": 478}, begin=True)
    page = desk(Role.APPROVER)
    press_to(page, "开盘点")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="开一次盘点").get_by_label("库点")).to_be_focused()
    press_to(page, "取消")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="开盘点")).to_be_focused()
    page.goto(f"/stocktakes/{stocktake_id}")
    approve = page.get_by_role("button", name="批准并入账")
    expect(approve).to_be_visible()
    press_to(page, "批准并入账")
    page.keyboard.press("Enter")
    question = page.get_by_role("alertdialog")
    expect(question.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(approve).to_be_focused()
    page.keyboard.press("Space")
    press_to(page, "确定")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.good")).to_contain_text("账实相符 0/1")
    assert store.shelf()["1029901"] == 478
