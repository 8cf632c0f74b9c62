"""An order on a clerk's phone from its first line to the driver, short of one: for pictures of each state."""

from base64 import b64decode
from collections.abc import Callable

from chubei_shared.contracts.orders import OrderView
from chubei_shared.tokens import Role
from playwright.sync_api import Page, expect

from tests.browser import clerk
from tests.browser.night import Night

WORDS = {
    "zh": {"pick": "拣货", "by hand": "没有标签", "taken": "已取", "not enough": "数量不够", "short": "短拣:缺",
           "picked": "登记拣货完成", "loaded": "登记装车完成", "photo": "拍照", "one photo": "本单已拍 1 张",
           "code": "司机的交接码", "hand over": "登记交接", "refused": "没有登记成功", "clerk": "王保管"},
    "en": {"pick": "Pick", "by hand": "No label", "taken": "taken", "not enough": "Not enough there",
           "short": "Short by", "picked": "Record as picked", "loaded": "Record as loaded", "photo": "Take a photo",
           "one photo": "1 photo taken", "code": "The driver’s code", "hand over": "Record the hand-over",
           "refused": "was not taken", "clerk": "Wang Li"},
}  # fmt: skip

_CAMERA = """
([width, height]) => {
  const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
  for (let at = 0; at < 4000; at++) {
    pen.fillStyle = `hsl(${(at * 47) % 360} 80% 50%)`
    pen.fillRect((at * 173) % width, (at * 311) % height, 90, 60)
  }
  return pen.canvas.toDataURL('image/jpeg', 1).split(',')[1]
}
"""

WHERE = b"GPSLatitude 39.9"
Look = Callable[[str], None]


def camera(page: Page) -> bytes:
    """A photo as a camera makes it: large, and with a note of where it was taken."""
    jpeg = b64decode(page.evaluate(_CAMERA, [3200, 2400]))
    assert len(jpeg) > 1024 * 1024
    note = b"Exif\0\0" + WHERE
    return jpeg[:2] + b"\xff\xe1" + (len(note) + 2).to_bytes(2, "big") + note + jpeg[2:]


def pick(page: Page, words: dict[str, str] = WORDS["zh"]) -> None:
    """Confirm line by line by hand; of the first nothing is there."""
    progress = page.get_by_role("status").filter(has_text="0/").inner_text()
    for line in range(int(progress.split("/")[1].split()[0])):
        page.get_by_role("button", name=words["by hand"]).click()
        if line:
            page.get_by_role("button", name=words["taken"]).click()
        else:
            page.get_by_role("button", name=words["not enough"]).click()
            page.get_by_role("button", name=words["short"]).click()


def walk(page: Page, night: Night, order: OrderView, language: str, look: Look) -> None:
    """From the sign-in page on; without a network until the driver's code is told, which is a wrong one."""
    words = WORDS[language]
    name = night.someone(Role.CLERK, display_name=words["clerk"], places=[order.stops[0].place_id])
    page.goto("/")
    clerk.begin(page, name, night.password)
    clerk.go(page, words["pick"])
    clerk.offline(page)
    page.locator("main .row").filter(has_text=order.number).click()
    look("order-line")
    pick(page, words)
    look("order-all-picked")
    page.get_by_role("button", name=words["picked"]).click()
    page.get_by_role("button", name=words["loaded"]).wait_for()
    look("order-picked")
    page.get_by_role("button", name=words["loaded"]).click()
    page.get_by_label(words["code"]).wait_for()
    photo = {"name": "dock.jpg", "mimeType": "image/jpeg", "buffer": camera(page)}
    page.get_by_label(words["photo"]).set_input_files([photo])
    expect(page.get_by_text(words["one photo"])).to_be_visible()
    look("order-loaded")
    page.get_by_label(words["code"]).fill("000000")
    page.get_by_role("button", name=words["hand over"]).click()
    look("order-handed-over")
    page.context.set_offline(False)
    expect(page.get_by_role("alert")).to_contain_text(words["refused"])
    look("order-refused")
