"""The axioms, by hand and against every unit of small random worlds."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalbench.query import (
    Atom,
    Expectation,
    Probability,
    Query,
    Term,
    normalise,
    parse,
    variables,
    worlds,
)
from causalbench.query.algebra import normalise_conjunction

ORDER = ("z", "x", "m", "y")
BITS = ("0", "1")

REWRITTEN = [
    ("P(y[x=1]=1 | x=1)", "P(y=1 | x=1)"),
    ("P(y[x=1, z=0]=1 | z=0, x=1)", "P(y=1 | z=0, x=1)"),
    ("P(y[x=1, z=0]=1 | z[x=1]=0)", "P(y=1 | do(x=1), z=0)"),
    ("P(y[x=1, m=m[x=1]]=1)", "P(y=1 | do(x=1))"),
    ("P(y[x=1, m=m[x=0]]=1, m[x=0]=1)", "P(y[x=1, m=1]=1, m[x=0]=1)"),
    ("P(x[x=1]=1, y=1)", "P(y=1)"),
    ("P(x[x=x[z=1]]=1)", "P(x[z=1]=1)"),
    ("P(y=1, y=1 | z=0, z=0)", "P(y=1 | z=0)"),
    ("P(y[x=1, m=m[x=x[]]]=1 | x=1)", "P(y=1 | x=1)"),
    ("E[y[x=1, m=m[]] | x=1]", "E[y | x=1]"),
    ("P(y[x=1]=1 | x=0)", "P(y[x=1]=1 | x=0)"),
    ("P(x[x=1]=0 | z=1)", "P(x[x=1]=0 | z=1)"),
    ("P(x=1 | do(x=1))", "P(x=1 | do(x=1))"),
    ("P(x=1 | y[x=1]=1)", "P(x=1 | y[x=1]=1)"),
    ("P(y[x=1]=1 | x=1) - P(y=1 | x=1)", "0*P(y=1 | x=1)"),
]


@pytest.mark.parametrize(("text", "expected"), REWRITTEN)
def test_normalise(text, expected):
    """A quantity is simplified by effectiveness and composition, and by nothing else."""
    assert parse(expected) == normalise(parse(text))


def test_normalise_keeps_the_query():
    """The stored query is not changed."""
    query = parse("P(y[x=1]=1 | x=1)")
    normalise(query)
    assert query == parse("P(y[x=1]=1 | x=1)")


def test_impossible_conjunction():
    """Effectiveness can make a conjunction impossible."""
    (quantity,) = (quantity for _, quantity in parse("P(x[x=1]=0, y=1)").terms)
    assert normalise_conjunction(quantity.event) is None


def test_worlds():
    """Atoms are grouped by subscript, in stated order."""
    (quantity,) = (quantity for _, quantity in parse("P(y[x=1]=1, z=0 | y=0)").terms)
    (hit, calm), (seen,) = quantity.event, quantity.given
    assert {(("x", "1"),): (hit,), (): (calm, seen)} == worlds(quantity)


def test_worlds_of_an_expectation():
    """The target of an expectation has a world even if no atom does."""
    (quantity,) = (quantity for _, quantity in parse("E[y[x=1] | z=0]").terms)
    assert {(("x", "1"),): (), (): quantity.given} == worlds(quantity)


def test_variables():
    """Every name counts, in subscripts at any depth too."""
    query = parse("P(y[m=m[x=0]]=1 | z=1) + E[t]")
    assert {"y", "m", "x", "z", "t"} == variables(query)


# An engine of its own: four binary variables, each a function of the ones before it; a unit is
# one function for each variable, so an event can be checked unit by unit.

TABLES = {name: list(itertools.product(BITS, repeat=2**i)) for i, name in enumerate(ORDER)}
units = st.fixed_dictionaries({name: st.sampled_from(TABLES[name]) for name in ORDER})


def value(unit, name, subscript):
    """Evaluate a variable in one unit under a subscript."""
    forced = dict(subscript)
    if name in forced:
        setting = forced[name]
        return evaluate(unit, setting) if isinstance(setting, Term) else setting
    row = 0
    for parent in ORDER[: ORDER.index(name)]:
        row = 2 * row + int(value(unit, parent, subscript))
    return unit[name][row]


def evaluate(unit, term):
    """Evaluate a term in one unit."""
    return value(unit, term.variable, term.subscript)


def holds(unit, atoms):
    """Tell whether a conjunction holds in one unit."""
    return all((evaluate(unit, atom.term) == atom.value) == (atom.op == "=") for atom in atoms)


def mean(population, quantity):
    """Evaluate a quantity over equally likely units; None where the condition never happens."""
    chosen = [unit for unit in population if holds(unit, quantity.given)]
    if not chosen:
        return None
    if isinstance(quantity, Expectation):
        hits = [int(evaluate(unit, quantity.term)) for unit in chosen]
    else:
        hits = [int(holds(unit, quantity.event)) for unit in chosen]
    return Fraction(sum(hits), len(chosen))


bits = st.sampled_from(BITS)


def subscripts(inner):
    """Draw subscripts whose nested terms come from ``inner``."""
    names = st.lists(st.sampled_from(ORDER), max_size=3, unique=True)
    return names.flatmap(
        lambda chosen: st.tuples(
            *(
                st.tuples(
                    st.just(name),
                    bits if inner is None else bits | inner.map(lambda s, n=name: Term(n, s)),
                )
                for name in sorted(chosen)
            )
        )
    )


flat = subscripts(None)
terms = st.builds(Term, st.sampled_from(ORDER), st.one_of(flat, subscripts(flat)))
atoms = st.builds(Atom, terms, st.sampled_from(["=", "=", "=", "!="]), bits)
conjunctions = st.lists(atoms, max_size=4).map(tuple)


@settings(max_examples=400, deadline=None)
@given(conjunctions, st.lists(units, min_size=20, max_size=20))
def test_simplified_conjunction_is_the_same_event(conjunction, population):
    """In every unit of any world, the simplified conjunction holds if the given one does."""
    simple = normalise_conjunction(conjunction)
    for unit in population:
        assert holds(unit, conjunction) == (simple is not None and holds(unit, simple))


quantities = st.one_of(
    st.builds(Probability, st.lists(atoms, min_size=1, max_size=3).map(tuple), conjunctions),
    st.builds(Expectation, terms, conjunctions),
)


@settings(max_examples=400, deadline=None)
@given(quantities, st.lists(units, min_size=20, max_size=20))
def test_normalised_quantity_has_the_same_value(quantity, population):
    """Simplifying changes neither a quantity's value nor whether it exists, in any world."""
    ((_, simple),) = normalise(Query(((1.0, quantity),))).terms
    assert mean(population, quantity) == mean(population, simple)


@settings(max_examples=200, deadline=None)
@given(quantities)
def test_normalise_is_idempotent(quantity):
    """Simplifying twice gives what simplifying once gives, and never a higher rung."""
    query = Query(((1.0, quantity),))
    assert normalise(query) == normalise(normalise(query))
    assert normalise(query).rung <= query.rung
