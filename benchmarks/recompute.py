"""Work out a suite's keys again by three roads that share nothing with the engine, and compare.

    python benchmarks/recompute.py [--suite ladder-v1] [--seed 0] [--share 0.05]

A random share of the suite's pairs and single cases is built, and each of their keys worked out by

- **brute force**: every combination of the noise that matters, one array entry each, each world of
  the query solved from noise and tables alone;
- **pyAgrum**: a network in which every world of the query is a copy of the variables over shared
  noise nodes; the probability of the evidence by lazy propagation, with and without the event;
- **Monte Carlo**: units drawn by the sampler, run through every world of the query; it must agree
  within 5.5 of its own standard errors.

A road that is not open (too many units, real variables, evidence that no drawn unit meets exactly)
is counted as such and never as agreement. Exits with 1 if any two answers differ.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.query import Choice, Expectation, Query, Term, parse
from causalbench.rng import generator, permutation
from causalbench.task.jobs import jobs_of
from causalbench.task.suite import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Quantity, Subscript
    from causalbench.scm import SCM
    from causalbench.task.types import Case, Item

__all__ = [
    "ROADS",
    "Closed",
    "brute_force",
    "compare",
    "drawn",
    "monte_carlo",
    "network",
    "targets",
]

TOLERANCE = 1e-9
SIGMAS = 5.5  # a chance of 4e-8 each, below 1e-4 for a thousand keys
MOST_UNITS = 2**21
DRAWN = 200_000


class Closed(Exception):  # noqa: N818  (no error: a road that this key cannot take)
    """This road is not open to a key; says why."""


@dataclass(frozen=True)
class Target:
    """A number of a key and the query whose value it should be.

    Args:
        name: of the question, and of the action where it is a choice.
        scm: the world.
        query: what is asked.
        key: the number in the key.
        place: adds to the query's value what the key's scale adds.
        factor: then multiplies.
    """

    name: str
    scm: SCM
    query: Query
    key: float
    place: float = 0.0
    factor: float = 1.0


def targets(case: Case, item: Item) -> Iterator[Target]:
    """Yield what a key says: its value, or the scaled worth of each action."""
    asked = parse(item.question.query, case.scm.vocabulary)
    if isinstance(asked, Choice):
        low, high = case.dossier.decision(str(item.question.decision_id)).bounds
        for (label, objective), worth in zip(asked.options(), item.key.values, strict=True):
            name = f"{item.question.id} {label}"
            yield Target(name, case.scm, objective, worth, -low, 1 / (high - low))
    else:
        yield Target(item.question.id, case.scm, asked, float(item.key.truth))


# One walk over a query serves all roads: what differs is how a term's values are found.


def _needed(scm: SCM, query: Query) -> list[str]:
    """Return the variables that the query names and their ancestors, parents first."""
    stack: list[Any] = []
    for _, quantity in query.terms:
        stack += [atom.term for atom in quantity.given]
        if isinstance(quantity, Expectation):
            stack.append(quantity.term)
        else:
            stack += [atom.term for atom in quantity.event]
    found: set[str] = set()
    while stack:
        term = stack.pop()
        if isinstance(term, Term):
            stack.append(term.variable)
            stack += [value for _, value in term.subscript if isinstance(value, Term)]
        elif term not in found:
            found.add(term)
            stack.extend(scm.parents(term))
    return [name for name in scm.order if name in found]


def _merged(scm: SCM, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return a mechanism's different functions of its parents, each with its probability."""
    mechanism: Any = scm.mechanism(name)
    rows = mechanism.table.reshape(len(mechanism.noise), -1)
    functions, which = np.unique(rows, axis=0, return_inverse=True)
    chance = np.zeros(len(functions))
    np.add.at(chance, which.reshape(-1), mechanism.noise)
    kept = chance > 0.0
    return chance[kept], functions[kept].reshape(-1, *mechanism.table.shape[1:])


