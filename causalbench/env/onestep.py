"""Make a program of one step of a world's decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.scm.play import Play
from causalbench.scm.process import BEFORE, Process
from causalbench.scm.program import Program

if TYPE_CHECKING:
    from causalbench.scm.model import SCM
    from causalbench.task.types import Decision

__all__ = ["decision_program"]

_MOST_VALUES = 254  # as in `Program`: codes, and "unseen", fit a byte


def decision_program(scm: SCM, decision: Decision) -> Program | None:
    """Return a decision as a program of one step, or None where it is not one.

    Real variables, a stated observation and a first course under an action are for `WorldEnv`.

    Args:
        scm: the world.
        decision: one of its decisions.
    """
    if not scm.is_discrete or decision.given is not None or decision.factual != "pass":
        return None
    if any(name.endswith(BEFORE) for name in scm.names):
        return None
    if any(scm.variable(name).cardinality > _MOST_VALUES for name in scm.names):
        return None
    play = Play(
        id=decision.id,
        actions=decision.actions,
        observes=decision.observes,
        reward=decision.utility,
        returns=decision.bounds,
        mode=decision.mode,
    )
    return Program(Process(scm, scm, 1), play)
