"""Answer what is seen from what a dossier shows: its mechanisms, its law, or its rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from causalbench.truth import law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.task.types import Dossier

__all__ = ["Facts", "Watched"]

CELLS = 1 << 20  # the largest table that is asked for
Facts = tuple[tuple[str, str, str], ...]  # (variable, "=" or "!=", label)


class Watched:
    """The law of the visible variables, as far as a dossier tells it.

    Args:
        dossier: of a discrete world.
    """

    def __init__(self, dossier: Dossier) -> None:
        self._labels = {each.name: each.values or () for each in dossier.variables}
        self._names = list(dossier.names)
        self._scm = dossier.mechanisms
        self._law = next((each.table for each in dossier.laws if not each.do), None)
        self._rows = dossier.rows
        self._known: dict[tuple[str, ...], NDArray[np.float64]] = {}

    @property
    def told(self) -> bool:
        """Whether anything is seen at all, and of labels alone."""
        source = self._scm is not None or self._law is not None or len(self._rows) > 0
        return source and all(self._labels.values())

    def labels(self, name: str) -> tuple[str, ...]:
        """Return the values of a variable."""
        return self._labels[name]

    def fits(self, names: Sequence[str]) -> bool:
        """Say whether the table of these variables is small enough to be asked for."""
        return math.prod(len(self._labels[name]) for name in names) <= CELLS

    def table(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the law of some variables, axes in the order given."""
        key = tuple(names)
        if key not in self._known:
            self._known[key] = self._table(key)
        return self._known[key]

    def chance(self, event: Facts, given: Facts = ()) -> float:
        """Return P(event | given), or P(event) where what is given is never seen."""
        names = sorted({name for name, _, _ in (*event, *given)})
        mass = float(self._mass(names, given, []))
        if mass <= 0.0:
            return float(self._mass(names, event, []))
        return float(self._mass(names, (*event, *given), [])) / mass

    def averaged(self, event: Facts, given: Facts, x: Facts, over: Sequence[str]) -> float:
        """Return P(event | x, z, given) averaged over z as it is seen where ``given`` holds."""
        about = {name for name, _, _ in (*event, *given, *x)}
        free = [name for name in over if name not in about]
        names = [*free, *sorted(about)]
        share = self._mass(names, given, free)
        whole = self._mass(names, (*given, *x), free)
        part = self._mass(names, (*event, *given, *x), free)
        plain = self.chance(event, given)
        rate = np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), plain)
        total = float(share.sum())
        return float((share * rate).sum()) / total if total > 0.0 else plain

    def _table(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        if self._scm is not None:
            return np.asarray(law(self._scm, list(names)))
        axes = [self._names.index(name) for name in names]
        if self._law is not None:
            rest = tuple(axis for axis in range(self._law.ndim) if axis not in axes)
            left = sorted(axes)
            table = self._law.sum(axis=rest)
            return np.asarray(table.transpose([left.index(axis) for axis in axes]))
        shape = [len(self._labels[name]) for name in names]
        if not names:
            return np.ones(())
        codes = np.ravel_multi_index(tuple(self._rows[:, axes].T), shape)
        counts = np.bincount(codes, minlength=math.prod(shape))
        return counts.reshape(shape) / len(self._rows)

    def _mass(self, names: Sequence[str], facts: Facts, keep: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of facts, together with each value of the variables kept."""
        table = self.table(names)
        for name, sign, label in facts:
            holds = [(each == label) == (sign == "=") for each in self._labels[name]]
            shape = [-1 if other == name else 1 for other in names]
            table = table * np.array(holds).reshape(shape)
        drop = tuple(axis for axis, name in enumerate(names) if name not in keep)
        return np.asarray(table.sum(axis=drop))
