"""An order on the phone: picked short, photographed, loaded and handed over without a network; once, and the books
balance."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.gateway_client import GatewayClient
from chubei_shared.contracts.inventory_client import InventoryClient
from chubei_shared.contracts.orders import OrderView
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import axe, chromium, clerk, order_tour
from tests.browser.night import Night
from tests.browser.test_sign_in import sign_in


@pytest.fixture
def real(url: str, admin: GatewayClient) -> Iterator[Night]:
    """A small incident that is no exercise, ended afterwards."""
    night = Night(url, admin, solve_s=3, people={"110102001": 40}, exercise=False)
    yield night
    with night.as_(Role.COMMANDER) as commander:
        ended = {"id": uuid4(), "why": "测试结束", "change": {"kind": "ended"}}
        commander.amend(night.incident.id, Amendment.model_validate(ended))


def photograph(page: Page) -> None:
    """First what is no photo, then one."""
    field = page.get_by_label("拍照")
    field.set_input_files({"name": "list.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"})
    expect(page.get_by_role("alert")).to_contain_text("这不是照片")
    field.set_input_files({"name": "dock.jpg", "mimeType": "image/jpeg", "buffer": order_tour.camera(page)})
    expect(page.get_by_text("本单已拍 1 张")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def seen_by_command(real: Night, order: OrderView, page: Page) -> None:
    """The photo at its order: small, without what the camera noted; the look is on record."""
    name = real.someone(Role.COMMANDER)
    sign_in(page, name, real.password)
    page.wait_for_url("**/command")
    page.goto(f"/command/incidents/{real.incident.id}/orders")
    page.locator("summary").filter(has_text=order.number).click()
    photo = page.get_by_role("link", name="照片 1")
    expect(photo).to_be_visible()
    assert axe.serious(page) == []
    with page.expect_popup() as opened:
        photo.click()
    shown = opened.value.locator("img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1280, 960]
    image = page.request.get(photo.get_attribute("href") or "").body()
    assert image.startswith(b"\xff\xd8\xff")
    assert len(image) <= 512 * 1024
    assert order_tour.WHERE not in image
    looks = [
        row for row in real.admin.audit(subject=name) if row.act == "GET /v1/orders/{id}/photos/{photo_id}"
    ]
    assert [(look.target, look.outcome) for look in looks] == [(photo.get_attribute("href"), 200)]


def test_an_order_is_picked_short_loaded_and_handed_over_by_the_drivers_code(real: Night, open_page):
    order = next(
        one for one in real.orders if one.stops[0].kind == "warehouse" and len(one.stops[0].load) > 1
    )
    store = order.stops[0].place_id
    with real.as_(Role.COMMANDER) as commander:
        right = commander.order_codes(order.id).take_over[0].code
    page = open_page("/", **chromium.PHONE)
    clerk.begin(page, real.someone(Role.CLERK, places=[store]), real.password)
    clerk.go(page, "拣货")
    clerk.offline(page)
    page.locator("main .row").filter(has_text=order.number).click()
    order_tour.pick(page)
    page.get_by_role("button", name="登记拣货完成").click()
    expect(page.get_by_text("少装")).to_be_visible()
    assert axe.serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    page.get_by_role("button", name="登记装车完成").click()
    expect(page.get_by_text("已登记装车完成")).to_be_visible()  # said once it is written down
    photograph(page)
    page.reload()
    clerk.enter_pin(page)
    expect(page.get_by_text("已登记装车完成")).to_be_visible()
    expect(page.get_by_text("本单已拍 1 张")).to_be_visible()
    assert axe.serious(page) == []
    code = page.get_by_label("司机的交接码")
    code.fill(f"{(int(right) + 1) % 10**6:06d}")
    page.get_by_role("button", name="登记交接").click()
    expect(page.get_by_text("已交给司机")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_contain_text("没有登记成功")
    code.fill(right)
    page.get_by_role("button", name="登记交接").click()
    expect(
        page.get_by_text("没有要在本库拣的货")
    ).to_be_visible()  # the order itself says that it is with the driver
    shown = kept(real, order)
    assert [step.step for step in shown.steps if step.stop == 0] == ["picked", "loaded", "taken_over"]
    loaded = next(step for step in shown.steps if step.step == "loaded")
    assert sum(line.short for line in loaded.lines) > 0
    assert shown.steps[-1].proofs == ["code"]
    books = InventoryClient(real.admin.http)
    assert books.books().faults == []
    clerk.all_sent(page)
    seen_by_command(real, order, open_page("/sign-in"))


def kept(night: Night, order: OrderView) -> OrderView:
    with night.as_(Role.COMMANDER) as commander:
        return commander.order(order.id)
