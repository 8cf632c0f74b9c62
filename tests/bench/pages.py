"""`make bench`: what a clerk's device fetches the first time, against the budget, and how smoothly the pages draw what
is much; in bench-out/pages.md.
"""

import argparse
import os
import sys
from pathlib import Path

from tests.bench import frames
from tests.browser.weight import MOST_KB, weights


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    found = weights()
    whole_kb = sum(found.values()) / 1000
    head = f"保管员首次下载 / a clerk's first load: **{whole_kb:.1f} kB** gzip (≤ {MOST_KB} kB)"
    print(head)
    drawn = [] if os.environ.get("BROWSER") == "none" else frames.measured()
    for row in drawn:
        print(f"{row.what}: {row.per_s:.0f} 帧/秒 frames/s, 最长一帧 / longest {row.longest_ms:.0f} ms")
    table = [
        *(head, ""),
        *("| 画面 / drawn | 帧/秒 / frames/s | 最长一帧 / longest, ms |", "| --- | ---: | ---: |"),
        *(f"| {row.what} | {row.per_s:.0f} | {row.longest_ms:.0f} |" for row in drawn),
        *("", "| 文件 / file | kB gzip |", "| --- | ---: |"),
        *(f"| {name} | {size / 1000:.1f} |" for name, size in sorted(found.items(), key=lambda of: -of[1])),
    ]
    (out / "pages.md").write_text("\n".join([*table, ""]), "utf-8")
    smooth = all(row.per_s >= frames.ENOUGH_FPS for row in drawn if row.judged)
    return 0 if whole_kb <= MOST_KB and smooth else 1


if __name__ == "__main__":
    sys.exit(main())
