"""Files that are to hurt, or are no files at all: each is refused with a remedy, and nothing is held up by it."""

import io
import struct
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from exchange_cases import ITEM_HEADER, item_row, part, text_file, with_part, workbook

SHEET = "xl/worksheets/sheet1.xml"
SOUND = workbook(ITEM_HEADER, item_row("1234567"))
XML = '<?xml version="1.0" encoding="UTF-8"?>'
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def refused(files: Any, data: bytes, *words: str) -> None:
    """The file is refused with these words, by a problem that names it and says what to do."""
    answer = files.send("items", data)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["errors"][0]["field"] == "file"
    assert problem["errors"][0]["remedy"]
    for word in words:
        assert word in problem["detail"] + problem["detail_en"], problem


def sheet(rows: str, before: str = "") -> bytes:
    return f"{XML}{before}<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>".encode()


def cell(value: str) -> str:
    return f'<row r="1"><c r="A1" t="inlineStr"><is><t>{value}</t></is></c></row>'


def test_a_zip_bomb(files):
    bomb = with_part(SOUND, "xl/media/image1.png", b"\0" * (200 << 20))
    assert len(bomb) < 1 << 20
    refused(files, bomb, "过大", "too large")


def test_a_bomb_that_lies_about_its_size(files):
    """Its table of contents says a kibibyte; the reader stops there, and its checksum is wrong."""
    bomb = bytearray(with_part(SOUND, SHEET, sheet(" " * (30 << 20))))
    real, told = struct.pack("<L", len(sheet(" " * (30 << 20)))), struct.pack("<L", 1024)
    assert bomb.count(real) == 2
    refused(files, bytes(bomb).replace(real, told), "损坏", "damaged")


def test_many_files_that_are_one(files):
    """Overlapping entries: each packed byte is unpacked many times."""
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<a/>")
        archive.writestr("xl/workbook.xml", b"<a>" + b" " * (900 << 10) + b"</a>")
        first = archive.filelist[1]
        for number in range(100):
            again = first.__class__(f"xl/part{number}.xml")
            for field in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "flag_bits"):
                setattr(again, field, getattr(first, field))
            archive.filelist.append(again)
    refused(files, target.getvalue(), "file")


def test_a_billion_laughs(files):
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<!DOCTYPE x [<!ENTITY l0 "lol">{entities}]>'
    refused(files, with_part(SOUND, SHEET, sheet(cell("&l9;"), laughs)), "DTD", "entities")
    in_utf16 = sheet(cell("&l9;"), laughs).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    refused(files, with_part(SOUND, SHEET, in_utf16), "DTD")


def test_a_sheet_under_another_name_is_looked_at_too(files):
    laughs = '<!DOCTYPE x [<!ENTITY l "lol">]>'
    refused(files, with_part(SOUND, "xl/media/image1.png", sheet(cell("&l;"), laughs)), "DTD")


def test_an_external_entity(files, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    stealing = f'<!DOCTYPE x [<!ENTITY stolen SYSTEM "file://{secret}">]>'
    answer = files.send("items", with_part(SOUND, SHEET, sheet(cell("&stolen;"), stealing)))
    assert answer.status_code == 422
    assert "secret" not in answer.text.replace(str(secret), "")
    refused(files, with_part(SOUND, "xl/sharedStrings.xml", sheet(cell("x"), stealing)), "DTD")


def test_macros_and_links_to_other_files(files):
    refused(files, with_part(SOUND, "xl/vbaProject.bin", b"\xd0\xcf"), "宏", "macros")
    types = part(SOUND, "[Content_Types].xml").replace(b"spreadsheetml.sheet.main", b"macroEnabled.main")
    refused(files, with_part(SOUND, "[Content_Types].xml", types), "宏", "macros")
    refused(files, with_part(SOUND, "xl/externalLinks/externalLink1.xml", b"<a/>"), "链接", "links")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, ".xls"),
        (SOUND[: len(SOUND) // 2], "damaged"),
        (SOUND[:-30], "damaged"),
        (b"PK\x03\x04 this is no zip", "damaged"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\xff\xfe", "no text"),
        (bytes(range(256)) * 4, "no text"),
        (b"", "file"),
        (b"  \r\n , ,\r\n", "empty"),
        ("物资编码\n".encode("utf-16-le"), "no text"),
        (b'code,name\n"unclosed', "quotes"),
    ],
)
def test_what_is_no_table(files, data, word):
    answer = files.send("items", data)
    assert answer.status_code == 422, answer.text
    if data:
        refused(files, data, word)


def test_another_package_in_a_zip(files):
    target = io.BytesIO()
    with ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    refused(files, target.getvalue(), ".xlsx")


def test_a_password(files):
    locked = bytearray(SOUND)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := locked.find(mark, at + 1)) >= 0:
            locked[at + flags] |= 1
    refused(files, bytes(locked), "密码", "password")


