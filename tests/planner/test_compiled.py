"""Compiled once: the set-up leaves nothing to compile, and where it left its code nobody else can have put any."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from chubei_allocation.planner import compiled, parse_scenario, solve
from chubei_allocation.planner.ready import COMPILING, make_ready
from chubei_cli import planning_files
from planner_cases import plain

PLANS = """
import sys
sys.path.insert(0, sys.argv[1])
from chubei_allocation.planner import Stop, parse_scenario, plan, search
from planner_cases import plain, world
for search.LARGE_FLEET in (300, 0):
    for data in (plain(), world(), world() | {"vehicles": []}, world() | {"policy": "fair", "supply": []}):
        plan(parse_scenario(data), Stop(None, work_limit=1000))
"""


def test_after_the_set_up_plans_of_all_kinds_compile_nothing() -> None:
    make_ready()
    assert compiled.is_kept()
    done = subprocess.run(
        [sys.executable, "-c", PLANS, str(Path(__file__).parent)],
        env=os.environ | {"NUMBA_DEBUG_CACHE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "data loaded from" in done.stdout
    assert "data saved to" not in done.stdout


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A planner whose own folder holds compiled code and cannot be written, and a user's cache beside it."""
    own = tmp_path / "planner" / "__pycache__" / compiled.NAME
    own.mkdir(parents=True)
    (own / "some.nbc").write_text("code")
    (own / compiled.COMPLETE).touch()
    real = compiled._writable
    monkeypatch.setattr(compiled, "HERE", tmp_path / "planner")
    monkeypatch.setattr(compiled, "_writable", lambda folder: folder != own and real(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


def test_code_that_cannot_be_written_beside_is_copied_to_the_users_cache(read_only: Path) -> None:
    found = compiled._find_folder()
    assert found == read_only / "cache" / "chubei" / compiled.NAME
    assert sorted(path.name for path in found.iterdir()) == [compiled.COMPLETE, "some.nbc"]
    assert compiled._find_folder() == found


def test_code_is_not_taken_from_where_others_may_write(read_only: Path) -> None:
    shared = read_only / "cache" / "chubei"
    shared.mkdir(parents=True)
    shared.chmod(0o777)
    found = compiled._find_folder()
    assert found is not None
    assert found.parent.parent == read_only / "temporary"
    found.parent.chmod(0o777)
    assert compiled._find_folder() is None


def test_code_of_another_machine_is_not_copied(read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "NAME", f"{compiled.SOURCES}-another")
    monkeypatch.setattr(compiled, "_writable", lambda folder: read_only / "planner" not in folder.parents)
    (read_only / "cache" / "chubei" / compiled.NAME).mkdir(parents=True, mode=0o755)
    found = compiled._find_folder()
    assert found is not None
    assert list(found.iterdir()) == []


def test_older_code_is_forgotten_and_that_of_other_machines_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [compiled.NAME, f"{compiled.SOURCES}-another", "compiled-0000-same", "planner.pyc"]
    for name in names:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(compiled, "FOLDER", tmp_path / compiled.NAME)
    compiled.forget_older()
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {"compiled-0000-same"}


def test_one_at_a_time_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    order: list[str] = []

    def second() -> None:
        with compiled.alone():
            order.append("second")

    with compiled.alone():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_clock_of_a_solve_starts_when_all_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    real = solve._Solve

    def begin(*arguments: Any) -> Any:
        happened.append("clock")
        return real(*arguments)

    monkeypatch.setattr(solve, "make_ready", lambda: happened.append("compiled"))
    monkeypatch.setattr(solve, "_Solve", begin)
    solve.plan(parse_scenario(plain()), solve.Stop(None, work_limit=1))
    assert happened == ["compiled", "clock"]


def test_the_command_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kept, said in ((True, ""), (False, f"{COMPILING}\n")):
        monkeypatch.setattr(planning_files, "is_kept", lambda kept=kept: kept)
        monkeypatch.setattr(planning_files, "make_ready", lambda: None)
        planning_files.compile_first()
        assert capsys.readouterr().err == said
