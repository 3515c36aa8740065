"""Grow the tree of action-observation histories, histories of equal belief merged per step.

A belief is the law of the state given a history; the rest of an episode depends on nothing else
(Åström, "Optimal control of Markov processes with incomplete state information", 1965). Worlds
that are seen in full have one belief a state, so their tree is a small decision process.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError
from causalbench.truth.policy.frames import Floats, Ints, gather, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.truth.policy.model import Kernel, Model

__all__ = ["BITS", "Beliefs", "Branches", "Layer", "Tree", "fingerprints", "grow"]

BITS = 40
"""Beliefs are equal if their probabilities agree to 2**-40, which is less than 1e-12."""
_CHUNK = 2_000_000
_STATES = 1_000_000


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Laws over states.

    Args:
        start: int64[N + 1], where each law's entries begin.
        state: int64[E], codes.
        chance: float64[E], summing to 1 over each law.
    """

    start: Ints
    state: Ints
    chance: Floats

    @property
    def count(self) -> int:
        """The number of laws."""
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Branches:
    """Where histories lead: one row for each (history, action, observation) that can come.

    Args:
        source: int64[E], history * A + action, ascending.
        seen: int64[E], the code of the observation.
        child: int64[E], the history of the next step.
        chance: float64[E], given the history and the action.
    """

    source: Ints
    seen: Ints
    child: Ints
    chance: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """The histories before one step, and what their actions bring.

    Args:
        reward: float64[N, A], expected and unscaled, given the action's event.
        goal: float64[N, A], likewise.
        mass: float64[N, A], the probability of the action's event.
        branches: into the next layer; none at the last step.
    """

    reward: Floats
    goal: Floats
    mass: Floats
    branches: Branches


@dataclass(frozen=True, slots=True)
class Tree:
    """All histories of a model.

    Args:
        layers: one a step.
        roots: into the first layer; ``source`` is the group of equal past, and chances are the
            probabilities of (group, observation).
        entries: one a step: observation codes, and the history that starts afresh from each;
            empty unless the tree was grown with such.
        histories: how many (history, action, observation) were gone through.
    """

    layers: tuple[Layer, ...]
    roots: Branches
    entries: tuple[tuple[Ints, Ints], ...]
    histories: int


def grow(
    model: Model,
    roots: tuple[Ints, Ints, Ints, Floats],
    limit: int,
    *,
    entries: Mapping[int, tuple[Ints, Ints, Floats]] | None = None,
    bits: int = BITS,
) -> Tree:
    """Grow the tree of a model.

    Args:
        model: the steps.
        roots: group, observation, state and probability of each beginning.
        limit: the most (history, action, observation) to go through.
        entries: step (from 2) -> observation, state and probability: histories that start there
            with what this observation alone says.
        bits: beliefs count as equal that agree to this many bits. With fewer than 40 the tree is
            no longer exact: it makes real policies, but does not tell their value.

    Raises:
        TooWideError: there are more than the limit.
    """
    group, seen, state, chance = roots
    heads = _Heads(bits)
    source, shown, child, weight = heads.add(group, seen, state, chance)
    beliefs, renamed = heads.merge()
    opening = Branches(source, shown, renamed[child], weight)
    first = [(opening.seen, opening.child)] if entries is not None else [_none()]
    layers: list[Layer] = []
    gone = len(source)
    for step in range(1, model.horizon + 1):
        if not beliefs.count:  # every episode has ended
            break
        heads = _Heads(bits)
        parts: list[tuple[Ints, Ints, Ints, Floats]] = []
        layer_parts: list[Layer] = []
        for run in _runs(model, beliefs):
            codes, at = np.unique(beliefs.state[run.entries], return_inverse=True)
            kernel = model.step(step, codes)
            own = run.of(beliefs)
            layer_parts.append(_values(model.actions, own, at, kernel))
            if step == model.horizon:
                continue
            for low, high in _chunks(model.actions, own, at, kernel):
                rows = _expand(model.actions, own, at, kernel, low, high)
                parts.append(heads.add(rows[0] + run.low * model.actions, *rows[1:]))
                gone += len(parts[-1][0])
                if gone > limit:
                    raise TooWideError(
                        f"there are over {limit} histories; give a higher limit, or fewer steps"
                    )
        reward, goal, mass = (
            np.concatenate([getattr(part, name) for part in layer_parts])
            for name in ("reward", "goal", "mass")
        )
        if step < model.horizon:
            extra = (entries or {}).get(step + 1)
            if extra is not None:
                codes_, states_, chances_ = extra
                zero = np.zeros(len(codes_), dtype=np.int64)
                fresh = heads.add(zero, codes_, states_, chances_)
            beliefs, renamed = heads.merge()
            source, shown, child, weight = (
                np.concatenate([part[i] for part in parts]) for i in range(4)
            )
            # An action's law is given its event: what has ended keeps its share of it.
            with np.errstate(invalid="ignore", divide="ignore"):
                weight = weight / mass.ravel()[source]
            branches = Branches(source, shown, renamed[child], weight)
            first.append(_none() if extra is None else (fresh[1], renamed[fresh[2]]))
        else:
            none = np.zeros(0, dtype=np.int64)
            branches = Branches(none, none, none, np.zeros(0))
        layers.append(Layer(reward, goal, mass, branches))
    return Tree(tuple(layers), opening, tuple(first[: len(layers)]), gone)


