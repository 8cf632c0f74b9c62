"""The places that a movement is between: whether they can be used so, and whether enough is there."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from chubei_shared.contracts.base import Certainty
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import Deliver, Issue, Movement, Reverse
from chubei_shared.errors import Conflict, Invalid, NotFound
from sqlalchemy.orm import Session

from chubei_inventory.ledger import facts, laws
from chubei_inventory.ledger.laws import Account, Leg, Standing
from chubei_inventory.stock.pool import sql
from chubei_inventory.tables import Hold

_BELOW = sql(
    """
    SELECT c.place_id, c.item_code, c.lot_id, l.lot_no, -c.change AS asked,
           coalesce(b.on_hand, 0) AS on_hand, coalesce(b.held, 0) AS held,
           array(SELECT h.hold_id FROM hold_line h
                 WHERE h.place_id = c.place_id AND h.item_code = c.item_code AND h.lot_id = c.lot_id
                   AND h.outstanding > 0 ORDER BY h.hold_id) AS holds
    FROM unnest(:places, :items, :lots, :changes) AS c (place_id, item_code, lot_id, change)
        JOIN place p ON p.id = c.place_id AND NOT p.outside
        JOIN lot l ON l.id = c.lot_id
        LEFT JOIN balance b ON b.place_id = c.place_id AND b.item_code = c.item_code AND b.lot_id = c.lot_id
    WHERE c.change < 0 AND coalesce(b.on_hand - b.held, 0) + c.change < 0
    ORDER BY c.place_id, c.item_code, l.lot_no
    """,
    places="text", items="text", lots="uuid", changes="int",
)  # fmt: skip


_KNOWN = sql("SELECT id FROM place WHERE id = ANY(:ids)", ids="text")
_OPEN = sql(
    """
    INSERT INTO place (id, kind, state, parent_id, name_zh, name_en, zone, provenance)
    SELECT * FROM unnest(:ids, :kinds, :states, :parents, :zh, :en) AS a (id, kind, state, parent_id, zh, en),
        LATERAL (SELECT '', CAST(:told AS jsonb)) AS t
    WHERE NOT EXISTS (SELECT FROM place WHERE place.id = a.id)
    ORDER BY a.kind = 'outside', a.id ON CONFLICT DO NOTHING
    """,
    ids="text", kinds="text", states="text", parents="text", zh="text", en="text",
)  # fmt: skip
_OPEN_BALANCES = sql(
    """
    INSERT INTO balance (place_id, item_code, lot_id, outside)
    SELECT *, false FROM unnest(:places, :items, :lots) AS a (place_id, item_code, lot_id)
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
    """,
    places="text", items="text", lots="uuid",
)  # fmt: skip
_STANDING = sql(
    """
    SELECT a.place_id, a.item_code, a.lot_id, coalesce(b.on_hand, 0) AS on_hand, coalesce(b.held, 0) AS held,
           coalesce(d.on_hand, 0) AS disputed
    FROM unnest(:places, :items, :lots) AS a (place_id, item_code, lot_id)
        LEFT JOIN balance b USING (place_id, item_code, lot_id)
        LEFT JOIN balance d ON d.place_id = 'disputed:' || a.place_id
            AND d.item_code = a.item_code AND d.lot_id = a.lot_id
    """,
    places="text", items="text", lots="uuid",
)  # fmt: skip
_HELD_BY = sql(
    """
    SELECT a.place_id, a.item_code, a.lot_id, array_agg(DISTINCT h.id ORDER BY h.id) AS holds
    FROM unnest(:places, :items, :lots) AS a (place_id, item_code, lot_id)
        JOIN hold_line l USING (place_id, item_code, lot_id) JOIN hold h ON h.id = l.hold_id
    WHERE l.outstanding > 0 AND h.status = 'open' AND h.expires_at > now()
    GROUP BY 1, 2, 3
    """,
    places="text", items="text", lots="uuid",
)  # fmt: skip
_TOLD = json.dumps({"certainty": Certainty.VERIFIED, "source": "opened by a movement"})
_STATES = {
    "transit": ("在途", "Aboard"),
    "sealed": ("封存", "Sealed off"),
    "testing": ("送检", "Being tested"),
    "lent": ("待回收", "Lent"),
    "missing": ("待查", "Missing"),
    "module": ("方舱", "Module"),
    "disputed": ("待核", "In dispute"),
}
"""The accounts that open by themselves, by the word before the first colon of their ids."""


def prepare(session: Session, movement: Movement) -> None:
    """See that the places of a movement are there; a new point is opened by what is delivered there.

    Raises Invalid that names the field, NotFound for an unknown hold.
    """
    if isinstance(movement, Reverse):
        return
    fields = facts.parties(movement)
    for field, place_id in fields.items():
        if place_id.startswith(laws.OWN_PREFIXES):
            raise _invalid(
                field,
                place_id,
                ("是系统内部账户", "请填库或点的编号"),
                ("is an account of the books' own", "give a store or point"),
            )
    if isinstance(movement, Deliver):
        open_point(session, movement.place_id)
    hold_id = movement.hold_id if isinstance(movement, Issue) else None
    if hold_id is not None and session.get(Hold, hold_id) is None:
        raise NotFound(f"没有预留 {hold_id}", f"There is no hold {hold_id}")
    known = set(session.scalars(_KNOWN, {"ids": list(fields.values())}))
    for field, place_id in fields.items():
        if place_id not in known:
            raise _invalid(
                field,
                place_id,
                ("未登记", "请核对编号(GET /v1/places),新地点先登记(PUT)"),
                ("is not registered", "see GET /v1/places, and PUT a new one first"),
            )


def open_point(session: Session, place_id: str) -> None:
    """Register a demand point that nobody has named, if it is new."""
    _open(session, [(place_id, PlaceKind.POINT, "shelf", None, place_id, place_id)])


def open_own(session: Session, used: Iterable[Account]) -> None:
    """Open those of the books' own accounts among `used` that are new; what is in dispute has a balance to show."""
    used = set(used)
    rows, in_dispute = [], [a for a in used if a.place_id.startswith(laws.disputed(""))]
    for place_id in sorted({a.place_id for a in used} | {str(laws.parent(a.place_id)) for a in in_dispute}):
        state, _, of = place_id.partition(":")
        if state in _STATES:
            kind = {"transit": PlaceKind.TRANSIT, "disputed": PlaceKind.OUTSIDE}.get(state, PlaceKind.STATE)
            zh, en = _STATES[state]
            rows.append((place_id, kind, state, laws.parent(place_id), f"{zh}:{of}", f"{en}: {of}"))
    if rows:
        _open(session, rows)
    if in_dispute:
        session.execute(
            _OPEN_BALANCES,
            {
                "places": [laws.parent(a.place_id) for a in in_dispute],
                "items": [a.goods.item_code for a in in_dispute],
                "lots": [a.goods.lot_id for a in in_dispute],
            },
        )


