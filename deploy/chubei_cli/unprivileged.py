"""Running PostgreSQL where we are root: it refuses root, so an unprivileged user serves the data.

No user is created. What that user cannot reach (a checkout under /root, say) is opened as little as will do:
folders on the way may be passed through, not listed; the server's own files may be read.
"""

import os
import pwd
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from .errors import CommandError


class Identity(TypedDict):
    """Who a child process is: keyword arguments of Popen."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def identity(user: str | None) -> Identity:
    """The identity of `user`, without the groups that root would leave to the child; None is ourselves."""
    if user is None:
        return {"user": None, "group": None, "extra_groups": None}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def unprivileged_user(data_dir: Path) -> str | None:
    """Who serves `data_dir`: ourselves (None) if we are not root; else its owner, else who there is."""
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return pwd.getpwuid(data_dir.stat().st_uid).pw_name
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise CommandError(
        "PostgreSQL 不能以 root 运行 / PostgreSQL does not run as root, and there is no user postgres or "
        "nobody: run chubei as an ordinary user"
    )


def open_to(user: str, *, through: Path, read: Iterable[Path]) -> list[Path]:
    """Let `user` pass to `through`, and read and run what lies under `read`. Returns the folders changed.

    Raises OSError where permissions cannot be changed.
    """
    account = pwd.getpwnam(user)
    changed = []

    def grant(path: Path, needed: int) -> None:
        """`needed` in rwx bits, 0o1 for passing through."""
        status = path.stat()
        if status.st_uid == account.pw_uid:
            allowed = status.st_mode >> 6
        elif status.st_gid == account.pw_gid:
            allowed = status.st_mode >> 3
        else:
            allowed = status.st_mode
        if needed & ~allowed:
            path.chmod(stat.S_IMODE(status.st_mode) | needed)
            changed.append(path)

    trees = [path.resolve() for path in read]
    for target in (through.resolve(), *trees):
        for folder in reversed(target.parents):
            grant(folder, 0o1)
    for tree in trees:
        grant(tree, 0o5)
        for path in tree.rglob("*"):
            if not path.is_symlink():
                grant(path, 0o5 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o4)
    return changed
