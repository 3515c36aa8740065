"""Estimands from named couplings: rebuild the mechanisms from permitted laws, then compute.

Where no hidden cause is shared, P(v | parents) is permitted and, with the name of its coupling, is
the mechanism: the world's relevant part is known in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from causalbench.errors import PositivityError
from causalbench.query.algebra import variables
from causalbench.query.ast import Query
from causalbench.query.render import quote, render_quantity
from causalbench.scm.couplings import couple, coupling_from_text
from causalbench.scm.model import SCM
from causalbench.scm.variable import Variable
from causalbench.truth.identify.estimand import Estimand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Quantity
    from causalbench.truth.permitted import Permitted

__all__ = ["METHOD", "SOURCE", "Rebuilt", "rebuildable"]

METHOD = "tables given all parents, with the named couplings"
SOURCE = "Pearl (2009), theorem 7.1.7"
_PREFIX = "coupling:"
_Couplings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rebuilt(Estimand):
    """A counterfactual quantity in the world that the permitted tables and couplings make.

    Args:
        quantity: what is asked.
        couplings: (variable, coupling as its assumption names it), for the variables it needs.
    """

    quantity: Quantity
    couplings: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        told = ", ".join(f"{quote(name)} {text}" for name, text in self.couplings)
        return f"{render_quantity(self.quantity)} from P(v | parents) of each v, coupled: {told}"

    def evaluate(self, permitted: Permitted) -> float:
        """Return the quantity's value in the rebuilt world.

        Raises:
            PositivityError: some parents' values never occur, so a table has no such row.
            ZeroProbabilityError: the quantity's condition has probability zero.
        """
        from causalbench.truth.exact import value

        return value(_rebuilt(permitted, self.couplings), Query(((1.0, self.quantity),)))

    def latex(self) -> str:
        r"""Return the quantity alone, e.g. ``P(y_{x=1}=1 \mid x=0)``; no formula says more."""
        from causalbench.truth.identify.latex import quantity_latex

        return quantity_latex(self.quantity)


def rebuildable(permitted: Permitted, quantity: Quantity) -> Rebuilt | None:
    """Return the estimand where every mechanism that matters can be rebuilt, else None.

    Args:
        permitted: what may be used; its diagram is shown.
        quantity: what is asked.
    """
    told = {
        name.strip(): text
        for name, _, text in (
            each.removeprefix(_PREFIX).partition("=")
            for each in permitted.knowledge.assumptions
            if each.startswith(_PREFIX)
        )
    }
    needed = permitted.diagram.ancestors(variables(Query(((1.0, quantity),))))
    if not told or not needed <= set(told):
        return None
    if any(needed.issuperset(pair) for pair in permitted.diagram.bidirected):
        return None
    return Rebuilt(quantity, tuple((n, told[n]) for n in permitted.names if n in needed))


_worlds: WeakKeyDictionary[Permitted, dict[_Couplings, SCM]] = WeakKeyDictionary()


def _rebuilt(permitted: Permitted, couplings: _Couplings) -> SCM:
    """Return the world that the permitted tables and some couplings make, and keep it."""
    kept = _worlds.setdefault(permitted, {})
    if couplings not in kept:
        told, parents = dict(couplings), permitted.diagram.parents
        known = {
            name: Variable(name, permitted.labels[name], numbers=permitted.numbers[name])
            for name in permitted.names
            if name in told
        }
        mechanisms = {
            name: couple(_table(permitted, name), coupling_from_text(told[name]), parents(name))
            for name in known
        }
        kept[couplings] = SCM(known, mechanisms)
    return kept[couplings]


def _table(permitted: Permitted, name: str) -> NDArray[np.float64]:
    """Return P(name | parents), the parents in the diagram's order."""
    joint = permitted.law((*permitted.diagram.parents(name), name))
    rows = joint.sum(axis=-1, keepdims=True)
    if not (rows > 0.0).all():
        msg = f"some values of the parents of '{name}' never occur, so its table has no such row."
        raise PositivityError(msg)
    return np.asarray(joint / rows)
