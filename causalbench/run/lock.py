"""Let one process at a time write a log."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from causalbench.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["acquire", "release"]

NAME = "lock"
_HELD: set[Path] = set()  # by this process: a lock with its own id is stale if it is not here


def acquire(folder: Path) -> None:
    """Take the lock of a log folder.

    The lock is a file made with O_EXCL that names the process. One whose process has died (on this
    host; elsewhere, and on Windows, that can't be told) is stale and taken over.

    Args:
        folder: an existing folder.

    Raises:
        LogError: another process holds it.
    """
    path = folder / NAME
    while True:
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            _clear(path)
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "host": socket.gethostname()}, file)
        _HELD.add(path.resolve())
        return


def release(folder: Path) -> None:
    """Give the lock back; giving back what is gone does nothing."""
    path = folder / NAME
    path.unlink(missing_ok=True)
    _HELD.discard(path.resolve())


def _clear(path: Path) -> None:
    """Remove a stale lock, or refuse.

    Two processes may find the same stale lock: each moves it to a name of its own, which only one
    can do, and puts back a lock that turns out to be another's fresh one.
    """
    try:
        held = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    if not _stale(held, path):
        owner = _owner(held)
        msg = (
            f"log '{path.parent}' is in use by {owner}; wait for it, stop it, "
            f"or, if it no longer runs, delete '{path}'."
        )
        raise LogError(msg)
    aside = path.with_name(f"{NAME}.{os.getpid()}")
    with suppress(FileNotFoundError):
        path.rename(aside)
        if aside.read_text(encoding="utf-8") != held:
            aside.rename(path)
        aside.unlink(missing_ok=True)


def _stale(held: str, path: Path) -> bool:
    """Say whether the process that a lock names is known to have died."""
    owner = _read(held)
    here = owner.get("host") == socket.gethostname()
    pid = owner.get("pid")
    if not here or os.name == "nt" or not isinstance(pid, int):
        return False
    if pid == os.getpid():  # containers give every run the same id
        return path.resolve() not in _HELD
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _owner(held: str) -> str:
    """Name a lock's owner."""
    owner = _read(held)
    return f"process {owner.get('pid', '?')} on '{owner.get('host', '?')}'"


def _read(held: str) -> dict[str, object]:
    """Read a lock; {} where it is empty or torn."""
    try:
        owner = json.loads(held)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}
