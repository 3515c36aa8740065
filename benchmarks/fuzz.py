"""Compare engines on random worlds and queries, and fail where any two disagree.

    python benchmarks/fuzz.py [--pairs 20000] [--seed 0]

Every pair is answered by the compiled engine and by einsum over joint tables. Where the units are
few, brute force walks over them; where a query fits a network (one term in question, equalities in
evidence), pyAgrum answers it by lazy propagation, rung 3 on an explicit twin network whose noise
variables are nodes. Exits with 1 if two answers differ by more than 1e-9.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import ZeroProbabilityError
from causalbench.query import Atom, Expectation, Probability, Query, Term
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth import table, truth_many, value

if TYPE_CHECKING:
    import pyagrum
    from numpy.typing import NDArray

    from causalbench.query.ast import Constant, Quantity, Subscript

SEE, DO, IMAGINE = 1, 2, 3
TOLERANCE = 1e-9
UNITS = 4096  # brute force walks over no more
CHUNK = 500
Answer = float | None  # None where the condition never happens


def lucky(rng: np.random.Generator, share: float) -> bool:
    """Return true in this share of the calls."""
    return bool(rng.random() < share)


def draw_world(rng: np.random.Generator) -> SCM:
    """Draw a world: 2 to 9 variables, hidden ones, impossible noise, deterministic mechanisms."""
    n, most = int(rng.integers(2, 10)), int(rng.integers(2, 5))
    names = [f"v{i}" for i in range(n)]
    unseen = set(rng.choice(names, size=int(rng.integers(0, n // 3 + 1)), replace=False).tolist())
    variables, mechanisms = {}, {}
    for name in names:
        labels = tuple("abcd"[: int(rng.integers(2, most + 1))])
        numbers = tuple(rng.permutation(len(labels)).astype(float).tolist())
        variables[name] = Variable(name, labels, name in unseen, numbers)
    causal = [str(name) for name in rng.permutation(names)]
    for place, name in enumerate(causal):
        count = int(rng.integers(0, min(3, place) + 1))
        parents = tuple(str(p) for p in rng.choice(causal[:place], size=count, replace=False))
        size = int(rng.choice([1, 2, 3, 4, 6]))
        noise = rng.dirichlet(np.ones(size))
        if size > 1 and lucky(rng, 0.2):
            noise[int(rng.integers(size))] = 0.0
            noise /= noise.sum()
        shape = (size, *(len(variables[p].labels) for p in parents))
        codes = rng.integers(0, len(variables[name].labels), size=shape)
        mechanisms[name] = Mechanism(parents, noise, codes)
    return SCM(variables, mechanisms)


def draw_subscript(rng: np.random.Generator, scm: SCM, depth: int) -> Subscript:
    """Draw what is forced: up to two variables, at times to nested values."""
    chosen = rng.choice(
        scm.names, size=int(rng.integers(1, min(3, len(scm.names) + 1))), replace=False
    )
    entries: list[tuple[str, Constant | Term]] = []
    for name in sorted(str(n) for n in chosen):
        if depth and lucky(rng, 0.2):
            entries.append((name, Term(name, draw_subscript(rng, scm, depth - 1))))
        else:
            entries.append((name, str(rng.choice(scm.variable(name).labels))))
    return tuple(entries)


def draw_atom(rng: np.random.Generator, scm: SCM, worlds: list[Subscript], plain: float) -> Atom:
    """Draw an atom in one of some worlds; `plain` is the chance of an equality."""
    name = str(rng.choice(scm.names))
    term = Term(name, worlds[int(rng.integers(len(worlds)))])
    kind = rng.random()
    label = str(rng.choice(scm.variable(name).labels))
    if kind < plain:
        return Atom(term, "=", label)
    if kind < (1 + plain) / 2:
        return Atom(term, "!=", label)
    bound = float(rng.integers(scm.variable(name).cardinality))
    below, above = Atom(term, "<=", bound), Atom(term, ">", bound)
    return below if lucky(rng, 0.5) else above


def draw_quantity(rng: np.random.Generator, scm: SCM) -> Quantity:
    """Draw a quantity of rung 1, 2 or 3: nested, in several worlds, with disjunctions, a mean."""
    rung = int(rng.choice([SEE, DO, IMAGINE, IMAGINE, IMAGINE]))
    depth = 1 if rung == IMAGINE and lucky(rng, 0.4) else 0
    worlds: list[Subscript] = [()]
    if rung == DO:
        worlds = [draw_subscript(rng, scm, 0)]
    elif rung == IMAGINE:
        worlds += [draw_subscript(rng, scm, depth) for _ in range(int(rng.integers(1, 4)))]
    plain = 1.0 if lucky(rng, 0.6) else 0.4
    given = [draw_atom(rng, scm, worlds, plain) for _ in range(int(rng.integers(0, 4)))]
    event = [draw_atom(rng, scm, worlds, plain) for _ in range(int(rng.choice([1, 1, 1, 2, 3])))]
    if lucky(rng, 0.15):
        return Expectation(event[0].term, tuple(given))
    return Probability(tuple(event), tuple(given))


def by_tables(scm: SCM, quantity: Quantity) -> Answer:
    """Answer from joint tables made by einsum."""
    whole = float(table(scm, [], quantity.given))
    if not whole > 0.0:
        return None
    if isinstance(quantity, Expectation):
        cells = table(scm, [quantity.term], quantity.given)
        numbers = scm.variable(quantity.term.variable).numbers
        return float(np.dot(np.asarray(numbers), cells) / cells.sum())
    return float(table(scm, [], quantity.event + quantity.given)) / whole


class Units:
    """Every unit of a world at once, with its probability; blind to the engines."""

    def __init__(self, scm: SCM) -> None:
        self.scm = scm
        noises = [scm.mechanism(name).noise for name in scm.names]
        grid = list(product(*(range(len(noise)) for noise in noises)))
        codes = np.array(grid, dtype=np.intp)
        self.noise = dict(zip(scm.names, codes.T, strict=True))
        self.weight = np.prod([p[codes[:, i]] for i, p in enumerate(noises)], axis=0)

    def codes(self, term: Term) -> NDArray[np.intp]:
        """Return a term's code in every unit."""
        known: dict[str, Any] = {}
        for name, setting in term.subscript:
            nested = isinstance(setting, Term)
            known[name] = self.codes(setting) if nested else self.scm.variable(name).code(setting)

        def solve(name: str) -> Any:
            if name not in known:
                mechanism = self.scm.mechanism(name)
                at = tuple(solve(parent) for parent in mechanism.parents)
                known[name] = mechanism.table[(self.noise[name], *at)]
            return known[name]

        return np.broadcast_to(solve(term.variable), self.weight.shape)

    def hold(self, atoms: tuple[Atom, ...]) -> NDArray[np.bool_]:
        """Tell in which units some atoms hold."""
        holds = np.ones(self.weight.shape, dtype=bool)
        for atom in atoms:
            variable, codes = self.scm.variable(atom.term.variable), self.codes(atom.term)
            if atom.op in {"=", "!="}:
                same = codes == variable.code(atom.value)
                holds &= same if atom.op == "=" else ~same
            else:
                numbers = np.asarray(variable.numbers)[codes]
                holds &= numbers <= atom.value if atom.op == "<=" else numbers > atom.value
        return holds

    def answer(self, quantity: Quantity) -> Answer:
        """Answer by adding up the units."""
        weight = np.where(self.hold(quantity.given), self.weight, 0.0)
        whole = weight.sum()
        if not whole > 0.0:
            return None
        if isinstance(quantity, Expectation):
            numbers = np.asarray(self.scm.variable(quantity.term.variable).numbers)
            return float(np.dot(weight, numbers[self.codes(quantity.term)]) / whole)
        return float(weight[self.hold(quantity.event)].sum() / whole)


