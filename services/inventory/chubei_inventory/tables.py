"""The tables of the books, which all parts read; a part's own tables stand in its folder.

What the database itself enforces (checks, triggers) stands in migrations/versions.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from chubei_shared import audit as shared_audit
from chubei_shared import outbox as shared_outbox
from chubei_shared import seals
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: Integer,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        list[str]: ARRAY(Text),
    }


outbox = shared_outbox.table(Base.metadata)
audit = shared_audit.table(Base.metadata)
seal = seals.table(Base.metadata)


class Item(Base):
    """The register of all items that ever were, as they are now; the columns are those of contracts.catalogue.Item."""

    __tablename__ = "item"
    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    family: Mapped[str]
    unit_zh: Mapped[str]
    pack: Mapped[int]
    weight_g: Mapped[int]
    volume_cm3: Mapped[int]
    shelf_life_months: Mapped[int | None]
    reserve_modes: Mapped[list[str]]
    managing_body: Mapped[str]
    dispatch_authority: Mapped[str]
    ref_price_cny: Mapped[int | None] = mapped_column(BigInteger)
    returnable: Mapped[bool]
    provenance: Mapped[dict[str, Any]]


class Place(Base):
    """A store, supplier, maker or point, or one of the books' own accounts (transit:…, outside:…)."""

    __tablename__ = "place"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    zone: Mapped[str]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    provenance: Mapped[dict[str, Any]]
    outside: Mapped[bool] = mapped_column(Computed("(kind = 'outside'::text)", persisted=True), nullable=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("place.id"))
    """The place that an account of a state belongs to."""
    state: Mapped[str] = mapped_column(server_default=text("'shelf'"))
    __table_args__ = (
        UniqueConstraint("id", "outside", name="place_id_outside"),
        Index("place_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )


class FundAccount(Base):
    """A fund with one budget; what it may buy are reserves of mode fund that name it."""

    __tablename__ = "fund_account"
    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    budget_fen: Mapped[int] = mapped_column(BigInteger)
    provenance: Mapped[dict[str, Any]]


class Reserve(Base):
    """An agreement, a commitment or a fund. `held` and `used` are counted by triggers only."""

    __tablename__ = "reserve"
    id: Mapped[str] = mapped_column(primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    mode: Mapped[str]
    item_code: Mapped[str] = mapped_column(ForeignKey("item.code"))
    party: Mapped[str]
    contacts: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    last_verified_on: Mapped[date | None]
    provenance: Mapped[dict[str, Any]]
    price_rule: Mapped[str] = mapped_column(server_default=text("'fixed'"))
    unit_price_fen: Mapped[int] = mapped_column(BigInteger)
    lead_min: Mapped[int | None]
    floor_stock: Mapped[int | None] = mapped_column(BigInteger)
    conversion_min: Mapped[int | None]
    ramp_min: Mapped[int | None]
    rate_per_hour: Mapped[int | None]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("fund_account.id"))
    budget_fen: Mapped[int | None] = mapped_column(BigInteger)
    approval_min: Mapped[int | None]
    delivery_min: Mapped[int | None]
    quantity: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    used: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    __table_args__ = (
        Index("reserve_row", "place_id", "item_code", "mode"),
        Index("reserve_account", "account_id", postgresql_where=text("account_id IS NOT NULL")),
    )


class Lot(Base):
    """A batch. Each reserve has one lot of its own, which stands for what is called off from it."""

    __tablename__ = "lot"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(ForeignKey("item.code"))
    maker: Mapped[str]
    lot_no: Mapped[str]
    made_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    quality: Mapped[str] = mapped_column(server_default=text("'ok'"))
    reserve_id: Mapped[str | None] = mapped_column(ForeignKey("reserve.id"))
    owner: Mapped[str] = mapped_column(server_default=text("'district'"))
    __table_args__ = (
        UniqueConstraint("id", "item_code", name="lot_id_item"),
        UniqueConstraint("reserve_id", name="lot_reserve"),
        UniqueConstraint(
            "item_code", "maker", "lot_no", "made_on", "expires_on", "owner", "reserve_id",
            name="lot_identity", postgresql_nulls_not_distinct=True,
        ),
        Index("lot_expires", "expires_on", postgresql_where=text("reserve_id IS NULL")),
        Index("lot_made", "made_on", postgresql_where=text("reserve_id IS NULL")),
    )  # fmt: skip


class Hold(Base):
    __tablename__ = "hold"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    purpose: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'open'"))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str]
    passed_over: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))
    repicked: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'::jsonb"))
    __table_args__ = (
        Index("hold_open", "expires_at", postgresql_where=text("status = 'open'")),
        Index("hold_purpose", "purpose"),
    )


