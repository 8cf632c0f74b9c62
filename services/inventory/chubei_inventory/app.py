"""The inventory service. Serve it with `uvicorn --factory chubei_inventory.app:create_app`."""

from chubei_shared.settings import Settings
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_inventory.bins import api as api_bins
from chubei_inventory.call_offs import api as api_call_offs
from chubei_inventory.care import api as api_care
from chubei_inventory.catalogue import api as api_catalogue
from chubei_inventory.catalogue import api_versions as api_catalogue_versions
from chubei_inventory.exchange import api as api_exchange
from chubei_inventory.holds import api as api_holds
from chubei_inventory.movements import api as api_movements
from chubei_inventory.offline import api as api_offline
from chubei_inventory.offline import api_kit as api_offline_kit
from chubei_inventory.papers import api as api_papers
from chubei_inventory.proof import api as api_proof
from chubei_inventory.recalls import api as api_recalls
from chubei_inventory.reserves import api as api_reserves
from chubei_inventory.reserves import api_declarations
from chubei_inventory.scraps import api as api_scraps
from chubei_inventory.stock import api as api_stock
from chubei_inventory.stocktake import api as api_stocktakes
from chubei_inventory.supply import api as api_supply


def create_app(settings: Settings | None = None) -> FastAPI:
    parts = (
        api_movements,
        api_scraps,
        api_offline,
        api_stock,
        api_recalls,
        api_offline_kit,
        api_holds,
        api_supply,
        api_reserves,
        api_call_offs,
        api_declarations,
        api_catalogue,
        api_catalogue_versions,
        api_bins,
        api_care,
        api_proof,
        api_exchange,
        api_stocktakes,
        api_papers,
    )
    return service_app("inventory", "库存 / Inventory", [part.router for part in parts], settings)
