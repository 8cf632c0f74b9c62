"""A night that goes otherwise than planned: an exercise led by its script, what went wrong, what changes, what is asked
of the city.
"""

import re
from uuid import uuid4

import pytest
from chubei_shared.contracts.call_out import CallStep, OpenCallOut
from chubei_shared.contracts.gateway_client import GatewayClient
from playwright.sync_api import Page, expect

from tests.browser.axe import serious
from tests.browser.clerk import sign_in
from tests.browser.command_post import PLACE, CommandPost, Login

LONG_MS = 120_000
"""A plan, or what follows from it, on a busy machine."""


@pytest.fixture
def post(admin: GatewayClient, url: str) -> CommandPost:
    return CommandPost(admin, url)


def begin(page: Page, login: Login) -> Page:
    sign_in(page, login.name, login.password)
    page.wait_for_url(re.compile("^[^?]*/command"))
    return page


def test_an_exercise_is_led_through_its_script_to_its_score(open_page, post):
    incident = post.declare("桌面推演")
    page = begin(open_page("/command"), post.commander)
    page.goto(f"/command/incidents/{incident.id}/overview")
    page.get_by_role("link", name="导调、评分 ›").click()
    page.get_by_role("button", name="用示例脚本").click()
    page.get_by_text("添加一条").click()
    page.get_by_label("事发后第几分钟").fill("50")
    page.get_by_label("告诉参演人员什么").fill("老人多了")
    page.get_by_label("事件变更").check()
    page.get_by_label("变更什么").select_option("groups")
    page.get_by_label("哪里").select_option(PLACE)
    page.get_by_label("老年人").fill("60")
    page.get_by_role("button", name="加入脚本").click()
    expect(page.locator("ol li")).to_have_count(4)
    assert serious(page) == []
    page.get_by_role("button", name="开始演练").click()
    expect(page.get_by_role("heading", name="桌面推演 · 进行中")).to_be_visible()
    post.approve(post.plan(incident))

    page.get_by_role("button", name="推进到第 45 分钟").click()
    expect(page.locator("ol li").first).to_contain_text("已下达")
    page.get_by_role("button", name="推进到第 50 分钟").click()
    expect(page.locator("ol li").nth(1)).to_contain_text("已下达")
    page.get_by_role("link", name="情况", exact=True).click()
    standing = page.get_by_role("heading", name="未解除的情况").locator("..")
    expect(standing.locator("li")).to_have_count(1)
    page.get_by_label("出了什么情况").select_option("vehicle_broken")
    page.get_by_label("哪辆车").select_option(index=1)
    page.get_by_label("货还在车上").check()
    page.get_by_role("button", name="登记", exact=True).click()
    expect(standing.locator("li")).to_have_count(2)
    expect(page.locator("dl.figures dd")).to_have_count(3)  # planned, expected, fewer
    expect(page.get_by_role("heading", name="未按时的车次")).to_be_visible()
    assert serious(page) == []
    standing.get_by_role("button", name="解除……").first.click()
    page.get_by_label("为什么解除").fill("已修好")
    page.get_by_role("button", name="确认解除").click()
    expect(standing.get_by_text("已修好")).to_be_visible()

    page.get_by_role("link", name="导调、评分 ›").click()
    page.get_by_label("发现的问题和改进").fill("北库要备水泵")
    page.get_by_role("button", name="结束并评分").click()
    expect(page.get_by_role("heading", name="桌面推演 · 已结束")).to_be_visible()
    expect(page.get_by_text("未用", exact=True)).to_have_count(2)
    page.get_by_role("link", name="演练", exact=True).click()
    expect(page.get_by_text(re.compile("近一年完成 [1-9]"))).to_be_visible()
    assert serious(page) == []


