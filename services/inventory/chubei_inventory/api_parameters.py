"""What the routes have in common: who may read and write, and the parameters of a page."""

from typing import Annotated

from chubei_shared.tokens import Role
from fastapi import Query

READERS = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN, Role.SERVICE)
"""Everyone signed in: on the night nobody should have to ask what is there."""
WRITERS = (Role.ADMIN, Role.COMMANDER)
"""Of master data; stock is moved by clerks."""

Cursor = Annotated[
    str | None, Query(max_length=600, description="上一页的 next_cursor / next_cursor of the page before")
]
Limit = Annotated[int, Query(ge=1, le=500, description="每页行数 / rows in a page")]
