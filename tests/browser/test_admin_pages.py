"""The administration: who gets in, people, files with bad cells, the catalogue's drafts, the audit's chain."""

import re
import secrets
from uuid import uuid4

import pytest
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser.axe import serious
from tests.browser.chromium import PHONE
from tests.browser.test_account import OWN, settle
from tests.browser.test_sign_in import sign_in


@pytest.fixture
def desk(open_page, someone, url, seeded_admin):
    """A desk of someone with these roles, at a path of the administration."""

    def open_(path: str, *roles: Role, language: str = "zh", **device: object) -> Page:
        name, password = someone(*roles, display_name="冯管理")
        settle(url, name, password)
        page = open_page("/sign-in", language, **device)
        sign_in(page, name, OWN, "登录" if language == "zh" else "Sign in")
        page.wait_for_url("**/command")
        page.goto(path)
        return page

    return open_


def test_who_has_no_business_there_sees_no_administration(desk):
    page = desk("/admin/people", Role.APPROVER)
    expect(page.get_by_role("alert")).to_contain_text("没有这个权限")
    menu = page.get_by_role("navigation", name="菜单")
    for title in ("人员与角色", "库点与货位", "车队与装车点", "导入导出", "审计记录"):
        expect(menu.get_by_role("link", name=title)).to_have_count(0)
    expect(menu.get_by_role("link", name="目录与标准")).to_be_visible()  # drafts are published by approvers
    for path in ("/v1/users", "/v1/audit", "/v1/audit/verification"):
        assert page.evaluate("path => fetch(path).then(a => a.status)", path) == 403
    page.goto("/admin/catalogue")
    expect(page.get_by_role("region", name="物资")).to_contain_text("棉被")
    expect(page.get_by_role("button", name="修改")).to_have_count(0)
    assert serious(page) == []


def test_a_person_is_added_signs_in_and_is_disabled(desk, open_page, seeded_admin):
    page = desk("/admin/people", Role.ADMIN)
    name, first = f"w-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    page.get_by_role("button", name="新增人员").click()
    page.get_by_label("用户名").fill("孙保管")
    page.get_by_label("姓名").fill("孙保管")
    page.get_by_label("初始密码").fill(first)
    page.get_by_label("保管员", exact=True).check()
    page.get_by_role("button", name="保存").click()
    expect(page.locator("input:invalid:focus")).to_have_attribute("title", re.compile("字母"))
    page.get_by_label("用户名").fill(f" {name} ")
    page.get_by_label("示例北库").check()
    assert serious(page) == []
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存:孙保管")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("示例北库")
    assert serious(page) == []
    theirs = open_page("/sign-in", **PHONE)
    sign_in(theirs, name, first)
    expect(theirs.get_by_role("heading", name="设置新密码")).to_be_visible()
    row.get_by_role("button", name="登录 孙保管").click()
    expect(page.get_by_role("region", name="登录")).to_contain_text("Chrome")
    row.get_by_role("button", name="停用 孙保管").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(row).to_contain_text("已停用")
    with pytest.raises(Exception, match="用户名或密码"):
        GatewayClient(
            seeded_admin.http.__class__(base_url=seeded_admin.http.base_url, trust_env=False)
        ).sign_in(name, first)


BINS = "地点编号,货位编号,排或区,行走次序,物资编码\nSTORE-N,{code},A,{order},1010301\nSTORE-N,{code}-2,A,20,1010301\n"


def test_a_bad_cell_is_shown_and_nothing_is_taken_until_it_is_mended(desk, seeded_admin):
    page = desk("/admin/imports", Role.COMMANDER)
    page.get_by_label("哪一张表").select_option("bins")
    code = f"Z-{secrets.token_hex(3)}"

    def choose(order: str) -> None:
        content = BINS.format(code=code, order=order).encode()
        page.get_by_label("选文件").set_input_files(
            {"name": "bins.csv", "mimeType": "text/csv", "buffer": content}
        )
        page.get_by_role("button", name="检查文件").click()

    choose("十")
    expect(page.get_by_role("alert")).to_contain_text("有 1 处不对,一行也没有导入")
    bad = page.get_by_role("region", name="哪里不对").locator("tbody tr")
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text("D2")
    expect(bad.locator("mark")).to_have_text("十")
    expect(bad.get_by_role("cell", name="行走次序", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="导入", exact=True)).to_have_count(0)
    assert serious(page) == []
    with page.expect_download() as marked:
        page.get_by_role("button", name="下载标出错误的副本").click()
    assert marked.value.suggested_filename == "bins-marked.xlsx"
    path = f"/v1/places/STORE-N/bins/{code}"
    assert seeded_admin.http.get(path).status_code == 404
    choose("10")
    expect(page.get_by_role("status")).to_contain_text("可以导入")
    page.get_by_role("button", name="导入", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已导入:新增 2")
    expect(page.get_by_role("region", name="导入记录")).to_contain_text("货位")
    assert seeded_admin.http.get(path).json()["walk_order"] == 10
    page.goto("/admin/stores")
    page.get_by_role("button", name="货位 示例北库").click()
    expect(page.get_by_role("region", name="货位", exact=True)).to_contain_text(f"{code}-2")
    assert serious(page) == []


def test_one_fault_is_one_thing_and_what_is_wide_shows_that_it_scrolls(desk):
    page = desk("/admin/imports", Role.COMMANDER, language="en", **PHONE)
    page.get_by_label("Which list").select_option("bins")
    for cells, said in (
        (("ten", "20"), "1 thing is wrong"),
        (("ten", "twenty"), "2 things are wrong"),
    ):
        rows = "".join(f"STORE-N,X-{number},A,{order},1010301\n" for number, order in enumerate(cells))
        content = f"place_id,code,aisle,walk_order,item_code\n{rows}".encode()
        page.get_by_label("Choose a file").set_input_files(
            {"name": "bins.csv", "mimeType": "text/csv", "buffer": content}
        )
        page.get_by_role("button", name="Check the file").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_text("Checked: 2 rows")).to_be_visible()
    table = page.get_by_role("region", name="What is wrong")
    expect(table).to_have_css("background-attachment", "local, local, scroll, scroll, scroll")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=table.element_handle())
    assert serious(page) == []


