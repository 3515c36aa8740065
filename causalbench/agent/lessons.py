"""Share a lab's budget between the decisions of a dossier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query import parse_action
from causalbench.truth.knowledge import REGIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.task.lab import Lab
    from causalbench.task.types import Decision, Dossier
    from causalbench.truth.knowledge import Knowledge

__all__ = ["lessons"]


def lessons(dossier: Dossier, lab: Lab, steps: int) -> Iterator[tuple[Decision, int]]:
    """Yield each decision that the lab lets one practise, and for how many episodes.

    What is left of a kind of budget is shared equally between the decisions still to come, so
    that none starves; a decision takes at most ``steps``. Those left with nothing are skipped, and
    so are those with an action that may not be tried.

    Args:
        dossier: whose decisions.
        lab: whose budget; it is read again for each decision.
        steps: the most episodes of one decision.
    """
    from causalbench.env.episodes import COSTS, default_regime

    mine = REGIMES.index(lab.knowledge.regime)
    open_to = [
        d
        for d in dossier.decisions
        if REGIMES.index(default_regime(d)) <= mine and _settable(d, lab.knowledge)
    ]
    kinds = {d.id: COSTS[default_regime(d)] for d in open_to}
    for place, decision in enumerate(open_to):
        kind = kinds[decision.id]
        waiting = sum(kinds[later.id] == kind for later in open_to[place:])
        episodes = min(steps, getattr(lab.left, kind) // waiting)
        if episodes:
            yield decision, episodes


def _settable(decision: Decision, knowledge: Knowledge) -> bool:
    """Say whether every action of a decision may be tried."""
    allowed = knowledge.manipulable
    if allowed is None or decision.mode == "bet":
        return True
    return all(name in allowed for label in decision.actions for name, _ in parse_action(label))
