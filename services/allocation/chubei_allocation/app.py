"""The allocation service: `uvicorn --factory chubei_allocation.app:create_app`."""

from chubei_shared.settings import Settings
from chubei_shared.web import service_app
from fastapi import FastAPI

from chubei_allocation.aftermath import api as api_aftermath
from chubei_allocation.approval import api as api_approval
from chubei_allocation.authority import api as api_authority
from chubei_allocation.call_out import api as api_call_out
from chubei_allocation.confirmations import api as api_confirmations
from chubei_allocation.deviations import api as api_deviations
from chubei_allocation.dispatch import api as api_dispatch
from chubei_allocation.exercises import api as api_exercises
from chubei_allocation.incidents import api as api_incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.network import api as api_network
from chubei_allocation.notices import api as api_notices
from chubei_allocation.oral_orders import api as api_oral_orders
from chubei_allocation.papers import api as api_papers
from chubei_allocation.photos import api as api_photos
from chubei_allocation.plans import api as api_plans
from chubei_allocation.plans import api_alternatives
from chubei_allocation.posts import api as api_posts
from chubei_allocation.progress import api as api_progress
from chubei_allocation.readiness import api as api_readiness
from chubei_allocation.readiness import watch
from chubei_allocation.reports import api as api_reports
from chubei_allocation.response import api as api_response
from chubei_allocation.shelters import api as api_shelters
from chubei_allocation.shelters.recipients import Privacy


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()
    routers = [
        api_network.router,
        api_posts.router,
        api_notices.router,
        api_incidents.router,
        api_response.router,
        api_call_out.router,
        api_confirmations.router,
        api_authority.router,
        api_plans.router,
        api_alternatives.router,
        api_approval.router,
        api_oral_orders.router,
        api_dispatch.router,
        api_photos.router,
        api_deviations.router,
        api_progress.router,
        api_shelters.router,
        api_papers.router,
        api_reports.router,
        api_aftermath.router,
        api_exercises.router,
        api_readiness.router,
    ]
    app = service_app(
        "allocation", "储备调拨 / Chubei allocation", routers, settings, lifespan=watch.watching
    )
    app.state.inventory = InventoryGate(settings)
    app.state.privacy = Privacy(settings)
    return app
