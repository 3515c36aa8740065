"""The terms on which a dossier is given: what is shown, how exactly, and what the lab allows.

Names: ``mechanisms``; ``diagram-see-exact`` (and the law of the visible variables);
``diagram-see-500`` (so many watched rows in its place); ``diagram-do`` (the law under every single
intervention too); ``diagram-do-coupled`` (and the name of each mechanism's coupling);
``lab-see-256``, ``lab-do-1024``, ``lab-intent-4096``, ``lab-replay-16384``: a lab in which so many
units may be watched and, above regime ``see``, as many set and, in ``replay``, as many met again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from causalbench.errors import NotFoundError
from causalbench.truth.knowledge import Budget, Knowledge

if TYPE_CHECKING:
    from causalbench.truth.knowledge import Regime

__all__ = ["UPFRONT", "Terms", "terms"]

UPFRONT = 1024  # the most rows that a lab's dossier holds; the rest is asked of the lab
_FIXED = ("mechanisms", "diagram-see-exact", "diagram-do", "diagram-do-coupled")
_ROWS = re.compile(r"diagram-see-([1-9][0-9]{0,6})")
_LAB = re.compile(r"lab-(see|do|intent|replay)-([1-9][0-9]{0,6})")


@dataclass(frozen=True)
class Terms:
    """What a dossier gives.

    Args:
        name: as in `Traits.access`.
        cell: ``mechanisms``, ``diagram`` or ``lab``.
        regime: of the knowledge.
        laws: which exact laws the dossier holds: none, ``see``, or ``do`` (single interventions
            too).
        rows: how many watched units the dossier holds.
        coupled: whether couplings are named.
        budget: what the lab allows beyond the dossier.
    """

    name: str
    cell: str
    regime: Regime = "see"
    laws: str = ""
    rows: int = 0
    coupled: bool = False
    budget: Budget = field(default_factory=Budget)

    @property
    def shown(self) -> str:
        """What is shown: ``mechanisms``, ``diagram`` or ``none``."""
        return {"lab": "none"}.get(self.cell, self.cell)

    def knowledge(self, assumptions: tuple[str, ...] = ()) -> Knowledge:
        """Return what a dossier of these terms tells, with stated assumptions."""
        return Knowledge(self.regime, self.shown, assumptions)  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def terms(name: str) -> Terms:
    """Return the terms of that name.

    Raises:
        NotFoundError: the name follows none of the patterns above.
    """
    if name == "mechanisms":
        return Terms(name, "mechanisms")
    if name == "diagram-see-exact":
        return Terms(name, "diagram", laws="see")
    if name in {"diagram-do", "diagram-do-coupled"}:
        return Terms(name, "diagram", "do", laws="do", coupled=name.endswith("coupled"))
    rows = _ROWS.fullmatch(name)
    if rows:
        return Terms(name, "diagram", rows=int(rows[1]))
    lab = _LAB.fullmatch(name)
    if lab:
        regime, units = lab[1], int(lab[2])
        upfront = min(units, UPFRONT)
        budget = Budget(
            rows=units - upfront,
            interventions=0 if regime == "see" else units,
            replays=units if regime == "replay" else 0,
        )
        return Terms(name, "lab", regime, rows=upfront, budget=budget)  # type: ignore[arg-type]
    msg = (
        f"'{name}' names no terms; take {', '.join(_FIXED)}, diagram-see-N, or lab-REGIME-N with "
        "see, do, intent or replay and a number of units N."
    )
    raise NotFoundError(msg)
