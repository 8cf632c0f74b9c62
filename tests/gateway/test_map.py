"""What the map is drawn on: nothing by default, one other host if it is set, files of the gateway's own."""

from pathlib import Path

import pytest
from chubei_gateway.app import create_app
from chubei_shared.map_tiles import tile_source
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from pydantic import ValidationError

HTML = {"Accept": "text/html"}
OUTLINE = '{"type": "Polygon", "coordinates": [[[116, 39], [117, 39], [117, 40], [116, 39]]]}'


def test_no_other_host_is_allowed_by_default(anyone, sign_in_as):
    policy = anyone.http.get("/", headers=HTML).headers["Content-Security-Policy"]
    assert "http" not in policy
    assert "unsafe" not in policy
    client = sign_in_as(Role.COMMANDER)
    assert client.http.get("/v1/map").json() == {"tiles": None, "outline": False}
    for name in ("outline", "tiles.pmtiles"):
        assert client.http.get(f"/v1/map/{name}").status_code == 404
        assert anyone.http.get(f"/v1/map/{name}").status_code == 401


@pytest.mark.parametrize(
    ("text", "kind", "host"),
    [
        ("https://tiles.example.cn/{z}/{x}/{y}.png", "xyz", "https://tiles.example.cn"),
        ("https://tiles.example.cn:8443/{z}/{x}/{y}.png?key=1", "xyz", "https://tiles.example.cn:8443"),
        ("https://files.example.cn/xicheng.pmtiles", "pmtiles", "https://files.example.cn"),
        ("/srv/map/xicheng.pmtiles", "pmtiles", None),
        (f"tianditu:{'0a' * 16}", "xyz", "https://t0.tianditu.gov.cn"),
    ],
)
def test_a_source_names_its_one_host(text, kind, host):
    source = tile_source(text)
    assert (source.kind, source.host) == (kind, host)
    assert all(url.startswith(host or "/v1/map/") for url in source.urls)


@pytest.mark.parametrize(
    "text",
    [
        "http://tiles.example.cn/{z}/{x}/{y}.png",
        "https://tiles.example.cn/",
        "https://user:secret@tiles.example.cn/{z}/{x}/{y}.png",
        "https://*.example.cn/{z}/{x}/{y}.png",
        "https://a.cn; script-src */{z}/{x}/{y}",
        "tianditu:key",
        "xicheng.pmtiles",
    ],
)
def test_what_is_no_source_is_told_with_the_remedy(text, settings):
    with pytest.raises(ValidationError, match=r"https://host/\{z\}/\{x\}/\{y\}\.png"):
        Settings.model_validate(settings.model_dump() | {"map_tiles": text})


def test_the_policy_allows_that_host_and_files_come_by_ranges(house, serve, sign_in_as, tmp_path: Path):
    archive, outline = tmp_path / "a.pmtiles", tmp_path / "a.geojson"
    archive.write_bytes(b"PMTiles" + bytes(range(100)))
    outline.write_text(OUTLINE)
    client = sign_in_as(Role.COMMANDER)
    ours = house.model_dump() | {"map_outline": outline}
    far = Settings.model_validate(ours | {"map_tiles": "https://tiles.example.cn/{z}/{x}/{y}.png"})
    with serve(create_app(far)) as url:
        policy = client.http.get(f"{url}/", headers=HTML).headers["Content-Security-Policy"]
        assert "connect-src 'self' https://tiles.example.cn;" in policy
        assert policy.count("https://") == 2
        assert client.http.get(f"{url}/v1/map").json() == {
            "tiles": {
                "kind": "xyz",
                "urls": ["https://tiles.example.cn/{z}/{x}/{y}.png"],
                "attribution": "",
            },
            "outline": True,
        }
        assert client.http.get(f"{url}/v1/map/outline").text == OUTLINE
    near = Settings.model_validate(ours | {"map_tiles": str(archive)})
    with serve(create_app(near)) as url:
        part = client.http.get(f"{url}/v1/map/tiles.pmtiles", headers={"Range": "bytes=0-6"})
        assert (part.status_code, part.content) == (206, b"PMTiles")
        assert "http" not in client.http.get(f"{url}/", headers=HTML).headers["Content-Security-Policy"]
