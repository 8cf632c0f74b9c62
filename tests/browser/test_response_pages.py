"""Posts, the response plan and authority, kept by those who may: simple, checked, each change a version."""

import secrets
from uuid import uuid4

import pytest
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import desk_tour
from tests.browser.axe import serious
from tests.browser.chromium import PHONE
from tests.browser.test_account import OWN, settle
from tests.browser.test_sign_in import sign_in


@pytest.fixture
def desk(open_page, someone, url, seeded_admin):
    """A desk of someone with these roles, at a path of the administration."""

    def open_(path: str, *roles: Role, language: str = "zh", **device: object) -> Page:
        name, password = someone(*roles)
        settle(url, name, password)
        page = open_page("/sign-in", language, **device)
        sign_in(page, name, OWN, "登录" if language == "zh" else "Sign in")
        page.wait_for_url("**/command")
        page.goto(path)
        return page

    return open_


def test_a_post_is_added_reached_held_by_others_and_never_above_itself(desk, seeded_admin):
    page = desk("/admin/posts", Role.ADMIN, **PHONE)
    post_id, holder = f"NIGHT-{secrets.token_hex(3)}", f"li-{secrets.token_hex(3)}"
    page.get_by_role("button", name="新增岗位").click()
    form = page.get_by_role("region", name="新增岗位")
    form.get_by_label("编号").fill("DUTY")
    expect(form.get_by_role("alert")).to_contain_text("编号 DUTY 已有")
    form.get_by_label("编号").fill(post_id)
    form.get_by_label("中文名称").fill("<b>夜间</b>值班")
    form.get_by_label("英文名称").fill("Night duty")
    form.get_by_label("现任").fill(holder)
    form.get_by_label("代理人").fill(holder)
    form.get_by_label("上级岗位").select_option("DUTY")
    form.get_by_role("button", name="加一个渠道").click()
    form.get_by_label("通知渠道 1").select_option("webhook")
    form.get_by_label("地址 1").fill("https://im.example.gov.cn/hooks/night")
    assert serious(page) == []
    form.get_by_role("button", name="保存").click()
    expect(form.get_by_role("alert")).to_contain_text("同一人")
    form.get_by_label("代理人").fill("")
    form.get_by_role("button", name="保存").dblclick()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    secret = page.locator("code").inner_text()
    assert len(secret) > 20
    page.reload()
    row = page.get_by_role("row").filter(has_text=post_id)
    expect(row).to_contain_text("<b>夜间</b>值班")
    expect(row).to_contain_text(secret[-4:])
    assert secret not in page.content()
    row.get_by_role("button", name=f"历任 {post_id}").click()
    expect(page.get_by_role("region", name="历任")).to_contain_text(holder)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    page.get_by_role("button", name="修改 DUTY", exact=True).click()
    form = page.get_by_role("region", name="修改 DUTY")
    form.get_by_label("上级岗位").select_option(post_id)
    form.get_by_role("button", name="保存").click()
    expect(form.get_by_role("alert")).to_contain_text("请改上级岗位")
    with page.expect_event("dialog") as asked:  # what is not saved is not lost by a slip of the thumb
        page.evaluate("setTimeout(() => history.back())")
    asked.value.dismiss()
    expect(form).to_be_visible()


