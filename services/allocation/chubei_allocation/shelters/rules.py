"""PURE: what a record of a shelter may become; names as they are shown."""

import hmac
import json
from collections import Counter
from collections.abc import Iterable

from chubei_shared.contracts.shelters import Decision, HandOutLine, Recipient, RecordKind, RecordState

MOVES: dict[RecordState, frozenset[RecordState]] = {
    RecordState.PENDING: frozenset({RecordState.DONE, RecordState.REFUSED}),
    RecordState.DONE: frozenset(),
    RecordState.REFUSED: frozenset(),
    RecordState.ASKED: frozenset({RecordState.ACCEPTED, RecordState.DECLINED, RecordState.ANSWERED}),
    RecordState.ACCEPTED: frozenset(),
    RecordState.DECLINED: frozenset(),
    RecordState.ANSWERED: frozenset(),
}
"""Handing out and giving back are pending until inventory has moved the stock; a request waits for an answer."""

DECIDED: dict[Decision, RecordState] = {
    Decision.ACCEPT: RecordState.ACCEPTED,
    Decision.DECLINE: RecordState.DECLINED,
    Decision.ANSWER: RecordState.ANSWERED,
}

BEGINS: dict[RecordKind, RecordState] = {
    RecordKind.HAND_OUT: RecordState.PENDING,
    RecordKind.RETURN: RecordState.PENDING,
    RecordKind.REQUEST: RecordState.ASKED,
}


def name(text: str) -> str:
    """张明 → 张*, 欧阳小明 → 欧**明: enough to know one's own, too little for anybody else."""
    text = text.strip()
    return text[:1] + "*" * max(1, len(text) - 2) + (text[-1] if len(text) > 2 else "") if text else ""


def number(text: str | None) -> str:
    """Of an identity card or a telephone: the last three figures."""
    return f"{'*' * 4}{text[-3:]}" if text and len(text) > 6 else "****" if text else ""


def who(key: bytes, row: Recipient) -> bytes | None:
    """By what the same person is known again, without saying who; None of a count."""
    if row.id_no:
        said = ["id", row.id_no.upper()]
    elif row.name.strip() and row.phone:
        said = ["phone", row.name.strip(), "".join(c for c in row.phone if c.isdigit())]
    else:
        return None
    return fingerprint(key, said)


def fingerprint(key: bytes, said: object) -> bytes:
    """A keyed hash of a JSON value."""
    return hmac.digest(key, json.dumps(said, ensure_ascii=False, sort_keys=True).encode(), "sha256")


def total(rows: Iterable[Iterable[HandOutLine]]) -> dict[str, int]:
    units: Counter[str] = Counter()
    for lines in rows:
        for line in lines:
            units[line.item_code] += line.units
    return dict(sorted(units.items()))
