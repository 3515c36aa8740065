"""Tables of one unit in two worlds: what a construction of rung 3 searches with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.scm import SCM
    from causalbench.scm.mechanism import Mechanism
    from causalbench.task.construct.net import Floats

    Setting = tuple[str, Mapping[str, int]]

__all__ = ["MOST_UNITS", "Engine", "Oracle", "Units"]

MOST_UNITS = 2**18


class Units:
    """All combinations of noise values, each with its probability.

    Args:
        functions: variable -> mechanism, parents before children.
        cards: variable -> number of values.
        targets: only these and their ancestors are needed.

    Raises:
        TooWideError: there are more than 2**18 units.
    """

    def __init__(
        self,
        functions: Mapping[str, Mechanism],
        cards: Mapping[str, int],
        targets: Sequence[str],
    ) -> None:
        self._cards = cards
        needed: set[str] = set()
        stack = list(targets)
        while stack:
            name = stack.pop()
            if name not in needed:
                needed.add(name)
                stack.extend(functions[name].parents)
        self._functions = {name: each for name, each in functions.items() if name in needed}
        sizes = [len(each.noise) for each in self._functions.values()]
        if math.prod(sizes) > MOST_UNITS:
            msg = f"the world has {math.prod(sizes)} units; the limit is {MOST_UNITS}."
            raise TooWideError(msg)
        grids = np.unravel_index(np.arange(math.prod(sizes)), sizes)
        self._noise = dict(zip(self._functions, grids, strict=True))
        weights = np.ones(math.prod(sizes))
        for name, each in self._functions.items():
            weights = weights * each.noise[self._noise[name]]
        self.weights: Floats = weights
        self._solved: dict[tuple[tuple[str, int], ...], dict[str, NDArray[np.int64]]] = {}

    def values(self, do: Mapping[str, int] | None = None) -> dict[str, NDArray[np.int64]]:
        """Return the code of every variable in every unit, under an intervention or none."""
        forced = do or {}
        key = tuple(sorted(forced.items()))
        if key not in self._solved:
            solved: dict[str, NDArray[np.int64]] = {}
            for name, each in self._functions.items():
                if name in forced:
                    solved[name] = np.full(len(self.weights), forced[name])
                else:
                    place = (self._noise[name], *(solved[parent] for parent in each.parents))
                    solved[name] = each.table[place]
            self._solved[key] = solved
        return self._solved[key]

    def joint(self, seen: Sequence[str], name: str, do: Mapping[str, int] | None = None) -> Floats:
        """Return P(seen = ., name after do = .), an axis for each of ``seen`` and one for ``name``.

        Both are of the same unit: ``seen`` in the natural course, ``name`` under the intervention.
        """
        now = self.values()
        return self._count([*(now[each] for each in seen), self.values(do)[name]], [*seen, name])

    def twice(self, name: str, first: Mapping[str, int], second: Mapping[str, int]) -> Floats:
        """Return P(name after first = ., name after second = .), both of the same unit."""
        return self._count([self.values(first)[name], self.values(second)[name]], [name, name])

    def across(self, first: Setting, second: Setting) -> Floats:
        """Return P(one variable after one intervention = ., another after another = .).

        Both are of the same unit; a setting is a variable and what is set.
        """
        settings = (first, second)
        return self._count(
            [self.values(do)[name] for name, do in settings], [n for n, _ in settings]
        )

    def _count(self, codes: Sequence[NDArray[np.int64]], names: Sequence[str]) -> Floats:
        shape = tuple(self._cards[name] for name in names)
        place = np.ravel_multi_index(tuple(codes), shape)
        flat: Floats = np.bincount(place, weights=self.weights, minlength=math.prod(shape)).astype(
            np.float64
        )
        return flat.reshape(shape)


class Engine:
    """The same two tables from the truth engine, for worlds with too many units to list.

    Args:
        scm: the world.
    """

    def __init__(self, scm: SCM) -> None:
        self._scm = scm

    def joint(self, seen: Sequence[str], name: str, do: Mapping[str, int] | None = None) -> Floats:
        """Return P(seen = ., name after do = .), an axis for each of them."""
        return self._table([*((each, {}) for each in seen), (name, do or {})])

    def twice(self, name: str, first: Mapping[str, int], second: Mapping[str, int]) -> Floats:
        """Return P(name after first = ., name after second = .), both of the same unit."""
        return self._table([(name, first), (name, second)])

    def _table(self, terms: Sequence[tuple[str, Mapping[str, int]]]) -> Floats:
        from causalbench.query.ast import Term
        from causalbench.truth import table

        return table(
            self._scm,
            [
                Term(
                    name,
                    tuple(
                        (each, self._scm.variable(each).labels[code])
                        for each, code in sorted(do.items())
                    ),
                )
                for name, do in terms
            ],
        )


Oracle = Units | Engine
