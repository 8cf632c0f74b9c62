"""What `chubei up` refuses, each in one line and with exit code 2, before or while it starts."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chubei_cli.children import children
from chubei_cli.parts import find_parts
from chubei_cli.state import Running, StateFolder


def refusal(*arguments: str, **settings: str) -> str:
    """The one line that `chubei ARGUMENTS` says when it refuses, with `settings` in its environment."""
    done = subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("CHUBEI_")} | settings,
    )
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_the_second_up_says_who_runs(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state").locked() as state:
        state.write(Running(pid=4711, urls={"gateway": "http://127.0.0.1:8099"}))
        said = refusal("up", "--state", str(state.path))
        assert "4711" in said
        assert "http://127.0.0.1:8099" in said
        running = state.running()
        assert running is not None
        assert running.pid == 4711
    assert state.running() is None


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal("up", "--state", str(tmp_path / "state"), "--port", str(port))
    assert f"port {port} is taken" in said
    assert "--port" in said


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "--state" in refusal("up", "--state", str(file / "state"))


def test_data_of_another_postgresql(tmp_path: Path) -> None:
    data = tmp_path / "state" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    data.with_name("postgres.password").write_text("secret")
    assert "PostgreSQL 17" in refusal("up", "--state", str(tmp_path / "state"), "--port", "0")


@pytest.mark.parametrize(
    "arguments",
    [
        ["upp"],
        ["up", "--port", "70000"],
        ["up", "--prt", "1"],
        ["status"],
        ["migrate"],
        ["migrate", "nobody"],
    ],
)
def test_what_is_not_understood_or_not_there(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(*arguments).startswith("chubei: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHUBEI_DATABASE_URL", "junk"),
        ("CHUBEI_DATABASE_URL", "postgresql://me:secret@127.0.0.1:port"),
        ("CHUBEI_DATABASE_URL", "mysql://me:secret@127.0.0.1:1"),
        ("CHUBEI_REDIS_URL", "junk"),
        ("CHUBEI_REDIS_URL", "redis://127.0.0.1:port"),
        ("CHUBEI_INVENTORY_URL", "junk"),
        ("CHUBEI_INVENTORY_URL", "http://[::bad"),
        ("CHUBEI_KEYS_DIR", "nowhere"),
    ],
)
def test_a_setting_that_names_nothing_is_told_before_anything_starts(
    name: str, value: str, tmp_path: Path
) -> None:
    said = refusal("up", "--state", str(tmp_path / "state"), "--port", "0", **{name: value})
    assert name in said
    assert "secret" not in said
    assert not (tmp_path / "state" / "postgres").exists()


@pytest.mark.parametrize("url", ["junk", "ftp://127.0.0.1", "http://[::bad"])
def test_a_gateway_that_is_no_address(url: str) -> None:
    assert "--url" in refusal("password", "--url", url, CHUBEI_PASSWORD="x", CHUBEI_NEW_PASSWORD="y")


def test_a_short_password_is_refused_and_not_repeated() -> None:
    said = refusal(
        "password", "--url", "http://127.0.0.1:1", CHUBEI_PASSWORD="x" * 12, CHUBEI_NEW_PASSWORD="my-word"
    )
    assert "12" in said
    assert "my-word" not in said


def test_without_a_terminal_no_password_is_asked_for() -> None:
    said = refusal("password", "--url", "http://127.0.0.1:1", CHUBEI_PASSWORD="x")
    assert "CHUBEI_NEW_PASSWORD" in said


def test_a_terminal_without_chinese_ends_nothing() -> None:
    sample = Path(__file__).parents[2] / "deploy" / "scenarios" / "xicheng"
    done = subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", "validate", str(sample)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert b"Xicheng District" in done.stdout


def test_ports_are_taken_again_unless_someone_has_them(tmp_path: Path) -> None:
    with StateFolder(tmp_path).locked() as state:
        first = state.port_chooser()
        ports = {part: first(part) for part in ("postgres", "valkey")}
        assert len(set(ports.values())) == 2
        state.write(Running(pid=1, ports=ports))
        with socket.create_server(("127.0.0.1", ports["valkey"])):
            again = state.port_chooser()
            assert again("postgres") == ports["postgres"]
            assert again("valkey") != ports["valkey"]


def test_docker_compose_runs_the_same_parts(tmp_path: Path) -> None:
    compose = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
    ours = {child.name: child for child in children(find_parts(StateFolder(tmp_path), 0, print))}
    assert set(ours) == set(compose)
    for name, child in ours.items():
        if "-Q" in child.command:
            queue = child.command[child.command.index("-Q") + 1]
            assert f" -Q {queue} " in compose[name]["command"]


def test_what_is_given_from_outside_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHUBEI_DATABASE_URL", "postgresql://someone:secret@db.example:5432/any")
    monkeypatch.setenv("CHUBEI_REDIS_URL", "redis://:secret@redis.example:6379/0")
    monkeypatch.setenv("CHUBEI_INVENTORY_URL", "http://inventory.example:8080/")
    rows = {child.name: child for child in children(find_parts(StateFolder(tmp_path), 0, print))}
    assert {name for name, child in rows.items() if child.outside} == {"postgres", "valkey", "inventory"}
    assert not {name for name in rows if name.startswith("inventory-")}
    assert rows["migrate"].command[-2:] == ("allocation", "gateway")
    environment = rows["gateway"].environment
    assert environment["CHUBEI_DATABASE_URL"] == "postgresql://someone:secret@db.example:5432/any"
    assert environment["CHUBEI_INVENTORY_URL"] == "http://inventory.example:8080"


def test_no_secret_on_a_command_line(tmp_path: Path) -> None:
    parts = find_parts(StateFolder(tmp_path), 0, print)
    secrets = [
        (tmp_path / name).read_text()
        for name in ("postgres.password", "valkey.password", "first-admin-password")
    ]
    for child in children(parts):
        assert not [secret for secret in secrets if secret in " ".join(child.command)]
    assert all(
        (tmp_path / name).stat().st_mode & 0o077 == 0 for name in ("postgres.password", "keys/gateway.key")
    )
