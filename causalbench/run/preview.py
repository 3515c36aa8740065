"""Say what a run would do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from causalbench.run.contender import contenders
from causalbench.run.hand import jobs_of
from causalbench.run.identity import folder_name
from causalbench.run.plan import cases_of, describe
from causalbench.run.store import read_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causalbench.run.plan import Selection

__all__ = ["preview"]


def preview(
    agents: Any,
    selection: Selection,
    *,
    log_dir: str | Path,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Count what would be run, and how much of it is answered already; nothing is written.

    Args:
        agents: as `evaluate` takes them; none is fine here.
        selection: see `causalbench.run.plan.select`.
        log_dir: where the logs would go.
        options: as `evaluate` takes them.

    Returns:
        JSON-ready: ``suite``, ``version``, ``digest``, ``seed``, ``repeats``, ``cells`` (a row for
        each role, track, rung and cell) and ``agents`` (a row for each: ``answers`` there will be,
        those ``logged`` already, and the folder of the ``log``).
    """
    cases = cases_of(selection)
    digests: dict[int, str] = {}
    rows = []
    for one in contenders(agents, options) if agents else []:
        folder = Path(log_dir) / folder_name(selection, one)
        logged = read_answers(folder)
        keys = [key for job in jobs_of(selection, one, cases, digests) for key in job.keys]
        rows.append(
            {
                "agent": one.name,
                "answers": len(keys),
                "logged": sum(key in logged for key in keys),
                "log": str(folder),
            }
        )
    return {
        "suite": selection.suite_name,
        "version": selection.suite_version,
        "digest": selection.digest,
        "seed": selection.seed,
        "repeats": selection.repeats,
        "cells": describe(cases),
        "agents": rows,
    }
