"""A person's own account: an authenticator enrolled from the page, sessions ended, the glass broken."""

import time
from base64 import b32decode
from datetime import UTC, datetime
from urllib.parse import unquote

import httpx
import numpy as np
import zxingcpp
from chubei_gateway.second_factor import totp
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser.axe import serious
from tests.browser.chromium import PHONE
from tests.browser.test_sign_in import sign_in

PIXELS = """picture => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 480, height: 480})
  const pen = canvas.getContext('2d')
  pen.drawImage(picture, 0, 0, 480, 480)
  const data = pen.getImageData(0, 0, 480, 480).data
  return Array.from({length: 480}, (_, y) => Array.from({length: 480}, (_, x) => data[4 * (480 * y + x)]))
}"""
"""The red of each pixel of an image."""
TYPING_S = 10
OWN = "一个很长很长的新密码123"


def settle(url: str, name: str, password: str) -> None:
    """Change the first password, over the API."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        client = GatewayClient(http)
        client.sign_in(name, password)
        client.change_password(password, OWN)


def shown(secret: bytes, later: int = 0) -> str:
    """A code that is not yet older when it has been typed."""
    left_s = totp.STEP_S - time.time() % totp.STEP_S
    if left_s < TYPING_S:
        time.sleep(left_s)
    return totp.code_at(secret, totp.step_at(datetime.now(UTC)) + later)


def enrol(page: Page) -> tuple[bytes, list[str]]:
    page.goto("/account")
    page.get_by_role("link", name="绑定验证器").click()
    page.locator("#password").fill(OWN)
    page.get_by_role("button", name="下一步").click()
    picture = page.get_by_alt_text("验证器的二维码")
    expect(picture).to_be_visible()
    secret = b32decode(page.locator("section code").inner_text().replace(" ", ""))
    assert serious(page) == []
    page.locator("#code").fill(shown(secret, -1))
    page.get_by_role("button", name="确认绑定").click()
    expect(page.get_by_role("heading", name="恢复码")).to_be_visible()
    codes = page.locator("li code").all_inner_texts()
    assert len(codes) == 10
    assert serious(page) == []
    page.get_by_role("button", name="已收好").click()
    return secret, codes


def test_an_authenticator_is_enrolled_and_then_asked_for(open_page, someone, url):
    name, password = someone(Role.APPROVER, display_name="周审批")
    settle(url, name, password)
    page = open_page("/sign-in", **PHONE)
    sign_in(page, name, OWN)
    expect(page.get_by_text("周审批")).to_be_visible()
    secret, codes = enrol(page)
    expect(page.get_by_text("还剩 10 个恢复码")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="退出登录").click()
    sign_in(page, name, OWN)
    expect(page.locator("#code")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert serious(page) == []
    page.locator("#code").fill("000000" if shown(secret) != "000000" else "000001")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    page.locator("#code").fill(shown(secret))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("周审批")).to_be_visible()
    page.get_by_role("button", name="退出登录").click()
    sign_in(page, name, OWN)
    page.locator("#code").fill(codes[3])
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("周审批")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("还剩 9 个恢复码")).to_be_visible()


def test_the_qr_code_says_what_the_page_says(open_page, someone, url):
    name, password = someone(Role.COMMANDER)
    settle(url, name, password)
    page = open_page("/sign-in")
    sign_in(page, name, OWN)
    page.wait_for_url("**/command")
    page.goto("/second-factor")
    page.locator("#password").fill(OWN)
    page.get_by_role("button", name="下一步").click()
    picture = page.get_by_alt_text("验证器的二维码")
    expect(picture).to_be_visible()
    (read,) = zxingcpp.read_barcodes(np.array(picture.evaluate(PIXELS), dtype=np.uint8))
    secret = page.locator("section code").inner_text().replace(" ", "")
    assert read.text.startswith("otpauth://totp/Chubei:")
    assert secret in read.text
    assert name in unquote(read.text)


def test_a_session_that_is_ended_elsewhere_is_out_within_five_seconds(open_page, someone, url):
    name, password = someone(Role.COMMANDER, display_name="吴指挥")
    settle(url, name, password)
    lost, mine = open_page("/sign-in", **PHONE), open_page("/sign-in")
    for page in (lost, mine):
        sign_in(page, name, OWN)
        page.wait_for_url("**/command")
    mine.goto("/account")
    row = mine.get_by_role("listitem").filter(has_not_text="本次登录").first
    expect(row).to_contain_text("Chrome")
    row.get_by_role("button", name="撤销").click()
    expect(mine.get_by_role("status")).to_contain_text("已撤销")
    ended = time.monotonic()
    while lost.evaluate("fetch('/v1/me').then(a => a.status)") != 401:
        assert time.monotonic() - ended < 5
    lost.goto("/account")
    expect(lost.get_by_role("heading", name="登录")).to_be_visible()
    assert mine.evaluate("fetch('/v1/me').then(a => a.status)") == 200


def test_who_is_signed_out_in_the_middle_signs_in_beside_it_and_goes_on(open_page, someone, url):
    name, password = someone(Role.ADMIN)
    settle(url, name, password)
    page = open_page("/sign-in")
    sign_in(page, name, OWN)
    page.wait_for_url("**/command")
    page.goto("/admin/people")
    page.get_by_role("button", name="新增人员").click()
    page.get_by_label("用户名").fill(f"{name}-new")
    page.get_by_label("姓名").fill("李保管")
    page.get_by_label("初始密码").fill("一个很长很长的初始密码1")
    page.get_by_label("审计员", exact=True).check()
    page.context.clear_cookies()
    page.get_by_role("button", name="保存").click()
    with page.context.expect_page() as opened:
        page.get_by_role("alert").get_by_role("link", name="登录已失效").click()
    sign_in(opened.value, name, OWN)
    opened.value.wait_for_url("**/command")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存:李保管")


def test_an_approver_without_the_phone_breaks_the_glass(open_page, someone, url, admin):
    name, password = someone(Role.APPROVER, display_name="郑审批")
    settle(url, name, password)
    page = open_page("/sign-in", **PHONE)
    sign_in(page, name, OWN)
    page.wait_for_url("**/command")
    enrol(page)
    page.get_by_role("button", name="退出登录").click()
    sign_in(page, name, OWN)
    page.get_by_role("link", name="应急登录").click()
    assert serious(page) == []
    page.locator("#username").fill(name)
    page.locator("#password").fill(OWN)
    page.locator("#reason").fill("地震,手机压在楼里,方案等着批")
    page.locator("#witness").fill("值班员孙某")
    page.get_by_role("button", name="应急登录并通知各方").click()
    expect(page.get_by_text("郑审批")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("listitem").filter(has_text="本次登录")).to_contain_text("应急登录")
    assert [row.witness for row in admin.broken_glass().rows if row.username == name] == ["值班员孙某"]


def test_two_others_account_for_who_broke_the_glass(open_page, someone, url):
    broke, password = someone(Role.APPROVER, display_name="冯审批")
    settle(url, broke, password)
    page = open_page("/sign-in", **PHONE)
    sign_in(page, broke, OWN)
    page.wait_for_url("**/command")
    enrol(page)
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        body = {"username": broke, "password": OWN, "reason": "手机压在楼里", "witness": "值班员孙某"}
        assert http.post("/v1/break-glass", json=body).status_code == 201
    page.goto("/account")
    mine = page.get_by_role("listitem").filter(has_text="冯审批 于")
    expect(mine).to_contain_text("原因:手机压在楼里;见证人:值班员孙某")
    expect(mine.get_by_role("button")).to_have_count(0)  # not one's own
    for left in (2, 1):
        name, password = someone(Role.APPROVER)
        settle(url, name, password)
        other = open_page("/sign-in")
        sign_in(other, name, OWN)
        other.wait_for_url("**/command")
        other.goto("/account")
        row = other.get_by_role("listitem").filter(has_text="冯审批 于")
        expect(row).to_contain_text(f"还须 {left} 人说明")
        assert serious(other) == []
        row.get_by_label("核实了什么").fill("已当面核实,确为本人")
        row.get_by_role("button", name="提交说明").click()
        if left == 2:
            expect(row).to_contain_text("已当面核实")
            expect(row.get_by_role("button")).to_have_count(0)
    expect(row).to_have_count(0)
