"""The endpoint to compare with: FastAPI and psycopg, no contract, no token, no rule, the same SQL sent by hand.

What "the same SQL" is, is not written twice: `recorded` listens to the product at one issue, statement by statement;
this app sends just those, with the issue's own id and number put in.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import UUID

import psycopg
from chubei_inventory.movements import movements
from chubei_shared import audit
from chubei_shared.contracts.movements import Issue
from chubei_shared.db import Transactions
from chubei_shared.settings import Settings
from fastapi import FastAPI
from sqlalchemy import Engine, event

from .house import BOSS

Statements = list[tuple[str, dict[str, Any]]]
_CONNECTIONS = 16


def recorded(engine: Engine, issue: Issue) -> Statements:
    """What the product sends for one issue."""
    sent: Statements = []

    def watch(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, dict(parameters)))

    event.listen(engine, "before_cursor_execute", watch)
    act = audit.Act(BOSS.subject, "POST /v1/movements", "/v1/movements")
    audit.Recorded(Transactions(engine), lambda: act)(movements.record, issue, BOSS)
    event.remove(engine, "before_cursor_execute", watch)
    return sent


def create_app() -> FastAPI:
    """Serve it with `uvicorn --factory`; BENCH_STATEMENTS names the file of statements."""
    statements: Statements = pickle.loads(Path(os.environ["BENCH_STATEMENTS"]).read_bytes())  # noqa: S301 (our own)
    url = Settings().database("inventory").set(drivername="postgresql").render_as_string(hide_password=False)
    free: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
    for _ in range(_CONNECTIONS):
        free.put(psycopg.connect(url, options="-c timezone=UTC"))
    app = FastAPI()

    @contextmanager
    def connection() -> Iterator[psycopg.Connection[Any]]:
        one = free.get()
        try:
            with one.transaction():
                yield one
        finally:
            free.put(one)

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.post("/v1/movements", status_code=201)
    def post_movement(body: dict[str, Any]) -> dict[str, Any]:
        seq = None
        with connection() as sql:
            for statement, parameters in statements:
                if "INSERT INTO movement" in statement:
                    parameters = {**parameters, "id": [UUID(body["id"])]}
                    row = sql.execute(statement, parameters).fetchone()
                    assert row is not None
                    seq = row[1]
                elif "INSERT INTO entry" in statement:
                    sql.execute(statement, {**parameters, "seqs": [seq] * len(parameters["seqs"])})
                else:
                    sql.execute(statement, parameters)
        return {"id": body["id"], "seq": seq}

    return app
