"""Worlds and random queries for the tests of the truth room."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from causalbench.query import Atom, Expectation, Probability, Query, Term
from causalbench.scm import SCM, Mechanism, Variable

NO_YES = ["no", "yes"]


def world(variables: dict[str, Any], mechanisms: dict[str, Any]) -> SCM:
    """Build a discrete world; a list stands for its values, ``u_`` names are hidden."""
    described = {
        name: {"values": values, "hidden": name.startswith("u_")}
        if isinstance(values, list)
        else values
        for name, values in variables.items()
    }
    return SCM.from_dict({"schema": 1, "variables": described, "mechanisms": mechanisms})


def cpt(parents: list[str], rows: Any, coupling: str = "independent") -> dict[str, Any]:
    """Describe a mechanism by its CPT."""
    return {"parents": parents, "cpt": rows, "coupling": coupling}


def bern(*probabilities: Any) -> Any:
    """Turn nested P(second value) into rows over two values."""
    rows = [[1 - p, p] if np.isscalar(p) else bern(*p) for p in probabilities]
    return rows[0] if len(rows) == 1 and np.isscalar(probabilities[0]) else rows


def random_world(
    rng: np.random.Generator,
    *,
    n: int = 4,
    hidden: int = 1,
    cards: tuple[int, ...] = (2, 3, 4),
    noises: tuple[int, ...] = (1, 3, 4, 4),
) -> SCM:
    """Draw a world with deterministic mechanisms, impossible noise and hidden variables in it."""
    names = [f"v{i}" for i in range(n)]
    unseen = set(rng.choice(names, size=min(hidden, n - 1), replace=False).tolist())
    causal = rng.permutation(names).tolist()
    variables, mechanisms = {}, {}
    for name in names:
        labels = tuple("abcd"[: int(rng.choice(cards))])
        numbers = tuple(rng.permutation(len(labels)).astype(float).tolist())
        variables[name] = Variable(name, labels, name in unseen, numbers)
    for place, name in enumerate(causal):
        before = causal[:place]
        count = int(rng.integers(0, min(3, len(before)) + 1))
        parents = tuple(rng.choice(before, size=count, replace=False).tolist()) if count else ()
        size = int(rng.choice(noises))
        noise = rng.dirichlet(np.ones(size))
        if size > 1 and rng.random() < 0.25:
            noise[int(rng.integers(size))] = 0.0
            noise /= noise.sum()
        shape = (size, *(variables[p].cardinality for p in parents))
        table = rng.integers(0, variables[name].cardinality, size=shape)
        mechanisms[name] = Mechanism(parents, noise, table)
    return SCM(variables, mechanisms)


def random_term(rng: np.random.Generator, scm: SCM, depth: int = 2, forced: int = 2) -> Term:
    """Draw a counterfactual term, nested at times."""
    names = list(scm.names)
    subscript, size = [], min(len(names), int(rng.integers(0, forced + 1)))
    for name in sorted(rng.choice(names, size=size, replace=False)):
        setting: Any = str(rng.choice(scm.variable(name).values))
        if depth and rng.random() < 0.3:
            inner = random_term(rng, scm, depth - 1, forced)
            setting = Term(str(name), inner.subscript)
        subscript.append((str(name), setting))
    return Term(str(rng.choice(names)), tuple(subscript))


def random_atom(rng: np.random.Generator, scm: SCM, depth: int = 2, forced: int = 2) -> Atom:
    """Draw an atom: mostly equalities, at times != or an order comparison."""
    term = random_term(rng, scm, depth, forced)
    variable = scm.variable(term.variable)
    kind = rng.random()
    if kind < 0.7:
        return Atom(term, "=", str(rng.choice(variable.values)))
    if kind < 0.9:
        return Atom(term, "!=", str(rng.choice(variable.values)))
    op = str(rng.choice(["<", "<=", ">", ">="]))
    return Atom(term, op, float(rng.integers(variable.cardinality)))


def random_query(rng: np.random.Generator, scm: SCM, depth: int = 2, forced: int = 2) -> Query:
    """Draw a linear combination of one or two quantities of any rung."""
    terms = []
    for _ in range(int(rng.integers(1, 3))):
        given = tuple(random_atom(rng, scm, depth, forced) for _ in range(int(rng.integers(0, 3))))
        weight = float(rng.normal())
        if rng.random() < 0.25:
            quantity: Any = Expectation(random_term(rng, scm, depth, forced), given)
        else:
            count = int(rng.integers(1, 4))
            event = tuple(random_atom(rng, scm, depth, forced) for _ in range(count))
            quantity = Probability(event, given)
        terms.append((weight, quantity))
    return Query(tuple(terms), float(rng.normal()))


def settings(scm: SCM, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return every assignment of values to some variables."""
    values = [scm.variable(name).values for name in names]
    return [dict(zip(names, labels, strict=True)) for labels in product(*values)]


RAIN = {
    "monotone": ([0.35, 0.35, 0.2, 0.05, 0.05], ["1111", "1011", "0011", "0010", "0000"]),
    "antitone": ([0.1, 0.55, 0.05, 0.25, 0.05], ["1010", "1011", "1111", "0111", "0101"]),
}


def umbrella_rain(rain: str = "monotone") -> SCM:
    """Build the umbrella world M1, or M1a where rain is antitone in seeding."""
    noise, rows = RAIN[rain]
    table = [[[int(r[0]), int(r[1])], [int(r[2]), int(r[3])]] for r in rows]
    return world(
        {
            "u_season": ["calm", "storm"],
            "seed": NO_YES,
            "rain": NO_YES,
            "umbrella": NO_YES,
            "wet": NO_YES,
        },
        {
            "u_season": cpt([], [0.8, 0.2]),
            "seed": cpt(["u_season"], bern(0.05, 0.9)),
            "rain": {"parents": ["u_season", "seed"], "noise": noise, "table": table},
            "umbrella": cpt(["rain"], bern(0.05, 0.95)),
            "wet": cpt(["rain", "umbrella"], bern([0.02, 0.02], [0.9, 0.1])),
        },
    )


def turned_round(first: SCM) -> SCM:
    """Build the rung-2 twin M2: rain -> umbrella reversed, its CPTs by Bayes from M1's tables."""
    season, seed = [0.8, 0.2], [[0.95, 0.05], [0.1, 0.9]]
    rain = [[0.7, 0.35], [0.95, 0.9]]
    takes = [0.05, 0.95]
    umbrella, rained = [[0.0, 0.0], [0.0, 0.0]], [[[0.0, 0.0], [0.0, 0.0]] for _ in range(2)]
    for s, k in product(range(2), range(2)):
        wet = rain[s][k]
        umbrella[s][k] = (1 - wet) * takes[0] + wet * takes[1]
        rained[s][k][1] = wet * takes[1] / umbrella[s][k]
        rained[s][k][0] = wet * (1 - takes[1]) / (1 - umbrella[s][k])
    names = {name: list(first.variable(name).values) for name in first.names}
    return world(
        names,
        {
            "u_season": cpt([], season),
            "seed": cpt(["u_season"], seed),
            "umbrella": cpt(["u_season", "seed"], bern(*umbrella)),
            "rain": cpt(["u_season", "seed", "umbrella"], bern(*rained)),
            "wet": cpt(["rain", "umbrella"], bern([0.02, 0.02], [0.9, 0.1])),
        },
    )
