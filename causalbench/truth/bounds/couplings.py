"""Bound a rung-3 query in a world that gives tables but not all couplings.

The worlds that are left: these tables P(value | all parents), hidden parents too, independent noise
for each mechanism, and any couplings. What the query's parallel worlds have in common is the
variables that no intervention changes; given those that border on changed ones, Frechet's
inequalities bound the joint probability by single-world ones. Where one mechanism alone is read at
several rows, a linear program gives the exact ends. Named couplings give values that are attained.

Reference: Frechet (1935), Generalisation du theoreme des probabilites totales; Tian and Pearl
(2000), Probabilities of causation: bounds and identification.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import (
    CouplingError,
    QueryError,
    TooWideError,
    WorldError,
    ZeroProbabilityError,
)
from causalbench.query.algebra import normalise_conjunction, variables, worlds
from causalbench.query.ast import Atom, Choice, Expectation, Probability, Query, Term
from causalbench.query.parser import parse
from causalbench.query.render import render
from causalbench.truth.bounds.couplings_program import demands, merged, program_ends
from causalbench.truth.bounds.types import Bounds
from causalbench.truth.certificate import Witness
from causalbench.truth.discrete import no_such_case
from causalbench.truth.engine import table
from causalbench.truth.exact import value
from causalbench.truth.structure import compiled
from causalbench.truth.worlds import Worlds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from causalbench.query.ast import Operator, Subscript
    from causalbench.scm import SCM
    from causalbench.scm.couplings import Coupling
    from causalbench.truth.bounds.couplings_program import Demand

__all__ = ["coupling_bounds", "coupling_error", "open_mechanisms"]

_CELLS = 2**18  # of the joint law of the shared variables
_AGREE = 1e-9
_TURNED = 6  # how many parents an antitone coupling is tried in, those that are asked of first
_FRECHET = (
    "Frechet inequalities given the shared variables",
    "Frechet (1935); Tian and Pearl (2000)",
)
_PROGRAM = "linear program over the functions of one mechanism", "Balke and Pearl (1994)"
_NOT: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
Range = tuple[float, float]


def coupling_bounds(world: Any, query: str | Query) -> Bounds:
    """Return the range of a query over all couplings that a world leaves open.

    Args:
        world: a discrete SCM, or anything with one as ``.scm``.
        query: text or a query; a choice has no number.

    Returns:
        The bounds; both ends are the value itself where no coupling matters.

    Raises:
        QueryError: a choice, or as `truth`.
        ZeroProbabilityError: a condition of probability zero.
    """
    scm: SCM = getattr(world, "scm", world)
    asked = parse(query, scm.vocabulary) if isinstance(query, str) else query
    if not isinstance(asked, Query):
        raise QueryError("a choice has no number to bound; ask for the value of one action.")
    names = open_mechanisms(scm, asked)
    if not names:
        number = value(scm, asked)
        return Bounds(
            number, number, number, number, sharp=True, method="exact", source="", witnesses=None
        )
    lower, upper = _outer(scm, asked)
    method, source = _FRECHET
    inner = list(_named(scm, asked, names))
    ends = program_ends(scm, asked, names[0]) if len(names) == 1 else None
    if ends is not None:
        method, source = _PROGRAM
        lower, upper = max(lower, ends[0].bound), min(upper, ends[1].bound)
        inner += [Witness(end.scm, end.value) for end in ends]
    if not inner:
        return Bounds(
            lower, upper, lower, upper, sharp=False, method=method, source=source, witnesses=None
        )
    least, most = (end(inner, key=lambda witness: witness.value) for end in (min, max))
    sharp = least.value - lower <= _AGREE and upper - most.value <= _AGREE
    return Bounds(
        lower=min(lower, least.value),  # round-off alone may put a value outside
        upper=max(upper, most.value),
        inner_lower=least.value,
        inner_upper=most.value,
        sharp=sharp,
        method=method,
        source=source,
        witnesses=(least, most),
    )


def coupling_error(scm: SCM, query: Query | Choice) -> CouplingError:
    """Return the error that says which couplings a query needs, and how far its tables go."""
    objectives = query.options() if isinstance(query, Choice) else [("it", query)]
    names: dict[str, None] = {}
    said, sharp = [], True
    for label, objective in objectives:
        names.update(dict.fromkeys(open_mechanisms(scm, objective)))
        try:
            found = coupling_bounds(scm, objective)
        except TooWideError:
            said.append(f"the bounds of {label} need too large a table")
            continue
        sharp = sharp and found.sharp
        said.append(f"{label} lies in [{found.lower:.6g}, {found.upper:.6g}]")
    several = "s" if len(names) > 1 else ""
    listed = ", ".join(f"'{name}'" for name in names)
    ranges = ", ".join(said) + ("" if sharp else " (some of which no coupling may reach)")
    return CouplingError(
        f"{render(query) if isinstance(query, Query) else 'the choice'} depends on the"
        f" coupling{several} of {listed}, which this world does not give: {ranges};"
        " name one, e.g. world.coupled('monotone'), or --coupling monotone."
    )


def open_mechanisms(scm: SCM, query: Query) -> tuple[str, ...]:
    """Return the variables without a coupling that a query reads at several rows in one unit."""
    found: set[str] = set()
    for _, quantity in query.terms:
        for demand in demands(quantity):
            found.update(_open(scm, demand))
    return tuple(name for name in scm.order if name in found)


def _open(scm: SCM, demand: Demand) -> list[str]:
    nodes = merged(scm, demand)
    copies = Counter(nodes[0].variables[node] for node in nodes[1])
    noise = compiled(scm).noise
    names = nodes[0].structure.names
    return [names[v] for v, count in copies.items() if count > 1 and noise[v] is None]


def _named(scm: SCM, query: Query, names: Sequence[str]) -> Iterator[Witness]:
    """Evaluate the query under the couplings that have names."""
    parents = {name: scm.parents(name) for name in names}
    wanted: list[dict[str, Coupling]] = [
        dict.fromkeys(names, kind) for kind in ("independent", "monotone")
    ]
    asked = variables(query)
    turned = sorted(
        {p for each in parents.values() for p in each}, key=lambda p: (p not in asked, p)
    )
    wanted += [
        {n: {"antitone": {"in": p}} if p in parents[n] else "monotone" for n in names}
        for p in turned[:_TURNED]
    ]
    for couplings in wanted:
        try:
            made = scm.coupled(couplings)
            yield Witness(made, value(made, query))
        except (WorldError, TooWideError, ZeroProbabilityError):
            continue  # too wide a table, or a condition that never happens so


def _outer(scm: SCM, query: Query) -> Range:
    lower = upper = query.constant
    for weight, quantity in query.terms:
        low, high = (
            _mean(scm, quantity)
            if isinstance(quantity, Expectation)
            else _chance(scm, quantity.event, quantity.given)
        )
        lower += weight * (low if weight >= 0 else high)
        upper += weight * (high if weight >= 0 else low)
    return lower, upper


def _mean(scm: SCM, quantity: Expectation) -> Range:
    """Bound a mean by its tail sums: the least number, plus each step times P(at least so far)."""
    structure = compiled(scm).structure
    position = structure.position(quantity.term.variable)
    numbers = structure.numbers_of(position, "E[...]")
    rising = sorted(range(len(numbers)), key=numbers.__getitem__)
    low = high = numbers[rising[0]]
    for place in range(1, len(rising)):
        below = [structure.values[position][code] for code in rising[:place]]
        event = tuple(Atom(quantity.term, "!=", label) for label in below)
        step = numbers[rising[place]] - numbers[rising[place - 1]]
        part = _chance(scm, event, quantity.given)
        low, high = low + step * part[0], high + step * part[1]
    return low, high


def _chance(scm: SCM, event: tuple[Atom, ...], given: tuple[Atom, ...]) -> Range:
    """Bound P(event | given)."""
    low, high = _joint(scm, event + given)
    if not given:
        return low, high
    least, most = _joint(scm, given)
    if most <= 0.0:
        raise no_such_case(given)
    if least == most:
        return low / most, min(1.0, high / least)
    if len(event) == 1:
        (atom,) = event
        other = _joint(scm, (replace(atom, op=_NOT[atom.op]), *given))
        return _share(low, other[1], 0.0), _share(high, other[0], 1.0)
    return low / most, min(1.0, high / least) if least > 0.0 else 1.0


def _share(part: float, rest: float, empty: float) -> float:
    return part / (part + rest) if part + rest > 0.0 else empty


def _joint(scm: SCM, atoms: tuple[Atom, ...]) -> Range:
    """Bound the probability of a conjunction."""
    normal = normalise_conjunction(atoms)
    if normal is None:
        return 0.0, 0.0
    if not _open(scm, ((), normal)):
        exact = float(table(scm, (), normal))
        return exact, exact
    groups = worlds(Probability(normal))
    shared = _shared(scm, groups)
    while True:
        try:
            return _frechet(scm, groups, shared)
        except TooWideError:
            if not shared:
                raise
            shared = shared[:-1]  # wider bounds, and still bounds


def _frechet(
    scm: SCM, groups: Mapping[Subscript, tuple[Atom, ...]], shared: Sequence[str]
) -> Range:
    """Bound the joint probability of events, each of one world, given the shared variables."""
    whole = table(scm, [Term(name, next(iter(groups))) for name in shared])
    most, unknown = whole, False
    missing = np.zeros(whole.shape)  # how much of the shared law the groups so far leave out
    for subscript, group in groups.items():
        terms = tuple(Term(name, subscript) for name in shared)
        if _open(scm, (terms, group)):
            unknown = True
            continue
        part = table(scm, terms, group)
        most = np.minimum(most, part)
        missing = missing + (whole - part)
    least = np.zeros(()) if unknown else np.maximum(0.0, whole - missing)
    return float(least.sum()), float(most.sum())


def _shared(scm: SCM, groups: Mapping[Subscript, tuple[Atom, ...]]) -> list[str]:
    """Return the variables that are the same in all the worlds and border on others, or are asked.

    Given them, nothing else that the worlds share matters: it acts through them.
    """
    structure = compiled(scm).structure
    nodes = Worlds(structure)
    reached: list[set[int]] = []
    asked: set[int] = set()
    for group in groups.values():
        here = [ref for atom in group if (ref := nodes.reference(atom.term)) >= 0]
        asked.update(here)
        reached.append(nodes.reached(here))
    count = Counter(node for found in reached for node in found)
    common = set()
    for node, times in count.items():
        name = structure.names[nodes.variables[node]]
        if times > 1 and all(nodes.reference(Term(name, each)) == node for each in groups):
            common.add(node)
    border = {
        ref
        for node in set().union(*reached) - common
        for ref in nodes.references[node]
        if ref in common
    }
    chosen = sorted(border | (asked & common), key=lambda n: structure.cards[nodes.variables[n]])
    while math.prod(structure.cards[nodes.variables[n]] for n in chosen) > _CELLS:
        chosen.pop()  # wider bounds, and still bounds
    return [structure.names[nodes.variables[node]] for node in chosen]