def fits_network(quantity: Quantity) -> bool:
    """Tell whether pyAgrum is asked: one term in question, equalities, no nested values."""
    atoms = quantity.given
    terms = {atom.term for atom in atoms}
    if isinstance(quantity, Expectation):
        terms.add(quantity.term)
    else:
        if len({atom.term for atom in quantity.event}) > 1:
            return False
        terms |= {atom.term for atom in quantity.event}
    nested = any(isinstance(v, Term) for term in terms for _, v in term.subscript)
    return not nested and all(atom.op == "=" for atom in atoms)


def by_network(scm: SCM, quantity: Quantity) -> Answer:
    """Answer by lazy propagation, in a twin network where there are several worlds."""
    import pyagrum

    single = isinstance(quantity, Expectation)
    target = quantity.term if single else quantity.event[0].term
    terms = [target, *(atom.term for atom in quantity.given)]
    worlds = {subscript: number for number, subscript in enumerate({t.subscript for t in terms})}
    built = pyagrum.BayesNet()
    for subscript, number in worlds.items():
        _add_world(built, scm, dict(subscript), number, shared=len(worlds) > 1)
    forced = _forced(quantity.given)
    if forced is None:
        return None
    engine = pyagrum.LazyPropagation(built)
    for term, label in forced.items():
        engine.addEvidence(
            f"{term.variable}_{worlds[term.subscript]}", scm.variable(term.variable).code(label)
        )
    engine.addTarget(f"{target.variable}_{worlds[target.subscript]}")
    try:
        engine.makeInference()
        if not engine.evidenceProbability() > 0.0:  # it may be far from the target
            return None
        found = engine.posterior(f"{target.variable}_{worlds[target.subscript]}").toarray()
    except pyagrum.IncompatibleEvidence:
        return None
    variable = scm.variable(target.variable)
    if isinstance(quantity, Expectation):
        return float(np.dot(np.asarray(variable.numbers), found))
    holds = np.ones(variable.cardinality, dtype=bool)
    for atom in quantity.event:
        for code, label in enumerate(variable.labels):
            number = np.asarray(variable.numbers)[code]
            holds[code] &= {
                "=": label == atom.value,
                "!=": label != atom.value,
                "<=": not isinstance(atom.value, str) and number <= atom.value,
                ">": not isinstance(atom.value, str) and number > atom.value,
            }[atom.op]
    return float(found[holds].sum())


