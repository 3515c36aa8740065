"""Rung-2 pairs to order, and their laws by an independent route: products summed in pure Python."""

from __future__ import annotations

import numpy as np

from causalbench.rng import generator
from causalbench.task.construct.order import Order
from causalbench.task.construct.rung2 import build
from causalbench.task.terms import terms

_DRAFTS: dict[tuple[str, str, str], object] = {}


def draft_of(form, access, motif, index=0):
    """The first pair that a builder makes to an order."""
    key = (form, access, motif, index)
    if key not in _DRAFTS:
        rng = generator(index, f"test-rung2-{form}-{access}-{motif}")
        order = Order(form, terms(access), motif=motif, index=index)
        tries = (build(rng, order) for _ in range(800))
        _DRAFTS[key] = next(draft for draft in tries if draft is not None)
    return _DRAFTS[key]


def tables(scm):
    """Variable -> (parents, {(values of the parents..., value): probability}), off the noise."""
    found = {}
    for name in scm.names:
        mechanism = scm.mechanism(name)
        cells: dict[tuple[int, ...], float] = {}
        for noise, chance in enumerate(mechanism.noise.tolist()):
            for codes in np.ndindex(*mechanism.table.shape[1:]):
                cell = (*codes, int(mechanism.table[(noise, *codes)]))
                cells[cell] = cells.get(cell, 0.0) + chance
        found[name] = (tuple(mechanism.parents), cells)
    return found


def weights(scm, do=None):
    """Every assignment of all variables with its probability, by the truncated product."""
    made, forced = tables(scm), dict(do or {})
    done: list[dict[str, int]] = [{}]
    mass = [1.0]
    left = list(scm.names)
    while left:
        name = next(n for n in left if all(p in done[0] for p in made[n][0]))
        left.remove(name)
        above, cells = made[name]
        labels = range(scm.variable(name).cardinality)
        grown, heavy = [], []
        for fact, chance in zip(done, mass, strict=True):
            for code in labels:
                if name in forced:
                    share = float(code == forced[name])
                else:
                    share = cells.get((*(fact[p] for p in above), code), 0.0)
                if share:
                    grown.append({**fact, name: code})
                    heavy.append(chance * share)
        done, mass = grown, heavy
    return list(zip(done, mass, strict=True))


def law_of(scm, names, do=None):
    """P(names | do), as a dict from codes, in names' order."""
    total: dict[tuple[int, ...], float] = {}
    for fact, chance in weights(scm, do):
        key = tuple(fact[name] for name in names)
        total[key] = total.get(key, 0.0) + chance
    return total


def quantity_of(scm, quantity):
    """P(event | do(one world), given), with labels that are codes."""
    subscripts = {atom.term.subscript for atom in (*quantity.event, *quantity.given)}
    (world,) = subscripts
    do = {name: int(label) for name, label in world}
    above = below = 0.0
    for fact, chance in weights(scm, do):
        if all(fact[a.term.variable] == int(a.value) for a in quantity.given):
            below += chance
            if all(fact[a.term.variable] == int(a.value) for a in quantity.event):
                above += chance
    return above / below
