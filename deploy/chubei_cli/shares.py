"""Share a whole number out by weights."""

from collections.abc import Sequence


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` out by `weights`, whole and summing exactly: largest remainders first, ties by order."""
    whole_weight = sum(weights)
    if total < 0 or whole_weight <= 0 or min(weights) < 0:
        raise ValueError("share_out needs a total of 0 or more, and weights of 0 or more that are not all 0")
    shares = [total * weight // whole_weight for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole_weight), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