def test_who_answers_comes_at_the_minute_told_or_in_the_usual_time(open_page, post):
    incident = post.declare("点名")
    with post.as_(post.commander) as commander:
        sheet = commander.call_people_out(incident.id, OpenCallOut(id=uuid4(), places=["STORE-N"]))
        for row in sheet.rows[:2]:
            commander.step_call(row.id, CallStep(id=uuid4(), move="call"))
    page = begin(open_page("/command"), post.commander)
    page.goto(f"/command/incidents/{incident.id}/call-out")
    for row, minutes, said in zip(sheet.rows, ("", "95"), ("", "事发后 1 小时 35 分"), strict=False):
        line = page.get_by_role("listitem").filter(has=page.get_by_text(row.name, exact=True))
        line.locator("summary").click()
        told = line.get_by_label(f"不填:{row.arrive_min} 分钟后")
        told.fill("7")
        told.fill(minutes)
        line.get_by_role("button", name="已接听").click()
        expect(line).to_contain_text(re.compile(f"已接听.*{said}.* 到"))
        expect(line.get_by_role("button", name="已到岗")).to_be_enabled()
    assert serious(page) == []


def test_groups_and_pumps_are_amended_and_the_city_is_asked(open_page, post):
    incident = post.declare("变更和请求")
    page = begin(open_page("/command"), post.commander)
    page.goto(f"/command/incidents/{incident.id}/people")
    page.get_by_label("变更什么").select_option("demand_added")
    page.get_by_label("物资").select_option(index=3)
    page.get_by_label("数量").fill("4")
    page.get_by_label("地点名称").fill("莲花桥")
    page.get_by_label("经度").fill("116.32")
    page.get_by_label("纬度").fill("39.89")
    page.get_by_label("原因").fill("桥下积水")
    page.get_by_role("button", name="登记变更").click()
    expect(page.get_by_text(re.compile("增加定量需求: .* 4"))).to_be_visible()
    page.get_by_label("变更什么").select_option("demand_removed")
    page.get_by_label("取消哪一项").select_option(index=1)
    page.get_by_label("原因").fill("水退了")
    page.get_by_role("button", name="登记变更").click()
    expect(page.get_by_text("取消定量需求").locator("visible=true").first).to_be_visible()
    assert serious(page) == []

    page.get_by_role("link", name="报告", exact=True).click()
    page.get_by_role("button", name="生成向市里的需求报告").click()
    page.get_by_role("button", name="加一项").click()
    page.get_by_label("物资").last.select_option(index=2)
    page.get_by_label("数量").last.fill("50")
    told = {"理由": "本区储备不足", "接收地点": "示例北库", "接收人": "钱守库", "接收人电话": "13800000001"}
    for label, text in told.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="保存草稿").click()
    expect(page.get_by_role("button", name="保存草稿")).to_be_disabled()
    assert serious(page) == []
    signer = begin(open_page("/command"), post.leader)
    signer.goto(page.url)
    signer.locator("li button[aria-expanded]").first.click()
    signer.get_by_role("button", name="签发").click()
    expect(page.get_by_text("已签发")).to_be_visible()  # told live
    page.reload()
    page.locator("li button[aria-expanded]").first.click()
    page.get_by_text("登记到货……").click()
    page.get_by_label("物资").select_option(index=1)
    page.get_by_label("数量").fill("1")
    page.get_by_label("到哪个库").select_option("STORE-N")
    page.get_by_role("button", name="登记到货").click()
    expect(page.get_by_text("市救灾物资储备库").last).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="出新版").click()
    newer = page.locator("li").filter(has=page.get_by_role("button", name="第 2 版"))
    expect(newer.get_by_label("数量").first).to_have_value("50")  # what was asked stands
    expect(newer.get_by_role("button", name="保存草稿")).to_be_visible()
    page.locator("li button[aria-expanded]").filter(has_text="已签发").click()
    expect(page.get_by_role("heading", name="市里支援到货")).to_be_visible()
    expect(page.get_by_role("button", name="出新版")).to_have_count(0)  # one at a time
