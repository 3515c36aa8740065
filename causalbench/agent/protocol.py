"""What an agent is. Implement what you can do; nothing needs to be inherited."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from causalbench.task.answer import Abstain, Answer, Choice, Estimate, Interval

if TYPE_CHECKING:
    import numpy as np

    from causalbench.task.types import Question

__all__ = ["KINDS", "Abstain", "Agent", "Answer", "Choice", "Clock", "Estimate", "Interval"]

KINDS = frozenset({"estimate", "bet", "act", "redo", "intent"})


class Clock:
    """The seconds an agent may still spend on the present step.

    Args:
        limit: seconds, or None for no limit.
    """

    def __init__(self, limit: float | None = None) -> None:
        self._start = time.monotonic()
        self.limit = limit

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds left, never below 0; infinite without a limit."""
        return float("inf") if self.limit is None else max(0.0, self.limit - self.elapsed)


@runtime_checkable
class Agent(Protocol):
    """The one method and two attributes that every agent has.

    Optional methods, called where they exist:
        ``train(practice, *, rng, clock)``: learn across worlds, once per training seed.
        ``save(path)`` and ``load(path)``: its checkpoint (a folder); required with ``train``.
        ``study(dossier, lab, *, rng, clock)``: learn this world, within its budget.
    Optional attribute:
        ``cells``: the cells it can use; elsewhere it is "not played", which is not a 0.

    Attributes:
        name: its name in tables.
        accepts: the kinds of question it answers: of estimate, bet, act, redo, intent.
    """

    name: str
    accepts: frozenset[str]

    def answer(self, question: Question, *, rng: np.random.Generator) -> Answer:
        """Answer one question about the dossier last studied."""
        ...


def config_of(agent: Any) -> dict[str, Any]:
    """Return the agent's JSON-ready options (attribute ``config``), or {}."""
    return dict(getattr(agent, "config", {}))
