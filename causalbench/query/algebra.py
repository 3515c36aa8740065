"""Rewrite quantities by the axioms that hold in every world, and look at them world by world.

Effectiveness: ``X[x=1, ...]`` is 1. Composition: where ``X[w]`` is x, ``Y[x, w]`` is ``Y[w]``; so
``Y[w, m=M[w]]`` is ``Y[w]``. Exclusion (which variables matter to which) is never used: it needs a
world, and the rung of a query is a matter of its form.

Reference: Galles and Pearl, An axiomatic characterization of causal counterfactuals (1998).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from causalbench.query.ast import (
    COMPARE,
    Atom,
    Constant,
    Expectation,
    Probability,
    Quantity,
    Query,
    Subscript,
    Term,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "conjunctions",
    "is_nested",
    "nested_terms",
    "normalise",
    "normalise_conjunction",
    "settled",
    "shared_subscript",
    "terms",
    "variables",
    "worlds",
]


def terms(quantity: Quantity) -> tuple[Term, ...]:
    """Return the outer terms of a quantity in stated order, target first."""
    if isinstance(quantity, Expectation):
        return (quantity.term, *(atom.term for atom in quantity.given))
    return tuple(atom.term for atom in quantity.event + quantity.given)


def nested_terms(outer: Iterable[Term]) -> Iterator[Term]:
    """Yield some terms, and every term that their subscripts nest, at any depth."""
    stack = list(outer)
    while stack:
        term = stack.pop()
        yield term
        stack.extend(value for _, value in term.subscript if isinstance(value, Term))


def variables(query: Query) -> frozenset[str]:
    """Return every variable that a query mentions, subscripts included."""
    outer = (term for _, quantity in query.terms for term in terms(quantity))
    return frozenset(
        name
        for term in nested_terms(outer)
        for name in (term.variable, *(forced for forced, _ in term.subscript))
    )


def worlds(quantity: Quantity) -> dict[Subscript, tuple[Atom, ...]]:
    """Group the atoms of a quantity by subscript, in stated order.

    An expectation's target is no atom; its subscript is a key all the same.
    """
    groups: dict[Subscript, tuple[Atom, ...]] = {}
    atoms: tuple[Atom, ...] = quantity.given
    if isinstance(quantity, Expectation):
        groups[quantity.term.subscript] = ()
    else:
        atoms = quantity.event + atoms
    for atom in atoms:
        key = atom.term.subscript
        groups[key] = (*groups.get(key, ()), atom)
    return groups


def shared_subscript(quantity: Quantity) -> Subscript:
    """Return the subscript that all the terms of a quantity carry, else ``()``."""
    first, *rest = (term.subscript for term in terms(quantity))
    return first if all(subscript == first for subscript in rest) else ()


def is_nested(term: Term) -> bool:
    """Tell whether a subscript is set to a variable's value, not to a constant."""
    return any(isinstance(value, Term) for _, value in term.subscript)


def settled(atom: Atom) -> bool | None:
    """Return the truth of an atom that effectiveness decides, else None."""
    for name, value in atom.term.subscript:
        if name == atom.term.variable and not isinstance(value, Term):
            if isinstance(value, str) != isinstance(atom.value, str):
                return None  # a label beside a number: unchecked text, left alone
            return bool(COMPARE[atom.op](value, atom.value))
    return None


def normalise_conjunction(atoms: Sequence[Atom]) -> tuple[Atom, ...] | None:
    """Simplify a conjunction; None where effectiveness alone makes it impossible.

    Args:
        atoms: the conjunction.

    Returns:
        An equivalent conjunction, equal event for event in every world, without duplicates.
    """
    rewritten = _rewrite(atoms, ())
    kept = []
    for atom in rewritten:
        truth = settled(atom)
        if truth is False:
            return None
        if truth is None and atom not in kept:
            kept.append(atom)
    return tuple(kept)


