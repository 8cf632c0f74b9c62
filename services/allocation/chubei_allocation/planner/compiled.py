"""Compiling the inner loops of the search with numba, kept on disk so that only the first run pays for it.

numba looks at the file of a function to see whether its kept code is stale, not at the files it calls into. So the
kept code lies in a folder named by the contents of all files that hold compiled functions, and of those that these
import from; and by the machine it is for, as numba makes code for the processor at hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.registry import cpu_target

Function = TypeVar("Function", bound=Callable[..., Any])

HERE = Path(__file__).parent
COMPLETE = "complete"  # a file in the folder once all that plans need is compiled


def _sources_digest() -> str:
    """Of this file, the files with compiled functions, and what those import from, for its constants."""
    texts = {path.stem: path.read_text() for path in HERE.glob("*.py")}
    names = {"compiled"}
    for name, text in texts.items():
        if re.search(r"^@compiled", text, re.MULTILINE):
            names |= {name, *re.findall(r"^from \.(\w+) import", text, re.MULTILINE)}
    return _digest("".join(texts[name] for name in sorted(names)))


def _machine_digest() -> str:
    """Of what numba itself tells kept code apart by: machine, versions, and the folder the sources lie in."""
    machine: Any = cpu_target.target_context.codegen().magic_tuple()
    return _digest(repr((machine, numba.__version__, sys.implementation.cache_tag, str(HERE))))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


SOURCES = f"compiled-{_sources_digest()}"
NAME = f"{SOURCES}-{_machine_digest()}"


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _parents_elsewhere() -> Iterator[Path]:
    """Where kept code can lie if not beside the planner: the user's cache, then the place for temporary files."""
    with contextlib.suppress(RuntimeError):  # no home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chubei"
    with contextlib.suppress(FileNotFoundError):  # no place at all
        yield Path(tempfile.gettempdir()) / f"chubei-{os.getuid()}"


def _ours_alone(parent: Path) -> bool:
    """Whether nobody else can put code there that we would run."""
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = parent.lstat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _copy(folder: Path, to: Path) -> None:
    """Copy a folder with all that is in it, at one stroke."""
    with tempfile.TemporaryDirectory(dir=to.parent) as room:
        made = Path(shutil.copytree(folder, Path(room) / "copy"))
        with contextlib.suppress(OSError):  # another process was first
            made.rename(to)


def _find_folder() -> Path | None:
    """The folder of kept code: beside the planner, or where that cannot be written, a copy; None if nowhere can."""
    own = HERE / "__pycache__" / NAME
    if _writable(own):
        return own
    for parent in _parents_elsewhere():
        folder = parent / NAME
        if _ours_alone(parent) and _writable(parent):
            if (own / COMPLETE).exists() and not folder.exists():
                _copy(own, folder)
            if _writable(folder):
                return folder
    return None


FOLDER = _find_folder()
setattr(numba.config, "CACHE_DIR", str(FOLDER or ""))  # noqa: B010 (numba's typing does not know it)
OPTIONS: dict[str, Any] = {
    "cache": FOLDER is not None,
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
}


def compiled(function: Function) -> Function:
    """The function as machine code. It takes arrays, numbers and named tuples of them, and holds no lock.

    It makes no arrays of its own: without the counting of references (_nrt) it compiles and runs much faster.
    """
    made: Function = numba.njit(**OPTIONS)(function)
    return made


def is_kept() -> bool:
    """Whether all that plans need has been compiled for these sources and this machine."""
    return FOLDER is not None and (FOLDER / COMPLETE).exists()


def mark_kept() -> None:
    """Note that all that plans need is compiled."""
    if FOLDER is not None:
        (FOLDER / COMPLETE).touch()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time compile for the same folder: numba's index files are not made for more."""
    if FOLDER is None:
        yield
        return
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget_older() -> None:
    """Delete kept code of other sources."""
    if FOLDER is not None:
        for old in FOLDER.parent.glob("compiled-*"):
            if not old.name.startswith(SOURCES):
                shutil.rmtree(old, ignore_errors=True)
