"""Let one fresh agent study one dossier and answer its questions, whatever it does."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from causalbench.agent.protocol import Clock
from causalbench.errors import MissingExtraError
from causalbench.run.seeds import answer_rng, lab_rng, study_rng
from causalbench.score.losses import status_of
from causalbench.score.record import Outcome
from causalbench.task.answer import Abstain, Choice, Estimate, Interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from causalbench.task.types import Case, Dossier, Item
    from causalbench.truth.knowledge import Budget

__all__ = ["Table", "failure", "play"]

_LOG = logging.getLogger(__name__)
_LONGEST = 4000  # characters of a traceback that a log keeps: its end
_ANSWERS = (Abstain, Choice, Estimate, Interval)


@dataclass(frozen=True)
class Table:
    """What a case is played with.

    Args:
        factory: gives a fresh agent.
        control: whether it is consulted with the key.
        checkpoint: the folder of what it learnt across worlds, or None.
        seed: the suite's seed.
        agent_seed: of this repeat.
        time_limit: seconds for one dossier, or None.
    """

    factory: Callable[[], Any]
    control: bool
    checkpoint: Path | None
    seed: int
    agent_seed: int
    time_limit: float | None


class _Failure(Exception):  # noqa: N818  (not an error of ours: it carries the agent's)
    """An agent's own exception, as text."""


def play(case: Case, items: Sequence[Item], table: Table) -> list[Outcome]:
    """Play the items of one case with a fresh agent.

    An exception inside the agent is a failed item (or, from ``study``, a failed dossier), never the
    end of the run. Where the time limit is passed, what comes after it fails with reason "time".

    Args:
        case: the dossier and its secret world.
        items: those of its items that the agent accepts.
        table: the agent, its seeds and limits.

    Returns:
        One outcome an item, in order; costs are each item's share of the dossier's.

    Raises:
        MissingExtraError: the agent needs a package that isn't installed.
    """
    from causalbench.task.lab import Lab

    clock = Clock(table.time_limit)
    dossier = _copy(case.dossier)
    lab = Lab(case.scm, dossier, lab_rng(table.seed, table.agent_seed, dossier.id))
    try:
        agent = _guard(lambda: _fresh(table))
        if not table.control and callable(getattr(agent, "study", None)):
            rng = study_rng(table.agent_seed, dossier.id)
            _guard(lambda: agent.study(dossier, lab, rng=rng, clock=clock))
        said = [Outcome(None, "failed", error=_late(table))] * len(items)
        studied = clock.elapsed
    except _Failure as failed:
        said = [Outcome(None, "failed", error=str(failed))] * len(items)
        agent, studied = None, clock.elapsed
    seconds = [0.0] * len(items)
    for place, item in enumerate(items):
        if agent is None or clock.left <= 0:
            break
        before = clock.elapsed
        outcome = _ask(agent, case, item, table)
        if clock.left > 0:
            said[place] = outcome
        seconds[place] = clock.elapsed - before
    shared = _spent(lab.spent, lab.env_steps, studied)
    return [
        Outcome(one.answer, one.status, _share(shared, len(items), own), one.error)
        for one, own in zip(said, seconds, strict=True)
    ]


def failure(error: BaseException) -> str:
    """Return the end of an exception's traceback, as a log keeps it."""
    return "".join(traceback.format_exception(error))[-_LONGEST:]


def _copy(dossier: Dossier) -> Dossier:
    """Return a dossier with arrays of its own: what one agent writes there reaches no other."""
    return replace(
        dossier,
        rows=dossier.rows.copy(),
        laws=tuple(replace(law, table=law.table.copy()) for law in dossier.laws),
        logs={
            name: {field: array.copy() for field, array in log.items()}
            for name, log in dossier.logs.items()
        },
    )


def _fresh(table: Table) -> Any:
    """Return an agent that nothing but its training has touched."""
    agent = table.factory()
    if table.checkpoint is not None:
        agent.load(table.checkpoint)
    return agent


def _ask(agent: Any, case: Case, item: Item, table: Table) -> Outcome:
    """Ask one question."""
    dossier, question = case.dossier, item.question
    rng = answer_rng(table.agent_seed, dossier.id, question.id)
    try:
        if table.control:
            answer = _guard(lambda: agent.consult(dossier, item, rng=rng))
        else:
            own = replace(question)  # what an agent does to it is not done to ours
            answer = _guard(lambda: agent.answer(own, rng=rng))
    except _Failure as failed:
        return Outcome(None, "failed", error=str(failed))
    if not isinstance(answer, _ANSWERS):
        error = f"answer returned {type(answer).__name__}, not one of the four answers"
        return Outcome(None, "invalid", error=error)
    return Outcome(answer, status_of(answer, question))


def _guard(call: Callable[[], Any]) -> Any:
    """Run the agent's own code and turn whatever it raises into a `_Failure`."""
    try:
        return call()
    except (MissingExtraError, KeyboardInterrupt):
        raise
    except BaseException as error:
        _LOG.debug("the agent raised", exc_info=True)
        raise _Failure(failure(error)) from error


def _late(table: Table) -> str:
    return f"time: the dossier took longer than {table.time_limit} s"


def _spent(budget: Budget, env_steps: int, seconds: float) -> dict[str, float]:
    """Return what a dossier cost before its questions."""
    return {**budget.to_dict(), "env_steps": env_steps, "seconds": seconds}


def _share(shared: dict[str, float], count: int, seconds: float) -> dict[str, float]:
    """Return one item's share of a dossier's cost, its own seconds added."""
    share = {name: value / count for name, value in shared.items()}
    share["seconds"] = round(share["seconds"] + seconds, 6)
    return share
