"""Keep what an arena finds on disk, a line a valuation, so that the same command goes on.

Below a log's folder, a world's references are ``<world>-<hash>/references-<hash>.json``, and the
trainings of one learner under one regime are in ``<world>-<hash>/<learner>-<regime>-<hash>``:
``manifest.json`` says what they are, and each repeat has a ``repeat-000.jsonl``.
"""

from __future__ import annotations

import json
import logging
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from causalbench.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["append", "plain", "read_lines", "read_whole", "write_whole"]

_LOG = logging.getLogger(__name__)


def append(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append lines to a log and flush them; nothing is written where there are none.

    Raises:
        LogError: the disk is full, or otherwise refuses.
    """
    block = "".join(f"{json.dumps(line, allow_nan=False)}\n" for line in lines)
    if block:
        with _said(path), path.open("ab") as file:
            file.write(block.encode())


def read_lines(path: Path, *, mend: bool = True) -> dict[str, dict[str, Any]]:
    """Read a log's valuations by key; errors of earlier tries are left out, so they are tried anew.

    A torn last line (the run was killed as it wrote) is left out, and cut off the file.

    Args:
        path: of the log; it need not be there.
        mend: whether a torn line is cut off.

    Raises:
        LogError: a line before the last that can't be read.
    """
    if not path.exists():
        return {}
    data = path.read_bytes()
    found: dict[str, dict[str, Any]] = {}
    good = 0
    rows = data.splitlines(keepends=True)
    for number, row in enumerate(rows, 1):
        line = _line(row)
        if line is None:
            if number < len(rows):
                msg = f"line {number} of '{path}' can't be read; restore it, or use --fresh."
                raise LogError(msg)
            _LOG.warning("the last line of '%s' is torn and was left out.", path)
            if mend:
                os.truncate(path, good)
            break
        good += len(row)
        if "error" not in line:
            found.setdefault(line["key"], line)
    return found


def read_whole(path: Path) -> dict[str, Any]:
    """Read a file that is written whole.

    Raises:
        LogError: it can't be read.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"'{path}' can't be read ({error}); restore it, or run again with --fresh."
        raise LogError(msg) from None
    if not isinstance(found, dict):
        msg = f"'{path}' holds no mapping; restore it, or run again with --fresh."
        raise LogError(msg)
    return found


def write_whole(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file so that a reader finds the old one or the new one, never half.

    Raises:
        LogError: the disk refuses.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    with _said(path):
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def plain(*parts: str) -> str:
    """Return a folder's name of some texts, with nothing in it that a file system minds."""
    return "-".join(re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") or "x" for part in parts)


def _line(row: bytes) -> dict[str, Any] | None:
    """Read one line; None where it is torn."""
    if not row.endswith(b"\n"):
        return None
    try:
        line = json.loads(row)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("key"), str) else None


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except OSError as error:
        msg = (
            f"log '{path}' can't be written: {error.strerror or error}; "
            "mend that, then run the same command again to go on."
        )
        raise LogError(msg) from error
