"""Pages by keyboard alone."""

from playwright.sync_api import Page

_FOCUSED = """
(() => {
  const one = document.activeElement
  if (one === document.body) return ''
  return [one.ariaLabel, one.labels?.[0]?.innerText, one.innerText].filter(Boolean).join(' ')
})()
"""
_MARKED = """
(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
  return outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2
})()
"""


def press_to(page: Page, text: str) -> None:
    """By Tab alone to what is called so; that the focus is there can be seen."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if text in page.evaluate(_FOCUSED):
            assert page.evaluate(_MARKED), f"nobody sees that the focus is on {text}"
            return
    raise AssertionError(f"no way to {text} by Tab")
