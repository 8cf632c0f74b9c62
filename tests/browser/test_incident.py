"""An incident as command works on it: declared, called out, planned, decided on by two, planned again."""

import re
from uuid import uuid4

import pytest
from chubei_shared.contracts.call_out import CallStep, OpenCallOut
from chubei_shared.contracts.confirmations import AskConfirmations
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import axe, command_tour
from tests.browser.chromium import PHONE
from tests.browser.clerk import sign_in
from tests.browser.command_post import PLACE, SOLVE_S, CommandPost, Login
from tests.browser.keys import press_to

LONG_MS = 120_000
"""A plan on a busy machine."""


@pytest.fixture
def post(admin: GatewayClient, url: str) -> CommandPost:
    return CommandPost(admin, url)


def begin(page: Page, login: Login) -> Page:
    sign_in(page, login.name, login.password)
    page.wait_for_url(re.compile("^[^?]*/command"))
    return page


def declare_by_keyboard(page: Page, name: str) -> None:
    press_to(page, "宣布事件")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="发生了什么")).to_be_visible()
    press_to(page, "地震")
    page.keyboard.press("Space")
    press_to(page, "IV 级")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("II 级", exact=True)).to_be_checked()
    press_to(page, "地点")
    page.keyboard.type("西长安街")
    press_to(page, "事件名称")
    page.keyboard.press("Control+A")
    page.keyboard.type(name)
    press_to(page, "30 分钟前")
    page.keyboard.press("Enter")
    press_to(page, "这是演练")
    page.keyboard.press("Space")
    press_to(page, "下一步")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="多少人")).to_be_focused()
    expect(page.get_by_text("共 11,063 人需救助")).to_be_visible()
    press_to(page, "全不选")
    page.keyboard.press("Enter")
    press_to(page, "西长安街街道")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("120")
    press_to(page, "下一步")
    page.keyboard.press("Enter")
    press_to(page, "下一步")
    page.keyboard.press("Enter")
    expect(page.get_by_text("西长安街街道")).to_be_visible()
    press_to(page, "宣布演练")
    page.keyboard.press("Enter")
    expect(page.get_by_text("还没有生效的方案")).to_be_visible()


def ask(page: Page, button: str) -> None:
    """For a plan, in few seconds; until it is there."""
    page.get_by_role("link", name="方案", exact=True).click()
    rows = page.locator("table tbody tr")
    expect(page.get_by_role("button", name=button, exact=True)).to_be_visible()
    before = rows.count()
    page.get_by_text("更多设置").first.click()
    page.get_by_label("计算秒数").first.fill(str(SOLVE_S))
    page.get_by_role("button", name=button, exact=True).click()
    expect(rows).to_have_count(before + 1, timeout=LONG_MS)


def approve(page: Page) -> None:
    page.get_by_role("button", name="批准……").click()
    expect(page.get_by_text("所依据的备忘录")).to_be_visible()
    page.get_by_role("button", name="确认批准").click()


def test_from_incident_to_approved_plan_and_replan_with_three_browsers(open_page, post):
    post.two_approve()
    commander = begin(open_page("/command"), post.commander)
    name = f"西长安街地震 {uuid4().hex[:6]}"
    declare_by_keyboard(commander, name)
    ask(commander, "请求方案")
    commander.locator("table tbody a").first.click()
    expect(commander.get_by_role("heading", name="批准后将动用")).to_be_visible()
    expect(commander.get_by_role("button", name="批准……")).to_have_count(0)
    plan_url = commander.url

    leader = begin(open_page("/command"), post.leader)
    leader.get_by_role("link", name=name).click()
    leader.get_by_role("link", name="查看 ›").click()
    expect(leader.get_by_text("需两人批准,已有 0 人")).to_be_visible()
    deputy = begin(open_page(plan_url), post.deputy)
    expect(deputy.get_by_role("button", name="批准……")).to_be_visible()
    approve(leader)
    expect(leader.get_by_text("您已批准,还需另一位批准")).to_be_visible()
    expect(commander.get_by_text("周局长 于")).to_be_visible()  # told live, by the person's name
    expect(deputy.get_by_text("已有 1 人")).to_be_visible()
    approve(deputy)
    expect(commander.get_by_text("生效", exact=True)).to_be_visible()

    commander.get_by_role("link", name="调拨单", exact=True).click()
    expect(commander.locator("li summary").first).to_contain_text("待出发")
    commander.get_by_role("link", name="人员安置").click()
    commander.get_by_label("哪里").select_option(PLACE)
    commander.get_by_label("现有人数").fill("200")
    commander.get_by_label("原因").fill("又来了 80 人")
    commander.get_by_role("button", name="登记变更").click()
    expect(commander.get_by_text("人数: 西长安街街道 200")).to_be_visible()
    ask(commander, "请求重排")
    commander.locator("table tbody a").first.click()
    expect(commander.get_by_role("heading", name="与另一方案的差别")).to_be_visible()
    expect(commander.get_by_text(re.compile("^车次:保留"))).to_be_visible()
    for page in (leader, deputy):
        page.goto(commander.url)
        approve(page)
    expect(commander.get_by_text("生效", exact=True)).to_be_visible()
    commander.get_by_role("link", name="方案", exact=True).click()
    expect(commander.get_by_text("已被取代")).to_be_visible()