def _forced(given: tuple[Atom, ...]) -> dict[Term, Constant] | None:
    """Return each term's value, or None where the evidence contradicts itself."""
    found: dict[Term, Constant] = {}
    for atom in given:
        if found.setdefault(atom.term, atom.value) != atom.value:
            return None
    return found


def _add_world(
    built: pyagrum.BayesNet, scm: SCM, forced: dict[str, Any], number: int, *, shared: bool
) -> None:
    """Add the variables of one world, over noise nodes where worlds share them."""
    import pyagrum

    for name in scm.order:
        card = scm.variable(name).cardinality
        here = f"{name}_{number}"
        built.add(pyagrum.LabelizedVariable(here, here, card))
        if name in forced:
            built.cpt(here).fillWith(np.eye(card)[scm.variable(name).code(forced[name])].tolist())
            continue
        mechanism = scm.mechanism(name)
        for parent in reversed(mechanism.parents):  # pyAgrum's axes run the other way round
            built.addArc(f"{parent}_{number}", here)
        indicator = np.eye(card)[mechanism.table]
        size = len(mechanism.noise)
        if shared and size > 1:
            noise = f"noise_{name}"
            if noise not in built.names():
                built.add(pyagrum.LabelizedVariable(noise, noise, size))
                built.cpt(noise).fillWith(mechanism.noise.tolist())
            built.addArc(noise, here)
        else:
            indicator = np.tensordot(mechanism.noise, indicator, axes=1)
        built.cpt(here).fillWith(indicator.ravel().tolist())


def compiled(scm: SCM, query: Query) -> Answer:
    """Answer alone, by the compiled engine."""
    try:
        return value(scm, query)
    except ZeroProbabilityError:
        return None


def compare(found: dict[str, Answer]) -> float:
    """Return the largest difference between two answers; infinite if only some refuse."""
    numbers = [number for number in found.values() if number is not None]
    if len(numbers) < len(found):
        return float("inf") if numbers else 0.0
    return max(numbers) - min(numbers)


def main() -> int:
    """Draw, answer, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    asked: Counter[str] = Counter()
    rungs: Counter[int] = Counter()
    largest, worst, impossible, start = 0.0, "", 0, time.perf_counter()
    scm = draw_world(rng)
    for low in range(0, options.pairs, CHUNK):
        pairs = []
        for place in range(min(CHUNK, options.pairs - low)):
            if place % 4 == 0:
                scm = draw_world(rng)
            pairs.append((scm, Query(((1.0, draw_quantity(rng, scm)),))))
        batch = truth_many([s for s, _ in pairs], [q for _, q in pairs], errors="nan")
        for place, (world, query) in enumerate(pairs):
            quantity = query.terms[0][1]
            number = float(batch[place])
            found: dict[str, Answer] = {"compiled batch": None if np.isnan(number) else number}
            found["compiled"] = compiled(world, query)
            found["einsum"] = by_tables(world, quantity)
            if np.prod([float(len(world.mechanism(n).noise)) for n in world.names]) <= UNITS:
                found["brute force"] = Units(world).answer(quantity)
            if fits_network(quantity):
                found["pyAgrum"] = by_network(world, quantity)
            asked.update(list(found))
            rungs[query.rung] += 1
            impossible += found["compiled"] is None
            gap = compare(found)
            if gap > largest or not worst:
                largest, worst = gap, f"{query} in {world}: {found}"
    seconds = time.perf_counter() - start
    print(f"{options.pairs} pairs (seed {options.seed}) in {seconds:.0f} s")
    print("by rung:   ", ", ".join(f"{rung}: {rungs[rung]}" for rung in sorted(rungs)))
    print("answers by:", ", ".join(f"{name}: {count}" for name, count in asked.items()))
    print(f"conditions that never happen, refused by all: {impossible}")
    print(f"largest disagreement: {largest:.2e} (allowed: {TOLERANCE:.0e})")
    if largest > TOLERANCE:
        print(worst)
    return int(largest > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