def test_the_response_plan_is_changed_and_another_window_does_not_overwrite_it(desk, seeded_admin):
    duty = f"NIGHT-{secrets.token_hex(3)}"
    before = seeded_admin.http.get("/v1/response-plan").json()
    first, second = (desk("/admin/response-plan", Role.COMMANDER, language="en") for _ in range(2))
    for page in (first, second):
        page.get_by_role("button", name="Add a duty").click()
        form = page.get_by_role("region", name="Duty", exact=True)
        form.get_by_label("Id").fill(duty if page is first else f"{duty}-2")
        form.get_by_label("Post").select_option("DUTY")
        form.get_by_label("(Chinese)").fill("看好仓库")
        form.get_by_label("(English)").fill("Look after the stores")
        form.get_by_label("From level").select_option("1")
        form.get_by_label("Done within").fill("99999999999")
        form.get_by_role("button", name="Take into the changes").click()
        expect(form).to_be_visible()  # the browser says which field it is
        form.get_by_label("Done within").fill("20160")
        expect(form.get_by_text("= 14 d", exact=True)).to_be_visible()
        form.get_by_label("Done within").fill("45")
        form.get_by_role("button", name="Take into the changes").click()
        expect(page.get_by_role("region", name="Changes that are not published")).to_contain_text(
            f"added: {duty}"
        )
    first.get_by_role("button", name="At level IV").click()
    expect(first.get_by_role("region", name="Response plan")).not_to_contain_text(duty)
    first.get_by_role("button", name="At level I", exact=False).first.click()
    duties = first.get_by_role("region", name="Response plan")
    expect(duties.get_by_role("row").filter(has_text="Look after the stores")).to_contain_text("45 min")
    assert serious(first) == []
    first.get_by_role("button", name="Publish as version").dblclick()
    expect(first.get_by_role("status")).to_contain_text(f"version {before['version'] + 1}")
    second.get_by_role("button", name="Publish as version").click()
    expect(second.get_by_role("alert")).to_contain_text("changed since you read it")
    now = seeded_admin.http.get("/v1/response-plan").json()
    assert now["version"] == before["version"] + 1
    assert {one["id"] for one in now["plan"]["duties"]} - {one["id"] for one in before["plan"]["duties"]} == {
        duty
    }
    first.get_by_role("button", name=f"Take out {duty}").click()
    first.get_by_role("button", name="Publish as version").click()
    expect(first.get_by_role("status")).to_contain_text(f"version {before['version'] + 2}")
    assert seeded_admin.http.get("/v1/response-plan").json()["plan"] == before["plan"]
    first.get_by_label("Version to look at").select_option(str(before["version"] + 1))
    expect(first.get_by_text("to look at only")).to_be_visible()
    expect(first.get_by_role("button", name="Add a duty")).to_have_count(0)


def test_authority_goes_upwards_and_only_administrators_change_it(desk, seeded_admin):
    before = seeded_admin.http.get("/v1/authority").json()
    page = desk("/admin/authority", Role.ADMIN)
    table = page.get_by_role("region", name="审批权限")
    highest = before["authority"]["tiers"][-1]["id"]
    table.get_by_role("button", name=f"上移 {highest}").click()
    page.get_by_role("button", name="发布为第").click()
    expect(page.get_by_role("alert")).to_contain_text("由低到高")
    page.get_by_role("button", name="放弃改动").click()
    tier = before["authority"]["tiers"][0]
    table.get_by_role("button", name=f"修改 {tier['id']}").click()
    form = page.get_by_role("region", name="审批级别")
    people = tier["max_people"] - 1
    form.get_by_label("最多人数").fill(str(people))
    assert serious(page) == []
    form.get_by_role("button", name="写入改动").click()
    expect(page.get_by_role("region", name="未发布的改动")).to_contain_text(f"修改: {tier['id']}")
    page.get_by_role("button", name="发布为第").click()
    expect(page.get_by_role("status")).to_contain_text(f"已发布为第 {before['version'] + 1} 版")
    now = seeded_admin.http.get("/v1/authority").json()
    assert now["authority"]["tiers"][0] == tier | {"max_people": people}
    seeded_admin.http.put(
        "/v1/authority", json=before["authority"], headers={"If-Match": "*"}
    ).raise_for_status()
    reader = desk("/admin/authority", Role.COMMANDER)
    expect(reader.get_by_role("region", name="审批权限")).to_contain_text(tier["id"])
    expect(reader.get_by_role("button", name="修改")).to_have_count(0)


def test_axe_finds_no_serious_fault_on_what_desks_change(desk, store):
    stocktake_id = str(uuid4())
    store.counted(stocktake_id, {"1029901": 478, "1019901": 479}, begin=True)
    page = desk("/stocktakes", Role.COMMANDER, Role.APPROVER, Role.ADMIN, **PHONE)
    faults: dict[str, list[str]] = {}

    def look(name: str) -> None:
        for language, other in (("zh", "English"), ("en", "中文")):
            wide = page.evaluate("document.documentElement.scrollWidth") - PHONE["viewport"]["width"]
            if found := [*serious(page), *([f"{wide} px wider than the phone"] if wide > 0 else [])]:
                faults[f"{name} {language}"] = found
            page.get_by_role("button", name=other, exact=True).click()

    desk_tour.walk(page, stocktake_id, look)
    assert faults == {}
