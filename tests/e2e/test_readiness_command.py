"""`chubei readiness` used wrongly: one line, exit code 2."""

import subprocess
import sys

import pytest


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", "readiness", *words],
        capture_output=True,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONIOENCODING": "utf-8",
            "CHUBEI_PASSWORD": "x" * 12,
            **environment,
        },
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--draws", "3"), "goes with --now only"),
        (("--draws", "-1", "--now"), "wrong use"),
        (("--url", "nowhere"), "give http://host:port"),
    ],
)
def test_wrong_use_is_one_line(words, said, tmp_path):
    ended = run(*words, CHUBEI_STATE=str(tmp_path))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
    assert ended.stdout == ""
