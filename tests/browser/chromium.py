"""The browser that pages are tried in: a Chromium of this machine, or the one that BROWSER names."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserContext, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
PATIENT_MS = 60_000
"""A slow machine is not a fault of the page."""
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
WALL = {"viewport": {"width": 3840, "height": 2160}}


class NoBrowserError(RuntimeError):
    """There is no Chromium here."""


def path() -> str:
    """Where it is. Raises NoBrowserError."""
    wanted = os.environ.get("BROWSER", "")
    for name in (wanted,) if wanted else _NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowserError(
        f"没有浏览器 {wanted or 'chromium'}:请安装(Debian: apt-get install chromium),或设 BROWSER=none 跳过网页测试 / "
        f"there is no {wanted or 'chromium'}: install it, or set BROWSER=none to leave the page tests out"
    )


@contextmanager
def chromium(driver: Playwright, *flags: str) -> Iterator[Browser]:
    """A running Chromium, closed at the end. As root it has to do without its own sandbox."""
    browser = driver.chromium.launch(
        executable_path=path(), chromium_sandbox=os.getuid() != 0, args=list(flags)
    )
    try:
        yield browser
    finally:
        browser.close()


def person(browser: Browser, url: str, language: str = "zh", **device: object) -> BrowserContext:
    """A person's own browser: cookies and storage of its own, in their language, and nothing that moves."""
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = browser.new_context(
        base_url=url,
        locale=locale,
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        **(device or DESKTOP),
    )  # type: ignore[arg-type]
    context.set_default_timeout(PATIENT_MS)
    return context


def device(browser: Browser, url: str, folder: Path, **more: object) -> BrowserContext:
    """A phone that keeps what it has in `folder`: a Chromium process of its own."""
    return browser.browser_type.launch_persistent_context(
        folder, executable_path=path(), chromium_sandbox=os.getuid() != 0, base_url=url, locale="zh-CN",
        timezone_id="Asia/Shanghai", reduced_motion="reduce", **(PHONE | more),
    )  # type: ignore[arg-type]  # fmt: skip


def cookies_are_kept(folder: Path, since: float) -> None:
    """Wait until the device in `folder` has kept its cookies of the moment `since` (epoch s), at most half a minute."""
    kept, until = folder / "Default" / "Cookies", time.monotonic() + 90
    while not kept.exists() or kept.stat().st_mtime <= since:
        assert time.monotonic() < until, "the browser never wrote its cookies"
        time.sleep(0.5)


def lose_power(folder: Path) -> None:
    """End the device that keeps its data in `folder`, without a chance to finish anything."""
    mine = f"--user-data-dir={folder}"
    found = [one for one in psutil.process_iter() if mine in _command(one)]
    assert found, "no browser runs on this folder"
    for one in found:
        one.kill()
    psutil.wait_procs(found, timeout=30)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return []
