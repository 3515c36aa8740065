"""Worlds of any coupling, random counterfactual questions, and numeric verdicts on them."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
from witness_search import Family, Search

from causalbench.query import Atom, Expectation, Probability, Query, Term
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth import Knowledge, value
from causalbench.truth.permitted import Permitted


def generic_world(diagram, rng, *, cards=(2,), rows=5, rising=()):
    """Draw a world whose mechanisms are laws over random functions; nothing has probability zero.

    Args:
        diagram: a hidden cause stands behind each of its bidirected edges.
        rng: a generator.
        cards: the cardinalities to choose from.
        rows: how many functions a mechanism mixes, constants not counted.
        rising: edges (x, y) along which y's functions never fall.
    """
    parents = {name: list(diagram.parents(name)) for name in diagram.nodes}
    variables, mechanisms = {}, {}
    for name in diagram.nodes:
        size = int(rng.choice(cards))
        labels = tuple(map(str, range(size)))
        variables[name] = Variable(name, labels, False, tuple(map(float, range(size))))  # noqa: FBT003
    for number, pair in enumerate(sorted(diagram.bidirected)):
        latent = f"hidden{number}"
        variables[latent] = Variable(latent, ("0", "1"), True)  # noqa: FBT003
        mechanisms[latent] = Mechanism((), rng.dirichlet([3.0, 3.0]), np.arange(2))
        for name in pair:
            parents[name].append(latent)
    for name in diagram.nodes:
        size = variables[name].cardinality
        shape = [variables[parent].cardinality for parent in parents[name]]
        table = rng.integers(0, size, size=(size + rows, *shape))
        for axis, parent in enumerate(parents[name], start=1):
            if (parent, name) in rising:
                table = np.sort(table, axis=axis)
        for code in range(size):
            table[code] = code  # a constant function: no value is impossible anywhere
        noise = rng.dirichlet(np.full(size + rows, 2.0))
        mechanisms[name] = Mechanism(tuple(parents[name]), noise, table)
    return SCM(variables, mechanisms)


def random_term(rng, diagram, labels, *, nested=0.0):
    """Draw y[x=., w=.] with at most two settings, mostly of causes of y, some of them nested."""
    names = list(diagram.nodes)
    outcome = str(rng.choice(names))
    causes = sorted(diagram.ancestors(outcome) - {outcome})
    pool = causes if causes and rng.random() < 0.9 else [n for n in names if n != outcome]
    size = min(len(pool), int(rng.integers(0, 3)))
    settings = []
    for name in rng.choice(pool, size=size, replace=False).tolist():
        if rng.random() < nested:
            others = [other for other in names if other != name]
            inner = rng.choice(others, size=int(rng.integers(0, 2)), replace=False).tolist()
            inside = tuple((other, str(rng.choice(labels[other]))) for other in inner)
            settings.append((name, Term(name, inside)))
        else:
            settings.append((name, str(rng.choice(labels[name]))))
    return Term(outcome, tuple(sorted(settings, key=lambda entry: entry[0])))


def random_counterfactual(
    rng, diagram, labels, *, nested=0.3, unequal=0.25, mean=0.1, conditions=2
):
    """Draw P(... | ...) or E[... | ...] with terms in any worlds."""

    def atoms(count):
        found = []
        for _ in range(count):
            term = random_term(rng, diagram, labels, nested=nested)
            operator = "!=" if rng.random() < unequal else "="
            found.append(Atom(term, operator, str(rng.choice(labels[term.variable]))))
        return tuple(found)

    given = atoms(int(rng.integers(0, conditions + 1)))
    if rng.random() < mean:
        return Expectation(random_term(rng, diagram, labels, nested=nested), given)
    return Probability(atoms(int(rng.integers(1, 4))), given)


def knowledge_of(rng, names, assumptions=()):
    """Draw what is permitted: data, all experiments, or experiments on some variables."""
    kind = int(rng.integers(3))
    if kind == 0:
        return Knowledge("see", "diagram", assumptions)
    some = None if kind == 1 else tuple(rng.choice(names, size=len(names) // 2, replace=False))
    return Knowledge("do", "diagram", assumptions, some)


def truth_of(scm, quantity):
    """Return the exact value of one quantity."""
    return value(scm, Query(((1.0, quantity),)))


def estimate(scm, knowledge, estimand):
    """Evaluate an estimand on what some knowledge of a world permits."""
    return estimand.evaluate(Permitted(scm, knowledge))


def flat(atoms, card):
    """Write a conjunction as a union of disjoint conjunctions of plain events.

    Returns:
        A list of lists of (variable, intervention, code): every nested term is set to every value,
        and so is an atom that several values satisfy.
    """
    nested = []

    def collect(term):
        for _, inner in term.subscript:
            if isinstance(inner, Term):
                collect(inner)
                if inner not in nested:
                    nested.append(inner)

    choices = []
    for atom in atoms:
        collect(atom.term)
        choices.append([c for c in range(card) if (c == int(atom.value)) == (atom.op == "=")])
    cases = []
    for codes in product(range(card), repeat=len(nested)):
        known = dict(zip(nested, codes, strict=True))

        def plain(term, code, known=known):
            forced = {
                name: known[inner] if isinstance(inner, Term) else int(inner)
                for name, inner in term.subscript
            }
            return term.variable, forced, code

        inside = [plain(term, code) for term, code in known.items()]
        for own in product(*choices):
            events = [plain(atom.term, code) for atom, code in zip(atoms, own, strict=True)]
            cases.append(inside + events)
    return cases


def numeric_search(ground, quantity, *, states):
    """Set the numeric search up: is a question settled by what is permitted, in a rich family?

    All variables have equally many values, with numbers 0, 1, ...
    """
    card = len(next(iter(ground.labels.values())))
    family = Family(ground.diagram, card=card, states=states, responses=True)
    below = [(1.0, events) for events in flat(quantity.given, card)]
    if isinstance(quantity, Expectation):
        above = [
            (float(code), events)
            for code in range(1, card)
            for events in flat((Atom(quantity.term, "=", str(code)), *quantity.given), card)
        ]
    else:
        above = [(1.0, events) for events in flat((*quantity.event, *quantity.given), card)]

    def query(theta):
        over, rise = _sum(family, theta, above)
        under, slope = _sum(family, theta, below)
        return over / under, (rise - over / under * slope) / under

    settable = sorted(ground.manipulable)
    experiments = [s for size in range(len(settable) + 1) for s in combinations(settable, size)]
    return Search(family, experiments, query)


def _sum(family, theta, cases):
    parts = [
        (weight, family.probability(theta, events) if events else (1.0, 0.0))
        for weight, events in cases
    ]
    return sum(w * p for w, (p, _) in parts), sum(w * g for w, (_, g) in parts)
