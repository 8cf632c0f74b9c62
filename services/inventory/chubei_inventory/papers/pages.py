"""Pages to print: HTML without scripts or other hosts, its style inside, and a policy that allows just that."""

from base64 import b64encode
from hashlib import sha256
from typing import Any, Final

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

_PAGES: Final = Environment(
    loader=PackageLoader("chubei_inventory.papers"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def qr(text: str) -> Markup:
    """A QR code as SVG without a size of its own, which survives a fifth of it being torn or dirty."""
    drawn = segno.make(text, error="q", micro=False).svg_inline(border=4, omitsize=True, svgclass="qr")
    return Markup(drawn)  # noqa: S704 (segno draws modules; the text is not in it)


def page(template: str, style: str, **values: Any) -> HTMLResponse:
    """A page of `template` with the style of `style`, both from templates/. All values are escaped."""
    css = _PAGES.get_template(style).render(values)
    html = _PAGES.get_template(template).render(values, css=Markup(css))  # noqa: S704 (ours, with numbers in it)
    told = b64encode(sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{told}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(html, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})
