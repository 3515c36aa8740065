"""Every unit of a small world at once: what a construction of rung 3 searches with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.scm.mechanism import Mechanism
    from causalbench.task.construct.net import Floats

__all__ = ["MOST_UNITS", "Units"]

MOST_UNITS = 2**18


class Units:
    """All combinations of noise values, each with its probability.

    Args:
        functions: variable -> mechanism, parents before children.
        targets: only these and their ancestors are needed.

    Raises:
        TooWideError: there are more than 2**18 units.
    """

    def __init__(self, functions: Mapping[str, Mechanism], targets: Sequence[str]) -> None:
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

    def chance(self, mask: NDArray[np.bool_]) -> float:
        """Return the probability of the units in a mask."""
        return float(self.weights[mask].sum())

    def law(self, code: NDArray[np.int64], card: int, mask: NDArray[np.bool_]) -> Floats:
        """Return P(value, mask) of one solved variable, float64[card]."""
        return np.bincount(code[mask], weights=self.weights[mask], minlength=card)
