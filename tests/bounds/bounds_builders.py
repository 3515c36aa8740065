"""Worlds, and a second way to bounds: plain response functions, brute force and scipy.

Nothing here is shared with the library's programs: types are dicts, experiments are simulated
one by one, laws come from the oracle that walks over units.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from oracle import brute_joint
from scipy.optimize import linprog

from causalbench.query import Term, parse
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth import Knowledge
from causalbench.truth.bounds import Bounds, bounds
from causalbench.truth.permitted import Permitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Values = dict[str, str]
Run = "Callable[[Values], Values]"  # from what is set to what happens, in one unit

SEE = Knowledge("see", "diagram")
DO = Knowledge("do", "diagram")
SEE_BLIND = Knowledge("see", "none")
DO_BLIND = Knowledge("do", "none")


def draw(
    rng: np.random.Generator,
    cards: dict[str, int],
    edges: Sequence[tuple[str, str]],
    noise: int = 4,
) -> SCM:
    """Draw a world; ``u`` names are hidden roots, values are a, b, c."""
    variables, mechanisms = {}, {}
    for name, card in cards.items():
        numbers = tuple(float(i) for i in range(card))
        variables[name] = Variable(name, tuple("abcdefgh"[:card]), name[0] == "u", numbers)
        above = tuple(cause for cause, effect in edges if effect == name)
        if above:
            shape = (noise, *(cards[p] for p in above))
            chance = rng.dirichlet(np.ones(noise))
            mechanisms[name] = Mechanism(above, chance, rng.integers(0, card, size=shape))
        else:
            mechanisms[name] = Mechanism((), rng.dirichlet(np.full(card, 2.0)), np.arange(card))
    return SCM(variables, mechanisms)


def bow(rng: np.random.Generator, card: int = 2) -> SCM:
    """Draw x -> y with x <-> y."""
    return draw(rng, {"u": 5, "x": card, "y": 2}, [("u", "x"), ("u", "y"), ("x", "y")])


def instrument(rng: np.random.Generator) -> SCM:
    """Draw z -> x -> y with x <-> y."""
    edges = [("z", "x"), ("u", "x"), ("u", "y"), ("x", "y")]
    return draw(rng, {"u": 5, "z": 2, "x": 2, "y": 2}, edges)


def mediator(rng: np.random.Generator) -> SCM:
    """Draw x -> m -> y, x -> y with m <-> y."""
    edges = [("x", "m"), ("u", "m"), ("u", "y"), ("x", "y"), ("m", "y")]
    return draw(rng, {"u": 5, "x": 2, "m": 2, "y": 2}, edges)


def chain(rng: np.random.Generator) -> SCM:
    """Draw x -> m -> y without hidden causes."""
    return draw(rng, {"x": 2, "m": 2, "y": 2}, [("x", "m"), ("m", "y")], noise=6)


def ends(scm: SCM, query: str, knowledge: Knowledge) -> Bounds:
    """Bound a query given as text."""
    return bounds(Permitted(scm, knowledge), parse(query, scm.vocabulary))


class Naive:
    """All joint response functions of some variables, with what the experiments tell of them.

    Args:
        scm: the world; the variables outside ``members`` are set in every experiment.
        members: a component, causes first.
        parents: member -> its parents, in any order.
        experiments: whether members may be set too.
    """

    def __init__(
        self,
        scm: SCM,
        members: tuple[str, ...],
        parents: dict[str, tuple[str, ...]],
        *,
        experiments: bool,
    ) -> None:
        labels = {name: scm.variable(name).labels for name in scm.visible}
        self.members = members
        self.parents = parents
        options = []
        for name in members:
            rows = list(product(*(labels[p] for p in parents[name])))
            options.append(
                [
                    dict(zip(rows, out, strict=True))
                    for out in product(labels[name], repeat=len(rows))
                ]
            )
        self.units = [dict(zip(members, each, strict=True)) for each in product(*options)]
        outside = [name for name in scm.visible if name not in members]
        rows, data = [np.ones(len(self.units))], [1.0]
        forced_sets = [()]
        if experiments:
            forced_sets = [c for size in range(len(members)) for c in combinations(members, size)]
        for inside in forced_sets:
            free = [name for name in members if name not in inside]
            for setting in product(*(labels[name] for name in (*outside, *inside))):
                do = dict(zip((*outside, *inside), setting, strict=True))
                terms = [Term(name, tuple(sorted(do.items()))) for name in free]
                law = brute_joint(scm, terms, [])
                for cell in product(*(labels[name] for name in free)):
                    want = dict(zip(free, cell, strict=True))
                    rows.append(
                        np.array(
                            [want.items() <= self.run(unit, do).items() for unit in self.units],
                            dtype=float,
                        )
                    )
                    data.append(law.get(cell, 0.0))
        self.rows, self.data = np.stack(rows), np.array(data)

    def run(self, unit: dict[str, Any], do: Values) -> Values:
        """Return all values of a unit where some are set; all outer variables must be."""
        values = dict(do)
        for name in self.members:
            if name not in values:
                values[name] = unit[name][tuple(values[p] for p in self.parents[name])]
        return values

    def form(self, number: Callable[[Any], float]) -> np.ndarray:
        """Return what a function of `run` is in each unit."""
        return np.array(
            [float(number(lambda do, unit=unit: self.run(unit, do))) for unit in self.units]
        )

    def solve(self, cost: np.ndarray) -> np.ndarray:
        """Return the law that makes a form smallest."""
        found = linprog(cost, A_eq=self.rows, b_eq=self.data, method="highs")
        assert found.status == 0, found.message
        return found.x

    def ends(self, cost: np.ndarray) -> tuple[float, float]:
        """Return a form's least and largest value."""
        return float(cost @ self.solve(cost)), float(cost @ self.solve(-cost))

    def laws(self, rng: np.random.Generator, count: int) -> list[np.ndarray]:
        """Return random compatible laws: corners in random directions, and mixtures of them."""
        corners = [self.solve(rng.normal(size=len(self.units))) for _ in range(count)]
        mixtures = [
            np.average(corners, axis=0, weights=rng.dirichlet(np.ones(count))) for _ in range(count)
        ]
        return corners + mixtures


def permitted_gap(scm: SCM, made: SCM, *, experiments: bool, together: int = 9) -> float:
    """Return by how much two worlds differ in a permitted law, walking over all units.

    Args:
        scm: the one.
        made: the other.
        experiments: whether variables may be set.
        together: how many at once; fewer than all saves time in wide worlds.
    """
    names = list(scm.visible)
    sets = [()]
    if experiments:
        sizes = range(min(together + 1, len(names)))
        sets = [c for size in sizes for c in combinations(names, size)]
    worst = 0.0
    for forced in sets:
        free = [name for name in names if name not in forced]
        for labels in product(*(scm.variable(name).labels for name in forced)):
            terms = [Term(n, tuple(sorted(zip(forced, labels, strict=True)))) for n in free]
            first, second = brute_joint(scm, terms, []), brute_joint(made, terms, [])
            for key in first.keys() | second.keys():
                worst = max(worst, abs(first.get(key, 0.0) - second.get(key, 0.0)))
    return worst