class Movement(Base):
    """`seq` counts in the order of recording; `id` is the client's. Append-only."""

    __tablename__ = "movement"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID]
    kind: Mapped[str]
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    voucher: Mapped[str]
    reason: Mapped[str]
    order_id: Mapped[UUID | None]
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("hold.id"))
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("movement.id"))
    xact: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"))
    """The transaction that made it; only that one may add entries."""
    approved_by: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """What only some kinds have: where it went, for whom, which module."""
    __table_args__ = (
        UniqueConstraint("id", name="movement_id_once"),
        UniqueConstraint("reverses_id", name="movement_reversed_once"),
        Index("movement_order", "order_id", "seq", postgresql_where=text("order_id IS NOT NULL")),
        Index("movement_hold", "hold_id", postgresql_where=text("hold_id IS NOT NULL")),
        Index("movement_occurred", "occurred_at"),
        Index("movement_tested", "seq", postgresql_where=text("kind = 'tested'")),
        Index("movement_xact", "xact", "seq"),
    )


class Entry(Base):
    """One leg of a movement. Append-only; inserting it is what changes a balance."""

    __tablename__ = "entry"
    movement_seq: Mapped[int] = mapped_column(ForeignKey("movement.seq"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    item_code: Mapped[str]
    lot_id: Mapped[UUID]
    quantity: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (
        ForeignKeyConstraint(["lot_id", "item_code"], ["lot.id", "lot.item_code"], name="entry_lot"),
        Index("entry_place", "place_id", "movement_seq"),
        Index("entry_item", "item_code", "movement_seq"),
        Index("entry_card", "place_id", "item_code", "movement_seq"),
    )


class Balance(Base):
    """Stock of a lot at a place, kept by triggers only. `held` counts open lines, expired ones too until given back."""

    __tablename__ = "balance"
    place_id: Mapped[str] = mapped_column(primary_key=True)
    item_code: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(primary_key=True)
    outside: Mapped[bool]
    on_hand: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    __table_args__ = (
        ForeignKeyConstraint(["place_id", "outside"], ["place.id", "place.outside"], name="balance_place"),
        ForeignKeyConstraint(["lot_id", "item_code"], ["lot.id", "lot.item_code"], name="balance_lot"),
        Index("balance_inside", "place_id", "item_code", "lot_id", postgresql_where=text("NOT outside")),
        Index("balance_item", "item_code", "place_id", "lot_id", postgresql_where=text("NOT outside")),
        Index("balance_by_lot", "lot_id"),
        Index(
            "balance_disputed", "lot_id", "place_id",
            postgresql_where=text("place_id ~~ 'disputed:%'::text"),
        ),
    )  # fmt: skip


class HoldLine(Base):
    """What a hold keeps of one lot, or of one reserve: quantity = issued + outstanding + given back."""

    __tablename__ = "hold_line"
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id"))
    item_code: Mapped[str] = mapped_column(ForeignKey("item.code"))
    mode: Mapped[str]
    lot_id: Mapped[UUID | None]
    reserve_id: Mapped[str | None] = mapped_column(ForeignKey("reserve.id"))
    quantity: Mapped[int] = mapped_column(BigInteger)
    issued: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    outstanding: Mapped[int] = mapped_column(BigInteger)
    needed_on: Mapped[date | None]
    """The last day on which any of it is to arrive; None: not told."""
    firm: Mapped[int | None] = mapped_column(BigInteger)
    """Of `quantity`, what could be counted on when it was held; None: not known."""
    consent: Mapped[str] = mapped_column(server_default=text("''"))
    __table_args__ = (
        ForeignKeyConstraint(
            ["place_id", "item_code", "lot_id"],
            ["balance.place_id", "balance.item_code", "balance.lot_id"],
            name="hold_line_balance",
        ),
        Index("hold_line_row", "place_id", "item_code", postgresql_where=text("outstanding > 0")),
    )


class ReturnRule(Base):
    """How long a returnable item that was lent has to come back; without months: always."""

    __tablename__ = "return_rule"
    item_code: Mapped[str] = mapped_column(ForeignKey("item.code"), primary_key=True)
    within_months: Mapped[int | None]
    source: Mapped[str]


class Recall(Base):
    """A maker's lot (or all its lots, of one item or of all) is called back until the recall is lifted."""

    __tablename__ = "recall"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    item_code: Mapped[str | None] = mapped_column(ForeignKey("item.code"))
    maker: Mapped[str]
    lot_no: Mapped[str | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    voucher: Mapped[str]
    reason: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None]
    lifted_reason: Mapped[str | None]
    __table_args__ = (Index("recall_open", "maker", postgresql_where=text("lifted_at IS NULL")),)


class LotChange(Base):
    """What a lot's quality became, and why. Append-only; the last one is the lot's."""

    __tablename__ = "lot_change"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    quality: Mapped[str]
    reason: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    recall_id: Mapped[UUID | None] = mapped_column(ForeignKey("recall.id"))
    movement_id: Mapped[UUID | None]
    xact: Mapped[int] = mapped_column(BigInteger, server_default=text("pg_current_xact_id()::text::bigint"))
    __table_args__ = (Index("lot_change_lot", "lot_id", "seq"), Index("lot_change_xact", "xact"))