def test_a_million_empty_rows_are_passed_over(files, unknown):
    rows = "".join(f'<row r="{number}"/>' for number in range(3, 1_000_000))
    content = part(workbook(ITEM_HEADER, item_row(unknown())), SHEET).decode()
    padded = content.replace("</sheetData>", f"{rows}</sheetData>").encode()
    report = files.rehearse("items", with_part(workbook(ITEM_HEADER, item_row(unknown())), SHEET, padded))
    assert (report["rows"], report["faults"]) == (1, [])


def test_a_sheet_that_says_it_is_the_largest(files, unknown):
    book = workbook(ITEM_HEADER, item_row(unknown()))
    content = part(book, SHEET)
    start, end = content.index(b'ref="') + 5, content.index(b'"', content.index(b'ref="') + 5)
    lying = content[:start] + b"A1:XFD1048576" + content[end:]
    assert files.rehearse("items", with_part(book, SHEET, lying))["rows"] == 1
    far = content.replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    assert files.rehearse("items", with_part(book, SHEET, far))["rows"] == 1


def test_more_cells_than_anyone_fills_in(files):
    wide = f'<row r="1">{"<c/>" * 600}</row>'
    refused(files, with_part(SOUND, SHEET, sheet(wide)), "单元格过多", "too many cells")
    # incompressible enough to pass as text, and too many elements to be read into memory
    many = "".join(f'<row r="{number}"><c/><c/></row>' for number in range(1, 1_048_000))
    refused(files, with_part(SOUND, SHEET, sheet(many)), "单元格过多")


def test_more_rows_than_one_import_takes(files):
    rows = [["1", *["x"] * 11]] * 5_010
    refused(files, text_file(ITEM_HEADER, *rows), "5000")
    refused(files, workbook(ITEM_HEADER, *rows), "5000")


def test_a_file_over_the_limit_is_not_read(files):
    answer = files.send("items", b"a" * (9 << 20))
    assert answer.status_code == 413


@pytest.mark.parametrize("formula", ["=1+1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"])
def test_formulas_are_refused_in_workbooks(files, unknown, formula):
    for key in ("中文名称", "每箱件数", "物资编码"):
        report = files.rehearse("items", workbook(ITEM_HEADER, item_row(unknown(), **{key: formula})))
        assert [fault["problem"] for fault in report["faults"]] == ["是公式,或公式的错误值"]


def test_codes_that_look_like_formulas_are_refused_in_text(files, unknown):
    for value in ("=1+1", "+1234567", "@SUM(A1)", "-1+1"):
        report = files.rehearse("items", text_file(ITEM_HEADER, item_row(value)))
        assert [fault["column"] for fault in report["faults"]] == ["A"], value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_usual_encodings_are_read(files, unknown, encoding):
    assert (
        files.rehearse("items", text_file(ITEM_HEADER, item_row(unknown()), encoding=encoding))["faults"]
        == []
    )


def test_text_in_another_encoding_is_told_by_its_headers(files, unknown):
    report = files.rehearse("items", "物資編碼,中文名稱\n1,棉被\n".encode("big5"))
    assert {fault["row"] for fault in report["faults"]} == {1}
    assert report["fault_count"] > len(ITEM_HEADER)


@pytest.mark.parametrize("escaped", ["_x0000_", "_xD800_", "\U0001f6bd" * 300, "x" * 100_000])
def test_characters_that_no_column_takes_are_told(files, unknown, escaped):
    for key, column in (("物资编码", "A"), ("中文名称", "B"), ("物资类别", "D")):
        book = workbook(ITEM_HEADER, item_row(unknown(), **{key: "x"}))
        sent = with_part(book, SHEET, part(book, SHEET).replace(b">x<", f">{escaped}<".encode()))
        faults = files.rehearse("items", sent)["faults"]
        if key != "中文名称" or len(escaped) > 200:
            assert [fault["column"] for fault in faults] == [column]


def test_a_header_as_long_as_a_book(files):
    report = files.rehearse("items", text_file([*ITEM_HEADER, *["列" * 20_000] * 30], item_row("1234567")))
    assert report["fault_count"] == 30


def test_thousands_of_faults_are_marked(files):
    rows = [["x"] * len(ITEM_HEADER)] * 1_000
    assert files.rehearse("items", text_file(ITEM_HEADER, *rows))["fault_count"] == 6_000
    assert files.mark("items", text_file(ITEM_HEADER, *rows)).startswith(b"PK")
