"""Signing in from a page: the tokens stay out of any script's reach, and every state says what to do."""

from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser.chromium import PHONE


def sign_in(page: Page, name: str, password: str, button: str = "登录") -> None:
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.get_by_role("button", name=button, exact=True).click()


def test_the_first_password_is_changed_before_anything_else(open_page, someone):
    name, password = someone(Role.AUDITOR, display_name="钱审计")
    page = open_page("/", **PHONE)
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    sign_in(page, name, password)
    expect(page.get_by_role("heading", name="设置新密码")).to_be_visible()
    page.locator("#old").fill(password)
    page.locator("#fresh").fill("一个很长很长的新密码123")
    page.locator("#again").fill("一个很长很长的新密码123")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("钱审计")).to_be_visible()
    page.reload()
    expect(page.get_by_text("钱审计")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    assert {c["name"]: (c["httpOnly"], c["secure"], c["sameSite"]) for c in page.context.cookies()} == {
        "__Host-chubei-access": (True, True, "Strict"),
        "__Host-chubei-refresh": (True, True, "Strict"),
    }
    assert "eyJ" not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    assert page.context.cookies() == []


def test_a_wrong_password_is_told_in_the_language_of_the_page(open_page):
    page = open_page("/sign-in", language="en")
    sign_in(page, "nobody", "wrong password 1", "Sign in")
    expect(page.get_by_role("alert")).to_contain_text("The username or the password is wrong")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")


def test_an_expired_token_is_renewed_unseen(open_page, someone):
    name, password = someone(Role.COMMANDER)
    page = open_page("/sign-in")
    sign_in(page, name, password)
    expect(page.get_by_role("heading", name="设置新密码")).to_be_visible()
    page.context.clear_cookies(name="__Host-chubei-access")
    page.reload()
    expect(page.get_by_role("heading", name="设置新密码")).to_be_visible()
    assert "__Host-chubei-access" in {cookie["name"] for cookie in page.context.cookies()}


def test_a_write_from_elsewhere_is_not_ours(open_page, someone):
    """A form of another site brings no cookie (SameSite); were it to, it still could not add our header."""
    name, password = someone(Role.COMMANDER)
    page = open_page("/sign-in")
    sign_in(page, name, password)
    expect(page.get_by_role("heading", name="设置新密码")).to_be_visible()
    without = page.evaluate("fetch('/v1/browser-sessions/current', {method: 'DELETE'}).then(a => a.status)")
    assert without in (401, 403)
    assert page.evaluate("fetch('/v1/me').then(a => a.status)") == 200
