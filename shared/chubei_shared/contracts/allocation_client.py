"""The allocation service over httpx."""

from chubei_shared.contracts.district_client import DistrictClient
from chubei_shared.contracts.incident_client import IncidentClient
from chubei_shared.contracts.plan_client import PlanClient


class AllocationClient(DistrictClient, IncidentClient, PlanClient):
    """All that allocation answers, but for what keepers do at their shelters (keeper_client.py)."""
