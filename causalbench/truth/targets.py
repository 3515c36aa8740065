"""Say what is asked of every draw: a number whose weighted mean is the answer.

The noise of a variable that nothing else in the question reads is not drawn but integrated: its
mean is added, or the mass of the interval in which the event holds is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from causalbench.errors import QueryError
from causalbench.truth.additive import holds, number_of
from causalbench.truth.chance import narrow

if TYPE_CHECKING:
    from causalbench.query.ast import Atom, Term
    from causalbench.truth.additive import Plan
    from causalbench.truth.chance import Draw, Run

__all__ = ["EventTarget", "MeanTarget", "Target", "unread"]


class Target(Protocol):
    """What is asked.

    Attributes:
        nodes: those whose values or parents it needs.
        whole: the variables whose noise is integrated.
        chance: the variables whose draws it hangs on; none where it is known.
    """

    nodes: tuple[int, ...]
    whole: frozenset[str]
    chance: frozenset[str]

    def __call__(self, run: Run, draw: Draw) -> Any:
        """Return the number at every draw."""


class MeanTarget:
    """The mean of a term; its own noise adds its mean, where the condition does not cut it."""

    def __init__(self, plan: Plan, term: Term) -> None:
        self.place = plan.place(term)
        self.chance = plan.chance(self.place)
        self.added: float | None = None
        self.nodes: tuple[int, ...] = ()
        self.whole: frozenset[str] = frozenset()
        if isinstance(self.place, float):
            return
        self.nodes = (self.place,)
        variable = plan.nodes[self.place].variable
        last = unread(plan)
        self.whole = last - {variable} if plan.bounds(variable) else last
        if variable in self.whole:
            self.chance = plan.mean_chance[self.place]
            self.added = plan.law(variable).mean

    def __call__(self, run: Run, draw: Draw) -> Any:
        """Return the term's mean at every draw."""
        if isinstance(self.place, float):
            return self.place
        if self.added is not None:
            return draw.means[self.place] + self.added
        return draw.value(run.plan, self.place)


class EventTarget:
    """The probability of an event, the noise of its last variables integrated."""

    def __init__(self, plan: Plan, atoms: tuple[Atom, ...], *, points: bool) -> None:
        self.never = False
        self.known: list[tuple[int, Any, float]] = []
        self.open: dict[str, list[tuple[int, Any, float]]] = {}
        self.drawn: list[tuple[int, Any, float]] = []
        nodes = [p for p in (plan.place(atom.term) for atom in atoms) if not isinstance(p, float)]
        self.nodes = tuple(dict.fromkeys(nodes))
        self.whole = unread(plan)
        chance: frozenset[str] = frozenset()
        for atom in atoms:
            place, stated = plan.place(atom.term), number_of(atom.term.variable, atom.value)
            if isinstance(place, float):
                self.never |= not holds(place, atom.op, stated)
                continue
            variable = plan.nodes[place].variable
            if not plan.chance(place):
                self.known.append((place, atom.op, stated))
            elif atom.op == "=":
                if not points:
                    raise _pointless(atom.term.variable, stated)
                self.never = True
            elif atom.op == "!=":
                continue
            elif variable in self.whole:
                self.open.setdefault(variable, []).append((place, atom.op, stated))
                chance |= plan.noise_chance[variable] - {variable} | plan.mean_chance[place]
            else:
                self.drawn.append((place, atom.op, stated))
                chance |= plan.chance(place)
        self.chance = chance

    def __call__(self, run: Run, draw: Draw) -> Any:
        """Return the event's probability at every draw."""
        plan, result = run.plan, np.float64(not self.never)
        for node, op, stated in self.known:
            result = result * holds(float(draw.value(plan, node)), op, stated)
        for node, op, stated in self.drawn:
            value = draw.value(plan, node)
            result = result * (value > stated if op in {">", ">="} else value < stated)
        for variable, cuts in self.open.items():
            law = plan.law(variable)
            low, high = draw.limits[variable]
            whole = law.mass(low, high)
            for node, op, stated in cuts:
                low, high = narrow(low, high, op, stated - draw.means[node])
            part = law.mass(low, high)
            zero = np.zeros_like(part * whole)
            result = result * np.divide(part, whole, out=zero, where=whole > 0)
        return result


def unread(plan: Plan) -> frozenset[str]:
    """Return the free variables whose noise no other variable of the question reads."""
    read = {place for node in plan.nodes for place in node.parents if not isinstance(place, float)}
    return frozenset(
        variable
        for variable, copies in plan.copies.items()
        if variable in plan.noise_chance[variable] and not read.intersection(copies)
    )


def _pointless(name: str, stated: float) -> QueryError:
    return QueryError(
        f"'{name}' is real, so P({name}={stated:g}) is 0 for every single number; ask for a "
        f"range such as P({name} > {stated:g}), or for E[{name}]."
    )
