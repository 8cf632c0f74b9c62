"""Posts (岗位): who answers for what, who stands in, who is above, how each is reached (owned by allocation)."""

from typing import Annotated, Literal, Self

import httpx
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from chubei_shared.contracts.base import Dto, Id, Name, Provenance, Utc

_PORTS = {None, *range(1, 65_536)}
"""httpx takes any number; none is the scheme's own."""


def _webhook_url(url: str) -> str:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"不是网址,请核对 / is not a URL: correct it ({error})") from None
    if parts.scheme not in ("http", "https") or not parts.host or parts.port not in _PORTS:
        raise ValueError("须为 http(s)://主机[:端口]/… / must be http(s)://host[:port]/…")
    if parts.userinfo or parts.fragment:
        raise ValueError(
            "不可含用户名、口令或 #:内容已有签名,请去掉 / "
            "must not have a user, a password or a #: bodies are signed, so take them out"
        )
    return url


WebhookUrl = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^[!-~]+$"), AfterValidator(_webhook_url)
]
EmailAddress = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}$"
    ),
]


class WebhookChannel(Dto):
    kind: Literal["webhook"]
    url: WebhookUrl


class EmailChannel(Dto):
    kind: Literal["email"]
    address: EmailAddress


Channel = Annotated[WebhookChannel | EmailChannel, Field(discriminator="kind")]


def target(channel: Channel) -> str:
    return channel.url if isinstance(channel, WebhookChannel) else channel.address


class Post(Dto):
    """A post outlives those who hold it: tasks and notices go to the post, and whoever holds it then acts."""

    id: Id
    name_zh: Name
    name_en: Name
    holder: Id | None = None
    """The user name of who holds it; none: it is vacant."""
    deputy: Id | None = None
    """Who may act in the holder's place."""
    escalates_to: Id | None = None
    """The post above, which hears of what nobody here acknowledged."""
    tier: Id | None = None
    """The tier of authority that comes with the post."""
    channels: list[Channel] = Field(default_factory=list, max_length=10)
    """Where notices are sent, besides the application itself."""
    provenance: Provenance

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.deputy is not None and self.deputy == self.holder:
            raise ValueError(
                "deputy 与 holder 是同一人,请填另一人或留空 / "
                "deputy is the holder too: name somebody else, or leave it out"
            )
        targets = [target(channel) for channel in self.channels]
        if len(set(targets)) < len(targets):
            raise ValueError("channels 有重复,请去掉 / channels name one target twice: take one out")
        return self


class ChannelView(Dto):
    kind: Literal["webhook", "email"]
    target: str
    """The URL or the address."""
    secret: str | None
    """Of a webhook, masked: only its last four characters."""
    ready: bool
    problem: str | None = None
    """Why nothing can be sent there now."""


class PostView(Dto):
    post: Post
    channels: list[ChannelView]


class PostPage(Dto):
    rows: list[PostView]


class WebhookSecret(Dto):
    """Signs every body sent to `url`: header Chubei-Signature: sha256=<HMAC-SHA256 of the body, in hex>."""

    url: str
    secret: str


class PostChange(PostView):
    new_secrets: list[WebhookSecret]
    """Of webhooks that are new with this change. Shown this once: whoever loses one asks for another."""


class NewSecret(Dto):
    url: WebhookUrl


class Holding(Dto):
    """From `from_at` on, until the next one."""

    holder: str | None
    deputy: str | None
    from_at: Utc
    recorded_by: str


class HoldingPage(Dto):
    """The latest first."""

    rows: list[Holding]
