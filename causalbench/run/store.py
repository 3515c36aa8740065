"""Keep one agent's answers on disk, so that the same command again goes on where it stopped.

A folder holds ``manifest.json`` (what was run, replaced atomically), ``answers.jsonl`` (appended
to, a line an item, flushed after every dossier), ``scores.jsonl`` (replaced when a run ends),
``checkpoints/`` and, while a run writes, ``lock``.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from causalbench.errors import LogError
from causalbench.run import lock
from causalbench.score.losses import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["ANSWERS", "MANIFEST", "SCORES", "Store", "read_answers", "read_manifest"]

MANIFEST, ANSWERS, SCORES = "manifest.json", "answers.jsonl", "scores.jsonl"
_NONE = type(None)
_SHAPE: Mapping[str, tuple[type, ...]] = {  # what scoring reads; groups before what is in them
    "run": (str,),
    "suite": (dict,),
    "suite.name": (str,),
    "suite.version": (str, int),
    "suite.digest": (str,),
    "suite.reference": (str, _NONE),
    "seed": (int,),
    "limit": (int, _NONE),
    "where": (dict, _NONE),
    "repeats": (int,),
    "time_limit": (int, float, _NONE),
    "agent": (dict,),
    "agent.name": (str,),
    "agent.spec": (str, _NONE),
    "agent.config": (dict,),
    "agent.source_digest": (str,),
    "agent.version": (str,),
    "agent.accepts": (list,),
    "agent.cells": (list, _NONE),
    "agent.control": (bool,),
    "agent.trains": (bool,),
}
_LOG = logging.getLogger(__name__)


class Store:
    """The log folder of one agent on one suite; a context manager that holds its lock.

    Args:
        folder: made if it isn't there.
        manifest: what is run.
        fresh: move an earlier log aside (``<folder>.old-1``, ``-2``, ...) and start over.

    Raises:
        LogError: the folder can't be used: in use, unwritable, or its answers are corrupt.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any], *, fresh: bool = False) -> None:
        self.folder = folder
        self.manifest = dict(manifest)
        self.fresh = fresh
        self.answers: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        with _said(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(self.folder)
        try:
            if self.fresh:
                self._move_aside()
            with _said(self.folder):
                self.answers = read_answers(self.folder, mend=True)
            self.mark("started")
        except BaseException:
            lock.release(self.folder)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                self.mark("interrupted" if issubclass(kind, KeyboardInterrupt) else "error")
        except LogError:
            if kind is None or not issubclass(kind, LogError):  # that one tells of the same disk
                _LOG.warning("the manifest of '%s' couldn't be marked.", self.folder)
        finally:
            lock.release(self.folder)

    def append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append answers and flush them; lines whose key is there already are left out.

        Raises:
            LogError: the disk is full, or otherwise refuses.
        """
        new = [dict(line) for line in lines if line["key"] not in self.answers]
        block = "".join(f"{_json(line)}\n" for line in new)
        with _said(self.folder), (self.folder / ANSWERS).open("ab") as file:
            file.write(block.encode())
        self.answers.update((line["key"], line) for line in new)

    def write_scores(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the scores; LogError where the disk refuses."""
        with _said(self.folder):
            _replace(self.folder / SCORES, "".join(f"{_json(row)}\n" for row in rows))

    def mark(self, status: str, **more: Any) -> None:
        """Replace the manifest with one of another status; LogError where the disk refuses."""
        self.manifest = {**self.manifest, "status": status, **more}
        with _said(self.folder):
            text = json.dumps(self.manifest, indent=2, ensure_ascii=False, sort_keys=True)
            _replace(self.folder / MANIFEST, text + "\n")

    def _move_aside(self) -> None:
        """Move what is there to the next free name, and lock an empty folder instead."""
        if not any(path.name != lock.NAME for path in self.folder.iterdir()):
            return
        number = 1
        while (old := self.folder.with_name(f"{self.folder.name}.old-{number}")).exists():
            number += 1
        with _said(self.folder):
            self.folder.rename(old)
            lock.release(old)
            self.folder.mkdir()
            lock.acquire(self.folder)
        _LOG.info("the earlier log is now '%s'.", old)


def read_answers(folder: Path, *, mend: bool = False) -> dict[str, dict[str, Any]]:
    """Read the answers of a log, by key.

    A torn last line (the run was killed as it wrote) is left out, and said.

    Args:
        folder: of the log.
        mend: cut the torn line off the file, so that the next append starts a line.

    Raises:
        LogError: a line before the last that can't be read.
    """
    path = folder / ANSWERS
    if not path.exists():
        return {}
    data = path.read_bytes()
    answers: dict[str, dict[str, Any]] = {}
    good = 0
    number = 0
    for line in data.splitlines(keepends=True):
        number += 1
        record = _line(line)
        if record is None:
            break
        answers.setdefault(record["key"], record)
        good += len(line)
    if good < len(data):
        if len(data[good:].splitlines()) > 1:
            msg = (
                f"line {number} of '{path}' can't be read; "
                "restore the file, or start over with --fresh."
            )
            raise LogError(msg)
        _LOG.warning("the last line of '%s' is torn and was left out.", path)
        if mend:
            os.truncate(path, good)
    return answers


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a log.

    Raises:
        LogError: there is none, or it isn't one.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"'{folder}' holds no {MANIFEST}; give the folder of a run, or one that holds such."
        raise LogError(msg) from None
    except (OSError, ValueError, RecursionError) as error:
        msg = f"'{path}' can't be read ({error}); restore it, or run again with --fresh."
        raise LogError(msg) from None
    if not isinstance(manifest, dict) or manifest.get("schema") != 1:
        msg = f"'{path}' is not a manifest of schema 1; run again with this version."
        raise LogError(msg)
    damaged = next(_damaged(manifest), None)
    if damaged is not None:
        msg = f"'{path}' is damaged: {damaged}; restore it, or run again with --fresh."
        raise LogError(msg)
    return manifest


def _damaged(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Find what a manifest lacks, or holds of another type than this version writes."""
    for place, kinds in _SHAPE.items():
        group, _, key = place.rpartition(".")
        held = manifest.get(group, {}) if group else manifest
        if key not in held:
            yield f"{place} is missing"
        elif type(held[key]) not in kinds:
            yield f"{place} is {str(held[key])[:40]!r}"


def _line(line: bytes) -> dict[str, Any] | None:
    """Read one line; None where it is torn."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _sound(record) else None


def _sound(record: Mapping[str, Any]) -> bool:
    """Say whether an answer's record has the types that are written."""
    cost = record.get("cost")
    return (
        isinstance(record.get("key"), str)
        and isinstance(record.get("answer", 0), dict | None)
        and record.get("status") in STATUSES
        and isinstance(cost, dict)
        and all(type(value) in {int, float} for value in cost.values())
        and isinstance(record.get("error"), str)
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old one or the new one, never half."""
    draft = path.with_name(f"{path.name}.tmp")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except OSError as error:
        msg = (
            f"log '{folder}' can't be written: {error.strerror or error}; "
            "mend that, then run the same command again to go on."
        )
        raise LogError(msg) from error
