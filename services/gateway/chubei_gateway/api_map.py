"""What the map is drawn on: none, tiles of one's own choice, outlines that everyone sees."""

from pathlib import Path

from chubei_shared.access import allow
from chubei_shared.contracts.maps import MapGround, MapTiles
from chubei_shared.errors import NotFound
from chubei_shared.settings import Settings
from chubei_shared.tokens import PEOPLE
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

router = APIRouter(tags=["live"])


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


@router.get("/v1/map", summary="地图底图设置 / what the map is drawn on", **allow(*PEOPLE))
def read_map(request: Request) -> MapGround:
    """Set by CHUBEI_MAP_TILES and CHUBEI_MAP_OUTLINE; the pages' content security policy allows its host only."""
    settings = _settings(request)
    source = settings.tile_source
    tiles = source and MapTiles(kind=source.kind, urls=list(source.urls), attribution=source.attribution)
    return MapGround(tiles=tiles, outline=settings.map_outline is not None)


@router.get(
    "/v1/map/outline",
    summary="区界等轮廓(GeoJSON) / outlines that everyone sees",
    response_class=FileResponse,
    **allow(*PEOPLE),
)
def read_outline(request: Request) -> FileResponse:
    """The GeoJSON file that CHUBEI_MAP_OUTLINE names."""
    return _file(_settings(request).map_outline, "application/geo+json", "CHUBEI_MAP_OUTLINE")


@router.get(
    "/v1/map/tiles.pmtiles",
    summary="本机的瓦片包 / the tile archive that the gateway has",
    response_class=FileResponse,
    **allow(*PEOPLE),
)
def read_tiles(request: Request) -> FileResponse:
    """The PMTiles archive that CHUBEI_MAP_TILES names, by ranges."""
    source = _settings(request).tile_source
    return _file(source.file if source else None, "application/vnd.pmtiles", "CHUBEI_MAP_TILES")


def _file(path: Path | None, kind: str, setting: str) -> FileResponse:
    if path is None or not path.is_file():
        raise NotFound(
            f"没有这个文件,请管理员检查 {setting}",
            f"There is no such file: an administrator should look at {setting}",
        )
    return FileResponse(path, media_type=kind)
