"""Tables of conditional laws, worked out from permitted laws once and kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from causalbench.errors import QueryError
from causalbench.truth.values import no_value, not_visible

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from causalbench.truth.permitted import Permitted

__all__ = ["Tables", "tables_of"]

_WHOLE = 4096  # ask for the law of all variables, once, where it has at most so many cells

Do = tuple[tuple[str, str], ...]


class Tables:
    """Conditional laws by the names of their axes.

    Args:
        permitted: the laws; refused ones stay refused.
    """

    def __init__(self, permitted: Permitted) -> None:
        self.labels = permitted.labels
        self.codes = {
            name: {label: code for code, label in enumerate(labels)}
            for name, labels in permitted.labels.items()
        }
        self._kept: dict[Any, NDArray[np.float64]] = {}
        self._joints: dict[Do, tuple[tuple[str, ...], NDArray[np.float64] | None]] = {}

    def code(self, name: str, label: str) -> int:
        """Return the place of a label among a variable's values.

        Raises:
            AccessError: no visible variable of that name.
            QueryError: no such label.
        """
        try:
            return self.codes[name][label]
        except KeyError:
            if name not in self.labels:
                raise not_visible(name, self.labels) from None
            raise no_value(name, label, self.labels[name]) from None

    def table(
        self, permitted: Permitted, outcome: tuple[str, ...], given: tuple[str, ...], do: Do
    ) -> NDArray[np.float64]:
        """Return P(outcome | given, do(...)); NaN where the condition has probability zero.

        To be called where NumPy lets 0 / 0 pass.

        Args:
            permitted: the laws that these tables belong to.
            outcome: names of the first axes, at least one.
            given: names of the axes behind them.
            do: (variable, label) pairs.

        Raises:
            AccessError: a law that is not permitted.
            QueryError: a variable that stands in a law twice, or a label that does not exist.
        """
        key = (outcome, given, do)
        found = self._kept.get(key)
        if found is None:
            found = self._joint(permitted, outcome + given, do)
            if given:
                found = found / found.sum(axis=tuple(range(len(outcome))), keepdims=True)
            self._kept[key] = found
        return found

    def _joint(self, permitted: Permitted, names: tuple[str, ...], do: Do) -> NDArray[np.float64]:
        """Return P(names | do(...)), where it may be from the law of all variables."""
        kept = self._joints.get(do)
        if kept is None:
            kept = self._joints[do] = self._widest(permitted, names, do)
        others, whole = kept
        if len({*names}) < len(names) or any(name in names for name, _ in do):
            raise _twice(names, do)
        if whole is None or any(name not in others for name in names):
            return permitted.law(names, dict(do))
        gone = tuple([at for at, name in enumerate(others) if name not in names])
        margin: NDArray[np.float64] = whole.sum(axis=gone) if gone else whole
        order = [name for name in others if name in names]
        return margin.transpose([order.index(name) for name in names])

    def _widest(
        self, permitted: Permitted, names: tuple[str, ...], do: Do
    ) -> tuple[tuple[str, ...], NDArray[np.float64] | None]:
        """Return the variables that are not forced, and their law unless it is large."""
        forced = dict(do)
        if len(forced) < len(do):
            raise _twice(names, do)
        for name, label in do:
            self.code(name, label)
        others = tuple([name for name in self.labels if name not in forced])
        cells = math.prod([len(self.labels[name]) for name in others])
        return others, permitted.law(others, forced) if cells <= _WHOLE else None


def _twice(names: tuple[str, ...], do: Do) -> QueryError:
    listed = ", ".join([*names, *(name for name, _ in do)])
    return QueryError(f"a law names a variable twice: {listed}; name each once.")


_ALL: WeakKeyDictionary[Permitted, Tables] = WeakKeyDictionary()


def tables_of(permitted: Permitted) -> Tables:
    """Return the tables that belong to permitted laws."""
    found = _ALL.get(permitted)
    if found is None:
        found = _ALL[permitted] = Tables(permitted)
    return found
