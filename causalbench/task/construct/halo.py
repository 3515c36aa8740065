"""Hang further variables round a pair, alike on both sides, so that worlds of any size share it.

A halo variable has causes among the visible variables and earlier halo variables, and no effect on
the pair's own. Both sides get the very same mechanisms, so twins stay twins: given what it hangs
on, a halo variable is independent of all else, whatever is set. At rung 1, where the twins' joint
laws differ, every tree of the halo hangs on one variable alone, whose own law they share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from causalbench import rng as draws
from causalbench.scm import SCM, LinearMechanism, Variable
from causalbench.scm.couplings import monotone
from causalbench.task.construct.names import NAMES
from causalbench.task.construct.net import coin, random_cpt
from causalbench.task.construct.order import SIZES
from causalbench.task.rungs import ASSOCIATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.scm.check import AnyMechanism
    from causalbench.task.construct.draft import Draft
    from causalbench.task.construct.order import Order

__all__ = ["LAW_CELLS", "with_halo"]

LAW_CELLS = 4096  # the most numbers of the law in a dossier; twice that of all under do together
_FREE = 0.15  # how often a halo variable has no cause
_TWO = 0.4  # how often it has two, where it may
_HIDDEN = 0.1  # how often it shares a hidden cause with another
_TERNARY = 0.25
_BINARY = 2
_LEAST = 0.05  # the least probability in a table
_GRID = 8  # coefficients of real variables are multiples of 1/8


def with_halo(rng: np.random.Generator, draft: Draft, order: Order) -> Draft:
    """Return the pair in worlds of the size that is wanted.

    Args:
        rng: draws how many variables there are, and all about them.
        draft: the pair; small ones stay as they are.
        order: says the size and what laws will be shown, which must stay short.
    """
    if order.size == "small":
        return draft
    first = draft.sides[0]
    least, most = SIZES[order.size]
    have = len(first.visible)
    wanted = max(least, have) + int(draws.integers(rng, most - max(least, have) + 1))
    used = {*draft.sides[0].names, *draft.sides[1].names}
    spare = [name for name in NAMES if name not in used]
    spare = [spare[int(place)] for place in draws.permutation(rng, len(spare))]
    told = _Told(draft, alone=draft.rung == ASSOCIATION, real=order.family == "linear")
    for name in spare[: wanted - have]:
        if order.terms.laws and not told.fits(order.terms.laws):
            break
        told.hang(rng, name, small=bool(order.terms.laws))
    hidden = spare[wanted - have :]
    if not draft.couplings[0]:
        told.confound(rng, hidden)
    return told.finished()


class _Told:
    """The halo so far.

    Args:
        draft: the pair.
        alone: every tree hangs on one variable.
        real: the variables are real.
    """

    def __init__(self, draft: Draft, *, alone: bool, real: bool) -> None:
        self._draft = draft
        self._alone = alone
        self._real = real
        self._cards = {
            name: 1 if real else draft.sides[0].variable(name).cardinality
            for name in draft.sides[0].visible
        }
        # Each variable's tree: all that it hangs on, up to the pair's own variables.
        self._roots = {name: frozenset([name]) for name in self._cards}
        self._variables: dict[str, Variable] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._mechanisms: dict[str, AnyMechanism] = {}

    def fits(self, laws: str) -> bool:
        """Say whether the exact laws stay short with one more variable of two values."""
        cells = _BINARY
        for card in self._cards.values():
            cells *= card
        tables = 1 + sum(self._cards.values()) + _BINARY if laws == "do" else 1
        return cells * tables <= (2 * LAW_CELLS if laws == "do" else LAW_CELLS)

    def hang(self, rng: np.random.Generator, name: str, *, small: bool) -> None:
        """Add a variable."""
        parents = self._causes(rng)
        if self._real:
            self._variables[name] = Variable(name, None)
            self._mechanisms[name] = _linear(rng, parents)
            self._cards[name] = 1
        else:
            card = 3 if not small and coin(rng, _TERNARY) else _BINARY
            self._variables[name] = Variable(name, tuple(str(code) for code in range(card)))
            table = random_cpt(rng, [self._cards[each] for each in parents], card, _LEAST)
            self._mechanisms[name] = monotone(table, parents)
            self._cards[name] = card
        self._parents[name] = parents
        above = [self._roots[each] for each in parents]
        self._roots[name] = frozenset([name]) if not above else frozenset().union(*above)

    def confound(self, rng: np.random.Generator, spare: Sequence[str]) -> None:
        """Give some pairs of halo variables a hidden cause."""
        names = list(self._variables)
        left = list(spare)
        for first, second in zip(names[::2], names[1::2], strict=False):
            if not left or not coin(rng, _HIDDEN):
                continue
            hidden = left.pop()
            self._parents[hidden] = ()
            if self._real:
                self._variables[hidden] = Variable(hidden, None, hidden=True)
                self._mechanisms[hidden] = _linear(rng, ())
            else:
                self._variables[hidden] = Variable(hidden, ("0", "1"), hidden=True)
                self._mechanisms[hidden] = monotone(random_cpt(rng, (), 2, 0.25), ())
            for name in (first, second):
                self._parents[name] = (*self._parents[name], hidden)
                parents = self._parents[name]
                if self._real:
                    self._mechanisms[name] = _linear(rng, parents)
                    continue
                cards = [self._cards.get(each, _BINARY) for each in parents]
                table = random_cpt(rng, cards, self._cards[name], _LEAST)
                self._mechanisms[name] = monotone(table, parents)

    def finished(self) -> Draft:
        """Return the pair with its halo."""
        sides = tuple(
            SCM(
                {**{name: side.variable(name) for name in side.names}, **self._variables},
                {**{name: side.mechanism(name) for name in side.names}, **self._mechanisms},
            )
            for side in self._draft.sides
        )
        couplings = self._draft.couplings
        if couplings[0]:
            plain = dict.fromkeys(self._variables, "monotone")
            couplings = {**plain, **couplings[0]}, {**plain, **couplings[1]}
        return replace(self._draft, sides=(sides[0], sides[1]), couplings=couplings)

    def _causes(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Draw no, one or two causes; two of one tree only, where trees must not join."""
        if coin(rng, _FREE):
            return ()
        names = list(self._cards)
        first = draws.choice(rng, names)
        others = [
            name
            for name in names
            if name != first and not (self._alone and self._roots[name] != self._roots[first])
        ]
        if others and coin(rng, _TWO):
            return first, draws.choice(rng, others)
        return (first,)


def _linear(rng: np.random.Generator, parents: Sequence[str]) -> LinearMechanism:
    """Draw weights of either sign, and noise that keeps the variance near 1."""
    signs = 2 * draws.integers(rng, 2, len(parents)) - 1
    weights = signs * (2 + draws.integers(rng, 4, len(parents))) / _GRID
    std = (8 - 2 * len(parents) + int(draws.integers(rng, 3))) / _GRID
    return LinearMechanism(tuple(parents), np.asarray(weights, dtype=np.float64), 0.0, std)
