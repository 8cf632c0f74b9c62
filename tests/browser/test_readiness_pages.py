"""The page that goes upward and those behind it, from a real check of the sample district."""

import pytest
from chubei_shared.contracts.readiness import Readiness
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import district
from tests.browser.axe import serious
from tests.browser.chromium import PHONE
from tests.browser.test_account import OWN, settle
from tests.browser.test_sign_in import sign_in


@pytest.fixture(scope="module")
def found(seeded_admin) -> Readiness:
    return district.check(seeded_admin)


@pytest.fixture
def reader(open_page, someone, url):
    """A page of someone who may read everything and do nothing."""

    def open_(path: str, language: str = "zh", **device: object) -> Page:
        name, password = someone(Role.AUDITOR, display_name="钱审计")
        settle(url, name, password)
        page = open_page("/sign-in", language, **device)
        sign_in(page, name, OWN, "登录" if language == "zh" else "Sign in")
        page.wait_for_url("**/command")
        page.goto(path)
        return page

    return open_


def test_the_page_upward_says_what_the_check_found(found, reader):
    page = reader("/readiness")
    words = {"able": "能保障", "nearly": "基本能保障", "unable": "不能保障"}
    expect(page.locator(".verdict .word")).to_have_text(words[found.page.verdict])
    expect(page.locator(".verdict")).to_contain_text(found.page.why_zh)
    expect(page.locator(".figures")).to_contain_text(f"{found.page.served:,} / {found.page.people:,}")
    expect(page.get_by_text("最缺", exact=True)).to_have_count(len(found.page.scarcest))
    expect(page.get_by_role("region", name="各类储备").locator("tbody tr")).to_have_count(
        len(found.page.items)
    )
    expect(page.get_by_role("button", name="现在检查")).to_have_count(0)  # that is command's
    assert serious(page) == []
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="保障能力的各页")).not_to_be_visible()
    expect(page.get_by_role("button", name="打印本页")).not_to_be_visible()
    expect(page.locator(".verdict")).to_be_visible()


def test_the_page_upward_is_as_wide_as_a_phone_in_english_too(found, reader):
    page = reader("/readiness", "en", **PHONE)
    expect(page.get_by_role("region", name="What ends, and the money").locator("td").last).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["viewport"]["width"]


def test_it_says_what_breaks_when_what_is_lost_and_until_when_it_is_kept(found, reader):
    page = reader("/readiness/losses", "en", **PHONE)
    matrix = page.get_by_role("region", name="What breaks when what is lost")
    expect(matrix.locator("tbody tr")).to_have_count(len(found.losses))
    worst = found.losses[0]
    first = matrix.locator("tbody tr").first
    expect(first).to_contain_text(worst.name_en)
    expect(first).to_contain_text(f"−{worst.lost_people:,}")
    dates = page.get_by_role("region", name="The date on which it breaks")
    expect(dates.locator("tbody tr")).to_have_count(len(found.first_dates))
    broken = [row for row in found.first_dates if row.on]
    expect(dates.locator("tbody .bad")).to_have_count(len(broken))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # tables scroll by themselves
    assert serious(page) == []


def test_history_is_plotted_and_lists_show_what_is_due(found, reader, seeded_admin):
    page = reader("/readiness/history")
    expect(page.get_by_role("img", name="历次检查的救助比例").locator("svg")).to_be_visible()
    expect(page.get_by_role("region", name="检查记录")).to_contain_text(f"{found.page.served:,}")
    assert serious(page) == []
    page.get_by_role("link", name="养护清单").click()
    due = seeded_admin.http.get("/v1/care/due/replenish", params={"limit": 500}).json()["rows"]
    page.get_by_role("button", name=f"补库 {len(due)}").click()
    expect(page.get_by_role("region", name="补库").locator("tbody tr")).to_have_count(len(due))
    assert serious(page) == []
    page.get_by_role("link", name="协议与演练").click()
    expect(page.get_by_role("region", name="产能")).to_contain_text("示例帐篷厂")
    assert serious(page) == []