def conjunctions(quantity: Quantity) -> tuple[tuple[Term, ...], ...]:
    """Return what a quantity's rung is read from: the terms of P(A, E) and of P(E), simplified.

    Returns:
        The terms left in the numerator and in the denominator; an impossible or certain one is ().
    """
    given = normalise_conjunction(quantity.given)
    below = tuple(atom.term for atom in given or ())
    if isinstance(quantity, Probability):
        joint = normalise_conjunction(quantity.event + quantity.given)
        return tuple(atom.term for atom in joint or ()), below
    if given is None:
        return (), ()
    target = _reduce(quantity.term, given)
    fixed = any(name == target.variable for name, _ in target.subscript)
    return (below if fixed else (target, *below)), below


def normalise(query: Query) -> Query:
    """Return an equal query simplified by effectiveness and composition.

    The condition is simplified by itself, the event with the help of the condition. Value and
    errors stay the same in every world: an atom that effectiveness makes certain goes only where
    another is left, and one that it makes impossible stays.
    """
    weights: dict[Quantity, float] = {}
    for weight, quantity in query.terms:
        simple = _normalise_quantity(quantity)
        weights[simple] = weights.get(simple, 0.0) + weight
    return replace(query, terms=tuple((weight, key) for key, weight in weights.items()))


@lru_cache(maxsize=8192)
def _normalise_quantity(quantity: Quantity) -> Quantity:
    """Simplify one quantity."""
    given = _tidy(_rewrite(quantity.given, ()))
    if isinstance(quantity, Expectation):
        return Expectation(_reduce(quantity.term, given), given)
    event = _tidy(_rewrite(quantity.event, given))
    return Probability(event or quantity.event[:1], given)


def _tidy(atoms: Sequence[Atom]) -> tuple[Atom, ...]:
    """Drop duplicates and certainties, stated order kept."""
    return tuple(dict.fromkeys(atom for atom in atoms if settled(atom) is not True))


def _rewrite(atoms: Sequence[Atom], facts: Sequence[Atom]) -> list[Atom]:
    """Reduce every atom's term by the other atoms and the facts, until nothing changes.

    Every step makes a term smaller, so it ends. An atom is only ever reduced by an atom of a
    smaller term, which stays, so that each step gives an equivalent conjunction.
    """
    result = list(atoms)
    changed = True
    while changed:
        changed = False
        for index, atom in enumerate(result):
            term = _reduce(atom.term, [*result, *facts])
            if term != atom.term:
                result[index] = replace(atom, term=term)
                changed = True
    return result


def _reduce(term: Term, facts: Sequence[Atom]) -> Term:
    """Reduce one term by effectiveness, by composition, and by equal values put for each other."""
    if not term.subscript:
        return term
    known = {fact.term: fact.value for fact in facts if fact.op == "="}
    entries: list[tuple[str, Constant | Term]] = []
    for name, value in term.subscript:
        if not isinstance(value, Term):
            entries.append((name, value))
            continue
        inner = _reduce(value, facts)
        if name == term.variable:
            return inner  # effectiveness with a nested value: Y[y=Y[w], ...] is Y[w]
        entries.append((name, known.get(inner, inner)))
    return Term(term.variable, _compose(term.variable, tuple(entries), known))


def _compose(variable: str, subscript: Subscript, known: dict[Term, Constant]) -> Subscript:
    """Drop the entries of a subscript that only set what would have been so anyway."""
    if any(name == variable for name, _ in subscript):
        return subscript  # effectiveness has the say over this one
    candidates = {fact.subscript for fact in known}
    candidates.update(value.subscript for _, value in subscript if isinstance(value, Term))
    for smaller in sorted(candidates, key=len):
        if len(smaller) >= len(subscript) or any(entry not in subscript for entry in smaller):
            continue
        dropped = [entry for entry in subscript if entry not in smaller]
        if all(
            value == Term(name, smaller) or known.get(Term(name, smaller)) == value
            for name, value in dropped
        ):
            return smaller
    return subscript
