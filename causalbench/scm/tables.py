"""Hold a conditional table whose coupling is not known: all that a Bayesian network says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import WorldError
from causalbench.scm.mechanism import MAX_CELLS, Mechanism, as_distribution, distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from causalbench.scm.couplings import Coupling

__all__ = ["UNKNOWN", "TableMechanism", "mechanism_of", "uncoupled_text"]

UNKNOWN = "unknown"
"""How files name the coupling of a table that has none."""
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class TableMechanism:
    """P(value | parents), and no word on what one unit does at two settings of its parents.

    It settles rungs 1 and 2. Rung 3 needs a coupling as soon as it asks for the variable at two
    rows of its table in one unit: then many mechanisms have this table, and they answer apart.

    Args:
        parents: names, in the order of the table's axes.
        cpt: float64[*cards of the parents, card], each row a distribution.

    Raises:
        WorldError: the table does not fit, holds what is no distribution, or has over 1e7 cells.

    Reference:
        Bareinboim, Correa, Ibeling and Icard (2022), the causal hierarchy theorem.
    """

    parents: tuple[str, ...]
    cpt: NDArray[np.float64]

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "parents", distinct(self.parents))
        size = int(np.size(self.cpt))
        if size > MAX_CELLS:
            raise WorldError(f"cpt has {size} cells, over 1e7; use fewer parents")
        if np.ndim(self.cpt) != 1 + len(self.parents):
            raise WorldError(
                f"cpt has {np.ndim(self.cpt)} axes for {len(self.parents)} parents and the values;"
                f" give it {1 + len(self.parents)}"
            )
        put(self, "cpt", as_distribution(self.cpt, "cpt"))

    @property
    def shape(self) -> tuple[int, ...]:
        """The cardinalities of the parents, in their order."""
        return self.cpt.shape[:-1]

    @cached_property
    def settled(self) -> bool:
        """Whether only one coupling exists: at most one row leaves anything to chance.

        So it is with roots, and with functions of the parents. An `SCM` couples such tables itself.
        """
        return bool((self.cpt.max(axis=-1) < 1.0).sum() <= 1)

    def coupled(self, coupling: Coupling) -> Mechanism:
        """Return the mechanism with this table and a named coupling.

        Args:
            coupling: as in `causalbench.scm.couplings.couple`.

        Raises:
            WorldError: no such coupling, or one that needs too much noise or over 1e7 cells.
        """
        from causalbench.scm.couplings import couple

        return couple(self.cpt, coupling, self.parents)

    def forced(self, code: int) -> Mechanism:
        """Return the mechanism under an intervention: a constant, which has no coupling to know."""
        return Mechanism((), np.ones(1), np.array([code]))

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """Cumulative rows, float64[rows, card - 1]: u in [0, 1) draws the number of them <= u.

        From a row's last possible value on they are infinite, so rounding in the sum can never
        draw a value of probability zero.
        """
        rows = self.cpt.reshape(-1, self.cpt.shape[-1])
        sums = np.cumsum(rows, axis=-1)
        last = rows.shape[-1] - 1 - np.argmax(rows[:, ::-1] > 0, axis=-1)
        sums[np.arange(rows.shape[-1]) >= last[:, None]] = np.inf
        return sums[:, :-1]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TableMechanism):
            return NotImplemented
        return self.parents == other.parents and np.array_equal(self.cpt, other.cpt)

    def __hash__(self) -> int:
        return hash((self.parents, self.cpt.tobytes()))

    def __reduce__(self) -> tuple[Any, ...]:  # unpickled arrays would be writable
        return (TableMechanism, (self.parents, self.cpt))


def mechanism_of(
    cpt: NDArray[np.float64], coupling: Coupling | None, parents: Sequence[str]
) -> TableMechanism | Mechanism:
    """Return the mechanism of a table that was read: with the coupling named, if any was."""
    table = TableMechanism(tuple(parents), cpt)
    return table if coupling is None else table.coupled(coupling)


def uncoupled_text(names: Sequence[str], what: str = "the answer") -> str:
    """Return the line that says which couplings a world would have to give, and how to.

    Args:
        names: variables without a coupling, at least one.
        what: hangs on them.
    """
    several = len(names) > 1
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"{what} depends on the coupling{'s' if several else ''} of {shown}{more}, which the world"
        f" does not give, since it has {'tables' if several else 'a table'} alone; name one, e.g."
        " world.coupled('monotone'), or --coupling monotone"
    )
