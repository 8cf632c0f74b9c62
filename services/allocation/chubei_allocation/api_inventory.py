"""What a route that calls inventory is given."""

from typing import Annotated

from fastapi import Depends, Request

from chubei_allocation.inventory_gate import InventoryGate


def _gate(request: Request) -> InventoryGate:
    gate: InventoryGate = request.app.state.inventory
    return gate


Inventory = Annotated[InventoryGate, Depends(_gate)]
"""In an endpoint: `def post(body: Body, tx: Tx, inventory: Inventory)`."""
