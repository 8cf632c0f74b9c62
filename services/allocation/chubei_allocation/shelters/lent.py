"""What people at a shelter have to give back (待回收), by lot: a keeper knows the item, the books the lots."""

from collections.abc import Iterator, Sequence

from chubei_shared.contracts.movements import ReturnLine
from chubei_shared.contracts.shelters import ReturnedLine
from chubei_shared.errors import Conflict

from chubei_allocation.exercise_books.books import Books

_PARTS = ("good", "repair", "lost")


def lots(books: Books, shelter_id: str, lines: Sequence[ReturnedLine]) -> list[ReturnLine]:
    """The lines with the lots that were lent. Raises Conflict where more comes back than is out."""
    return [row for line in lines for row in _of_item(books, shelter_id, line)]


def _of_item(books: Books, shelter_id: str, line: ReturnedLine) -> Iterator[ReturnLine]:
    left = {part: getattr(line, part) for part in _PARTS}
    out = books.lent(shelter_id, line.item_code)
    for lot_id, units in out:
        dealt = dict.fromkeys(_PARTS, 0)
        for part in _PARTS:
            dealt[part] = min(left[part], units - sum(dealt.values()))
            left[part] -= dealt[part]
        if any(dealt.values()):
            yield ReturnLine(item_code=line.item_code, lot_id=lot_id, **dealt)
    if missing := sum(left.values()):
        there = sum(units for _, units in out)
        raise Conflict(
            f"lines:{line.item_code} 待回收只有 {there},多出 {missing},请核对数量,或先登记发放",
            f"lines: of {line.item_code} only {there} are out, {missing} fewer than come back: "
            "correct the number, or record the handing out first",
        )
