"""Desks by keyboard alone: whatever a button opens has the focus, Escape closes it, and the button has it again."""

import re
from uuid import uuid4

import pytest
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser.clerk import sign_in
from tests.browser.command_post import CommandPost
from tests.browser.keys import press_to

LONG_MS = 180_000
"""Until the sweeper has given tasks out, on a busy machine."""


@pytest.fixture
def post(admin: GatewayClient, url: str) -> CommandPost:
    return CommandPost(admin, url)


@pytest.fixture
def desk(open_page, post) -> Page:
    """Of somebody on duty who commands and administers."""
    person = post.person(Role.COMMANDER, Role.ADMIN, display_name="何主任")
    post.appoint("DUTY", person, None)
    page = open_page("/command")
    sign_in(page, person.name, person.password)
    page.wait_for_url(re.compile("^[^?]*/command"))
    return page


def press(page: Page, text: str) -> None:
    press_to(page, text)
    page.keyboard.press("Enter")


def opens_and_closes(page: Page, button: str, field: str) -> None:
    press(page, button)
    expect(page.get_by_label(field)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=button).and_(page.locator(":focus"))).to_be_visible()


def test_an_incident_is_led_and_reported_by_keyboard_alone(desk, post):
    incident = post.declare("只用键盘")
    at = f"/command/incidents/{incident.id}"
    desk.goto(f"{at}/exercise")
    expect(desk.get_by_role("button", name="开始演练")).to_be_visible()
    press(desk, "跳到正文")
    expect(desk.locator("main .page")).to_be_focused()
    press(desk, "用示例脚本")
    expect(desk.locator("ol li")).to_have_count(3)
    press(desk, "去掉")
    expect(desk.locator("ol li")).to_have_count(2)
    press(desk, "开始演练")
    expect(desk.get_by_role("heading", name="桌面推演 · 进行中")).to_be_visible()
    opens_and_closes(desk, "取消演练……", "为什么取消")

    desk.goto(f"{at}/tasks")
    mine = desk.locator("article.mine").first
    expect(mine).to_be_visible(timeout=LONG_MS)
    press(desk, "收到")
    expect(mine.get_by_role("button", name="办结")).to_be_visible()
    press(desk, "其他")
    opens_and_closes(desk, "改派……", "改派给")
    desk.goto(f"{at}/tasks")
    press(desk, "办结")
    expect(mine).to_contain_text("已办结")

    desk.goto(f"{at}/reports")
    expect(desk.get_by_role("button", name="生成速报")).to_be_visible()
    press(desk, "生成速报")
    expect(desk.get_by_label("措施和下一步")).to_be_visible()
    press_to(desk, "措施和下一步")
    desk.keyboard.type("先送饮用水")
    press(desk, "保存草稿")
    expect(desk.get_by_role("button", name="保存草稿")).to_be_disabled()
    opens_and_closes(desk, "作废……", "原因")

    desk.goto(f"{at}/aftermath")
    expect(desk.get_by_role("region", name="时间用在哪里")).to_be_visible()
    press_to(desk, "打开复盘报告")
    press_to(desk, "时间用在哪里")


def test_readiness_and_administration_are_worked_on_by_keyboard_alone(desk):
    desk.goto("/readiness/agreements")
    row = desk.get_by_role("button", name="演练 示例帐篷厂")
    expect(row).to_be_visible()
    press(desk, "演练 示例帐篷厂")
    expect(desk.get_by_role("button", name="收起")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(row).to_be_focused()
    desk.goto("/readiness/care")
    expect(desk.get_by_role("button", name="补库")).to_be_visible()
    press(desk, "补库")
    expect(desk.get_by_role("button", name="补库")).to_have_attribute("aria-pressed", "true")

    desk.goto("/admin/people")
    expect(desk.get_by_role("button", name="停用 刘指挥").first).to_be_visible()
    press(desk, "新增人员")
    expect(desk.get_by_label("用户名")).to_be_focused()
    press(desk, "取消")
    expect(desk.get_by_role("button", name="新增人员")).to_be_focused()
    press_to(desk, "查找")
    desk.keyboard.type("刘指挥")
    expect(desk.get_by_role("button", name="停用 何主任")).to_have_count(0)
    press(desk, "停用 刘指挥")
    question = desk.get_by_role("dialog")
    expect(question.locator(":focus")).to_have_count(1)
    for _ in range(5):  # it is not left by Tab
        desk.keyboard.press("Tab")
        expect(question.locator(":focus")).to_have_count(1)
    desk.keyboard.press("Escape")
    expect(question).not_to_be_visible()
    expect(desk.get_by_role("button", name="停用 刘指挥").and_(desk.locator(":focus"))).to_be_visible()

    desk.on("filechooser", lambda _: None)  # from now on, lest the first one comes before it is listened to
    desk.goto("/admin/imports")
    desk.get_by_label("哪一张表").select_option("bins")
    press_to(desk, "选文件")
    with desk.expect_file_chooser() as chosen:
        desk.keyboard.press("Enter")
    table = f"地点编号,货位编号,行走次序\nSTORE-N,K-{uuid4().hex[:6]},10\n".encode()
    chosen.value.set_files({"name": "bins.csv", "mimeType": "text/csv", "buffer": table})
    press(desk, "检查文件")
    expect(desk.get_by_text("没有发现错误")).to_be_visible()
    press(desk, "导入")
    expect(desk.get_by_text("已导入:新增 1").first).to_be_visible()
