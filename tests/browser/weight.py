"""What a clerk's device fetches the first time: all that the service worker keeps for it, gzipped."""

import gzip
import re
from pathlib import Path

BUILT = Path(__file__).parents[2] / "services/gateway/chubei_gateway/web"
MOST_KB = 300


def weights() -> dict[str, int]:
    """Bytes by file. What the worker does not keep (pages of the command's) is fetched when it is opened."""
    kept = re.findall(r'url:"([^"]+)"', (BUILT / "sw.js").read_text("utf-8"))
    return {name: len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in sorted(set(kept))}
