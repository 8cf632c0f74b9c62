"""The allocation service: `uvicorn --factory chubei_allocation.app:create_app`."""

from chubei_shared.settings import Settings
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_allocation import api_incidents, api_network, api_orders, api_plans
from chubei_allocation.inventory_gate import InventoryGate


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()
    routers = [api_network.router, api_incidents.router, api_plans.router, api_orders.router]
    app = service_app("allocation", "储备调拨 / Chubei allocation", routers, settings)
    app.state.inventory = InventoryGate(settings)
    return app
