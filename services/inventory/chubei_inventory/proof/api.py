"""Whether the books are true: the last proof, those before, and one more now."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.proof import ProofAsked, ProofPage, ProofRun
from chubei_shared.contracts.stock import BooksReport
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query

from chubei_inventory.api_parameters import READERS, Cursor, Limit
from chubei_inventory.proof import runs

router = APIRouter(prefix="/v1", tags=["proof"])
_ASK: dict[str, Any] = {
    "now": {
        "summary": "立即核对 / prove the books now",
        "value": {"id": "2c9b7f3e-8a41-4d52-9f60-0b1c2d3e4f50"},
    }
}


@router.get("/proof", summary="最近一次账实核对的结果 / the last proof of the books", **allow(*READERS))
def get_proof(tx: Tx) -> ProofRun:
    return tx(runs.last)


@router.get("/proof-runs", summary="历次核对,最新在前 / proofs, the newest first", **allow(*READERS))
def get_proof_runs(
    tx: Tx,
    clean: Annotated[bool | None, Query(description="无差异的 / those without differences")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ProofPage:
    return tx(runs.page, clean, cursor, limit)


@router.get(
    "/proof-runs/{run_id}", summary="一次核对及其差异 / one proof and its differences", **allow(*READERS)
)
def get_proof_run(run_id: UUID, tx: Tx) -> ProofRun:
    return tx(runs.show, run_id)


@router.post(
    "/proof-runs",
    status_code=202,
    summary="立即核对全部账目(同编号可重发) / prove all books now; the same again is the same proof",
    **allow(Role.AUDITOR, Role.ADMIN, Role.COMMANDER),
)
def post_proof_run(
    body: Annotated[ProofAsked, Body(openapi_examples=_ASK)], caller: CurrentCaller, tx: Tx
) -> ProofRun:
    """It runs in the background; ask for it again until it has finished. Nothing is repaired by it."""
    return tx(runs.ask, body.id, caller)


@router.get(
    "/books", summary="账是否平 / do the books balance: every balance recomputed now", **allow(*READERS)
)
def get_books(tx: Tx) -> BooksReport:
    return tx(runs.books)
