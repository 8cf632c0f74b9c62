"""What the routes have in common: who may use them, and the parameters of a page."""

from typing import Annotated

from chubei_shared.tokens import Role
from fastapi import Query

PEOPLE = tuple(role for role in Role if role is not Role.SERVICE)

Limit = Annotated[int, Query(ge=1, le=500)]
