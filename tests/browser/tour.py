"""Every page of a clerk with something on it, one after another: for pictures of them, and for axe."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import clerk
from tests.browser.store import Store

WORDS = {
    "zh": {"receive": "收货", "issue": "发货", "transfer": "移库", "seal": "封存", "release": "解封", "count": "盘点",
           "pick": "拣货", "stock": "库存与标签", "new": "登记新批次", "lock": "锁定", "open": "开始全库盘点",
           "short": "数量不够", "forgot": "忘记 PIN"},
    "en": {"receive": "Receive", "issue": "Issue", "transfer": "Transfer", "seal": "Seal off", "release": "Release",
           "count": "Count", "pick": "Pick", "stock": "Stock and labels", "new": "A new lot", "lock": "Lock",
           "open": "Begin a stocktake of the whole store", "short": "Not enough there", "forgot": "I forgot the PIN"},
}  # fmt: skip
Look = Callable[[str], None]


def walk(page: Page, store: Store, language: str, seen: Look, prefix: str = "") -> None:
    """From the sign-in page on; `seen` is called with the name of each page once it stands, after `prefix`."""

    def look(name: str) -> None:
        page.wait_for_timeout(200)  # for what moves to have come to rest
        seen(prefix + name)

    words = WORDS[language]
    store.hold({"1029901": 100, "1019903": 10, "1029905": 36})
    name, password = store.clerk("王保管" if language == "zh" else "Wang Li")
    clerk.sign_in(page, name, password)
    expect(page.locator("input[type=password]")).to_have_count(2)
    look("pin-new")
    clerk.set_pin(page)
    clerk.at_home(page)
    expect(page.get_by_text(re.compile("的数据$|^As of"))).to_be_visible()
    look("home")
    _acts(page, store, words, look)
    _picks(page, store, words, look)
    clerk.go(page, words["count"])
    look("count-none")
    page.get_by_role("button", name=words["open"]).click()
    expect(page.locator("main .row").first).to_be_visible()
    look("count")
    clerk.scan(page, f"chubei:lot:{store.lots['1029905']}")
    look("count-units")
    clerk.confirm(page)
    clerk.go(page, words["stock"])
    look("stock")
    clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
    look("stock-lot")
    _away(page, store, words, look)


def _acts(page: Page, store: Store, words: dict[str, str], look: Look) -> None:
    for kind in ("receive", "issue", "transfer", "seal"):
        clerk.go(page, words[kind])
        look(kind)
        clerk.scan(page, f"chubei:lot:{store.lots['1029901']}")
        expect(page.locator("main form")).to_be_visible()
        if kind == "transfer":
            clerk.choose_place(page, store.other)
        look(f"{kind}-units")
        clerk.confirm(page)
        look(f"{kind}-done")
    clerk.go(page, words["release"])
    look("release")
    clerk.go(page, words["receive"])
    page.get_by_role("button", name=words["new"]).click()
    look("receive-new")


def _picks(page: Page, store: Store, words: dict[str, str], look: Look) -> None:
    clerk.go(page, words["pick"])
    look("pick")
    page.locator("main .row").first.click()
    expect(page.locator("main .card")).to_have_count(1)
    look("pick-line")
    clerk.scan(page, f"chubei:lot:{store.lots['1019901']}")
    look("pick-wrong")
    page.locator("main button.big").first.click()
    look("pick-right")
    page.get_by_role("button", name=words["short"]).click()
    look("pick-short")


def _away(page: Page, store: Store, words: dict[str, str], look: Look) -> None:
    """Without a network, with more going out than the books have; then records, and the device locked."""
    clerk.offline(page)
    clerk.go(page, words["issue"])
    clerk.scan(page, f"chubei:lot:{store.lots['1019903']}")
    page.locator("#pad-packs").fill("300")
    look("issue-too-many")
    clerk.confirm(page)
    page.get_by_role("link", name=re.compile("^‹")).click()
    clerk.at_home(page)
    look("home-offline")
    page.context.set_offline(False)
    clerk.all_sent(page)
    clerk.go_records(page)
    look("records")
    page.get_by_role("link", name=re.compile("^‹")).click()
    page.get_by_role("button", name=words["lock"], exact=True).click()
    expect(page.locator("input[type=password]")).to_have_count(1)
    look("pin")
    page.get_by_role("button", name=words["forgot"]).click()
    look("pin-forgot")
