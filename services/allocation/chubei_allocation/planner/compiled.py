"""Compiling the inner loops of the search with numba, kept on disk so that only the first run pays for it.

numba looks at the file of a function to see whether its kept code is stale, not at the files it calls into.
So the kept code lies in a folder named by the contents of all files that hold compiled functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

HERE = Path(__file__).parent
FILES = (
    "compiled.py",
    "arrays.py",
    "berths.py",
    "filling.py",
    "serving.py",
    "simulate.py",
    "choose.py",
    "neighbours.py",
    "anneal.py",
    "regions.py",
)


def _kept_in() -> str:
    contents = b"".join((HERE / name).read_bytes() for name in FILES if (HERE / name).exists())
    return str(HERE / "__pycache__" / f"compiled-{hashlib.sha256(contents).hexdigest()[:16]}")


numba.config.CACHE_DIR = _kept_in()


def compiled(function: Function) -> Function:
    """The function as machine code. It takes arrays, numbers and named tuples of them, and holds no lock.

    It makes no arrays of its own: without the counting of references (_nrt) it compiles and runs much faster.
    """
    made: Function = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)
    return made
