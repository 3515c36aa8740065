"""What a submission holds, and the check that it holds just that.

A zip file with ``submission.json`` and, for each agent, a folder with ``manifest.json`` (what was
run) and ``answers.jsonl`` (a line an item: the answer, its digest, the loss claimed). No keys, no
tracebacks, no checkpoints.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from causalbench.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ANSWERS",
    "HEAD",
    "MANIFEST",
    "SCHEMA",
    "AgentLog",
    "Submission",
    "line_digest",
    "part",
    "read",
]

SCHEMA = 1
HEAD, MANIFEST, ANSWERS = "submission.json", "manifest.json", "answers.jsonl"
_SIGNED = ("agent", "repeat", "dossier", "question", "answer", "status")


@dataclass(frozen=True)
class AgentLog:
    """One agent's part of a submission.

    Args:
        folder: its folder in the archive.
        manifest: what was run, as the run wrote it.
        lines: the answers, each with digest and claimed loss.
    """

    folder: str
    manifest: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Submission:
    """A submission as read, nothing of it believed yet.

    Args:
        title: what the submitter calls it.
        by: who.
        packed: when, UTC, ISO 8601.
        version: of the causalbench that packed it.
        digest: sha256 of the file's contents.
        agents: one log an agent.
    """

    title: str
    by: str
    packed: str
    version: str
    digest: str
    agents: Sequence[AgentLog]


def line_digest(agent: str, line: Mapping[str, Any]) -> str:
    """Digest what an answer line says: who answered what, and how.

    Args:
        agent: the agent's name.
        line: with repeat, dossier, question, answer and status.

    Returns:
        sha256 in hex.
    """
    from causalbench.task.encode import canonical_json

    signed = {name: agent if name == "agent" else line[name] for name in _SIGNED}
    return hashlib.sha256(canonical_json(signed).encode()).hexdigest()


def part(manifest: Mapping[str, Any]) -> str:
    """Say which part of a suite was run: ``cell=lab, track=decisions, limit 3``; "" for all.

    Args:
        manifest: of the run.
    """
    where = manifest.get("where") or {}
    said = [f"{name}={_value(where[name])}" for name in sorted(where)]
    if manifest.get("limit") is not None:
        said.append(f"limit {manifest['limit']}")
    return ", ".join(said)


def _value(wanted: Any) -> str:
    """Write a filter's value, or the several it allows."""
    return "|".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


def read(members: Mapping[str, bytes]) -> Submission:
    """Check the form of a submission's members and read them.

    Args:
        members: name -> content, as `read_archive` gives them.

    Raises:
        SubmissionError: a member that is missing, unknown, or of another form.
    """
    if HEAD not in members:
        msg = f"there is no {HEAD} in it; make submissions with `causalbench board pack`."
        raise SubmissionError(msg)
    head = _object(members[HEAD], HEAD)
    _require(head, HEAD, {"schema": int, "title": str, "by": str, "packed": str, "version": str})
    if head["schema"] != SCHEMA:
        msg = f"{HEAD} has schema {head['schema']}; this version reads schema {SCHEMA}."
        raise SubmissionError(msg)
    folders = sorted({name.partition("/")[0] for name in members if name != HEAD})
    expected = {HEAD} | {f"{folder}/{name}" for folder in folders for name in (MANIFEST, ANSWERS)}
    odd = sorted(expected.symmetric_difference(members))
    if odd or not folders:
        where = f"'{odd[0]}' is {'missing' if odd[0] in expected else 'not part of the format'}"
        msg = f"{where if odd else 'it holds no agent'}; pack the log again."
        raise SubmissionError(msg)
    digest = hashlib.sha256()
    for name in sorted(members):
        digest.update(name.encode() + b"\0" + hashlib.sha256(members[name]).digest())
    return Submission(
        **{name: head[name][:200] for name in ("title", "by", "packed", "version")},
        digest=digest.hexdigest(),
        agents=tuple(_agent(folder, members) for folder in folders),
    )


def _agent(folder: str, members: Mapping[str, bytes]) -> AgentLog:
    """Read one agent's manifest and answers."""
    place = f"{folder}/{MANIFEST}"
    manifest = _object(members[place], place)
    _require(
        manifest,
        place,
        {"schema": int, "status": str, "suite": dict, "seed": int, "repeats": int, "agent": dict},
    )
    _require(manifest["suite"], f"{place}, suite", {"name": str, "version": str, "digest": str})
    fields = {"name": str, "config": dict, "source_digest": str, "version": str, "accepts": list}
    _require(manifest["agent"], f"{place}, agent", {**fields, "control": bool, "trains": bool})
    lines = []
    text = members[f"{folder}/{ANSWERS}"]
    for number, raw in enumerate(text.splitlines(), start=1):
        at = f"{folder}/{ANSWERS} line {number}"
        line = _object(raw, at)
        kinds = {"repeat": int, "dossier": str, "question": str, "status": str, "digest": str}
        _require(line, at, {**kinds, "cost": dict, "loss": (int, float)})
        if not isinstance(line.get("answer"), dict | None):
            msg = f"{at}: 'answer' is neither an object nor null; pack the log again."
            raise SubmissionError(msg)
        lines.append(line)
    return AgentLog(folder, manifest, tuple(lines))


def _object(raw: bytes, place: str) -> dict[str, Any]:
    """Read a JSON object."""
    try:
        value = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"{place} is not JSON ({type(error).__name__}); pack the log again."
        raise SubmissionError(msg) from None
    if not isinstance(value, dict):
        msg = f"{place} is not a JSON object; pack the log again."
        raise SubmissionError(msg)
    return value


def _require(value: Mapping[str, Any], place: str, kinds: Mapping[str, Any]) -> None:
    """Refuse an object that lacks a field or has it of another type."""
    for name, kind in kinds.items():
        found = value.get(name)
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            said = "is missing" if name not in value else f"is {found!r:.40}"
            msg = f"{place}: '{name}' {said}; pack the log again."
            raise SubmissionError(msg)
