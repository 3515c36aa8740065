"""Find the best policy of each rung in a sequential world, and what it is worth.

- ``see``: greedy on what a log of the behaviour policy tells: Q(h, a) is the expected reward of the
  logged rows whose history is h and that are an instance of a, and of the best that such rows
  have to offer afterwards. Offline Q-learning tends to it as the log grows. Ties go to the first
  action; one that was never done at a history is not taken there. Acting on it may lead to
  histories that no log holds: it then starts afresh from the last observation, as if nothing had
  come before, and takes the first action where even that was never seen at this step. Its value is
  what it brings about once it acts.
- ``do``: the best rule from what has been done and seen to what is done next.
- ``intent``: likewise where nature's own choice is shown before each action.
- ``replay``: likewise where a unit's natural course is watched first, and the unit runs again.

No rule reads the rewards, which are no part of an observation: a policy that does read them may
earn more. Each is solved exactly, as far as a limit on its histories goes, and bracketed beyond
(`causalbench.truth.policy.interval`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.scm.play import REGIMES
from causalbench.truth.policy.interval import acted, seen_interval, watched
from causalbench.truth.policy.model import Model
from causalbench.truth.policy.natural import drift
from causalbench.truth.policy.plan import (
    Trie,
    controller,
    followed,
    one_hot,
    planned,
    scaled,
)
from causalbench.truth.policy.tree import BITS, grow
from causalbench.truth.policy.types import Reference, Value
from causalbench.truth.policy.value import LIMIT, exact_value
from causalbench.truth.policy.watch import COURSES, Courses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.scm.play import PlayRegime
    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.tree import Tree

__all__ = ["logged", "reference", "references", "replayed", "rooted"]


def references(
    program: Program, regimes: Iterable[PlayRegime] | None = None, *, limit: int = LIMIT
) -> dict[PlayRegime, Reference]:
    """Return the best policy of each rung.

    Args:
        program: what is played.
        regimes: which; None for all that the program allows (``intent`` and ``replay`` need the
            couplings of all mechanisms).
        limit: the most histories to go through for one regime, after merging those of equal
            belief; beyond it, an interval.

    Raises:
        AccessError: no such regime.
        CouplingError: a regime that runs a unit twice, where a mechanism has no coupling.
    """
    if regimes is None:
        coupled = not program.process.uncoupled
        regimes = [one for one in REGIMES if coupled or one in {"see", "do"}]
    return {regime: reference(program, regime, limit=limit) for regime in regimes}


def reference(program: Program, regime: PlayRegime, *, limit: int = LIMIT) -> Reference:
    """Return the best policy of one rung (see `references`)."""
    program.need(regime)
    try:
        return _exact(program, regime, limit)
    except TooWideError:
        if regime == "see":
            return seen_interval(
                program, lambda most, bits: logged(program, most, bits=bits), limit
            )
        if regime == "replay":
            return watched(program, reference(program, "do", limit=limit), limit)
        return acted(program, regime, limit)


def _exact(program: Program, regime: PlayRegime, limit: int) -> Reference:
    if regime == "see":
        return _see(program, limit)
    extra = 0.0
    trie = None
    if regime == "replay":
        tree, trie, extra = replayed(program, limit)
    else:
        tree = rooted(program, regime, limit)
    policy = [one_hot(choice, len(program.force)) for choice in planned(tree)]
    return Reference(
        regime,
        _value(program, tree, policy, extra),
        controller(program, tree, policy, trie=trie),
    )


def _value(program: Program, tree: Tree, policy: list[Floats], extra: float) -> Value:
    reward, goal, length = followed(tree, policy)
    value, meant = scaled(program, reward, goal)
    return Value(
        value, value, value, exact=True, histories=tree.histories, goal=meant, length=length + extra
    )


def rooted(program: Program, regime: PlayRegime, limit: int) -> Tree:
    """Return the tree of histories under ``do`` or ``intent``."""
    model = Model(program, "intent" if regime == "intent" else "do")
    start = model.start()
    return grow(model, (start.group, start.seen, start.state, start.chance), limit)


def logged(program: Program, limit: int, *, first: bool = False, bits: int = BITS) -> Tree:
    """Return the tree of histories of a log.

    A history that the log does not hold starts afresh from its last observation, if the log has
    that at the same step: such beginnings are in the tree, as ``entries``.

    Args:
        program: what is played.
        limit: the most histories to go through.
        first: count a row as the one action that a log calls it, not as each that it is an
            instance of.
        bits: as for `causalbench.truth.policy.tree.grow`.
    """
    model = Model(program, "do", "first" if first else "match")
    start = model.start()
    course = drift(program)
    entries = {step: view for step, view in enumerate(course.views, start=1) if step > 1}
    roots = (start.group, start.seen, start.state, start.chance)
    return grow(model, roots, limit, entries=entries, bits=bits)


def _see(program: Program, limit: int) -> Reference:
    tree = logged(program, limit)
    policy = [one_hot(choice, len(program.force)) for choice in planned(tree)]
    rule = controller(program, tree, policy)
    value = exact_value(program, rule, "do", limit=10 * limit)
    return Reference("see", replace(value, histories=tree.histories), rule)


def replayed(program: Program, limit: int) -> tuple[Tree, Trie, float]:
    """Return the tree of second courses, what is watched before, and its expected steps."""
    courses = Courses(program, max(1, limit // COURSES))
    model = Model(program, "replay", watched=courses)
    node = np.zeros(len(courses.weight), dtype=np.int64)
    parents: list[Ints] = []
    shown: list[Ints] = []
    children: list[Ints] = []
    count = 1
    for view in courses.views.T:
        rows = np.flatnonzero(view >= 0)
        views, at = np.unique(view[rows], return_inverse=True)
        codes, first, found = np.unique(
            node[rows] * max(1, len(views)) + at, return_index=True, return_inverse=True
        )
        parents.append(node[rows][first])
        shown.append(view[rows][first])
        children.append(count + np.arange(len(codes)))
        node[rows] = count + found
        count += len(codes)
    none = np.zeros(0, dtype=np.int64)
    parent, seen, child = (np.concatenate([none, *part]) for part in (parents, shown, children))
    trie = Trie(parent, seen, child, count)
    every = np.arange(len(courses.weight))
    start = model.start(every, courses.first, courses.shown)
    of = start.group
    roots = (node[of], start.seen, start.state, start.chance * courses.weight[of])
    tree = grow(model, roots, limit)
    return tree, trie, float(courses.weight @ (courses.length - 1.0))