def _open(session: Session, rows: list[tuple[str, PlaceKind, str, str | None, str, str]]) -> None:
    ids, kinds, states, parents, zh, en = map(list, zip(*rows, strict=True))
    values = {"ids": ids, "kinds": kinds, "states": states, "parents": parents, "zh": zh, "en": en}
    session.execute(_OPEN, {**values, "told": _TOLD})


def standings(session: Session, asked: Collection[Account]) -> dict[Account, Standing]:
    """How accounts stand. Their lots are locked; accounts beyond the books have no standing and are left out."""
    inside = [a for a in asked if not a.place_id.startswith("outside:")]
    if not inside:
        return {}
    rows = session.execute(
        _STANDING,
        {
            "places": [a.place_id for a in inside],
            "items": [a.goods.item_code for a in inside],
            "lots": [a.goods.lot_id for a in inside],
        },
    )
    return {
        Account(r.place_id, laws.Goods(r.item_code, r.lot_id)): Standing(r.on_hand, r.held, r.disputed)
        for r in rows
    }


def held_by(session: Session, asked: Collection[Account]) -> dict[Account, list[UUID]]:
    """The open holds that keep something of accounts; accounts that none keeps are left out."""
    rows = session.execute(
        _HELD_BY,
        {
            "places": [a.place_id for a in asked],
            "items": [a.goods.item_code for a in asked],
            "lots": [a.goods.lot_id for a in asked],
        },
    )
    return {Account(r.place_id, laws.Goods(r.item_code, r.lot_id)): list(r.holds) for r in rows}


def settled(legs: Iterable[Leg], now: dict[Account, Standing]) -> tuple[list[Leg], bool]:
    """The legs as they are booked, each account keeping what it can; and whether any put something in dispute.

    `now` is carried on: it stands after these legs as the books will.
    """
    booked, short = [], False
    for account, change in laws.changes(legs).items():
        if (standing := now.get(account)) is None:
            booked.append(Leg(account, change))
            continue
        kept, disputed = laws.split(change, standing)
        if kept:
            booked.append(Leg(account, kept))
        if disputed:
            short = short or disputed < 0
            booked.append(Leg(Account(laws.disputed(account.place_id), account.goods), disputed))
        now[account] = Standing(standing.on_hand + kept, standing.held, standing.disputed + disputed)
    return booked, short


def _invalid(field: str, place_id: str, zh: tuple[str, str], en: tuple[str, str]) -> Invalid:
    """`zh` and `en` are each the fault and its remedy."""
    faults = {"problem": f"{place_id} {zh[0]} / {place_id} {en[0]}", "remedy": f"{zh[1]} / {en[1]}"}
    return Invalid(
        f"{field}:{place_id} {zh[0]},{zh[1]}",
        f"{field}: {place_id} {en[0]}: {en[1]}",
        errors=[{"field": field, **faults}],
    )


def refuse_below(session: Session, changes: Mapping[Account, int]) -> None:
    """Raises Conflict that names each lot and place that has less free than would be taken, and who holds it.

    The lots are locked, and expired holds have given back what they kept.
    """
    rows = session.execute(
        _BELOW,
        {
            "places": [account.place_id for account in changes],
            "items": [account.goods.item_code for account in changes],
            "lots": [account.goods.lot_id for account in changes],
            "changes": list(changes.values()),
        },
    ).all()
    if not rows:
        return
    first, shortfalls = rows[0], [_shortfall(row) for row in rows]
    short = shortfalls[0]["short"]
    held = f",其中 {first.held} 已被预留" if first.held else ""
    held_en = f", {first.held} of them held by {', '.join(map(str, first.holds))}" if first.held else ""
    raise Conflict(
        f"{first.place_id} 的批次 {first.lot_no} 现有 {first.on_hand}{held},还差 {short}",
        f"Lot {first.lot_no} at {first.place_id} has {first.on_hand} on hand{held_en}: {short} too few",
        shortfalls=shortfalls,
    )


def _shortfall(row: Any) -> dict[str, Any]:
    return {
        "place_id": row.place_id,
        "item_code": row.item_code,
        "lot_id": str(row.lot_id),
        "lot_no": row.lot_no,
        "asked": row.asked,
        "short": row.asked - (row.on_hand - row.held),
        "held_by": [str(hold_id) for hold_id in row.holds],
    }
