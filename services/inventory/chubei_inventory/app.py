"""The inventory service. Serve it with `uvicorn --factory chubei_inventory.app:create_app`."""

from chubei_shared.settings import Settings
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_inventory import api_catalogue, api_holds, api_stock, api_supply


def create_app(settings: Settings | None = None) -> FastAPI:
    routers = (api_stock.router, api_holds.router, api_supply.router, api_catalogue.router)
    return service_app("inventory", "库存 / Inventory", routers, settings)