def _none() -> tuple[Ints, Ints]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


class _Heads:
    """Beliefs that begin a layer, collected in chunks and merged where they are equal."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._laws: list[Beliefs] = []
        self._marks: list[NDArray[np.complex128]] = []
        self._count = 0

    def add(
        self, group: Ints, seen: Ints, state: Ints, chance: Floats
    ) -> tuple[Ints, Ints, Ints, Floats]:
        """Add the laws of states by (group, observation).

        Returns:
            For each of them in order: group, observation, the number of its law, total weight.
        """
        order = np.lexsort((state, seen, group))
        group, seen, state, chance = group[order], seen[order], state[order], chance[order]
        fresh = np.ones(len(group), dtype=np.bool_)
        fresh[1:] = (group[1:] != group[:-1]) | (seen[1:] != seen[:-1])
        cell = fresh.copy()
        cell[1:] |= state[1:] != state[:-1]
        first = np.flatnonzero(cell)
        chance = np.add.reduceat(chance, first) if len(first) else chance
        group, seen, state, fresh = group[first], seen[first], state[first], fresh[first]
        heads = np.flatnonzero(fresh)
        law = np.cumsum(fresh) - 1
        total = gather(law, chance, len(heads))
        chance = chance / total[law]
        marks = fingerprints(law, state, chance, len(heads), self._bits)
        # Chunks hold many equal laws; only one of each is kept.
        _, kept, number = np.unique(marks, return_index=True, return_inverse=True)
        start = np.append(heads, len(state))
        count = start[kept + 1] - start[kept]
        _, entry = join(start, kept)
        bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)])
        self._laws.append(Beliefs(bounds, state[entry], chance[entry]))
        self._marks.append(marks[kept])
        number = number + self._count
        self._count += len(kept)
        return group[heads], seen[heads], number, total

    def merge(self) -> tuple[Beliefs, Ints]:
        """Return the different laws, and the number among them of each that was added."""
        marks = np.concatenate(self._marks)
        _, kept, number = np.unique(marks, return_index=True, return_inverse=True)
        sizes = np.concatenate([np.diff(law.start) for law in self._laws])
        start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        _, entry = join(start, kept)
        state = np.concatenate([law.state for law in self._laws])[entry]
        chance = np.concatenate([law.chance for law in self._laws])[entry]
        bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes[kept])])
        return Beliefs(bounds, state, chance), number


def fingerprints(
    law: Ints, state: Ints, chance: Floats, count: int, bits: int
) -> NDArray[np.complex128]:
    """Return a mark of each law, equal where laws agree to some bits.

    Two sums of mixed words of 53 bits each: among 1e7 laws that differ, two have one mark with a
    probability of about 1e-18.

    Args:
        law: int64[E], ascending: which law an entry is of.
        state: int64[E].
        chance: float64[E].
        count: how many laws.
        bits: after which probabilities are rounded.
    """
    grains = np.round(chance * 2.0**bits).astype(np.uint64)
    first = np.searchsorted(law, np.arange(count))
    found = []
    for salt in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F):
        mixed = _mix(_mix(state.astype(np.uint64) + np.uint64(salt)) ^ grains)
        sums = np.add.reduceat(mixed, first) if count else mixed
        found.append((sums >> np.uint64(11)).astype(np.float64))
    return np.asarray(found[0] + 1j * found[1], dtype=np.complex128)


def _mix(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix the bits of 64-bit words (Steele, Lea and Flood, "Fast splittable ...", 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def _values(actions: int, beliefs: Beliefs, at: Ints, kernel: Kernel) -> Layer:
    """Return a layer's expected rewards; its branches are yet to come."""
    who = np.repeat(np.arange(beliefs.count), np.diff(beliefs.start))
    sums = []
    for table in (kernel.reward, kernel.goal, kernel.mass):
        given = table.reshape(-1, actions)
        sums.append(
            np.stack(
                [gather(who, beliefs.chance * given[at, a], beliefs.count) for a in range(actions)],
                axis=1,
            )
        )
    reward, goal, mass = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        reward, goal = reward / mass, goal / mass
    none = np.zeros(0, dtype=np.int64)
    return Layer(reward, goal, mass, Branches(none, none, none, np.zeros(0)))


