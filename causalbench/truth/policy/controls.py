"""Policies to compare with: the imitator, planners of limited depth, chance, and nature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import WorldError
from causalbench.truth.policy.controller import Codec, Controller, Uniform
from causalbench.truth.policy.frames import gather
from causalbench.truth.policy.model import Model
from causalbench.truth.policy.natural import drift
from causalbench.truth.policy.plan import controller, one_hot, planned
from causalbench.truth.policy.references import logged, replayed, rooted
from causalbench.truth.policy.types import Reference, Value
from causalbench.truth.policy.value import LIMIT, exact_value

if TYPE_CHECKING:
    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats
    from causalbench.truth.policy.types import Policy

__all__ = ["clone", "natural", "planner", "uniform"]


def natural(program: Program) -> Value:
    """Return what the behaviour policy earns, exactly: nature acts, and bets by chance."""
    return exact_value(program, Uniform(len(program.force)), "see")


def uniform(program: Program, regime: PlayRegime = "do", *, limit: int = LIMIT) -> Value:
    """Return what acting at random earns, exactly.

    Args:
        program: what is played.
        regime: under which.
        limit: as for `causalbench.truth.policy.policy_value`.
    """
    return exact_value(program, Uniform(len(program.force)), regime, limit=limit)


def planner(
    program: Program, depth: int, regime: PlayRegime = "do", *, limit: int = LIMIT
) -> Policy:
    """Return the policy that looks some steps ahead, and no further.

    At each step it takes the action that brings most, in expectation, over this step and the next
    ``depth - 1``, with the true model and the exact law of the state given what it has done and
    seen. Depth 1 is greedy on the reward of the step; the horizon or more is optimal. What it
    plans for is what is paid, not what is meant.

    Args:
        program: what is played.
        depth: steps, at least 1.
        regime: ``do``, ``intent`` or ``replay``.
        limit: the most histories to go through.

    Raises:
        WorldError: the depth is less than 1, or the regime is ``see``.
        TooWideError: there are more histories than the limit.
    """
    if depth < 1 or regime == "see":
        raise WorldError(
            f"a planner looks 1 step ahead or more, and acts; not {depth} under '{regime}'"
        )
    program.need(regime)
    trie = None
    if regime == "replay":
        tree, trie, _ = replayed(program, limit)
    else:
        tree = rooted(program, regime, limit)
    policy = [one_hot(choice, len(program.force)) for choice in planned(tree, depth)]
    return controller(program, tree, policy, trie=trie)


def clone(program: Program, *, recalls: bool = True, limit: int = LIMIT) -> Reference:
    """Return the imitator of the behaviour policy, and its value under ``do``.

    It draws each action as a log of the behaviour policy has it: given the whole history of
    observations and actions, or given the step and the present observation. A history that the
    log does not hold starts afresh from its last observation; where that is not in the log at
    this step either, the first action is taken.

    Args:
        program: what is played.
        recalls: whether it goes by the history.
        limit: the most histories to go through.

    Raises:
        TooWideError: there are more.
    """
    if recalls:
        tree = logged(program, limit, first=True)
        policy = [_shares(layer.mass) for layer in tree.layers]
        rule = controller(program, tree, policy)
    else:
        rule = _memoryless(program)
    return Reference("see", exact_value(program, rule, "do", limit=10 * limit), rule)


def _shares(mass: Floats) -> Floats:
    """Return rows that sum to 1; one without mass takes the first action."""
    total = mass.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = mass / total
    return np.asarray(np.where(total > 0, share, np.arange(mass.shape[1]) == 0), dtype=np.float64)


def _memoryless(program: Program) -> Controller:
    model = Model(program, "do", "first")
    actions = model.actions
    views, chances, steps = [], [], []
    for step, (seen, state, chance) in enumerate(drift(program).views, start=1):
        codes, at = np.unique(state, return_inverse=True)
        mass = model.step(step, codes).mass.reshape(-1, actions)
        shown, of = np.unique(seen, return_inverse=True)
        sums = [gather(of, chance * mass[at, a], len(shown)) for a in range(actions)]
        chances.append(_shares(np.stack(sums, axis=1)))
        views.append(shown)
        steps.append(np.full(len(shown), step - 1))
    count = len(views)
    view, at_view = np.unique(np.concatenate(views), return_inverse=True)
    keys = np.concatenate(steps) * actions * len(view) + at_view
    order = np.argsort(keys)
    blank = one_hot(np.zeros(count + 1, dtype=np.int64), actions)
    return Controller(
        chances=np.concatenate([blank, *chances]),
        keys=keys[order],
        child=(count + 1 + np.arange(len(keys)))[order],
        seen=view,
        codec=Codec(program),
        start=0,
        lost=count,
        deaf=np.zeros(count + 1 + len(keys), dtype=np.bool_),
        entries=np.arange(count),
        recalls=False,
    )
