"""What must not be in a commit: registry hosts, other lock files, and hashes that are missing."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_registry_host_is_named() -> None:
    hosts = re.compile("|".join(["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org"]))
    naming = [p for p in _committed() if hosts.search(p.read_text("utf-8", errors="ignore"))]
    assert naming == []


def test_every_dependency_is_pinned_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    assert len(pins) > 40
    assert [p.split("\n")[0] for p in pins if "--hash=sha256:" not in p] == []
    assert not (ROOT / "uv.lock").exists() or (ROOT / "uv.lock") not in _committed()
