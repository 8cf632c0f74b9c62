"""Social and household reserves: registered and summed up, apart from everything that is planned with."""

from datetime import UTC, datetime

from chubei_shared.china import day
from chubei_shared.contracts.declarations import ApartRow, Declaration, DeclarationPage, Sphere
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Invalid, NotFound
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.reserves import tables_declarations as rows

# Donors' and societies' lots stand in the same books as the state's, and in none of its sums.
_APART = text(
    """
    SELECT item_code, sum(social)::bigint AS social, sum(household)::bigint AS household,
           sum(donated)::bigint AS donated
    FROM (
        SELECT item_code, CASE sphere WHEN 'social' THEN quantity ELSE 0 END AS social,
               CASE sphere WHEN 'household' THEN quantity ELSE 0 END AS household, 0 AS donated
        FROM declaration WHERE NOT withdrawn AND :today BETWEEN declared_on AND valid_until
        UNION ALL
        SELECT b.item_code, CASE l.owner WHEN 'social' THEN b.on_hand - b.held ELSE 0 END, 0,
               CASE l.owner WHEN 'donor' THEN b.on_hand - b.held ELSE 0 END
        FROM balance b JOIN lot l ON l.id = b.lot_id JOIN place p ON p.id = b.place_id
        WHERE b.on_hand > 0 AND l.owner IN ('donor', 'social') AND l.quality = 'ok' AND p.state = 'shelf'
          AND p.kind <> 'point' AND (l.expires_on IS NULL OR l.expires_on >= :today)
    ) AS had
    WHERE CAST(:item_code AS text) IS NULL OR item_code = :item_code
    GROUP BY item_code ORDER BY item_code
    """
)


def put(session: Session, body: Declaration, if_match: str | None = None) -> Declaration:
    """Register a declaration, or change it; the same again changes nothing.

    Raises Invalid for an item that the catalogue never had; PreconditionRequired or PreconditionFailed as for
    any edit.
    """
    old = session.get(rows.Declaration, body.id, with_for_update=True)
    known = None if old is None else _declaration(old)
    if known == body:
        return body
    refuse_other_edition(if_match, None if known is None else etag_of(known))
    if session.get(tables.Item, body.item_code) is None:
        raise Invalid(
            f"item_code:{body.item_code} 未登记,请先登记:PUT /v1/items/{{code}}",
            f"item_code: {body.item_code} is not registered: register it first, PUT /v1/items/{{code}}",
            errors=[{"field": "item_code", "problem": "not registered", "remedy": "PUT /v1/items/{code}"}],
        )
    values = body.model_dump()
    values["provenance"] = body.provenance.model_dump(mode="json")
    put = insert(rows.Declaration).values(values)
    session.execute(put.on_conflict_do_update(index_elements=["id"], set_=values))
    return body


def get(session: Session, declaration_id: str) -> Declaration:
    """Raises NotFound."""
    row = session.get(rows.Declaration, declaration_id)
    if row is None:
        raise NotFound(f"没有申报 {declaration_id}", f"There is no declaration {declaration_id}")
    return _declaration(row)


def page(
    session: Session,
    sphere: Sphere | None,
    item_code: str | None,
    area: str | None,
    cursor: str | None,
    limit: int,
) -> DeclarationPage:
    """By id, withdrawn ones too."""
    d = rows.Declaration
    wanted = select(d).order_by(d.id).limit(limit + 1)
    for column, value in ((d.sphere, sphere), (d.item_code, item_code), (d.area, area)):
        if value is not None:
            wanted = wanted.where(column == value)
    if after := key_of(cursor, name):
        wanted = wanted.where(d.id > after[0])
    found = list(session.scalars(wanted))
    return DeclarationPage(
        rows=[_declaration(row) for row in found[:limit]],
        next_cursor=cursor_of(found[limit - 1].id) if len(found) > limit else None,
    )


def apart(session: Session, item_code: str | None) -> list[ApartRow]:
    """What others have, by item, as of today."""
    found = session.execute(_APART, {"today": day(datetime.now(UTC)), "item_code": item_code})
    return [ApartRow.model_validate(row, from_attributes=True) for row in found]


def _declaration(row: rows.Declaration) -> Declaration:
    return Declaration.model_validate(row, from_attributes=True)
