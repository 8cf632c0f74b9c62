"""The camera reads the labels that we print, and tells by sound and vibration how it went."""

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Playwright, expect

from tests.browser import axe, chromium, clerk
from tests.browser.store import Store

WIDTH, HEIGHT = 640, 480
_DRAW = """
async ([svg, width, height]) => {
  const picture = new Image()
  picture.src = 'data:image/svg+xml,' + encodeURIComponent(svg)
  await picture.decode()
  const pen = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, width, height)
  pen.drawImage(picture, 190, 110, 260, 260)
  return Array.from(pen.getImageData(0, 0, width, height).data.filter((_, at) => at % 4 === 0))
}
"""
_LISTEN = """
window.told = []
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (...at) {
  told.push(this.frequency.value)
  return start.apply(this, at)
}
const vibrate = Navigator.prototype.vibrate
Navigator.prototype.vibrate = function (how) {
  told.push(how)
  return vibrate.call(this, how)
}
const ask = MediaDevices.prototype.getUserMedia
MediaDevices.prototype.getUserMedia = async function (...how) {
  window.stream = await ask.apply(this, how)
  return window.stream
}
"""
"""What is played and shaken is written down, and done."""


def _film(browser: Browser, svg: str, to: Path) -> None:
    """What a camera sees that is held over a label: grey pictures, as Chromium's fake camera takes them (YUV4MPEG2)."""
    page = browser.new_page()
    grey = np.array(page.evaluate(_DRAW, [svg, WIDTH, HEIGHT]), dtype=np.uint8)
    page.close()
    assert grey.min() < 30
    no_colour = np.full(WIDTH * HEIGHT // 2, 128, dtype=np.uint8)
    picture = b"FRAME\n" + grey.tobytes() + no_colour.tobytes()
    to.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + picture * 4)


def test_the_camera_reads_a_label_of_ours_and_tells_how_it_went(
    driver: Playwright, browser: Browser, url: str, store: Store, tmp_path: Path
):
    label = store.admin.http.get(f"/v1/lots/{store.lots['1019903']}/label").raise_for_status().text
    found = re.search(r"<svg.*?</svg>", label, re.DOTALL)
    assert found
    svg = found.group().replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    _film(browser, svg, tmp_path / "label.y4m")
    camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={tmp_path}/label.y4m")
    with chromium.chromium(driver, *camera) as with_camera:
        context = chromium.person(with_camera, url, **chromium.PHONE)
        context.grant_permissions(["camera"])
        context.add_init_script(_LISTEN)
        page = context.new_page()
        page.goto("/")
        clerk.begin(page, *store.clerk())
        clerk.go(page, "发货")
        page.get_by_role("button", name="用摄像头扫码").click()
        expect(page.locator("main .card.lot")).to_contain_text("棉被")
        expect(page.locator("video")).to_have_count(0)
        assert page.evaluate("stream.getTracks().map(track => track.readyState)") == ["ended"]
        assert page.evaluate("told") == [880, 1320, 80]
        page.get_by_role("button", name="更换").click()
        clerk.scan(page, "no-such-lot")
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.evaluate("told.slice(3)") == [220, 180, [200, 100, 200]]
        context.clear_permissions()
        page.get_by_role("button", name="用摄像头扫码").click()
        expect(page.get_by_text("无法使用摄像头")).to_be_visible()
        assert axe.serious(page) == []
        context.close()
