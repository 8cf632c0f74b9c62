"""PURE. Where a map's ground is drawn from, as CHUBEI_MAP_TILES names it."""

import re
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

TileKind = Literal["xyz", "pmtiles"]
_KEY: Final = re.compile(r"tianditu:([0-9a-f]{32})")
_TIANDITU: Final = "https://t0.tianditu.gov.cn"
_LAYERS: Final = ("vec", "cva")  # the ground, and its names over it
_QUERY: Final = (
    "SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
)


class TileSource(NamedTuple):
    """`urls` are templates (xyz) drawn one over the other, or one archive's address (pmtiles).

    `host` is the only foreign origin that they are fetched from, None where the gateway itself has them, from `file`.
    """

    kind: TileKind
    urls: tuple[str, ...]
    host: str | None
    file: Path | None = None
    attribution: str = ""


def tile_source(text: str) -> TileSource | None:
    """What a setting names; None for an empty one. Raises ValueError with the remedy."""
    if not text:
        return None
    if key := _KEY.fullmatch(text):
        urls = tuple(f"{_TIANDITU}/{layer}_w/wmts?LAYER={layer}&{_QUERY}&tk={key[1]}" for layer in _LAYERS)
        return TileSource("xyz", urls, _TIANDITU, attribution="天地图")
    if text.startswith("/") and text.endswith(".pmtiles"):
        return TileSource("pmtiles", ("/v1/map/tiles.pmtiles",), None, Path(text))
    host = _https_origin(text)
    if host and text.endswith(".pmtiles"):
        return TileSource("pmtiles", (text,), host)
    if host and all(mark in text for mark in ("{z}", "{x}", "{y}")):
        return TileSource("xyz", (text,), host)
    raise ValueError(
        "must be https://host/{z}/{x}/{y}.png, https://host/name.pmtiles, /path/name.pmtiles, tianditu:<key of 32"
        " hexadecimal digits>, or empty"
    )


def _https_origin(url: str) -> str | None:
    """Scheme, host and port, where they are what a content security policy can name."""
    parts = urlsplit(url)
    plain = re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", parts.netloc)
    return f"https://{parts.netloc}" if parts.scheme == "https" and plain else None
