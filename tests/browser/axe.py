"""What axe finds wrong with a page for people who see, hear or move differently."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "services/gateway/web/node_modules/axe-core/axe.min.js"


def serious(page: Page) -> list[str]:
    """Its serious and critical findings, with the elements."""
    page.evaluate(_AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
