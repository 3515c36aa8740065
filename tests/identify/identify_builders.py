"""Random diagrams, worlds with a given diagram, and random questions of rung 2."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from causalbench.graph import Diagram
from causalbench.query import Atom, Expectation, Probability, Term
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.scm.couplings import monotone
from causalbench.truth.permitted import Ground


def random_diagram(rng, nodes, edge=0.5, bow=0.3):
    """Draw a diagram; the order of the names says nothing about the causal order."""
    names = [f"v{i}" for i in range(nodes)]
    causal = rng.permutation(names).tolist()
    pairs = list(combinations(causal, 2))
    directed = [pair for pair in pairs if rng.random() < edge]
    bidirected = [pair for pair in pairs if rng.random() < bow]
    return Diagram(names, directed, bidirected)


def world_of(diagram, rng, *, cards=(2,), hidden_card=3):
    """Draw a world with a diagram: a hidden confounder for each bidirected edge, no zeros."""
    variables, tables = {}, {}
    parents = {name: list(diagram.parents(name)) for name in diagram.nodes}
    sizes = {name: int(rng.choice(cards)) for name in diagram.nodes}
    for number, (one, other) in enumerate(sorted(diagram.bidirected)):
        latent = f"hidden{number}"
        sizes[latent], parents[latent] = hidden_card, []
        parents[one].append(latent)
        parents[other].append(latent)
    for name, size in sizes.items():
        labels = tuple(map(str, range(size)))
        numbers = tuple(map(float, range(size)))
        variables[name] = Variable(name, labels, name not in diagram.nodes, numbers)
        shape = [sizes[parent] for parent in parents[name]]
        # Multiples of 1/32: few thresholds, so that many parents make no large noise.
        chances = rng.dirichlet(np.ones(size), shape or None)
        tables[name] = (1 + rng.multinomial(32 - size, chances)) / 32
    mechanisms = {name: monotone(tables[name], tuple(parents[name])) for name in sizes}
    return SCM(variables, mechanisms)


def world_with_zeros(diagram, rng):
    """Draw a world with a diagram whose mechanisms have one to three random tables: many zeros."""
    scm = world_of(diagram, rng, hidden_card=2)
    mechanisms = {}
    for name, mechanism in scm.mechanisms.items():
        size = int(rng.integers(1, 4))
        shape = size, *(scm.variable(parent).cardinality for parent in mechanism.parents)
        table = rng.integers(0, scm.variable(name).cardinality, size=shape)
        mechanisms[name] = Mechanism(mechanism.parents, rng.dirichlet(np.ones(size)), table)
    return scm.replace(mechanisms=mechanisms)


def ground_of(diagram, *, manipulable=(), card=2):
    """Return the ground of a diagram whose variables all have values 0, 1, ..."""
    labels = {name: tuple(map(str, range(card))) for name in diagram.nodes}
    numbers = {name: tuple(map(float, range(card))) for name in diagram.nodes}
    return Ground(diagram, labels, numbers, frozenset(manipulable))


def effect(outcome, forced, given=None):
    """Return P(outcome | do(forced), given) from name -> label."""
    subscript = tuple(sorted(forced.items()))

    def atoms(labels):
        return tuple(Atom(Term(name, subscript), "=", label) for name, label in labels.items())

    return Probability(atoms(outcome), atoms(given or {}))


def random_effect(rng, names, *, conditions=1):
    """Draw P(y | do(x), z) with one or two outcomes and interventions."""
    order = rng.permutation(names).tolist()
    label = lambda: str(rng.integers(2))  # noqa: E731
    xs, ys = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    zs = int(rng.integers(0, conditions + 1))
    if len(order) < xs + ys + zs:
        xs = ys = 1
        zs = min(zs, len(order) - 2)
    parts = order[:xs], order[xs : xs + ys], order[xs + ys : xs + ys + zs]
    forced, outcome, given = ({name: label() for name in part} for part in parts)
    return effect(outcome, forced, given)


def random_question(rng, names):
    """Draw a rung-2 quantity of any form over values 0, 1, 2: overlaps and contradictions too."""
    forced = {
        name: str(rng.integers(3)) for name in rng.choice(names, size=rng.integers(0, 3)).tolist()
    }
    subscript = tuple(sorted(forced.items()))

    def atoms(number):
        return tuple(
            Atom(
                Term(str(rng.choice(names)), subscript),
                str(rng.choice(["=", "!=", "<", ">="])),
                str(rng.integers(3)),
            )
            for _ in range(number)
        )

    given = atoms(rng.integers(0, 3))
    if rng.random() < 0.4:
        return Expectation(Term(str(rng.choice(names)), subscript), given)
    return Probability(atoms(rng.integers(1, 3)), given)
