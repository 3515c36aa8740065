"""Read a dossier's rows as the log of a decision: who saw what, did what, and earned what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import AccessError
from causalbench.query import parse_event

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.task.types import Decision, Dossier

__all__ = ["offline_log"]

_FIELDS = ("obs", "action", "reward", "terminal", "source")


def offline_log(dossier: Dossier, decision_id: str) -> dict[str, np.ndarray]:
    """Return the offline log of a decision.

    A row is an instance of every action whose assignment it satisfies, whenever in the unit the
    action came about; pass matches all. A bet changes nothing, so a row tells what every bet would
    have earned. The log of a behaviour policy follows, where the dossier has one.

    Args:
        dossier: with rows, or logs, or neither (the log is then empty).
        decision_id: one of its decisions.

    Returns:
        ``obs`` int64[n, variables] codes, -1 where the decision does not show the variable;
        ``action`` int64[n]; ``reward`` float64[n], the scaled utility; ``terminal`` bool[n], all
        true; ``source`` text[n], ``"rows"`` or the behaviour policy's.

    Raises:
        AccessError: the dossier has no such decision.
    """
    try:
        decision = dossier.decision(decision_id)
    except KeyError:
        known = ", ".join(each.id for each in dossier.decisions) or "none"
        msg = f"no decision '{decision_id}' in this dossier; it has {known}."
        raise AccessError(msg) from None
    rows = dossier.rows
    if not rows.size:
        rows = np.empty((0, len(dossier.variables)), dtype=np.int64)
    shown = {*decision.observes, *(name for name, _ in decision.given or ())}
    blind = [place for place, name in enumerate(dossier.names) if name not in shown]
    obs = rows.copy()
    obs[:, blind] = -1
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _FIELDS}
    reward = _utility(dossier, decision, rows)
    for number, action in enumerate(decision.actions):
        holds = _holds(dossier, action, rows)
        if decision.mode == "bet":
            keep, earned = np.ones(len(rows), dtype=bool), holds.astype(np.float64)
        else:
            keep, earned = holds, reward
        count = int(keep.sum())
        parts["obs"].append(obs[keep])
        parts["action"].append(np.full(count, number, dtype=np.int64))
        parts["reward"].append(earned[keep])
        parts["terminal"].append(np.ones(count, dtype=bool))
        parts["source"].append(np.full(count, "rows"))
    behaviour = dossier.logs.get(decision_id)
    if behaviour is not None:
        for name in _FIELDS:
            parts[name].append(np.asarray(behaviour[name]))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _holds(dossier: Dossier, event: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say in which rows an event holds; ``pass`` holds in all."""
    held = np.ones(len(rows), dtype=bool)
    if event == "pass":
        return held
    for atom in parse_event(event):
        place = dossier.names.index(atom.term.variable)
        code = (dossier.variables[place].values or ()).index(str(atom.value))
        equal = rows[:, place] == code
        held &= equal if atom.op == "=" else ~equal
    return held


def _utility(dossier: Dossier, decision: Decision, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the scaled utility of every row (zeros for a bet, which has none)."""
    total = np.zeros(len(rows))
    if not decision.utility:
        return total
    for weight, event in decision.utility:
        total += weight * _holds(dossier, event, rows)
    low, high = decision.bounds
    scaled: NDArray[np.float64] = (total - low) / (high - low)
    return scaled
