"""Use what experiments show of the causal order, where no diagram does.

Where setting y changes the law of x, y is a cause of x in every world with these laws. No world is
cyclic, so x is no cause of y there: y[x=..., z=...] is y[z=...], unit by unit.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.query.algebra import terms
from causalbench.query.ast import Atom, Expectation, Term

if TYPE_CHECKING:
    from causalbench.query.ast import Quantity
    from causalbench.truth.permitted import Permitted

__all__ = ["without_effects_on_causes"]

_CHANGED = 1e-6  # what changes a law by less may be rounding
_EXPERIMENTS = 256


def without_effects_on_causes(permitted: Permitted, quantity: Quantity) -> Quantity:
    """Return a quantity whose terms drop what is set of variables that their own are causes of.

    Args:
        permitted: its experiments are looked at.
        quantity: over visible variables.
    """
    if not any(term.subscript for term in terms(quantity)):
        return quantity
    acts = _acts(permitted)
    if not acts:
        return quantity

    def put(term: Term) -> Term:
        kept = tuple(
            (name, put(setting) if isinstance(setting, Term) else setting)
            for name, setting in term.subscript
            if name == term.variable or name not in acts.get(term.variable, ())
        )
        return Term(term.variable, kept)

    def put_all(atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(replace(atom, term=put(atom.term)) for atom in atoms)

    if isinstance(quantity, Expectation):
        return replace(quantity, term=put(quantity.term), given=put_all(quantity.given))
    return replace(quantity, event=put_all(quantity.event), given=put_all(quantity.given))


def _acts(permitted: Permitted) -> dict[str, set[str]]:
    """Return what experiments show each variable to be a cause of, near or far."""
    names = sorted(permitted.manipulable)
    cells = np.prod([len(permitted.labels[name]) + 1.0 for name in names])
    if not names or cells > _EXPERIMENTS:
        return {}
    found: dict[str, set[str]] = {name: set() for name in permitted.names}
    for size in range(len(names)):
        for held in combinations(names, size):
            for labels in product(*(permitted.labels[name] for name in held)):
                do = dict(zip(held, labels, strict=True))
                for name in names:
                    if name not in do:
                        found[name] |= _changed(permitted, name, do)
    for middle in permitted.names:
        for first in permitted.names:
            if middle in found[first]:
                found[first] |= found[middle]
    return found


def _changed(permitted: Permitted, name: str, do: dict[str, str]) -> set[str]:
    """Return the variables whose law depends on what a variable is set to, others held."""
    changed = set()
    for other in permitted.names:
        if other == name or other in do:
            continue
        laws = [permitted.law([other], {**do, name: label}) for label in permitted.labels[name]]
        if any(np.abs(law - laws[0]).max() > _CHANGED for law in laws):
            changed.add(other)
    return changed
