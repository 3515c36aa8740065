"""Recompute a submission from its answers alone, and name the first thing that differs.

The items are built again from the suite and seed that the manifest names, every answer is scored
again, and the result compared with what was claimed. This proves the scoring. It does not prove who
answered: that needs an isolated run by somebody else.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from causalbench.board.archive import read_archive
from causalbench.board.submission import line_digest, read
from causalbench.errors import CausalBenchError, NotFoundError, SubmissionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from causalbench.board.submission import AgentLog, Submission
    from causalbench.score.record import Record
    from causalbench.task.types import Case

__all__ = ["Verdict", "Verified", "published", "verify"]

_TOLERANCE = 1e-9  # keys carry 12 digits; losses are sums of a few of them
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verified:
    """One agent's recomputed results.

    Args:
        manifest: what was run.
        records: every item, scored again.
    """

    manifest: Mapping[str, Any]
    records: Sequence[Record]


@dataclass(frozen=True)
class Verdict:
    """What verification found.

    Args:
        path: the submission.
        ok: whether everything was recomputed as claimed.
        reason: the first difference, "" if there is none.
        submission: as read; None where it couldn't be.
        agents: the recomputed results; empty unless ok.
    """

    path: Path
    ok: bool
    reason: str = ""
    submission: Submission | None = None
    agents: Sequence[Verified] = field(default=())

    @property
    def items(self) -> int:
        """How many answers were scored again."""
        return sum(len(agent.records) for agent in self.agents)


def verify(path: str | Path) -> Verdict:
    """Recompute a submission.

    Args:
        path: the zip file that `pack` wrote.

    Returns:
        The verdict; a submission that is refused has ``ok`` False and the reason.

    Raises:
        NotFoundError: no such file.
    """
    path = Path(path)
    if not path.is_file():
        msg = f"there is no submission '{path}'; give the file that `board pack` wrote."
        raise NotFoundError(msg)
    submission = None
    try:
        submission = read(read_archive(path))
        built: dict[Any, list[Case]] = {}
        agents = tuple(_recompute(log, built) for log in submission.agents)
    except CausalBenchError as error:
        return Verdict(path, ok=False, reason=str(error), submission=submission)
    return Verdict(path, ok=True, submission=submission, agents=agents)


def _recompute(log: AgentLog, built: dict[Any, list[Case]]) -> Verified:
    """Score one agent's answers again.

    Args:
        log: its manifest and answers.
        built: the cases of the suites built so far, by what selects them.

    Raises:
        SubmissionError: the first difference.
    """
    from causalbench.run.contender import Contender

    cases = _cases(log, built)
    contender = Contender.from_dict({"cells": None, "spec": None, **log.manifest["agent"]})
    answered: dict[tuple[int, str, str], Mapping[str, Any]] = {}
    for line in log.lines:
        place = (line["repeat"], line["dossier"], line["question"])
        if place in answered:
            msg = f"{log.folder}: {_item(*place)} is answered twice."
            raise SubmissionError(msg)
        answered[place] = line
    records = []
    for repeat in range(log.manifest["repeats"]):
        for case in cases:
            for item in contender.plays(case):
                place = (repeat, case.dossier.id, item.question.id)
                if place not in answered:
                    msg = f"{log.folder}: {_item(*place)} is missing."
                    raise SubmissionError(msg)
                records.append(_rescored(log, case, item, answered.pop(place)))
    if answered:
        msg = f"{log.folder}: {_item(*next(iter(answered)))} is not in the suite."
        raise SubmissionError(msg)
    return Verified(log.manifest, tuple(records))


def _cases(log: AgentLog, built: dict[Any, list[Case]]) -> list[Case]:
    """Build the items that a manifest names, once for all agents that share them."""
    from causalbench.run.plan import MOST_REPEATS, cases_of, select

    manifest, suite = log.manifest, log.manifest["suite"]
    reference = suite.get("reference")
    if not published(reference):
        msg = (
            f"{log.folder}: suite {reference!r:.60} is not one that everybody has; only suites, "
            "worlds and networks that come with causalbench can be verified."
        )
        raise SubmissionError(msg)
    if manifest["status"] != "success" or not 1 <= manifest["repeats"] <= MOST_REPEATS:
        msg = f"{log.folder}: status {manifest['status']!r:.20}, {manifest['repeats']} repeats; "
        raise SubmissionError(msg + "submit finished runs only.")
    where = manifest.get("where")
    selected = (reference, manifest["seed"], manifest.get("limit"), repr(where))
    try:
        selection = select(
            reference, seed=manifest["seed"], limit=manifest.get("limit"), where=where
        )
        differs = selection.digest != suite["digest"] or selection.suite_version != suite["version"]
        if not differs and selected not in built:
            built[selected] = cases_of(selection)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        msg = f"{log.folder}: its seed, limit or filter can't be used ({error})."
        raise SubmissionError(msg) from None
    if differs or selection.suite_name != suite["name"]:
        msg = (
            f"{log.folder}: suite '{suite['name']:.60}' {suite['version']:.20} has digest "
            f"{suite['digest']:.12}, but here '{selection.suite_name}' {selection.suite_version} "
            f"has {selection.digest[:12]}; verify with the version of causalbench it was run with."
        )
        raise SubmissionError(msg)
    return built[selected]


def published(reference: object) -> TypeGuard[str]:
    """Say whether a reference names something that comes with causalbench: never a path.

    Args:
        reference: what a run's suite was named by.
    """
    from causalbench.task.shifts import split_name
    from causalbench.task.suite import list_suites
    from causalbench.task.world import list_worlds

    if not isinstance(reference, str):
        return False
    if reference.startswith("bnlearn/"):
        return reference.removeprefix("bnlearn/").isalnum()
    return split_name(reference)[0] in list_suites() or reference in list_worlds()


def _rescored(log: AgentLog, case: Case, item: Any, line: Mapping[str, Any]) -> Record:
    """Score one answer again and compare it with what was claimed."""
    from causalbench.score.losses import STATUSES, status_of
    from causalbench.score.record import Outcome, record_of
    from causalbench.task.answer import answer_from_dict

    at = f"{log.folder}: {_item(line['repeat'], line['dossier'], line['question'])}"
    agent = log.manifest["agent"]
    try:
        digest = line_digest(agent["name"], line)
        answer = None if line["answer"] is None else answer_from_dict(line["answer"])
        cost = {name: float(value) for name, value in line["cost"].items()}
        if line["status"] not in STATUSES or not all(
            0 <= one < float("inf") for one in cost.values()
        ):
            msg = "its status or its cost is not a legal one."
            raise SubmissionError(msg)
        said = line["status"] if answer is None else status_of(answer, item.question)
        outcome = Outcome(answer, line["status"], cost)
        record = record_of(
            case,
            item,
            outcome,
            agent=agent["name"],
            control=agent["control"],
            repeat=line["repeat"],
        )
    except (CausalBenchError, TypeError, ValueError) as error:
        msg = f"{at} can't be scored: {error}"
        raise SubmissionError(msg) from None
    if digest != line["digest"]:
        msg = f"{at}: the answer does not match its digest; it was changed after packing."
        raise SubmissionError(msg)
    if said != line["status"]:
        msg = f"{at}: status '{line['status']}' is claimed, '{said}' recomputed."
        raise SubmissionError(msg)
    if not abs(record.loss - line["loss"]) <= _TOLERANCE:  # also refuses NaN
        msg = f"{at}: loss {line['loss']:.12g} is claimed, {record.loss:.12g} recomputed."
        raise SubmissionError(msg)
    return record


def _item(repeat: int, dossier: str, question: str) -> str:
    return f"question '{question:.40}' of dossier '{dossier:.40}' (repeat {repeat})"
