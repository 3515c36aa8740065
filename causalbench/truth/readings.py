"""Answer a query as a perfect solver of a lower rung would: its readings.

The atoms are grouped by world (subscript) and the worlds are read one by one:

*do* keeps, for each world of the target, the evidence of that same world, and moves there the
evidence whose variable neither world's interventions can change; the rest is dropped. *see* takes
the subscript as plain conditions in the one law that is seen, with the evidence but for intervened
and target variables. Worlds multiply, and a nested value is drawn on its own, from its own world's
reading. *marginal* multiplies the laws of single variables.

A query of rung k is its own reading at k and above. Where a condition has probability zero, the
evidence is taken in stated order, each part only if it is possible with the action and what was
taken before; an action that is itself impossible is dropped, with all the evidence.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from causalbench.errors import QueryError, ZeroProbabilityError
from causalbench.query.ast import Atom, Expectation, Probability, Query, Term
from causalbench.query.rung import rung_of

if TYPE_CHECKING:
    from causalbench.query.ast import Quantity, Subscript

__all__ = [
    "RANKS",
    "Judge",
    "conditions",
    "enumerate_nested",
    "possible_part",
    "quantity_reading",
    "query_reading",
    "reading",
    "world_reading",
]

RANKS = {"marginal": 0, "see": 1, "do": 2, "imagine": 3}
"""The readings, and the rung that each is confined to."""

Goal = tuple[Atom, ...] | Term  # an event, or the term whose mean is asked


class Judge(Protocol):
    """A world that can be asked for quantities (`Discrete`, `Gaussian`)."""

    def quantity(self, quantity: Quantity) -> tuple[float, float]:
        """Return a quantity's value and error."""

    def number(self, quantity: Quantity) -> float:
        """Return a quantity's value for a reading, where a real value has probability 0."""

    def possible(self, given: tuple[Atom, ...]) -> bool:
        """Tell whether a condition can be."""

    def affected(self, variable: str, by: frozenset[str]) -> bool:
        """Tell whether a variable is among some variables or a descendant of one."""

    def nested(self, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str) -> float:
        """Return the reading of a goal in a world with nested values."""


def reading(world: Any, query: str | Query, kind: str) -> float:
    """Return one reading of a query.

    Args:
        world: an SCM, or anything with one as ``.scm``.
        query: text or a query.
        kind: ``marginal``, ``see``, ``do`` or ``imagine``.

    Raises:
        QueryError: as `truth`; also a reading of another name, or a choice.
        ZeroProbabilityError: the query's own condition has probability zero.
    """
    from causalbench.truth.exact import prepare  # which builds on this module

    return query_reading(*prepare(world, query), kind)


cached_rung = lru_cache(maxsize=4096)(rung_of)


def query_reading(judge: Judge, query: Query, kind: str) -> float:
    """Return one reading of a query.

    Args:
        judge: the world.
        query: what is asked.
        kind: ``marginal``, ``see``, ``do`` or ``imagine``.

    Raises:
        QueryError: a reading of another name.
        ZeroProbabilityError: the query itself has a condition of probability zero.
    """
    if kind not in RANKS:
        raise QueryError(f"'{kind}' is no reading; choose one of {', '.join(RANKS)}.")
    exact = cached_rung(query) <= RANKS[kind]
    total = query.constant
    for weight, quantity in query.terms:
        value = judge.quantity(quantity)[0] if exact else quantity_reading(judge, quantity, kind)
        total += weight * value
    return total


def quantity_reading(judge: Judge, quantity: Quantity, kind: str) -> float:
    """Return the ``marginal``, ``see`` or ``do`` reading of one quantity, by its stated form."""
    if kind == "marginal":
        return _marginal(judge, quantity)
    if isinstance(quantity, Expectation):
        term = Term(quantity.term.variable)
        return world_reading(judge, term, quantity.term.subscript, quantity.given, kind)
    groups: dict[Subscript, list[Atom]] = {}
    for atom in quantity.event:
        groups.setdefault(atom.term.subscript, []).append(_plain(atom))
    if kind == "see" and not any(groups) and not any(a.term.subscript for a in quantity.given):
        return judge.number(quantity)
    total = 1.0
    for world, atoms in groups.items():
        total *= world_reading(judge, tuple(atoms), world, quantity.given, kind)
    return total


