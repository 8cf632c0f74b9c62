"""Labels can be read by people and by a scanner: what a decoder reads off the page is what it is to be."""

import re
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import zxingcpp
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.tokens import Role
from starlette.testclient import TestClient

_SCALE = 6
_STEP = re.compile(r"([Mmhv])\s*(-?[0-9.]+)(?:[ ,]?(-?[0-9.]+))?")


def codes_of(page: str) -> list[str]:
    """What a scanner reads on a page."""
    read = []
    for drawn in re.findall(r"<svg.*?</svg>", page, re.S):
        found = zxingcpp.read_barcodes(drawn_as_pixels(drawn))
        assert len(found) == 1, drawn
        read.append(found[0].text)
    return read


def drawn_as_pixels(svg: str) -> Any:
    """The picture that a browser makes of a code: strokes one unit thick, along rows."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    pixels = np.full((size, size), 255, np.uint8)
    x = y = 0.0
    for step, first, second in _STEP.findall(re.search(r' d="([^"]+)"', svg)[1]):  # type: ignore[index]
        if step == "M":
            x, y = float(first), float(second)
        elif step == "m":
            x, y = x + float(first), y + float(second)
        else:
            assert step == "h"
            pixels[int(y), int(x) : int(x + float(first))] = 0
            x += float(first)
    return np.kron(pixels, np.ones((_SCALE, _SCALE), np.uint8))


@pytest.fixture
def http(sign_in: Any) -> TestClient:
    made: TestClient = sign_in(Role.CLERK)
    return made


def packed(yard: Any, module_id: str) -> None:
    line = {"item_code": yard.item, "quantity": 5}
    body = {"kind": "pack", "id": str(uuid4()), "occurred_at": yard.now().isoformat(), "place_id": yard.store,
            "module_id": module_id, "lines": [line]}  # fmt: skip
    yard.admin.record(MOVEMENT.validate_python(body))


def page_of(http: TestClient, *labels: dict[str, Any], **more: Any) -> str:
    answer = http.post("/v1/labels", json={"labels": list(labels), **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    return answer.text


def test_what_a_scanner_reads_and_what_people_read(yard, http):
    lot_id = yard.receive(24, lot_no="批 W2611")
    packed(yard, "FC-1")
    page = page_of(
        http, {"kind": "lot", "lot_id": str(lot_id)},
        {"kind": "bin", "place_id": yard.store, "item_code": yard.item, "bin": "A-03-2"},
        {"kind": "module", "module_id": "FC-1", "place_id": yard.store},
    )  # fmt: skip
    assert codes_of(page) == [
        f"chubei:lot:{lot_id}", f"chubei:bin:{yard.store}/{yard.item}", "chubei:module:FC-1",
    ]  # fmt: skip
    for said in (
        "水",
        "Water",
        "批 W2611",
        "到期 EXP",
        f"<b>{yard.soon}</b>",
        "A-03-2",
        "FC-1",
        "水 5 瓶",
        "24 瓶/箱",
    ):
        assert said in page, said


def test_the_number_of_a_paper_is_read_off_it(yard, http, sign_in):
    yard.receive(10)
    movement = yard.admin.record(yard.issue(1))
    admin = sign_in(Role.ADMIN)
    paper = admin.post("/v1/papers", json={"id": str(uuid4()), "movement_id": str(movement.id)}).json()
    assert codes_of(admin.get(f"/v1/papers/{paper['id']}/page").text) == [f"chubei:paper:{paper['number']}"]


def test_a_label_can_be_linked_to(yard, http):
    lot_id = yard.receive(24)
    lot = http.get(f"/v1/lots/{lot_id}/label", params={"copies": 2})
    assert codes_of(lot.text) == [f"chubei:lot:{lot_id}"] * 2
    stack = http.get(f"/v1/places/{yard.store}/stacks/{yard.item}/label")
    assert codes_of(stack.text) == [f"chubei:bin:{yard.store}/{yard.item}"]
    assert http.get(f"/v1/lots/{uuid4()}/label").status_code == 422


def test_sheets_and_single_labels(yard, http):
    lot = {"kind": "lot", "lot_id": str(yard.receive(1))}
    a4 = page_of(http, lot, copies=9)
    assert a4.count('class="label"') == 9
    assert a4.count('class="sheet"') == 2  # two beside each other, four below
    assert "size: A4" in a4
    single = page_of(http, lot, copies=3, sheet="single", width_mm=60, height_mm=40)
    assert single.count('class="sheet"') == 3
    assert "size: 60mm 40mm" in single
    assert "margin: 0;" in single


@pytest.mark.parametrize(
    ("label", "more", "field"),
    [
        ({"kind": "lot", "lot_id": str(uuid4())}, {}, "labels.0.lot_id"),
        ({"kind": "bin", "place_id": "nowhere", "item_code": "1000001"}, {}, "labels.0.place_id"),
        ({"kind": "lot", "lot_id": str(uuid4())}, {"width_mm": 205}, "body"),
        ({"kind": "lot", "lot_id": str(uuid4())}, {"width_mm": 1}, "width_mm"),
        ({"kind": "shelf"}, {}, "kind"),
    ],
)
def test_what_can_not_be_printed_is_named(http, label, more, field):
    answer = http.post("/v1/labels", json={"labels": [label], **more})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_an_empty_module_has_no_label(yard, http):
    label = {"kind": "module", "module_id": "FC-0", "place_id": yard.store}
    answer = http.post("/v1/labels", json={"labels": [label]})
    assert answer.json()["errors"][0]["field"] == "labels.0.module_id"


def test_names_can_not_break_out_of_a_label(yard, http):
    item = yard.new_item(name_zh="<b>水</b>&\"'", name_en="</style><script>1</script>")
    label = {"kind": "bin", "place_id": yard.store, "item_code": item, "bin": "</svg><script>"}
    page = page_of(http, label)
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert "&lt;b&gt;水&lt;/b&gt;" in page
