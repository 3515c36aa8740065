"""Worlds as conditional tables: what a construction needs for rungs 1 and 2, and nothing else.

A `Net` is cheap to draw, to change and to evaluate, so a search may throw many away; an accepted
one becomes an `SCM`. Sums run in a fixed order, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from causalbench import rng as draws
from causalbench.errors import WorldError
from causalbench.task.construct.walk import ancestors, depth_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from causalbench.scm import SCM

__all__ = ["CELLS", "Floats", "Net", "coin", "cpt_of", "random_cpt"]

Floats = NDArray[np.float64]
CELLS = 2**20  # the largest table that is written out in full
_DIRECT = 2**14  # beyond this many cells the truth engine is faster than a plain product


@dataclass(frozen=True, eq=False)
class Net:
    """A Bayesian network, some of whose variables are hidden.

    Args:
        cards: variable -> number of values.
        parents: variable -> its parents, in the order of the axes of its table.
        cpts: variable -> P(value | parents), float64[*cards of the parents, card].
        hidden: the variables that are never shown.
    """

    cards: Mapping[str, int]
    parents: Mapping[str, tuple[str, ...]]
    cpts: Mapping[str, Floats]
    hidden: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def from_scm(cls, scm: SCM) -> Net:
        """Read the conditional tables of a discrete world; its couplings are left behind."""
        cards = {name: scm.variable(name).cardinality for name in scm.names}
        return cls(
            cards=cards,
            parents={name: tuple(scm.parents(name)) for name in scm.names},
            cpts={name: cpt_of(scm, name) for name in scm.names},
            hidden=frozenset(scm.hidden),
        )

    @property
    def visible(self) -> tuple[str, ...]:
        """The variables that are not hidden."""
        return tuple(name for name in self.cards if name not in self.hidden)

    def order(self) -> tuple[str, ...]:
        """Return the variables, parents first."""
        return depth_first(self.parents, self.cards)

    def ancestors(self, names: Iterable[str], cut: Iterable[str] = ()) -> set[str]:
        """Return the names and all that reaches them, not passing through ``cut``."""
        return ancestors(self.parents, names, cut)

    def descendants(self, name: str) -> set[str]:
        """Return the name and all that it reaches."""
        return {other for other in self.cards if name in self.ancestors([other])}

    def children(self, name: str) -> tuple[str, ...]:
        """Return the variables that have this one as a parent."""
        return tuple(child for child, parents in self.parents.items() if name in parents)

    def law(self, names: Sequence[str], do: Mapping[str, int] | None = None) -> Floats:
        """Return P(names | do), an axis per name in the given order.

        Where the names and their ancestors have more than 2**14 cells, the truth engine works it
        out.

        Raises:
            TooWideError: the engine's tables would be too large as well.
        """
        do = do or {}
        needed = self.ancestors(names, cut=do)
        # The names come first, so that what is summed out lies in the last axes.
        axes = [*names, *(name for name in self.cards if name in needed and name not in names)]
        shape = tuple(self.cards[name] for name in axes)
        if math.prod(shape) > _DIRECT:
            from causalbench.truth import law

            forced = {name: str(code) for name, code in do.items()}
            return law(self._part(frozenset(needed)), names, forced)
        total = np.ones(shape)
        for name in axes:
            if name in do:
                row = np.zeros(self.cards[name])
                row[do[name]] = 1.0
                total = total * _spread(row, (name,), axes)
            else:
                total = total * _spread(self.cpts[name], (*self.parents[name], name), axes)
        kept = math.prod(shape[: len(names)])
        flat = total.reshape(kept, -1)
        result: Floats = flat.sum(axis=1).reshape(shape[: len(names)])
        return result

    def rename(self, names: Mapping[str, str]) -> Net:
        """Return the net with its variables renamed, and declared in the order of ``names``."""
        return Net(
            cards={new: self.cards[old] for old, new in names.items()},
            parents={new: tuple(names[p] for p in self.parents[old]) for old, new in names.items()},
            cpts={new: self.cpts[old] for old, new in names.items()},
            hidden=frozenset(names[old] for old in self.hidden),
        )

    def _part(self, needed: frozenset[str]) -> SCM:
        """Return the world of some variables; causes that are cut off are left out."""
        from causalbench.scm import SCM, Mechanism, Variable, couple

        if needed not in self._parts:
            mechanisms = {
                name: couple(self.cpts[name], "monotone", self.parents[name])
                if needed.issuperset(self.parents[name])
                else Mechanism((), np.ones(1), np.zeros(1, dtype=np.int64))  # it is forced
                for name in self.cards
                if name in needed
            }
            variables = {
                name: Variable(name, tuple(str(code) for code in range(self.cards[name])))
                for name in mechanisms
            }
            self._parts[needed] = SCM(variables, mechanisms)
        return self._parts[needed]

    @cached_property
    def _parts(self) -> dict[frozenset[str], SCM]:
        return {}

    def replace(
        self,
        cpts: Mapping[str, Floats],
        parents: Mapping[str, tuple[str, ...]] | None = None,
        hidden: Mapping[str, int] | None = None,
    ) -> Net:
        """Return a net with some tables changed, and hidden variables (name -> card) added."""
        return Net(
            cards={**self.cards, **(hidden or {})},
            parents={**self.parents, **(parents or {})},
            cpts={**self.cpts, **cpts},
            hidden=self.hidden | frozenset(hidden or {}),
        )


def _spread(table: Floats, own: Sequence[str], axes: Sequence[str]) -> Floats:
    """Return the table with its axes moved to their places among ``axes``, others of size 1."""
    order = sorted(range(len(own)), key=lambda place: axes.index(own[place]))
    moved = table.transpose(order)
    shape = [1] * len(axes)
    for place in order:
        shape[axes.index(own[place])] = table.shape[place]
    return moved.reshape(shape)


def cpt_of(scm: SCM, name: str) -> Floats:
    """Return P(variable | parents) of a discrete world.

    Raises:
        WorldError: the variable is real.
    """
    if scm.variable(name).is_real:
        msg = f"'{name}' is real; twins are made of discrete worlds."
        raise WorldError(msg)
    return scm.cpt(name)


def coin(rng: np.random.Generator, chance: float = 0.5) -> bool:
    """Toss a coin that says yes with the given chance."""
    return float(draws.uniforms(rng, ())) < chance


def random_cpt(
    rng: np.random.Generator, cards: Sequence[int], card: int, minimum: float = 0.05
) -> Floats:
    """Draw P(value | parents) on the grid, each probability at least ``minimum``."""
    return draws.simplex(rng, card, minimum, tuple(cards))
