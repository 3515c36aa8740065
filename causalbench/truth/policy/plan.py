"""Choose in a tree of histories, and write the choice down as a controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from causalbench.truth.policy.controller import Codec, Controller
from causalbench.truth.policy.frames import gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.tree import Layer, Tree

__all__ = [
    "Trie",
    "backward",
    "choose",
    "controller",
    "followed",
    "followed_from",
    "one_hot",
    "planned",
    "scaled",
]

_TIE = 1e-12


@dataclass(frozen=True, slots=True)
class Trie:
    """What is watched before acting, as a tree of observations.

    Args:
        parent: int64[E], a node, 0 before any observation.
        seen: int64[E], the code of an observation.
        child: int64[E], the node that it leads to.
        count: the number of nodes.
    """

    parent: Ints
    seen: Ints
    child: Ints
    count: int


def choose(values: Floats) -> Ints:
    """Return the first action of the largest value in each row; ties are within rounding.

    Args:
        values: float64[N, A], NaN where an action is not open.
    """
    known = np.where(np.isnan(values), -np.inf, values)
    best = known.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        slack = np.where(np.isfinite(best), _TIE * (1 + np.abs(best)), 0)
    return np.asarray((known >= best - slack).argmax(axis=1), dtype=np.int64)


def backward(layer: Layer, own: Floats, later: Floats) -> Floats:
    """Return what each action brings: its own step's share and what comes later.

    Args:
        layer: of N histories.
        own: float64[N, A].
        later: float64[M], the worth of the next layer's histories.
    """
    to = layer.branches
    if not len(to.source):
        return own
    sums = gather(to.source, to.chance * later[to.child], own.size)
    return np.asarray(own + sums.reshape(own.shape), dtype=np.float64)


def planned(tree: Tree, depth: int | None = None) -> list[Ints]:
    """Return the best actions, a list of int64[N], one for each layer.

    Args:
        tree: the histories.
        depth: how many steps to look ahead, this one counted; None for all.
    """
    later: list[Floats] = []  # worth of the next layer's histories over 0, 1, 2, ... steps
    found: list[Ints] = []
    for layer in reversed(tree.layers):
        reach = 1 if depth is None else min(depth, len(later) + 1)
        count = len(layer.reward)
        worth: list[Floats] = [np.zeros(count)]
        for steps in range(reach):
            over = later[min(steps, len(later) - 1)] if later else np.zeros(0)
            values = backward(layer, layer.reward, over)
            choice = choose(values)
            worth.append(np.nan_to_num(values[np.arange(count), choice]))
        found.append(choice)
        later = worth if depth is not None else worth[1:]
    return found[::-1]


def followed(tree: Tree, policy: Sequence[Floats]) -> tuple[float, float, float]:
    """Return the expected sums of reward and of goal, unscaled, and of steps, of a policy.

    Args:
        tree: the histories; actions have events of probability 1.
        policy: float64[N, A] for each layer.
    """
    sums = [followed_from(tree, policy, name) for name in ("reward", "goal", "mass")]
    reward, goal, length = (float(tree.roots.chance @ own) for own in sums)
    return reward, goal, length


def followed_from(
    tree: Tree, policy: Sequence[Floats], of: Literal["reward", "goal", "mass"]
) -> Floats:
    """Return what a policy brings from each root, float64[roots] (``mass``: its steps)."""
    later = np.zeros(0)
    for layer, chances in zip(reversed(tree.layers), reversed(policy), strict=True):
        later = (backward(layer, getattr(layer, of), later) * chances).sum(axis=1)
    return np.asarray(later[tree.roots.child], dtype=np.float64)


def one_hot(choice: Ints, actions: int) -> Floats:
    """Return float64[N, A], 1 at the chosen action."""
    return np.asarray(choice[:, None] == np.arange(actions), dtype=np.float64)


def scaled(program: Program, reward: float, goal: float) -> tuple[float, float]:
    """Return a sum of rewards and one of goals, mapped onto [0, 1]."""
    low, high = program.returns
    goal_low, goal_high = program.goal_returns
    return (reward - low) / (high - low), (goal - goal_low) / (goal_high - goal_low)


def controller(
    program: Program, tree: Tree, policy: Sequence[Floats], *, trie: Trie | None = None
) -> Controller:
    """Write a policy over a tree's histories down as a controller.

    Args:
        program: what is played.
        tree: the histories.
        policy: float64[N, A] for each layer; what it never does has no successors.
        trie: what is watched first; the tree's groups are its nodes.
    """
    actions = len(program.force)
    codec = Codec(program, twice=trie is not None)
    watching = 1 if trie is None else trie.count
    steps = len(tree.layers)
    entry = watching + 1 + np.arange(steps)
    sizes = [len(chances) for chances in policy]
    base = watching + 1 + steps + np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    chances = np.zeros((int(base[-1]), actions))
    chances[: int(base[0]), 0] = 1
    again = codec.views if trie is not None else 0
    edges = [(tree.roots.source * actions, tree.roots.seen + again, tree.roots.child + base[0])]
    if trie is not None:
        edges.append((trie.parent * actions, trie.seen, trie.child))
    for at, (layer, own) in enumerate(zip(tree.layers, policy, strict=True)):
        chances[base[at] : base[at + 1]] = own
        seen, child = tree.entries[at]
        edges.append((np.full(len(seen), entry[at] * actions), seen + again, child + base[at]))
        to = layer.branches
        used = own.ravel()[to.source] > 0
        source = to.source[used] + base[at] * actions
        edges.append((source, to.seen[used] + again, to.child[used] + base[at + 1]))
    source, view, child = (np.concatenate([edge[i] for edge in edges]) for i in range(3))
    views, at_view = np.unique(view, return_inverse=True)
    keys = source * max(1, len(views)) + at_view
    order = np.argsort(keys)
    deaf = np.zeros(len(chances), dtype=np.bool_)
    deaf[: int(base[0])] = True
    fresh = np.array([len(seen) > 0 for seen, _ in tree.entries], dtype=np.bool_)
    return Controller(
        chances=chances,
        keys=keys[order],
        child=child[order],
        seen=views,
        codec=codec,
        start=0,
        lost=watching,
        deaf=deaf,
        entries=np.where(fresh, entry, -1),
    )
