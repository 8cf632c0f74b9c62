"""A client of the district, the posts that act for it and what they are told, and whether it is ready."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from chubei_shared.contracts.network import (
    District,
    LoadingSite,
    Network,
    NetworkChange,
    Shelter,
    SubDistrict,
    VehicleType,
)
from chubei_shared.contracts.notices import NoticeCount, NoticePage, NoticeView
from chubei_shared.contracts.posts import (
    Holding,
    HoldingPage,
    NewSecret,
    Post,
    PostChange,
    PostPage,
    PostView,
    WebhookSecret,
)
from chubei_shared.contracts.readiness import Current, Readiness, RunPage, RunRequest, RunView
from chubei_shared.contracts.readiness_settings import ReadinessSettings, SettingsView
from chubei_shared.contracts.rest import RestClient, segment


class DistrictClient(RestClient):
    """What is there before anything happens."""

    # The district

    def put_network(self, network: Network) -> NetworkChange:
        """Create or replace all that `network` names, in one transaction; what it does not name stays."""
        return self._put("/v1/network", network, NetworkChange)

    def network(self) -> Network:
        return self._get("/v1/network", Network)

    def put_district(self, district: District) -> District:
        return self._put("/v1/district", district, District)

    def put_subdistrict(self, row: SubDistrict) -> SubDistrict:
        return self._put(f"/v1/subdistricts/{segment(row.id)}", row, SubDistrict)

    def put_loading_site(self, row: LoadingSite) -> LoadingSite:
        return self._put(f"/v1/loading-sites/{segment(row.place_id)}", row, LoadingSite)

    def put_shelter(self, row: Shelter) -> Shelter:
        return self._put(f"/v1/shelters/{segment(row.id)}", row, Shelter)

    def put_vehicle_type(self, row: VehicleType) -> VehicleType:
        return self._put(f"/v1/vehicle-types/{segment(row.id)}", row, VehicleType)

    # Posts

    def put_post(self, post: Post, if_match: str | None = None) -> PostChange:
        """Create a post, or change the edition that `if_match` names. Secrets of new webhooks are told this once."""
        return self._put(f"/v1/posts/{segment(post.id)}", post, PostChange, if_match)

    def post(self, post_id: str) -> PostView:
        return self._get(f"/v1/posts/{segment(post_id)}", PostView)

    def posts(self) -> list[PostView]:
        return self._get("/v1/posts", PostPage).rows

    def post_holders(self, post_id: str) -> list[Holding]:
        """The latest first."""
        return self._get(f"/v1/posts/{segment(post_id)}/holders", HoldingPage).rows

    def new_secret(self, post_id: str, url: str) -> WebhookSecret:
        """Another secret for a webhook of a post, in place of the one there was."""
        return self._post(f"/v1/posts/{segment(post_id)}/webhook-secrets", NewSecret(url=url), WebhookSecret)

    # Notices

    def notices(
        self,
        mine: bool = False,
        unread: bool = False,
        to_post: str | None = None,
        incident_id: UUID | None = None,
    ) -> Iterator[NoticeView]:
        """The latest first; `mine`: to posts that the caller holds or stands in for."""
        more = {"to_post": to_post, "incident_id": incident_id}
        return self._rows("/v1/notices", NoticePage, mine=mine, unread=unread, **more)

    def notice(self, notice_id: UUID) -> NoticeView:
        return self._get(f"/v1/notices/{notice_id}", NoticeView)

    def notice_count(self) -> NoticeCount:
        """Those that nobody acknowledged, to the caller's posts."""
        return self._get("/v1/notices:count", NoticeCount)

    def acknowledge(self, notice_id: UUID) -> NoticeView:
        """By who holds the post or stands in; again changes nothing."""
        return self._post(f"/v1/notices/{notice_id}:acknowledge", None, NoticeView)

    # Readiness

    def readiness(self) -> Current:
        """The newest finished check, and the one under way."""
        return self._get("/v1/readiness", Current)

    def readiness_of(self, night: date) -> Readiness:
        """The newest finished check of a night. Raises NotFound."""
        return self._get(f"/v1/readiness/{night}", Readiness)

    def readiness_runs(self) -> Iterator[RunView]:
        """All checks, the latest first."""
        return self._rows("/v1/readiness/history", RunPage)

    def run_readiness(self, request: RunRequest) -> RunView:
        """Ask for a check now."""
        return self._post("/v1/readiness:run", request, RunView)

    def readiness_settings(self) -> SettingsView:
        return self._get("/v1/readiness/settings", SettingsView)

    def put_readiness_settings(self, settings: ReadinessSettings, if_match: str) -> SettingsView:
        """Replace them; `*` for whatever stands there. Raises PreconditionFailed."""
        return self._put("/v1/readiness/settings", settings, SettingsView, if_match)
