"""Hold policies as finite-state controllers: an action per node, a successor per observation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.program import Program
    from causalbench.truth.policy.frames import Floats, Ints
    from causalbench.truth.policy.types import Moment

__all__ = ["Codec", "Controller", "Uniform"]

_ACT, _REDO = 1, 2  # the mode's code while a unit is watched, and while it is redone


class Codec:
    """Turn observation vectors into codes, as the solver counts them, and back.

    Args:
        program: what is played.
        twice: whether the unit is run twice, so that the mode tells which course it is.
    """

    def __init__(self, program: Program, *, twice: bool = False) -> None:
        visible = [program.process.variable(name) for name in program.process.visible]
        self.blank = np.array([*(v.cardinality for v in visible), 0, 0], dtype=np.uint8)
        self.places = program.places
        cards = program.cards[program.seen] + 1
        self._cards = cards
        self._strides = np.array(
            [int(np.prod(cards[i + 1 :])) for i in range(len(cards))], dtype=np.int64
        )
        self.views = int(np.prod(cards))
        self.twice = twice
        modes = ("bet", "act", "redo")
        self.mode = modes.index(program.play.mode)

    def encode(self, seen: NDArray[np.uint8]) -> Ints:
        """Return the code of each vector: what is seen, and beyond `views` where it is redone."""
        code = seen[:, self.places].astype(np.int64) @ self._strides
        if self.twice:
            code = code + self.views * (seen[:, -2] == _REDO)
        return np.asarray(code, dtype=np.int64)

    def decode(self, code: Ints) -> NDArray[np.uint8]:
        """Return the vectors of codes, uint8[n, D]."""
        out = np.repeat(self.blank[None], len(code), axis=0)
        out[:, self.places] = (code[:, None] // self._strides) % self._cards
        out[:, -2] = np.where(code >= self.views, _REDO, _ACT) if self.twice else self.mode
        return out


@dataclass(frozen=True, eq=False)
class Controller:
    """A policy that goes from node to node by what it does and sees.

    Args:
        chances: float64[N, A], the probabilities of actions at each node.
        keys: int64[E], ascending: (node * A + action) * O + observation, of the known successors;
            observations count by their place in ``seen``.
        child: int64[E], the node that each leads to.
        seen: int64[O], ascending codes of observations (`Codec`).
        codec: turns observation vectors into such codes.
        start: the node before the first observation (its action counts as 0).
        lost: the node where nothing else is known.
        deaf: bool[N], where what is done makes no difference (its action counts as 0).
        entries: for each step, a node like ``start`` to begin again from where a successor is not
            known; -1 for none.
        recalls: whether it goes by the node it is at, or by the observation and the step alone.
    """

    chances: Floats
    keys: Ints
    child: Ints
    seen: Ints
    codec: Codec
    start: int
    lost: int
    deaf: NDArray[np.bool_]
    entries: Ints
    recalls: bool = True
    reads_reward: bool = field(default=False, init=False)

    def begin(self, n: int) -> Any:
        """Return the nodes of n copies: int64[n], or None for one that does not recall."""
        return np.full(n, self.start) if self.recalls else None

    def act(self, moment: Moment, memory: Any) -> tuple[Floats, Any]:
        """Go to the next node, and return its actions' probabilities, float64[n, A]."""
        view = self.codec.encode(moment.seen)
        entry = int(self.entries[moment.step]) if moment.step < len(self.entries) else -1
        if self.recalls:
            node = np.asarray(memory)
            action = np.where(self.deaf[node], 0, moment.action)
            to = self._follow(node, action, view)
        else:
            to = np.full(len(view), -1)
        if entry >= 0 and (gone := to < 0).any():
            anew = np.full(int(gone.sum()), entry)
            to[gone] = self._follow(anew, np.zeros_like(anew), view[gone])
        to = np.where(to < 0, self.lost, to)
        return self.chances[to], to if self.recalls else None

    def _follow(self, node: Ints, action: Ints, view: Ints) -> Ints:
        """Return the successors, -1 where none is known."""
        if not len(self.keys):
            return np.full(len(view), -1)
        at = np.minimum(np.searchsorted(self.seen, view), len(self.seen) - 1)
        key = (node * self.chances.shape[1] + action) * len(self.seen) + at
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        known = (self.keys[place] == key) & (self.seen[at] == view)
        return np.where(known, self.child[place], -1)


@dataclass(frozen=True)
class Uniform:
    """The policy that takes every action equally often.

    Args:
        actions: how many there are.
    """

    actions: int
    recalls: bool = field(default=False, init=False)
    reads_reward: bool = field(default=False, init=False)

    def begin(self, n: int) -> Any:
        """Return no memory."""
        del n

    def act(self, moment: Moment, memory: Any) -> tuple[Floats, Any]:
        """Return equal probabilities."""
        del memory
        return np.full((len(moment.seen), self.actions), 1 / self.actions), None
