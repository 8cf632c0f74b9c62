"""What a map is drawn on (owned by the gateway)."""

from chubei_shared.contracts.base import Dto
from chubei_shared.map_tiles import TileKind


class MapTiles(Dto):
    kind: TileKind
    urls: list[str]
    """Templates with {z}, {x}, {y}, drawn one over the other; or the address of one PMTiles archive."""
    attribution: str


class MapGround(Dto):
    """Nothing of it is needed: without it a map shows places by their coordinates, and asks no other host."""

    tiles: MapTiles | None
    outline: bool
    """Whether GET /v1/map/outline has outlines for everyone."""
