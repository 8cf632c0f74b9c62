"""Verbs of printing: a paper gets its number with its first print; who prints it again gets a copy, marked as one."""

from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.china import day
from chubei_shared.contracts.papers import PaperForm, PaperPage, PaperView, Print
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.state_words import zh_any
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import other_content
from chubei_inventory.papers.tables import Paper

_LOCK = 7_201_123  # advisory lock: numbers are given one after the other
_PREFIX = {PaperForm.RECEIPT: "RK", PaperForm.ISSUE: "CK", PaperForm.LOAD: "SC", PaperForm.ACCEPTANCE: "JS"}
_FORMS: dict[str, tuple[PaperForm, ...]] = {
    "receive": (PaperForm.RECEIPT,),
    "arrive": (PaperForm.ACCEPTANCE, PaperForm.RECEIPT),
    "return": (PaperForm.RECEIPT,),
    "issue": (PaperForm.ISSUE, PaperForm.LOAD),
    "send": (PaperForm.ISSUE, PaperForm.LOAD),
    "transfer": (PaperForm.ISSUE, PaperForm.LOAD),
    "scrap": (PaperForm.ISSUE,),
    "deliver": (PaperForm.ACCEPTANCE,),
}
"""The papers that a movement of a kind has."""


def record(session: Session, asked: Print, person: str) -> tuple[PaperView, bool]:
    """Print a paper; the flag says whether this print is new. Raises NotFound, Invalid, Conflict."""
    movement = session.scalar(select(tables.Movement).where(tables.Movement.id == asked.movement_id))
    if movement is None:
        raise NotFound(f"没有流水 {asked.movement_id}", f"There is no movement {asked.movement_id}")
    form = _form(movement.kind, asked.form)
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    if known := session.get(Paper, asked.id):
        if (known.movement_id, known.form) != (asked.movement_id, form):
            raise other_content(asked.id)
        return _view(known), False
    earlier = list(
        session.scalars(
            select(Paper)
            .where(Paper.movement_id == asked.movement_id, Paper.form == form)
            .order_by(Paper.copy_no)
        )
    )
    paper = Paper(
        id=asked.id, form=form, movement_id=asked.movement_id, copy_no=len(earlier), printed_by=person,
        printed_at=datetime.now(UTC), number=earlier[0].number if earlier else _number(session, form),
    )  # fmt: skip
    session.add(paper)
    session.flush()
    return _view(paper), True


def _form(kind: str, asked: PaperForm | None) -> PaperForm:
    forms = _FORMS.get(kind, ())
    if not forms:
        with_papers = ", ".join(_FORMS)
        raise Invalid(
            f"movement_id:{kind} 流水没有可打印的单据,请选 {with_papers} 流水",
            f"movement_id: there is no paper of a movement of the kind {kind}: name one of the kinds {with_papers}",
            errors=[{"field": "movement_id", "problem": kind, "remedy": with_papers}],
        )
    if asked is not None and asked not in forms:
        known = ", ".join(forms)
        raise Invalid(
            f"form:该流水({kind})可打印的单据为{zh_any(PaperForm, forms)},请改选 {known}",
            f"form: a movement of the kind {kind} has the papers {known}: choose one of them",
            errors=[{"field": "form", "problem": str(asked or kind), "remedy": known}],
        )
    return asked or forms[0]


def _number(session: Session, form: PaperForm) -> str:
    prefix = f"{_PREFIX[form]}{day(datetime.now(UTC)):%Y%m%d}-"
    of_day = select(func.count()).where(Paper.number.startswith(prefix), Paper.copy_no == 0)
    return f"{prefix}{(session.scalar(of_day) or 0) + 1:04d}"


def get(session: Session, paper_id: UUID) -> PaperView:
    """Raises NotFound."""
    found = session.get(Paper, paper_id)
    if found is None:
        raise NotFound(f"没有单据 {paper_id}", f"There is no paper {paper_id}")
    return _view(found)


def page(
    session: Session, movement_id: UUID | None, number: str | None, cursor: str | None, limit: int
) -> PaperPage:
    """What was printed, the latest first."""
    wanted = select(Paper).order_by(Paper.printed_at.desc(), Paper.id.desc()).limit(limit + 1)
    if movement_id is not None:
        wanted = wanted.where(Paper.movement_id == movement_id)
    if number is not None:
        wanted = wanted.where(Paper.number == number)
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(Paper.printed_at, Paper.id) < tuple_(*after))
    found = list(session.scalars(wanted))
    last = found[limit - 1] if len(found) > limit else None
    return PaperPage(
        rows=[_view(row) for row in found[:limit]],
        next_cursor=last and cursor_of(last.printed_at.isoformat(), last.id),
    )


def _view(paper: Paper) -> PaperView:
    return PaperView.model_validate(paper, from_attributes=True)
