"""What a session was opened with, in a few words that its owner knows again: of the User-Agent that was sent."""

import re
from typing import Final

_BROWSERS: Final = (
    ("MicroMessenger", "微信 WeChat"),
    ("Edg", "Edge"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("MiuiBrowser", "Mi Browser"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
)
"""As they name themselves, those that also name another before it."""
_SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_MOST: Final = 60


def device(user_agent: str | None) -> str:
    """Such as "Chrome 131 · Android"; of programs their own name; "-" where nothing was said."""
    said = "".join(letter for letter in user_agent or "" if letter.isprintable()).strip()
    system = next((told for mark, told in _SYSTEMS if mark in said), None)
    for mark, told in _BROWSERS:
        if found := re.search(rf"{mark}[A-Za-z]*/(\d+)", said):
            return " · ".join(part for part in (f"{told} {found[1]}", system) if part)
    return (said.split(" ")[0] or system or "-")[:_MOST]
