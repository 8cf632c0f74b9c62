"""What the doctor found, as a page for people."""

from chubei_shared.hash_chain import Anchor
from chubei_shared.settings import Service
from rich.console import Console
from rich.text import Text

from .doctor_rules import Part

_STATES = {
    "clean": ("✓", "一致 agrees", "green"),
    "differences": ("✗", "有差异 differs", "bold red"),
    "unknown": ("?", "无法核对 can not be examined", "bold yellow"),
}
_SHOWN = 20


def show(parts: list[Part], heads: dict[Service, Anchor]) -> None:
    """Print a line for each part, and each difference with its rows and its remedy."""
    console = Console(highlight=False)
    for part in parts:
        mark, said, style = _STATES[part.state]
        facts = "  ".join([*part.facts, *([part.trouble] if part.trouble else [])])
        console.print(Text(f"{mark} {part.title}: {said}  {facts}", style), soft_wrap=True)
        for found in part.differences[:_SHOWN]:
            rows = ", ".join(f"{name} {value}" for name, value in found.rows.items())
            lines = (
                f"    {found.problem} / {found.problem_en}",
                f"      {rows}",
                f"      应为 expected {found.expected}; 实为 found {found.found}",
                f"      {found.remedy} / {found.remedy_en}",
            )
            console.print(Text("\n".join(lines)), soft_wrap=True)
        if len(part.differences) > _SHOWN:
            console.print(f"    … {len(part.differences) - _SHOWN} 处未列 more: --json")
    if heads:
        console.print(
            "封存号是审计链的凭据,请抄存于系统之外,下次以 --anchor 核对 / keep the last seals outside of this system: "
            "with --anchor they show at any time whether a chain was cut off",
            soft_wrap=True,
        )