def test_an_item_is_changed_in_a_draft_and_then_in_force(desk, seeded_admin):
    page = desk("/admin/catalogue", Role.ADMIN, language="en")
    source = f"{secrets.token_hex(4)} bureau"
    page.get_by_role("button", name="Change 2020101").click()
    expect(
        page.get_by_label("Chinese name")
    ).to_be_focused()  # though the table is long, and the form above it
    expect(page.get_by_label("Chinese name")).to_be_in_viewport()
    page.get_by_label("Managing body").fill(source)
    page.get_by_role("button", name="Put into the draft").click()
    draft = page.locator("section").filter(has=page.get_by_role("button", name="Publish as a version")).first
    expect(draft).to_contain_text(source)
    assert serious(page) == []
    assert seeded_admin.http.get("/v1/items/2020101").json()["managing_body"] != source
    draft.get_by_role("button", name="Publish as a version").click()
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("status")).to_contain_text("Published as version")
    assert seeded_admin.http.get("/v1/items/2020101").json()["managing_body"] == source


def test_kits_and_norms_are_looked_at_and_changed_by_a_draft(desk, seeded_admin):
    http = seeded_admin.http
    page = desk("/admin/catalogue", Role.ADMIN)
    page.get_by_role("button", name="救助标准").click()
    kits = http.get("/v1/kits?limit=500").json()["rows"]
    winter = [kit for kit in kits if kit["season"] == "winter"]
    page.get_by_label("季节").select_option("winter")
    expect(page.locator("main section:has(table)")).to_have_count(len(winter))
    kit = winter[0]
    page.get_by_role("button", name=f"修改 {kit['id']}").click()
    form = page.get_by_role("region", name=f"修改 {kit['id']}")
    per_person = 1 + secrets.randbelow(900) + 0.25
    form.get_by_label("每人").first.fill("0")
    form.get_by_role("button", name="写入草案").click()
    expect(form).to_be_visible()
    form.get_by_label("每人").first.fill(str(per_person))
    assert serious(page) == []
    form.get_by_role("button", name="写入草案").click()
    draft = page.locator("section").filter(has=page.get_by_role("button", name="发布为新版本")).first
    expect(draft).to_contain_text(str(per_person))
    page.get_by_role("button", name="储备定额").click()
    norm = http.get("/v1/norms?limit=500").json()["rows"][0]
    page.get_by_role("button", name=f"修改 {norm['item_code']}", exact=True).click()
    pct = (norm["least_physical_pct"] + 7) % 101
    page.get_by_label("实物不少于").fill(str(pct))
    page.get_by_role("button", name="写入草案").click()
    expect(draft).to_contain_text("实物不少于")
    expect(draft).to_contain_text(str(per_person))  # one draft for both
    assert serious(page) == []
    draft.get_by_role("button", name="发布为新版本").click()
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_role("status")).to_contain_text("已发布为第")
    now = http.get(f"/v1/kits/{kit['id']}").json()
    assert float(now["needs"][0]["per_person"]) == per_person
    assert http.get(f"/v1/norms/{norm['item_code']}").json() == norm | {"least_physical_pct": pct}
    back = {"id": str(uuid4()), "name": "back", "kits": [kit], "norms": [norm]}  # as other tests know them
    etag = http.put(f"/v1/catalogue/drafts/{back['id']}", json=back).raise_for_status().headers["ETag"]
    http.post(f"/v1/catalogue/drafts/{back['id']}:publish", headers={"If-Match": etag}).raise_for_status()


def test_the_audit_says_who_did_what_and_that_its_chain_is_whole(desk):
    page = desk("/admin/audit", Role.AUDITOR, language="en")
    expect(page.locator("option[value='session.open']")).to_have_text("Signed in")
    expect(page.locator("option[value='GET /v1/reserves']")).to_have_count(1)
    expect(page.locator("option[value='GET /v1/audit']")).to_have_count(0)  # which nobody records
    page.get_by_label("What").fill("session.open")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("region", name="Audit").locator("tbody tr").first).to_contain_text("session.open")
    page.goto("/readiness/agreements")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.goto("/admin/audit")
    page.get_by_label("What").fill("GET /v1/reserves")
    page.get_by_role("button", name="Find").click()
    row = page.get_by_role("region", name="Audit").locator("tbody tr").first
    expect(row).to_contain_text("Looked at: reserves that are not on a shelf")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_role("status")).to_contain_text("The chain is whole")
    assert serious(page) == []
    page.goto("/admin/fleet")
    expect(page.get_by_role("alert")).to_contain_text("This page is for administrators")
