"""People with a link and no account: one thing each, on a phone, with whatever network there is."""

import re

import pytest
from chubei_shared.contracts.keeper_client import KeeperClient
from playwright.sync_api import expect

from tests.browser import district
from tests.browser.axe import serious
from tests.browser.chromium import PHONE


@pytest.fixture(scope="module")
def night(seeded_admin, url) -> district.Night:
    return district.Night(seeded_admin, url)


def test_what_a_supplier_confirms_is_what_plans_count(night, open_page):
    page = open_page(night.supplier.path, **PHONE)
    expect(page.get_by_role("heading", name="请确认能供多少货")).to_be_visible()
    expect(page.get_by_text("演练,不是真实事件")).to_be_visible()
    assert serious(page) == []
    fields = page.locator("input[type=number]")
    expect(fields).to_have_count(len(night.asked.items))
    some = night.asked.items[0].quantity // 2
    for _ in night.asked.items[1:]:
        page.get_by_role("button", name="没有").last.click()
    for n in range(1, len(night.asked.items)):
        fields.nth(n).fill("0")
    agreed = night.asked.items[0].quantity
    fields.first.fill(str(agreed + 1))
    expect(page.get_by_role("alert")).to_contain_text(f"约定的是 {agreed:,}")
    expect(page.get_by_role("button", name="确认", exact=True)).to_be_disabled()
    assert serious(page) == []
    fields.first.fill(str(some))
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="现在就可以").click()
    page.context.set_offline(True)
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("不会重复计数")
    expect(fields.first).to_have_value(str(some))
    page.context.set_offline(False)
    page.get_by_role("button", name="确认", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已确认")
    assert serious(page) == []
    page.reload()
    expect(page.get_by_role("status")).to_contain_text(f"{some:,}")
    with night.command() as (_, allocation):
        (answer,) = allocation.confirmation(night.asked.id).history
    assert answer.by == "guest:供应商王经理"
    supply = night.planned().scenario["supply"]
    told = {row["item"]: row["quantity"] for row in supply if row["source"] == night.asked.place_id}
    assert told == {night.asked.items[0].item_code: some}


def test_a_keeper_reports_heads_by_a_short_code(night, open_page):
    page = open_page("/l", "en", **PHONE)
    page.get_by_label("Code").fill("AAAA-AAAA")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no such link or code")
    page.get_by_label("Code").fill(night.keeper.code.lower())
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("heading", name="How many people are here?")).to_be_visible()
    assert serious(page) == []
    page.get_by_label("People here now").fill("120000")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_role("alert")).to_contain_text("more than 3 times")
    expect(page.get_by_role("alert")).to_contain_text("press the button")
    expect(page.get_by_role("alert")).not_to_contain_text("surely")
    expect(page.get_by_role("button", name="there are 120,000 people")).to_be_enabled()
    assert serious(page) == []
    page.get_by_label("People here now").fill("120")
    page.get_by_text("Of them (only if counted)").click()
    page.get_by_label("Infants").fill("121")
    expect(page.get_by_role("alert")).to_contain_text("more than the 120 people")
    expect(page.get_by_role("button", name="Report")).to_be_disabled()
    page.get_by_label("Infants").fill("7")
    page.get_by_label("What is missing").fill("奶粉不够")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_role("status")).to_contain_text("120 people reported")
    assert serious(page) == []
    with night.command() as (_, allocation):
        (row,) = allocation.headcounts(night.incident.id, night.shelter_id)
    assert (row.people, (row.groups or {})["infant"], row.note) == (120, 7, "奶粉不够")


def test_a_guest_gets_one_page_and_a_revoked_link_none(night, open_page, seeded_admin):
    page = open_page(night.supplier.path, **PHONE)
    expect(page.get_by_role("heading", name="请确认能供多少货")).to_be_visible()
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0
    page.goto("/readiness")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    seeded_admin.revoke_link(night.supplier.id)
    page.goto(night.supplier.path)
    expect(page.get_by_role("alert")).to_contain_text("链接或短码无效")


