"""The inventory service. Serve it with `uvicorn --factory chubei_inventory.app:create_app`."""

from chubei_shared.settings import Settings
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_inventory import (
    api_call_offs,
    api_cards,
    api_catalogue,
    api_catalogue_versions,
    api_declarations,
    api_holds,
    api_offline,
    api_reserves,
    api_stock,
    api_supply,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    parts = (
        api_stock,
        api_offline,
        api_cards,
        api_holds,
        api_supply,
        api_reserves,
        api_call_offs,
        api_declarations,
        api_catalogue,
        api_catalogue_versions,
    )
    return service_app("inventory", "库存 / Inventory", [part.router for part in parts], settings)
