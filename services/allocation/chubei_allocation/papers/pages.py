"""Pages to print: HTML without scripts or other hosts, its style and drawings inside, and a policy that allows that.

The inventory prints its papers so, too: forty lines, written twice.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Any

import segno
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse


@cache
def _pages(subject: str) -> Environment:
    """The templates/ of a subject of this service, and those of papers, whose styles others use."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(f"chubei_allocation.{name}") for name in (subject, "papers")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def qr(text: str) -> Markup:
    """A QR code as SVG without a size of its own."""
    drawn = segno.make(text, error="q", micro=False).svg_inline(border=4, omitsize=True, svgclass="qr")
    return Markup(drawn)  # noqa: S704 (segno draws modules; the text is not in it)


def page(template: str, style: str, *, subject: str = "papers", **values: Any) -> HTMLResponse:
    """A page of `template` with the style of `style`, from templates/ of a subject or of papers. Values are escaped."""
    css = _pages(subject).get_template(style).render()
    html = _pages(subject).get_template(template).render(values, css=Markup(css))  # noqa: S704 (our own file)
    told = b64encode(sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{told}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})