def test_a_driver_takes_over_and_the_shelter_receives_hands_out_asks_for_more_and_gives_back(
    night, open_page
):
    order, driver, keeper = night.order
    road = open_page(driver.path, **PHONE)
    with night.command() as (_, allocation):
        code = allocation.order_codes(order.id).take_over[0].code
    expect(road.get_by_text(code)).to_be_visible()
    with night.command() as (_, allocation):
        named = {one.id: one.name_zh for one in allocation.network().vehicle_types}
    kind, _, number = order.vehicle.partition("#")
    expect(road.get_by_text(f"{named[kind]} {number}")).to_be_visible()
    assert serious(road) == []
    for step in ("我已接货", "出发", "已到达"):
        road.get_by_role("button", name=step, exact=True).click()
    expect(road.get_by_role("button", name="登记收货")).to_be_disabled()  # nobody has shown yet who receives
    assert serious(road) == []
    here = open_page(keeper.path, **PHONE)
    here.get_by_role("button", name="收货", exact=True).click()
    coming = here.locator("section").filter(has_text=order.number)
    expect(coming).to_contain_text(f"{named[kind]} {number}")
    coming.get_by_role("button", name="有短缺或损坏").click()
    coming.get_by_label("短缺").first.fill("1")
    assert serious(here) == []
    coming.get_by_role("button", name="登记收货").click()
    expect(here.get_by_role("status")).to_contain_text("已登记收货")
    here.get_by_role("button", name="发放", exact=True).click()
    here.get_by_label("姓名(可不填)").fill("张小明")
    here.get_by_label("几口人").fill("3")
    first = here.locator("fieldset label").first
    first.locator("input").fill("99999")
    here.get_by_role("button", name="登记", exact=True).click()
    expect(here.get_by_role("alert")).to_contain_text(f"{first.inner_text().strip()}:需 99999,可用")
    first.locator("input").fill("1")
    here.get_by_role("button", name="登记", exact=True).click()
    expect(here.locator("section").first).to_contain_text("张*明")
    assert serious(here) == []
    here.get_by_role("button", name="要增补").click()
    here.locator("fieldset input").first.fill("20")
    here.get_by_label("为什么").fill("又来了一车人")
    here.get_by_role("button", name="发给指挥部").dblclick()
    expect(here.get_by_role("status")).to_contain_text("已提出")
    with night.command() as (gateway, _):
        records = KeeperClient(gateway.http).shelter_records(order.incident_id, order.stops[1].place_id).rows
    assert [list(one.units.values()) for one in records if one.kind == "request"] == [[20]]
    here.get_by_role("button", name="归还", exact=True).click()
    expect(here.get_by_label("完好").first).to_be_visible()
    listed = here.locator("fieldset legend").all_inner_texts()
    assert listed[0] == "归还的是"
    assert len(listed) > 1
    assert all("帐篷" in name for name in listed[1:])  # blankets and water stay with whom they were given to
    here.get_by_label("完好").first.fill("9999")
    here.get_by_role("button", name="登记归还").click()
    expect(here.get_by_role("alert")).to_contain_text("待回收只有")
    assert not re.search(r"\d{7}", here.get_by_role("alert").inner_text())  # goods by name
    here.get_by_label("完好").first.fill("")
    here.get_by_label("没有用上").check()
    here.get_by_label("退到哪个库").select_option(order.stops[0].place_id)
    here.get_by_label("完好").last.fill("1")
    here.get_by_role("button", name="登记归还").click()
    expect(here.get_by_role("status")).to_contain_text("已登记归还")
    assert serious(here) == []
    here.reload()
    here.get_by_role("button", name="归还", exact=True).click()
    expect(here.locator("section").filter(has_text="已登记归还")).to_have_count(1)
    with night.command() as (_, allocation):
        receipt = next(row for row in allocation.order(order.id).steps if row.step == "received")
    assert receipt.recorded_by == "guest:安置点孙老师"
    assert sum(row.short for row in receipt.lines) == 1