def test_each_role_sees_what_is_theirs(open_page, post):
    incident = post.declare("各看各的")
    with post.as_(post.commander) as commander:
        commander.ask_confirmations(incident.id, AskConfirmations(id=uuid4()))
    plan = post.plan(incident)
    at = f"/command/incidents/{incident.id}"
    pages = {
        "/command": ("main h1", ["宣布事件"]),
        f"{at}/plans": ("table tbody a", ["请求方案"]),
        f"{at}/plans/{plan.id}": ("text=批准后将动用", ["登记口头命令……", "批准……", "退回……"]),
        f"{at}/call-out": ("text=还没有点名 >> visible=true", ["全员点名"]),
        f"{at}/people": ("text=各安置点人员", ["登记变更"]),
    }
    commands = {"宣布事件", "请求方案", "登记口头命令……", "全员点名", "登记变更"}
    sees = {
        post.commander: commands,
        post.leader: {"登记口头命令……", "批准……", "退回……"},
        post.person(Role.APPROVER, display_name="无岗审批人"): {"登记口头命令……", "退回……"},
        post.person(Role.AUDITOR, display_name="孙审计"): set(),
    }
    for login, expected in sees.items():
        page = begin(open_page("/command"), login)
        for path, (there, names) in pages.items():
            page.goto(path)
            expect(page.locator(there).first).to_be_visible()
            for name in names:
                acts = page.get_by_role("button", name=name, exact=True)
                acts = acts.or_(page.get_by_role("link", name=name, exact=True))
                expect(acts).to_have_count(1 if name in expected else 0)
        page.goto(f"{at}/call-out")
        expect(page.get_by_text("逾期未答")).to_be_visible()
        expect(page.get_by_role("button", name="代为登记").first).to_be_visible(
            visible=login is post.commander
        )


def test_two_commanders_at_once_and_a_field_that_is_wrong(open_page, post):
    incident = post.declare("两人同时")
    with post.as_(post.commander) as commander:
        sheet = commander.call_people_out(incident.id, OpenCallOut(id=uuid4(), places=["STORE-N"]))
        row = next(one for one in sheet.rows if one.person_id == "K-N")
        page = begin(open_page(f"/command/incidents/{incident.id}/call-out", **PHONE), post.commander)
        page.route("**/v1/events*", lambda route: route.abort())  # this one hears nothing of the other
        page.reload()
        tap = page.get_by_role("button", name=f"拨打 {row.name}")
        expect(tap).to_be_visible()
        commander.step_call(row.id, CallStep(id=uuid4(), move="call"))
        tap.click()
    expect(page.get_by_role("alert")).to_contain_text(row.name)
    page.get_by_role("button", name="重新载入").click()
    page.get_by_role("button", name=f"已接听 {row.name}").click()
    page.get_by_role("button", name=f"已到岗 {row.name}").click()
    expect(page.get_by_text("保管员: 在岗 1,需 1")).to_be_visible()

    page.goto("/command/declare")
    page.get_by_label("洪涝").check()
    page.get_by_label("III 级", exact=True).check()
    page.get_by_label("事件名称").fill("人太多")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="全不选").click()
    page.get_by_label("椿树街道", exact=True).check()
    page.get_by_label("椿树街道人数").fill("2000")
    page.reload()
    page.get_by_role("button", name="下一步").click()  # what was written is still there
    expect(page.get_by_label("椿树街道人数")).to_have_value("2000")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="宣布事件").click()
    expect(page.get_by_role("heading", name="安置点")).to_be_focused()
    expect(page.locator(".note.bad")).to_contain_text("2000 人")


def test_axe_finds_no_serious_fault_on_an_incidents_pages(open_page, post):
    page = begin(open_page("/command", **PHONE), post.commander)
    faults: dict[str, list[str]] = {}
    seen: list[str] = []

    def look(name: str) -> None:
        seen.append(name)
        for language, other in (("zh", "English"), ("en", "中文")):
            found = axe.serious(page)
            wide = page.evaluate("document.documentElement.scrollWidth") - PHONE["viewport"]["width"]
            if found or wide > 0:
                faults[f"{name} {language}"] = [*found, f"{wide} px wider than the phone"]
            page.get_by_role("button", name=other, exact=True).click()

    command_tour.walk(page, post, look)
    assert faults == {}
    assert len(seen) == len(set(seen)) >= 16
