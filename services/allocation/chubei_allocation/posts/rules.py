"""PURE: what holds between posts."""

from collections.abc import Iterator, Mapping


def chain(above: Mapping[str, str | None], post_id: str) -> Iterator[str]:
    """The posts above one, the nearest first; it ends where it would come round again."""
    seen = {post_id}
    following = above.get(post_id)
    while following is not None:
        yield following
        if following in seen:
            return
        seen.add(following)
        following = above.get(following)


def in_circle(above: Mapping[str, str | None], post_id: str) -> bool:
    """Whether a notice that nobody acknowledges would come back to where it began."""
    return post_id in chain(above, post_id)
