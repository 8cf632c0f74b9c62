"""What a clerk does at the pages: signs in, sets a PIN, scans, taps."""

import re
from typing import Any

from playwright.sync_api import Page, expect

PIN = "135790"
ALL_SENT = re.compile("全部已发送|All sent")
LONG_MS = 30_000
"""A PIN takes 600,000 rounds, and test machines are slow."""


def sign_in(page: Page, name: str, password: str) -> None:
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.locator("form button[type=submit]").click()


def set_pin(page: Page, pin: str = PIN) -> None:
    fields = page.locator("input[type=password]")
    expect(fields).to_have_count(2)
    fields.nth(0).fill(pin)
    fields.nth(1).fill(pin)
    page.locator("form button[type=submit]").click()


def enter_pin(page: Page, pin: str = PIN) -> None:
    page.get_by_label(re.compile("^PIN")).fill(pin)
    page.get_by_label(re.compile("^PIN")).press("Enter")


def at_home(page: Page) -> None:
    expect(page.get_by_role("link", name=re.compile("^(收货|Receive)$"))).to_be_visible(timeout=LONG_MS)


def begin(page: Page, name: str, password: str, pin: str = PIN) -> None:
    """From the sign-in to the clerk's home, with the store's data on the device."""
    sign_in(page, name, password)
    set_pin(page, pin)
    at_home(page)
    expect(page.get_by_text(re.compile("的数据$|^As of"))).to_be_visible(timeout=LONG_MS)


def installed(page: Page) -> None:
    """The application is on the device: from now on it opens without a network."""
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")


def offline(page: Page) -> None:
    """The network is gone, and the application on the device."""
    installed(page)
    page.context.set_offline(True)


def scan(page: Page, code: str) -> None:
    """As a scanner gun does: keys, fast, and Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def go(page: Page, name: str) -> None:
    """By the tile or link of that name on the clerk's home."""
    home = page.get_by_role("link", name=re.compile("^‹"))
    if home.count():
        home.click()
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def confirm(page: Page) -> None:
    page.locator("main form button[type=submit]").click()
    expect(page.locator("main form")).to_have_count(0)


def to_send(page: Page, count: int) -> None:
    expect(page.get_by_text(f"{count} 条待发送")).to_be_visible(timeout=LONG_MS)


def all_sent(page: Page) -> None:
    expect(page.get_by_text(ALL_SENT)).to_be_visible(timeout=4 * LONG_MS)


_QUICK_HANDS = """
async (acts) => {
  const until = async (found, told) => {
    for (let turn = 0; turn < 4000; turn++) {
      const one = found()
      if (one) return one
      await new Promise((go) => setTimeout(go, 5))
    }
    throw new Error('waited in vain for ' + told)
  }
  const key = (name) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }))
  const type = (form, id, value) => {
    const field = form.querySelector(id)
    if (!field) return
    field.value = value
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  for (const { code, units } of acts) {
    for (const letter of code) key(letter)
    key('Enter')
    const form = await until(() => document.querySelector('main form'), 'the form of ' + code)
    type(form, '#pad-packs', '0')
    type(form, '#pad-units', String(units))
    const choice = form.querySelector('select')
    if (choice) {
      choice.value = choice.options[0].value
      choice.dispatchEvent(new Event('change', { bubbles: true }))
    }
    const chip = form.querySelector('.chip[aria-pressed=false]')
    if (chip && !form.querySelector('.chip[aria-pressed=true]')) chip.click()
    await until(() => !form.querySelector('button[type=submit]').disabled, 'the button of ' + code)
    await new Promise((go) => setTimeout(go))
    form.querySelector('button[type=submit]').click()
    await until(() => !document.querySelector('main form'), 'the end of ' + code)
  }
}
"""


def quickly(page: Page, acts: list[dict[str, Any]]) -> None:
    """The same on the same page, faster than Playwright's own hands: `acts` are {code, units}."""
    page.evaluate(_QUICK_HANDS, acts)


def confirm_is_shown(page: Page) -> None:
    expect(page.get_by_text(re.compile("^已登记"))).to_be_visible()


def go_records(page: Page) -> None:
    page.locator(".bar .records").click()
    expect(page.get_by_role("heading", name=re.compile("^(记录|Records)$"))).to_be_visible()


def choose_place(page: Page, place_id: str) -> None:
    """Where a transfer goes: one of a few chips, or of a list where there are many."""
    choice = page.locator("main form select")
    if choice.count():
        choice.select_option(place_id)
    else:
        page.locator("main form .chip[aria-pressed]").first.click()
