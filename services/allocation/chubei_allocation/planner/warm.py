"""`python -m chubei_allocation.planner.warm`: compile the search ahead of the first plan, as part of the set-up."""

from __future__ import annotations

import sys

from .compiled import forget_older, is_kept
from .ready import COMPILING, make_ready


def main() -> None:
    """Compile, saying so, and forget the code of older sources."""
    if not is_kept():
        sys.stderr.write(f"{COMPILING}\n")
    make_ready()
    forget_older()


if __name__ == "__main__":
    main()
