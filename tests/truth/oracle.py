"""A second opinion by brute force: every unit, one by one, from noise and tables alone.

Pure Python on purpose and blind to the engine: it walks over all combinations of noise values,
solves each world that a term names, and adds up the probabilities of the units.
"""

from __future__ import annotations

from itertools import product
from math import fsum, prod
from typing import TYPE_CHECKING

from causalbench.query import Expectation, Query, Term

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.query import Atom, Quantity, Subscript
    from causalbench.scm import SCM

__all__ = ["brute", "brute_joint", "brute_quantity"]

Unit = dict[str, int]


def units(scm: SCM) -> Iterator[tuple[float, Unit]]:
    """Yield every unit with its probability."""
    names = list(scm.names)
    noises = [list(enumerate(scm.mechanism(name).noise.tolist())) for name in names]
    for combination in product(*noises):
        probability = prod(p for _, p in combination)
        if probability > 0:
            yield probability, {n: s for n, (s, _) in zip(names, combination, strict=True)}


def evaluate(scm: SCM, unit: Unit, variable: str, subscript: Subscript) -> str:
    """Return the label of a variable in one unit, with its subscript forced."""
    forced = {}
    for name, setting in subscript:
        nested = isinstance(setting, Term)
        forced[name] = (
            evaluate(scm, unit, setting.variable, setting.subscript) if nested else setting
        )
    memory: dict[str, str] = {}

    def label(name: str) -> str:
        if name in forced:
            return forced[name]
        if name not in memory:
            mechanism = scm.mechanism(name)
            at = [scm.variable(p).values.index(label(p)) for p in mechanism.parents]
            code = mechanism.table[(unit[name], *at)]
            memory[name] = scm.variable(name).values[int(code)]
        return memory[name]

    return label(variable)


def holds(scm: SCM, unit: Unit, atom: Atom) -> bool:
    """Tell whether an atom holds in a unit."""
    actual = evaluate(scm, unit, atom.term.variable, atom.term.subscript)
    if atom.op == "=":
        return actual == atom.value
    if atom.op == "!=":
        return actual != atom.value
    variable = scm.variable(atom.term.variable)
    number = variable.numbers[variable.values.index(actual)]
    return {
        "<": number < atom.value,
        "<=": number <= atom.value,
        ">": number > atom.value,
        ">=": number >= atom.value,
    }[atom.op]


def brute_quantity(scm: SCM, quantity: Quantity) -> float | None:
    """Return the value of a quantity, or None where its condition never happens."""
    above, below = [], []
    for probability, unit in units(scm):
        if not all(holds(scm, unit, atom) for atom in quantity.given):
            continue
        below.append(probability)
        if isinstance(quantity, Expectation):
            term = quantity.term
            variable = scm.variable(term.variable)
            actual = evaluate(scm, unit, term.variable, term.subscript)
            above.append(probability * variable.numbers[variable.values.index(actual)])
        elif all(holds(scm, unit, atom) for atom in quantity.event):
            above.append(probability)
    return fsum(above) / fsum(below) if below else None


def brute(scm: SCM, query: Query) -> float | None:
    """Return the value of a query, or None where some condition never happens."""
    parts = [(weight, brute_quantity(scm, quantity)) for weight, quantity in query.terms]
    if any(part is None for _, part in parts):
        return None
    return query.constant + fsum(weight * part for weight, part in parts)


def brute_joint(scm: SCM, terms: list[Term], given: list[Atom]) -> dict[tuple[str, ...], float]:
    """Return P(terms = ..., given), not normalised, by labels; what is absent is zero."""
    found: dict[tuple[str, ...], list[float]] = {}
    for probability, unit in units(scm):
        if all(holds(scm, unit, atom) for atom in given):
            key = tuple(evaluate(scm, unit, t.variable, t.subscript) for t in terms)
            found.setdefault(key, []).append(probability)
    return {key: fsum(parts) for key, parts in found.items()}
