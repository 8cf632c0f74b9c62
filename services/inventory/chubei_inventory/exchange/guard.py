"""Whether an uploaded workbook may be opened: judged by its table of contents and its XML, before any library reads it.

A workbook is a zip of XML. What could hurt is refused here: bombs, entities, macros, links to other files, and
shapes that cost a reader memory out of proportion to their size. Everything is read in pieces of a fixed size.
"""

from typing import Final
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from chubei_shared.errors import Invalid

MAX_PARTS: Final = 2_000
MAX_BYTES: Final = 48 * 1024 * 1024
"""Of all parts together, unpacked."""
MAX_RATIO: Final = 150
"""Unpacked to packed, of a part over a mebibyte; text that people wrote comes to 5 to 40."""
MAX_ELEMENTS: Final = 3_000_000
MAX_CELLS_IN_ROW: Final = 512
_PIECE: Final = 1 << 16
_BEFORE_XML: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
_SAVE_ANEW: Final = ("在 Excel 中另存为 .xlsx 后再传", "save it as .xlsx in a spreadsheet and send that")


def refusal(zh: str, en: str, remedy: str = _SAVE_ANEW[0], remedy_en: str = _SAVE_ANEW[1]) -> Invalid:
    """The refusal of a whole file."""
    return Invalid(
        f"文件{zh};请{remedy}",
        f"The file {en}: {remedy_en}",
        errors=[{"field": "file", "problem": f"{zh} / {en}", "remedy": f"{remedy} / {remedy_en}"}],
    )


def check(archive: ZipFile) -> None:
    """Raises Invalid for a workbook that must not be opened."""
    parts = archive.infolist()
    _check_contents(parts)
    left = MAX_ELEMENTS
    for part in parts:
        left = _scan(archive, part, left)


def _check_contents(parts: list[ZipInfo]) -> None:
    names = {part.filename.casefold() for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise refusal("有密码", "has a password", "去掉密码后再传", "take the password away")
    if len(parts) > MAX_PARTS or len(names) < len(parts):
        raise refusal("的内部结构异常", "is not built as a workbook is")
    if sum(part.file_size for part in parts) > MAX_BYTES or any(map(_is_bomb, parts)):
        raise refusal(
            "解压后过大", "is too large unpacked",
            "分成几个文件,并删去多余的格式和工作表", "send it in parts, without needless formats and sheets",
        )  # fmt: skip
    if any("vbaproject" in name or (name.endswith(".bin") and "macro" in name) for name in names):
        raise refusal("含有宏", "holds macros", "另存为不含宏的 .xlsx", "save it as .xlsx, without macros")
    if any("externallinks/" in name for name in names):
        raise refusal(
            "链接到其他文件", "links to other files",
            "在“数据 - 编辑链接”中断开链接", "break them under Data - Edit links",
        )  # fmt: skip
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise refusal("不是 .xlsx 工作簿", "is no .xlsx workbook")


def _is_bomb(part: ZipInfo) -> bool:
    return part.file_size > 1 << 20 and part.file_size > MAX_RATIO * max(1, part.compress_size)


class _Scan:
    """Counts elements as expat meets them. No part of a workbook has a document type, so no entity is ever declared."""

    def __init__(self, left: int) -> None:
        self.left, self.in_row = left, 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.begin
        self.parser.StartDoctypeDeclHandler = self.document_type

    def begin(self, name: str, _: dict[str, str]) -> None:
        self.left -= 1
        local = name.rpartition(":")[2]
        if local == "row":
            self.in_row = 0
        elif local == "c":
            self.in_row += 1
        if self.left < 0 or self.in_row > MAX_CELLS_IN_ROW:
            raise refusal(
                "的单元格过多", "has too many cells",
                "删去数据以外的行、列和格式,或分成几个文件", "delete rows, columns and formats beyond the data",
            )  # fmt: skip

    def document_type(self, *_: object) -> None:
        raise refusal(
            "含有 DTD 或实体声明,不予打开", "declares a document type or entities and is not opened"
        )


def _scan(archive: ZipFile, part: ZipInfo, left: int) -> int:
    """Read one part to its end, if it is XML whatever its name; returns how many elements may still come in others."""
    scan = _Scan(left)
    macros = False
    try:
        with archive.open(part) as source:
            piece = source.read(_PIECE)
            if not piece.lstrip(_BEFORE_XML).startswith(b"<"):
                return left
            while piece:
                macros = macros or b"macroEnabled" in piece
                scan.parser.Parse(piece)
                piece = source.read(_PIECE)
            scan.parser.Parse(b"", True)
    # zipfile raises NotImplementedError for a compression that it does not know
    except (expat.ExpatError, BadZipFile, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise damaged() from error
    if macros and part.filename.casefold() == "[content_types].xml":
        raise refusal("含有宏", "holds macros", "另存为不含宏的 .xlsx", "save it as .xlsx, without macros")
    return scan.left


def damaged() -> Invalid:
    return refusal("已损坏或不完整", "is damaged or not whole")
