"""A chain of hashes over records that are only ever added: what was sealed can not be changed unnoticed. Pure.

A seal covers some records, by their numbers and the SHA-256 of each, and the seal before it. So whoever changes a
record, takes one out, puts one in or swaps two has to make all later seals anew, and the last hash becomes another.
Only the end can be cut off without a trace in the chain itself: an anchor (a number and hash that were told to someone
outside the database) shows that, too.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

START = bytes(32)
"""What the first seal has for the hash of the one before."""


class Cursor(NamedTuple):
    """Where a seal begins (exclusive) or ends (inclusive): records are in the order of (transaction, id)."""

    xact: int
    id: int


class Anchor(NamedTuple):
    """A seal as somebody outside the database knows it."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """One batch of records of one source. `digests[n]` is the SHA-256 of the record `ids[n]`."""

    number: int
    source: str
    after: Cursor
    upto: Cursor
    ids: Sequence[int]
    digests: Sequence[bytes]
    sealed_at: datetime
    previous: bytes
    hash: bytes


class Fault(StrEnum):
    SEAL_ALTERED = "seal altered"
    SEAL_MISSING = "seal missing"
    ROW_ALTERED = "row altered"
    ROW_MISSING = "row missing"
    ROW_ADDED = "row added"
    CUT_OFF = "cut off"


class Break(NamedTuple):
    """Where a chain is broken: at which seal, and at which record of its source."""

    fault: Fault
    number: int
    source: str
    row: int | None = None


def link(seal: Seal) -> bytes:
    """The hash that a seal must have."""
    head = [seal.number, seal.source, seal.after, seal.upto, list(seal.ids), seal.sealed_at.timestamp()]
    told = json.dumps(head, separators=(",", ":")).encode()
    return sha256(seal.previous + sha256(told).digest() + b"".join(seal.digests)).digest()


def seal_breaks(seal: Seal, before: Seal | None) -> Iterator[Break]:
    """What is wrong with a seal by itself, and where it follows the one before it."""
    due = before.number + 1 if before else 1
    for missing in range(due, seal.number):
        yield Break(Fault.SEAL_MISSING, missing, "seal")
    follows = seal.number != due or seal.previous == (before.hash if before else START)
    if not follows or link(seal) != seal.hash or len(seal.ids) != len(seal.digests):
        yield Break(Fault.SEAL_ALTERED, seal.number, "seal")


def row_breaks(seal: Seal, found: Mapping[int, bytes]) -> Iterator[Break]:
    """Which records in the seal's range are no longer what was sealed. `found`: their digests now, by id."""
    sealed = dict(zip(seal.ids, seal.digests, strict=False))
    for row in sorted(sealed.keys() | found.keys()):
        if row not in found:
            yield Break(Fault.ROW_MISSING, seal.number, seal.source, row)
        elif row not in sealed:
            yield Break(Fault.ROW_ADDED, seal.number, seal.source, row)
        elif found[row] != sealed[row]:
            yield Break(Fault.ROW_ALTERED, seal.number, seal.source, row)


def anchor_breaks(anchors: Iterable[Anchor], hashes: Mapping[int, bytes]) -> Iterator[Break]:
    """Anchors that the chain no longer has: its end was cut off, or made anew. `hashes`: by number."""
    for number, known in anchors:
        if number not in hashes:
            yield Break(Fault.CUT_OFF, number, "seal")
        elif hashes[number] != known:
            yield Break(Fault.SEAL_ALTERED, number, "seal")
