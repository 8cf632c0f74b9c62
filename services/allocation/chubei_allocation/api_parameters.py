"""What the routes have in common: who may read, where a page goes on, and the way to inventory."""

from typing import Annotated

from chubei_shared.tokens import PEOPLE, Role
from fastapi import Depends, Query, Request

from chubei_allocation.inventory_gate import InventoryGate

READERS = (*PEOPLE, Role.SERVICE)
"""Everyone who signed in, and services: on the night nobody should have to ask what is going on."""
LOOKERS = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR)
"""Who needs to see photos and signatures: those who work with an order, decide on it or check it."""

Cursor = Annotated[
    str | None, Query(max_length=600, description="上一页的 next_cursor / next_cursor of the page before")
]


def _gate(request: Request) -> InventoryGate:
    gate: InventoryGate = request.app.state.inventory
    return gate


Inventory = Annotated[InventoryGate, Depends(_gate)]
"""In an endpoint: `def post(body: Body, tx: Tx, inventory: Inventory)`."""