def world_reading(
    judge: Judge, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str
) -> float:
    """Return the reading of a goal in one world.

    Args:
        judge: the world.
        goal: what is asked, without subscripts.
        world: the subscript that the goal carried.
        given: the evidence as stated, subscripts and all.
        kind: ``see`` or ``do``.
    """
    if any(isinstance(value, Term) for _, value in world):
        return judge.nested(goal, world, given, kind)
    action, evidence, goal = conditions(judge, goal, world, given, kind)
    whole = action + evidence
    try:
        return judge.number(_quantity(goal, whole))
    except ZeroProbabilityError:
        kept = possible_part(judge, action, evidence)
        return judge.number(_quantity(goal, kept))


def conditions(
    judge: Judge, goal: Goal, world: Subscript, given: tuple[Atom, ...], kind: str
) -> tuple[tuple[Atom, ...], tuple[Atom, ...], Goal]:
    """Return the action as conditions, the evidence that is kept, and the goal, in their world."""
    names = frozenset(name for name, _ in world)
    if kind == "see":
        targets = {goal.variable} if isinstance(goal, Term) else {a.term.variable for a in goal}
        action = tuple(Atom(Term(name), "=", value) for name, value in world)  # type: ignore[arg-type]
        without = names | targets
        evidence = tuple(_plain(atom) for atom in given if atom.term.variable not in without)
        return action, evidence, goal
    kept = []
    for atom in given:
        if atom.term.subscript != world:
            both = names | frozenset(name for name, _ in atom.term.subscript)
            if judge.affected(atom.term.variable, both):
                continue
        kept.append(_moved(atom, world))
    if isinstance(goal, Term):
        return (), tuple(kept), Term(goal.variable, world)
    return (), tuple(kept), tuple(_moved(atom, world) for atom in goal)


def enumerate_nested(
    judge: Judge,
    labels: dict[str, tuple[str, ...]],
    goal: Goal,
    world: Subscript,
    given: tuple[Atom, ...],
    kind: str,
) -> float:
    """Return the reading in a nested world by summing over the nested values.

    Args:
        judge: a discrete world.
        labels: the values of each variable that is set to a nested value.
        goal: what is asked, without subscripts.
        world: a subscript with nested terms; those of one inner world are drawn together.
        given: the evidence as stated.
        kind: ``see`` or ``do``.
    """
    inner: dict[Subscript, list[str]] = {}
    for name, value in world:
        if isinstance(value, Term):
            inner.setdefault(value.subscript, []).append(name)
    names = list(labels)
    total = 0.0
    for combination in product(*labels.values()):
        drawn = dict(zip(names, combination, strict=True))
        weight = 1.0
        for subscript, members in inner.items():
            event = tuple(Atom(Term(name), "=", drawn[name]) for name in members)
            weight *= world_reading(judge, event, subscript, given, kind)
            if weight <= 0.0:
                break
        if weight > 0.0:
            flat: Subscript = tuple((name, drawn.get(name, value)) for name, value in world)
            same = tuple(_moved(a, flat) if a.term.subscript == world else a for a in given)
            total += weight * world_reading(judge, goal, flat, same, kind)
    return total


def possible_part(
    judge: Judge, action: tuple[Atom, ...], evidence: tuple[Atom, ...]
) -> tuple[Atom, ...]:
    """Keep what is possible: the action, then the evidence in stated order."""
    if not judge.possible(action):
        return ()
    kept = action
    for atom in evidence:
        if judge.possible((*kept, atom)):
            kept = (*kept, atom)
    return kept


def _marginal(judge: Judge, quantity: Quantity) -> float:
    if isinstance(quantity, Expectation):
        return judge.number(Expectation(Term(quantity.term.variable)))
    total = 1.0
    for atom in quantity.event:
        total *= judge.number(Probability((_plain(atom),)))
    return total


def _quantity(goal: Goal, given: tuple[Atom, ...]) -> Quantity:
    return Expectation(goal, given) if isinstance(goal, Term) else Probability(goal, given)


def _plain(atom: Atom) -> Atom:
    return _moved(atom, ())


def _moved(atom: Atom, world: Subscript) -> Atom:
    if atom.term.subscript == world:
        return atom
    return Atom(Term(atom.term.variable, world), atom.op, atom.value)
