"""Every page of an incident with something on it, one after another: for pictures of them, and for axe."""

import re
from collections.abc import Callable
from uuid import uuid4

from chubei_shared.contracts.call_out import CallStep, OpenCallOut
from chubei_shared.contracts.confirmations import AskConfirmations
from playwright.sync_api import Page, expect

from tests.browser.command_post import CommandPost

Look = Callable[[str], None]


def walk(page: Page, post: CommandPost, seen: Look, prefix: str = "") -> None:
    """A commander has signed in at `page`; `seen` is called with the name of each page once it stands."""

    def look(name: str) -> None:
        page.wait_for_timeout(200)  # for what moves to have come to rest
        seen(prefix + name)

    _declaring(page, look)
    incident = post.declare()
    plan = post.plan(incident)
    _called(post, incident.id)
    at = f"/command/incidents/{incident.id}"
    for name, there in _THERE.items():
        page.goto(f"{at}/{name}")
        expect(page.locator(f".incident {there}").first).to_be_visible()
        if name == "people":
            page.locator("ul.plain .acts button").first.click()
            expect(page.locator("ul.plain form")).to_be_visible()
        look(name)
    page.goto(f"{at}/plans")
    page.locator(".several > summary").click()
    expect(page.locator("fieldset.panel").first).to_be_visible()
    look("alternatives-form")
    page.goto(f"{at}/plans/{plan.id}")
    expect(page.locator(".decision button").first).to_be_visible()
    look("plan")
    page.locator(".decision button").last.click()
    look("oral-order-form")
    _ordered(page, post)
    look("plan-ordered")
    page.goto(f"{at}/orders")
    page.locator("li summary").first.click()
    look("orders")
    page.goto(f"{at}/overview")
    expect(page.locator(".incident svg")).to_be_visible()
    look("overview-planned")
    page.goto(f"{at}/reports")
    page.locator(".acts button").first.click()
    expect(page.locator("textarea").first).to_be_visible()
    look("reports")
    page.reload()
    page.locator(".acts button").nth(2).click()
    expect(page.locator("fieldset.request")).to_be_visible()
    look("city-request")
    page.goto(f"{at}/aftermath")
    expect(page.locator(".incident tbody td").first).to_be_visible()
    look("aftermath")


def _declaring(page: Page, look: Look) -> None:
    page.goto("/command/declare")
    page.locator("input[name=kind]").first.check()
    page.locator("input[name=level]").nth(2).check()
    page.locator("form .field input").nth(0).fill("西长安街")
    page.locator("form .field input").nth(1).focus()
    for name in ("declare-what", "declare-who", "declare-means", "declare-summary"):
        expect(page.locator("form h2").first).to_be_visible()
        look(name)
        if name != "declare-summary":
            page.locator("form button[type=submit]").click()
            expect(page.locator("[aria-current=step]")).not_to_contain_text(_NUMBER[name])


_THERE = {
    "overview": ".note.warn a",
    "call-out": "meter",
    "plans": "tbody a",
    "deviations": "form select",
    "exercise": ".choices",
    "tasks": "article",
    "timeline": "ol li",
    "people": "ul.plain .acts button",
}
"""What stands on a page once it is loaded."""
_NUMBER = {"declare-what": "1.", "declare-who": "2.", "declare-means": "3."}


def _called(post: CommandPost, incident_id: object) -> None:
    """People on the sheet in several states, and suppliers asked."""
    with post.as_(post.commander) as commander:
        sheet = commander.call_people_out(incident_id, OpenCallOut(id=uuid4(), places=["STORE-N"]))
        for row, moves in zip(
            sheet.rows, (("call", "answer", "present"), ("call", "answer"), ("call",)), strict=False
        ):
            for move in moves:
                commander.step_call(row.id, CallStep(id=uuid4(), move=move))
        commander.ask_confirmations(incident_id, AskConfirmations(id=uuid4()))
    post.asks_for_more(incident_id)


def _ordered(page: Page, post: CommandPost) -> None:
    form = page.locator(".decision form")
    form.locator("select").select_option(post.leader.name)
    form.locator("input[maxlength='200']").fill("李四")
    form.locator("button[type=submit]").click()
    expect(page.get_by_text(re.compile("补文件还剩|for the papers"))).to_be_visible()
    expect(page.locator(".incident h2 .good")).to_be_visible()
