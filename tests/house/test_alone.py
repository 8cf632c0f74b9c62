"""Each service installs and imports alone, as in its image: what it needs it declares, and it links to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
WALK = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if ".migrations" not in module.name:  # alembic runs those, and gives them their context
        importlib.import_module(module.name)
for name, module in sys.modules.items():
    if name.startswith("chubei_"):
        print(module.__file__)
"""


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("services/inventory", "chubei_inventory"),
        ("services/allocation", "chubei_allocation"),
        ("services/gateway", "chubei_gateway"),
    ],
)
def test_service_installs_and_imports_alone(folder: str, package: str, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    pins = ["--no-sources", "--constraint", "requirements.lock", "--build-constraint", "requirements.lock"]
    for command in (
        [UV, "venv", "--quiet", "--python", sys.executable, venv],
        [UV, "pip", "install", "--quiet", "--python", venv / "bin/python", *pins, "./shared", f"./{folder}"],
    ):
        subprocess.run(command, cwd=ROOT, check=True)
    environment = {
        "PATH": "/usr/bin:/bin",
        "CHUBEI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1",
        "CHUBEI_REDIS_URL": "redis://127.0.0.1:1/0",
        "CHUBEI_KEYS_DIR": str(tmp_path),
    }
    walked = subprocess.run(
        [venv / "bin/python", "-c", WALK, package],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert walked.returncode == 0, walked.stderr
    elsewhere = [file for file in walked.stdout.split() if not Path(file).is_relative_to(venv)]
    assert elsewhere == [], "the image has nothing but this environment"
