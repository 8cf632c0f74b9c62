"""Vehicles in the order in which they are free: a binary heap in rows (minute, vehicle)."""

from __future__ import annotations

from .arrays import Ints
from .compiled import compiled


@compiled
def push(heap: Ints, size: Ints, minute: int, v: int) -> None:
    k = size[0]
    size[0] += 1
    while k > 0:
        up = (k - 1) // 2
        if heap[up, 0] < minute or (heap[up, 0] == minute and heap[up, 1] <= v):
            break
        heap[k, 0], heap[k, 1] = heap[up, 0], heap[up, 1]
        k = up
    heap[k, 0], heap[k, 1] = minute, v


@compiled
def pop(heap: Ints, size: Ints) -> tuple[int, int]:
    minute, v = heap[0, 0], heap[0, 1]
    size[0] -= 1
    n = size[0]
    last_minute, last_v = heap[n, 0], heap[n, 1]
    k = 0
    while True:
        down = 2 * k + 1
        if down >= n:
            break
        right = down + 1
        if right < n and (
            heap[right, 0] < heap[down, 0]
            or (heap[right, 0] == heap[down, 0] and heap[right, 1] < heap[down, 1])
        ):
            down = right
        if last_minute < heap[down, 0] or (last_minute == heap[down, 0] and last_v <= heap[down, 1]):
            break
        heap[k, 0], heap[k, 1] = heap[down, 0], heap[down, 1]
        k = down
    heap[k, 0], heap[k, 1] = last_minute, last_v
    return minute, v