def _compared(scm: SCM, atom: Atom, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
    variable = scm.variable(atom.term.variable)
    if variable.is_real:
        number: Any = codes
    elif atom.op in {"=", "!="}:
        same: NDArray[np.bool_] = codes == variable.labels.index(str(atom.value))
        return same if atom.op == "=" else ~same
    else:
        number = np.asarray(variable.numbers)[codes]
    bound = float(atom.value)
    found: NDArray[np.bool_] = {
        "<": number < bound,
        "<=": number <= bound,
        ">": number > bound,
        ">=": number >= bound,
        "=": number == bound,
        "!=": number != bound,
    }[atom.op]
    return found


def _moments(
    scm: SCM, quantity: Quantity, read: Callable[[Term], Any], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for every unit, what is averaged (0 where the condition fails) and the condition."""
    held = np.ones(size, dtype=bool)
    for atom in quantity.given:
        held = held & _compared(scm, atom, read(atom.term))
    if isinstance(quantity, Expectation):
        variable = scm.variable(quantity.term.variable)
        codes = read(quantity.term)
        shown = codes if variable.is_real else np.asarray(variable.numbers)[codes]
        return np.where(held, shown, 0.0), held.astype(np.float64)
    event = held
    for atom in quantity.event:
        event = event & _compared(scm, atom, read(atom.term))
    return event.astype(np.float64), held.astype(np.float64)


def brute_force(target: Target) -> tuple[float, float]:
    """Return the value by walking over all units at once; the error allowed is that of rounding.

    Of a linear world there are no units to walk over: every term is written out as a sum of noises,
    and the sums are conditioned on one another.

    Raises:
        Closed: more than 2**21 units, or real variables that are not all linear.
    """
    scm, names = target.scm, _needed(target.scm, target.query)
    if not scm.is_discrete:
        return _gaussian(target, names), TOLERANCE
    parts = {name: _merged(scm, name) for name in names}
    sizes = [len(parts[name][0]) for name in names]
    if math.prod(sizes) > MOST_UNITS:
        raise Closed("too many units")
    grids = np.unravel_index(np.arange(math.prod(sizes)), sizes)
    noise = dict(zip(names, grids, strict=True))
    weights = np.ones(math.prod(sizes))
    for name in names:
        weights = weights * parts[name][0][noise[name]]
    worlds: dict[Subscript, dict[str, Any]] = {}

    def read(term: Term) -> Any:
        if term.subscript not in worlds:
            forced = {
                name: read(value)
                if isinstance(value, Term)
                else np.full(len(weights), scm.variable(name).labels.index(str(value)))
                for name, value in term.subscript
            }
            solved: dict[str, Any] = {}
            for name in names:
                above = (
                    (solved[parent] for parent in scm.parents(name)) if name not in forced else ()
                )
                solved[name] = (
                    forced[name] if name in forced else parts[name][1][(noise[name], *above)]
                )
            worlds[term.subscript] = solved
        return worlds[term.subscript][term.variable]

    total = target.query.constant
    for weight, quantity in target.query.terms:
        event, held = _moments(scm, quantity, read, len(weights))
        total += (
            weight * math.fsum((weights * event).tolist()) / math.fsum((weights * held).tolist())
        )
    return (total + target.place) * target.factor, TOLERANCE


class _Linear:
    """Terms of a linear world as sums of noises.

    Args:
        scm: the world.
        names: the variables that matter, parents first.
    """

    def __init__(self, scm: SCM, names: Sequence[str]) -> None:
        self._scm, self._names = scm, names
        self._worlds: dict[Subscript, dict[str, tuple[float, NDArray[np.float64]]]] = {}

    def read(self, term: Term) -> tuple[float, NDArray[np.float64]]:
        """Return a term as constant + row . noise."""
        if term.subscript not in self._worlds:
            forced = {
                name: self.read(value)
                if isinstance(value, Term)
                else (float(value), np.zeros(len(self._names)))
                for name, value in term.subscript
            }
            solved: dict[str, tuple[float, NDArray[np.float64]]] = {}
            for name in self._names:
                solved[name] = forced[name] if name in forced else self._natural(name, solved)
            self._worlds[term.subscript] = solved
        return self._worlds[term.subscript][term.variable]

    def _natural(
        self, name: str, solved: Mapping[str, tuple[float, NDArray[np.float64]]]
    ) -> tuple[float, NDArray[np.float64]]:
        mechanism: Any = self._scm.mechanism(name)
        if not hasattr(mechanism, "weights"):
            raise Closed("real variables that are not linear")
        row = np.zeros(len(self._names))
        row[self._names.index(name)] = mechanism.std
        constant = mechanism.intercept
        for parent, weight in zip(mechanism.parents, mechanism.weights, strict=True):
            constant += weight * solved[parent][0]
            row = row + weight * solved[parent][1]
        return constant, row


def _gaussian(target: Target, names: Sequence[str]) -> float:
    """Return the value in a linear world."""
    read = _Linear(target.scm, names).read
    total = target.query.constant
    for weight, quantity in target.query.terms:
        if isinstance(quantity, Expectation):
            asked, atom = quantity.term, None
        elif len(quantity.event) == 1:
            asked, atom = quantity.event[0].term, quantity.event[0]
        else:
            raise Closed("several real variables at once")
        if any(each.op != "=" for each in quantity.given):
            raise Closed("a condition on a range")
        mean, row = read(asked)
        variance = float(row @ row)
        if quantity.given:
            above = [read(each.term) for each in quantity.given]
            rows = np.stack([each[1] for each in above])
            off = np.array([float(each.value) for each in quantity.given])
            gain = np.linalg.solve(rows @ rows.T, rows @ row)
            mean += float(gain @ (off - np.array([each[0] for each in above])))
            variance -= float(gain @ (rows @ row))
        value = mean
        if atom is not None:
            below = math.erfc((mean - float(atom.value)) / math.sqrt(2 * variance)) / 2
            value = below if atom.op in {"<", "<="} else 1 - below
        total += weight * value
    return (total + target.place) * target.factor


class _Network:
    """A pyAgrum network over shared noise, to which every world that is asked of is added.

    Args:
        scm: a discrete world.
        names: the variables that matter, parents first.
    """

    def __init__(self, scm: SCM, names: Sequence[str]) -> None:
        import pyagrum as gum

        self._gum, self._scm, self._names = gum, scm, names
        self._parts = {name: _merged(scm, name) for name in names}
        self._worlds: dict[Subscript, int] = {}
        self._net = gum.BayesNet()
        for name in names:
            chance = self._parts[name][0].tolist()
            self._net.add(gum.LabelizedVariable(f"noise {name}", "", max(len(chance), 2)))
            self._net.cpt(f"noise {name}").fillWith([*chance, *[0.0] * (2 - len(chance))])

    def node(self, term: Term) -> str:
        """Return the node of a term, after adding its world if it is new."""
        if term.subscript not in self._worlds:
            inner = {n: self.node(v) for n, v in term.subscript if isinstance(v, Term)}
            number = self._worlds[term.subscript] = len(self._worlds)
            for name in self._names:
                self._add(name, number, dict(term.subscript), inner)
        return f"{term.variable} {self._worlds[term.subscript]}"

    def chance(self, atoms: Sequence[Atom]) -> float:
        """Return the probability that all atoms hold; their worlds are there already."""
        likely: dict[str, Any] = {}
        for atom in atoms:
            size = self._scm.variable(atom.term.variable).cardinality
            fits = _compared(self._scm, atom, np.arange(size)).astype(float)
            place = self.node(atom.term)
            likely[place] = fits * likely.get(place, 1.0)
        if any(not each.any() for each in likely.values()):
            return 0.0
        engine = self._gum.LazyPropagation(self._net)
        engine.setEvidence({place: each.tolist() for place, each in likely.items()})
        try:
            engine.makeInference()
            return float(engine.evidenceProbability())
        except self._gum.IncompatibleEvidence:
            return 0.0

    def _add(
        self, name: str, number: int, forced: Mapping[str, Any], inner: Mapping[str, str]
    ) -> None:
        """Add a variable to a world: constant or copied where it is forced."""
        own, card = f"{name} {number}", self._scm.variable(name).cardinality
        self._net.add(self._gum.LabelizedVariable(own, "", card))
        above: list[str] = []
        if name in inner:
            above, codes = [inner[name]], np.arange(card)
        elif name in forced:
            codes = np.array(self._scm.variable(name).labels.index(str(forced[name])))
        else:
            above = [f"noise {name}", *(f"{each} {number}" for each in self._scm.parents(name))]
            codes = self._parts[name][1]
            if len(codes) == 1:  # a noise node has two values at least
                codes = np.concatenate([codes, codes])
        for parent in above:
            self._net.addArc(parent, own)
        for index in np.ndindex(codes.shape):
            row = [0.0] * card
            row[int(codes[index])] = 1.0
            if above:
                self._net.cpt(own)[dict(zip(above, map(int, index), strict=True))] = row
            else:
                self._net.cpt(own).fillWith(row)


def network(target: Target) -> tuple[float, float]:
    """Return the value by pyAgrum, on a network with a copy of the variables for every world.

    Raises:
        Closed: real variables, or means, for which a network of labels has no node.
    """
    scm, names = target.scm, _needed(target.scm, target.query)
    if not scm.is_discrete:
        raise Closed("real variables")
    total = target.query.constant
    for weight, quantity in target.query.terms:
        if isinstance(quantity, Expectation):
            raise Closed("means")
        built = _Network(scm, names)
        for atom in (*quantity.given, *quantity.event):
            built.node(atom.term)
        below = built.chance(quantity.given) if quantity.given else 1.0
        total += weight * built.chance((*quantity.given, *quantity.event)) / below
    return (total + target.place) * target.factor, TOLERANCE


def monte_carlo(target: Target) -> tuple[float, float]:
    """Return the value over drawn units, and how far it may be off: 5.5 standard errors.

    Raises:
        Closed: a condition that no drawn unit meets.
    """
    scm = target.scm
    rng = generator(7, f"recompute/{target.name}")
    units = scm.draw_noise(DRAWN, rng=rng)
    worlds: dict[Subscript, Mapping[str, Any]] = {}

    def read(term: Term) -> Any:
        if term.subscript not in worlds:
            forced = {
                name: read(value) if isinstance(value, Term) else value
                for name, value in term.subscript
            }
            worlds[term.subscript] = scm.solve(units, forced)
        return np.broadcast_to(worlds[term.subscript][term.variable], DRAWN)

    total = target.query.constant
    # Terms of one query share their units, so the error is that of the sum of their influences.
    influence = np.zeros(DRAWN)
    rarest = 1.0
    for weight, quantity in target.query.terms:
        event, held = _moments(scm, quantity, read, DRAWN)
        share = float(held.mean())
        if share * DRAWN < 100:  # noqa: PLR2004  (fewer make no normal sum)
            raise Closed("a condition that few drawn units meet")
        mean = float(event.mean()) / share
        total += weight * mean
        influence += weight * (event - mean * held) / share
        rarest = min(rarest, share)
    error = float(influence.std()) / math.sqrt(DRAWN)
    # Where all drawn units agree the error seems 0; a rate below 20 / n would not have shown.
    least = 20.0 / (DRAWN * rarest) * sum(abs(weight) for weight, _ in target.query.terms)
    allowed = (SIGMAS * error + least) * abs(target.factor)
    return (total + target.place) * target.factor, allowed


ROADS: Mapping[str, Callable[[Target], tuple[float, float]]] = {
    "brute force": brute_force,
    "pyAgrum": network,
    "Monte Carlo": monte_carlo,
}


def drawn(suite: str, share: float, seed: int) -> list[Case]:
    """Build a random share of what a suite is made of.

    Args:
        suite: its name or path.
        share: in (0, 1].
        seed: of the suite, and of the choice.
    """
    found = load_suite(suite)
    jobs = list(jobs_of(found.recipe, found.world))
    order = permutation(generator(seed, "recompute"), len(jobs))
    wanted = sorted(order[: max(1, round(share * len(jobs)))].tolist())
    return [case for place in wanted for case in jobs[place].build(seed)]


def compare(cases: Sequence[Case]) -> tuple[dict[str, Counter[str]], list[str]]:
    """Work out every key of some cases again.

    Returns:
        Road -> how many numbers agreed, differed, or why it was closed; and a line a difference.
    """
    counts: dict[str, Counter[str]] = {road: Counter() for road in ROADS}
    problems = []
    for case in cases:
        for target in (each for item in case.items for each in targets(case, item)):
            for road, work in ROADS.items():
                try:
                    found, allowed = work(target)
                except Closed as why:
                    counts[road][f"closed: {why}"] += 1
                    continue
                agrees = abs(found - target.key) <= allowed
                counts[road]["agree" if agrees else "differ"] += 1
                if not agrees:
                    problems.append(
                        f"{road}: {case.placement.pair_id}: {target.query}: {found} and not "
                        f"{target.key} (allowed {allowed:.2g})"
                    )
    return counts, problems


def main() -> None:
    """Build a share of the suite, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suite", default="ladder-v1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.05)
    given = parser.parse_args()
    cases = drawn(given.suite, given.share, given.seed)
    counts, problems = compare(cases)
    keys = sum(len(case.items) for case in cases)
    print(f"{given.suite}, seed {given.seed}: {keys} keys of {len(cases)} cases")
    for road, count in counts.items():
        told = ", ".join(f"{number} {what}" for what, number in count.most_common())
        print(f"  {road:12} {told}")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
