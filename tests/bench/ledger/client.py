"""What sends requests: plain connections that stay open, so that the sender costs little and both sides the same."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any, NamedTuple

Body = dict[str, Any]


class Sender:
    """A few connections to one server."""

    def __init__(self, port: int, token: str, connections: int) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._open = [HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(connections)]
        self._pool = ThreadPoolExecutor(connections)

    def send(self, path: str, bodies: Sequence[Body], due: int = 201) -> float:
        """Post all bodies over all connections at once; the seconds it took."""
        texts = [json.dumps(body) for body in bodies]

        def work(number: int) -> None:
            connection = self._open[number]
            for body in texts[number :: len(self._open)]:
                connection.request("POST", path, body, self._headers)
                answer = connection.getresponse()
                told = answer.read()
                if answer.status != due:
                    raise RuntimeError(f"{path}: {answer.status} {told[:300]!r}")

        begun = time.perf_counter()
        list(self._pool.map(work, range(len(self._open))))
        return time.perf_counter() - begun


class Versus(NamedTuple):
    """Rates of two sides from turns taken in one run, and the median of the turns' ratios."""

    ours_per_s: float
    other_per_s: float
    ratio: float
    low: float
    high: float
    """The middle half of the turns' ratios lies between."""


def side_by_side(ours: Callable[[], float], other: Callable[[], float], turns: int, size: int) -> Versus:
    """Each turn runs both, in alternating order; each returns the seconds that `size` of its acts took."""
    pairs = []
    for turn in range(turns):
        if turn % 2:
            b, a = other(), ours()
        else:
            a, b = ours(), other()
        pairs.append((a, b))
    ratios = sorted(b / a for a, b in pairs)
    quarter = len(ratios) // 4
    return Versus(
        size * turns / sum(a for a, _ in pairs),
        size * turns / sum(b for _, b in pairs),
        statistics.median(ratios),
        ratios[quarter],
        ratios[-1 - quarter],
    )
