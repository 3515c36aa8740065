"""Draw a world anew with idle arrows or in another order, so that more may move.

Where no diagram is shown, a world with further arrows that carry nothing has every law of the old
one, and is as good a place to look for witnesses from: what is idle in it need not be so in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from causalbench.query.algebra import nested_terms, terms
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.couplings import couple, natural_coupling
from causalbench.truth.bounds.witness import fresh
from causalbench.truth.laws import law

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.query.ast import Query

__all__ = ["redrawn", "turned"]

_CELLS = 2**12


def redrawn(world: SCM, query: Query) -> Iterator[SCM]:
    """Yield the world with idle arrows from what a query sets to what it asks of.

    The second one has an idle hidden cause of all of these besides.

    Args:
        world: a discrete world with all its couplings.
        query: over visible variables.
    """
    causes, effects = _parts(query)
    made = world
    for cause in causes:
        for effect in effects:
            if cause in made.parents(effect) or effect in made.full_diagram.ancestors([cause]):
                continue
            made = _with_parent(made, effect, cause)
    if made is not world:
        yield made
    name = fresh("u", made.names)
    coin = Variable(name, ("0", "1"), hidden=True)
    toss = Mechanism((), np.array([0.5, 0.5]), np.arange(2))
    made = made.replace(variables={name: coin}, mechanisms={name: toss})
    for effect in dict.fromkeys([*causes, *effects]):
        made = _with_parent(made, effect, name)
    yield made


def turned(world: SCM, query: Query) -> SCM | None:
    """Return a world in which what a query sets comes first, with the law that is seen.

    Every law is that of a world without hidden variables in any order one likes; None where that
    takes tables of more than 2^12 cells.

    Args:
        world: a discrete world.
        query: over visible variables.
    """
    causes, effects = _parts(query)
    order = list(dict.fromkeys([*causes, *effects, *world.visible]))
    if np.prod([world.variable(name).cardinality for name in order], dtype=float) > _CELLS:
        return None
    joint = law(world, order)
    mechanisms = {}
    for place, name in enumerate(order):
        seen = joint.sum(axis=tuple(range(place + 1, len(order))))
        rows = seen.sum(axis=-1, keepdims=True)
        # Where the parents' values never occur, any row will do.
        cpt = np.where(rows > 0.0, seen / np.where(rows > 0.0, rows, 1.0), 1.0 / seen.shape[-1])
        mechanisms[name] = couple(cpt, natural_coupling(cpt), order[:place])
    return SCM({name: world.variable(name) for name in world.visible}, mechanisms)


def _parts(query: Query) -> tuple[list[str], list[str]]:
    """Return the variables that are set at any depth, and those that are looked at."""
    every = list(nested_terms(t for _, quantity in query.terms for t in terms(quantity)))
    causes = {name for term in every for name, _ in term.subscript}
    return sorted(causes), sorted({term.variable for term in every})


def _with_parent(world: SCM, name: str, parent: str) -> SCM:
    """Return the world with one more arrow, which changes nothing."""
    old = world.mechanism(name)
    if not isinstance(old, Mechanism):
        return world
    card = world.variable(parent).cardinality
    table = np.repeat(old.table[..., None], card, axis=-1)
    return world.replace(mechanisms={name: Mechanism((*old.parents, parent), old.noise, table)})
