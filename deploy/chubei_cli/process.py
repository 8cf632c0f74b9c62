"""Small facts about processes and ports that the embedded servers and the supervisor share."""

import contextlib
import ctypes
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final

import psutil  # type: ignore[import-untyped]

_PR_SET_PDEATHSIG: Final = 1
# Loaded once, before any fork: between fork and exec nothing may be imported.
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(with_signal: signal.Signals = signal.SIGKILL) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send `with_signal` to the child when its parent dies, in any way.

    The kernel ties this to the parent *thread*: spawn from one that lives as long as the parent. Where there
    is no such call (macOS) the answer is None, and only an orderly stop takes the children along.
    """
    if _libc is None:
        return None
    parent = os.getpid()
    prctl = _libc.prctl

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, int(with_signal))
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return arm


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    return port_trouble(port) == 0


def port_trouble(port: int) -> int:
    """The errno with which listening on this loopback port fails now; 0 if it does not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return 0


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def listener_on(port: int) -> str:
    """Who listens on a port, as far as we may see: "pid 123 nginx", or ""."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                return (
                    f"pid {connection.pid} {psutil.Process(connection.pid).name()}" if connection.pid else ""
                )
    return ""