@dataclass(frozen=True, slots=True)
class _Part:
    """Laws ``low`` to ``high``, whose steps are worked out together."""

    low: int
    high: int
    entries: slice

    def of(self, beliefs: Beliefs) -> Beliefs:
        """Return these laws alone."""
        start = beliefs.start[self.low : self.high + 1]
        return Beliefs(start - start[0], beliefs.state[self.entries], beliefs.chance[self.entries])


def _runs(model: Model, beliefs: Beliefs) -> list[_Part]:
    """Cut laws into parts: where a course is watched, nearly every state is met only once."""
    most = _STATES // model.actions if model.watched is not None else len(beliefs.state)
    block = beliefs.start[:-1] // max(1, most)
    bounds = [0, *(int(cut) + 1 for cut in np.flatnonzero(np.diff(block))), beliefs.count]
    return [
        _Part(low, high, slice(int(beliefs.start[low]), int(beliefs.start[high])))
        for low, high in pairwise(bounds)
    ]


def _chunks(actions: int, beliefs: Beliefs, at: Ints, kernel: Kernel) -> list[tuple[int, int]]:
    """Cut the laws into runs whose expansions stay small enough to hold."""
    size = np.diff(kernel.start[::actions])[at]
    cost = np.add.reduceat(size, beliefs.start[:-1])
    block = (np.cumsum(cost) - 1) // _CHUNK
    cuts = np.flatnonzero(np.diff(block)) + 1
    bounds = [0, *(int(cut) for cut in cuts), beliefs.count]
    return list(pairwise(bounds))


def _expand(
    actions: int, beliefs: Beliefs, at: Ints, kernel: Kernel, low: int, high: int
) -> tuple[Ints, Ints, Ints, Floats]:
    """Return (history * A + action, observation, next state, weight) of a run of histories."""
    first, last = int(beliefs.start[low]), int(beliefs.start[high])
    own = np.repeat(np.arange(low, high), np.diff(beliefs.start[low : high + 1]))
    rows = (at[first:last, None] * actions + np.arange(actions)).ravel()
    who, entry = join(kernel.start, rows)
    source = own[who // actions] * actions + who % actions
    weight = beliefs.chance[first:last][who // actions] * kernel.chance[entry]
    return source, kernel.seen[entry], kernel.state[entry], weight
