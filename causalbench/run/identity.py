"""Name runs and items by what they are made of, so that nothing stale is ever reused."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.run.seeds import agent_seed

if TYPE_CHECKING:
    from causalbench.run.contender import Contender
    from causalbench.run.plan import Selection
    from causalbench.task.types import Case, Question

__all__ = [
    "case_digest",
    "folder_name",
    "git_state",
    "item_key",
    "machine",
    "manifest_of",
    "now",
    "package_version",
    "run_digest",
    "versions",
]

_CORE = ("numpy", "scipy", "pandas", "networkx", "torch", "gymnasium", "dowhy", "pgmpy", "numba")
_SHORT = 12
_GIT_SECONDS = 5


def run_digest(selection: Selection, contender: Contender) -> str:
    """Digest what all of an agent's answers in a run depend on.

    The suite and its seed, the agent with its options and its source, the package, and the time
    limit; not the limit, filter or repeats, which only say how much of it is run.
    """
    return _digest(
        [
            selection.suite_name,
            selection.suite_version,
            selection.digest,
            selection.seed,
            contender.name,
            dict(contender.config),
            contender.source,
            contender.version,
            package_version(),
            selection.time_limit,
        ]
    )


def case_digest(case: Case) -> str:
    """Digest a dossier and the secret world behind its lab."""
    return _digest([case.dossier.to_dict(), getattr(case.scm, "digest", "")])


def item_key(run: str, case: str, question: Question, agent_seed: int) -> str:
    """Digest what one answer depends on: run, case, question, and the training repeat's seed."""
    return _digest([run, case, question.to_dict(), agent_seed])


def folder_name(selection: Selection, contender: Contender) -> str:
    """Return ``<suite>-<agent>-<hash>``, with nothing in it that a file system minds."""
    parts = (selection.suite_name, contender.name, run_digest(selection, contender)[:_SHORT])
    return "-".join(re.sub(r"[^A-Za-z0-9._]+", "-", part).strip("-.") or "x" for part in parts)


def now() -> str:
    """Return the time, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def manifest_of(selection: Selection, contender: Contender) -> dict[str, Any]:
    """Return what a log says of its run."""
    reference = selection.reference
    return {
        "schema": 1,
        "status": "started",
        "started": now(),
        "run": run_digest(selection, contender),
        "suite": {
            "name": selection.suite_name,
            "version": selection.suite_version,
            "digest": selection.digest,
            "reference": reference if isinstance(reference, str) else None,
        },
        "seed": selection.seed,
        "limit": selection.limit,
        "where": None if selection.where is None else dict(selection.where),
        "repeats": selection.repeats,
        "time_limit": selection.time_limit,
        "agent": contender.to_dict(),
        "agent_seeds": [agent_seed(selection.seed, n) for n in range(selection.repeats)],
        "versions": versions(),
        "hardware": machine(),
        "git": git_state(),
    }


def package_version() -> str:
    """Return the version of this package, ``"0"`` where it isn't installed."""
    try:
        return metadata.version("causalbench-ladder")
    except metadata.PackageNotFoundError:
        return "0"


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of what it stands on; none is imported."""
    found = {"python": platform.python_version(), "causalbench": package_version()}
    for name in _CORE:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """Return what the hardware is, without naming the host."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }


def git_state() -> dict[str, Any] | None:
    """Return commit and cleanness of the checkout that the package runs from; None outside one."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        commit = _git(here, "rev-parse", "HEAD")
        return {"commit": commit, "clean": not _git(here, "status", "--porcelain", "-uno")}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    """Ask git; it only reads."""
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(  # noqa: S603  (a fixed command)
        command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS
    )
    return done.stdout.strip()


def _digest(value: object) -> str:
    from causalbench.task.encode import canonical_json

    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
