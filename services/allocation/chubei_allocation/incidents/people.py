"""PURE: who needs relief where. Whole people, shared out exactly, the same every time."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` out by `weights`, whole and summing exactly: largest remainders first, ties by order.

    Raises ValueError when there is something to share out and nothing has weight.
    """
    whole = sum(weights)
    if not total:
        return [0] * len(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("share_out needs a total of 0 or more, and weights of 0 or more that are not all 0")
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares


def affected(residents: int, share: float) -> int:
    """How many people `share` of the residents are, rounded up: nobody is rounded away."""
    return int((residents * Decimal(str(share))).to_integral_value(ROUND_CEILING))


def members(people: Sequence[int], group_shares: Mapping[str, float]) -> list[dict[str, int]]:
    """Members of each group at each point: each group has its share of all people (half up)."""
    return spread(people, {group: portion(sum(people), share) for group, share in group_shares.items()})


def portion(number: int, share: float | Decimal) -> int:
    """That share of a number, half up."""
    return int((number * Decimal(str(share))).to_integral_value(ROUND_HALF_UP))


def spread(people: Sequence[int], totals: Mapping[str, int]) -> list[dict[str, int]]:
    """The members of each group shared out over points with so many people, by how many there are.

    Nobody is counted in two groups: each group is shared out over those who are not yet in one, so the
    groups at a point never have more members than the point has people.
    """
    free = list(people)
    at_points: list[dict[str, int]] = [{} for _ in people]
    for group, wanted in sorted(totals.items()):
        for i, number in enumerate(share_out(min(wanted, sum(free)), free)):
            at_points[i][group] = number
            free[i] -= number
    return at_points
