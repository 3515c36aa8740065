"""Run the part of a plan that is left to chance: draws, their weights, and the sums over them.

Points are a Richtmyer lattice, shifted at random `REPEATS` times and folded, one axis a variable.
Each shifted lattice is an unbiased sample by itself, so their spread gives an honest standard error
while the error falls faster than that of independent draws.

Reference: L'Ecuyer and Lemieux (2002), Recent advances in randomized quasi-Monte Carlo methods.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from causalbench.rng import uniforms
from causalbench.scm.additive import mean_of
from causalbench.truth.additive import agree, holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from causalbench.truth.additive import Plan

__all__ = ["REPEATS", "Draw", "Factor", "Run", "Tally", "factors_of", "lattice", "narrow"]

REPEATS = 32
_SINGULAR = -math.inf
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """What the condition says of one variable: a weight for every draw.

    Args:
        variable: whose noise is weighed.
        chance: the variables that the weight hangs on; none if it is one number.
        singular: an equality that nothing random of the variable's own can meet.
    """

    variable: str
    chance: frozenset[str]
    singular: bool = False


def factors_of(plan: Plan) -> list[Factor]:
    """Return a plan's factors; their product is the likelihood of the condition."""
    found = []
    for variable, copies in plan.copies.items():
        cuts = [cut.node for cut in plan.bounds(variable)]
        seen = [node for node in copies if node in plan.facts]
        if not seen and not cuts:
            continue
        means = frozenset[str]().union(*(plan.mean_chance[node] for node in (*seen, *cuts)))
        tested = len(seen) - (variable in plan.solved)
        own = plan.noise_chance[variable] - {variable}
        found.append(Factor(variable, means | own, tested > 0 and bool(means)))
    return found


class Run:
    """One pass over a plan: the values of nodes at given quantiles of the noise.

    Args:
        plan: what is asked.
        factors: those to weigh by.
        nodes: those whose values are wanted.
        whole: variables whose own noise is not drawn, because a law is integrated over instead.
    """

    def __init__(
        self, plan: Plan, factors: Iterable[Factor], nodes: Iterable[int], whole: frozenset[str]
    ) -> None:
        self.plan, self.whole = plan, whole
        self.factors = tuple(factors)
        weighed = {factor.variable for factor in self.factors}
        self.means, self.noises = self._closure(weighed, nodes)
        self.drawn = tuple(
            sorted(v for v in self.noises if v in plan.noise_chance[v] and v not in whole)
        )

    def _closure(
        self, weighed: set[str], nodes: Iterable[int]
    ) -> tuple[frozenset[int], frozenset[str]]:
        """Return the nodes whose means, and the variables whose noise, must be computed."""
        plan, means, noises = self.plan, set[int](), set[str]()
        stack: list[int | float] = [*nodes]
        heads: list[str] = [*weighed]
        wanted: set[int] = set()
        while stack or heads:
            if heads:
                variable = heads.pop()
                if variable in noises:
                    continue
                noises.add(variable)
                for node in self._readers(variable, weighed=variable in weighed):
                    if node not in means:
                        means.add(node)
                        stack += plan.nodes[node].parents
                continue
            place = stack.pop()
            if isinstance(place, float) or place in wanted or place in plan.facts:
                continue
            wanted.add(place)
            means.add(place)
            heads.append(plan.nodes[place].variable)
            stack += plan.nodes[place].parents
        return frozenset(means), frozenset(noises)

    def _readers(self, variable: str, *, weighed: bool) -> list[int]:
        """Return the nodes that tell a variable's noise, and if it is weighed its weight."""
        plan = self.plan
        cuts = [cut.node for cut in plan.bounds(variable)]
        solved = plan.solved.get(variable)
        if weighed:
            return [*cuts, *(node for node in plan.copies[variable] if node in plan.facts)]
        if solved is not None:
            return [solved]
        return cuts if plan.noise_chance[variable] else []

    def __call__(self, quantiles: Mapping[str, Array]) -> Draw:
        """Return the values, and the weights of the condition, at quantiles in (0, 1)."""
        plan, draw = self.plan, Draw()
        weighed = {factor.variable for factor in self.factors}
        for variable, copies in plan.copies.items():
            if variable not in self.noises and not any(node in self.means for node in copies):
                continue
            mechanism = plan.mechanism(variable)
            for node in copies:
                if node in self.means:
                    parents = plan.nodes[node].parents
                    values = {
                        name: place if isinstance(place, float) else draw.value(plan, place)
                        for name, place in zip(mechanism.parents, parents, strict=True)
                    }
                    draw.means[node] = mean_of(variable, mechanism, values)
            if variable in self.noises:
                weight = self._noise(variable, draw, quantiles, weighed=variable in weighed)
                draw.weight = draw.weight + weight
        return draw

    def _noise(
        self, variable: str, draw: Draw, quantiles: Mapping[str, Array], *, weighed: bool
    ) -> Any:
        """Put in a variable's noise, and return the logarithm of its weight, if it is weighed."""
        plan, law = self.plan, self.plan.law(variable)
        node = plan.solved.get(variable)
        weight: Any = 0.0
        if law.law == "none" or node is not None:
            noise: Any = np.float64(0.0)
            if node is not None:
                noise = plan.facts[node] - draw.means[node]
                weight = law.density(noise)
            draw.noises[variable] = noise
            if not weighed:
                return 0.0
            for other in plan.copies[variable]:
                if other in plan.facts and other != node:
                    met = agree(float(draw.means[other] + noise), plan.facts[other])
                    weight = weight + (0.0 if met else _SINGULAR)
            for cut in plan.bounds(variable):
                weight = weight + _indicator(draw.value(plan, cut.node), cut.op, cut.value)
            return weight
        low, high = self.limits(variable, draw)
        draw.limits[variable] = low, high
        bounded = bool(plan.bounds(variable))
        if variable not in self.whole:
            u = quantiles[variable]
            draw.noises[variable] = law.between(u, low, high) if bounded else law.quantile(u)
        if not (bounded and weighed):
            return 0.0
        with np.errstate(divide="ignore"):
            return np.log(law.mass(low, high))

    def limits(self, variable: str, draw: Draw) -> tuple[Any, Any]:
        """Return the bounds that the condition sets to a free variable's noise."""
        low, high = np.float64(-math.inf), np.float64(math.inf)
        for cut in self.plan.bounds(variable):
            low, high = narrow(low, high, cut.op, cut.value - draw.means[cut.node])
        return low, high


def narrow(low: Any, high: Any, op: str, bound: Any) -> tuple[Any, Any]:
    """Return an interval cut by one more comparison; a single point takes no mass away."""
    if op in {">", ">="}:
        return np.maximum(low, bound), high
    if op in {"<", "<="}:
        return low, np.minimum(high, bound)
    return low, high


def _indicator(value: Any, op: str, bound: float) -> Any:
    if np.ndim(value) == 0:
        return 0.0 if holds(float(value), op, bound) else _SINGULAR  # type: ignore[arg-type]
    if op == "!=":
        return 0.0
    inside = value > bound if op in {">", ">="} else value < bound
    return np.where(inside, 0.0, _SINGULAR)


@dataclass(slots=True)
class Draw:
    """The values of one pass; arrays have one shape, and what is known is a number."""

    means: dict[int, Any] = field(default_factory=dict)
    noises: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    weight: Any = 0.0

    def value(self, plan: Plan, node: int) -> Any:
        """Return the value of a node."""
        if node in plan.facts:
            return np.float64(plan.facts[node])
        return self.means[node] + self.noises[plan.nodes[node].variable]


class Tally:
    """Sums of weights and of weighted values, one of each shifted lattice."""

    def __init__(self) -> None:
        self.weights, self.values = np.zeros(REPEATS), np.zeros(REPEATS)
        self.squares = self.count = 0.0
        self.scale, self.most, self.spread = -math.inf, 0.0, 0.0

    def add(self, weight: Any, value: Any, size: int) -> None:
        """Add draws.

        Args:
            weight: logarithms, a number or float[REPEATS, size].
            value: a number or float[REPEATS, size].
            size: draws of each lattice.
        """
        top = float(np.max(weight))
        if top > self.scale:
            factor = math.exp(self.scale - top)
            self.weights *= factor
            self.values *= factor
            self.squares *= factor**2
            self.most *= factor**2
            self.spread *= factor**2
            self.scale = top
        self.count += REPEATS * size
        if self.scale == -math.inf:
            return
        shape = (REPEATS, size)
        weights = np.broadcast_to(np.exp(weight - self.scale), shape)
        product = weights * value
        self.weights += weights.sum(axis=1)
        self.values += product.sum(axis=1)
        self.squares += float((weights * weights).sum())
        square = product * product
        self.most = max(self.most, float(square.max()))
        self.spread += float(square.sum())

    @property
    def effective(self) -> float:
        """Kish's effective sample size: (sum of weights)^2 / sum of squared weights."""
        total = float(self.weights.sum())
        return total * total / self.squares if self.squares > 0 else 0.0

    @property
    def heaviest(self) -> float:
        """The share of the sum of squares that one draw has: near 0 unless the tails are heavy."""
        return self.most / self.spread if self.spread > 0 else 0.0

    @property
    def mean(self) -> float:
        """The weighted mean."""
        return float(self.values.sum() / self.weights.sum())

    @property
    def error(self) -> float:
        """The standard error of the mean: the delta method over the shifted lattices."""
        rest = self.values - self.mean * self.weights
        spread = math.sqrt(float((rest * rest).sum()) * REPEATS / (REPEATS - 1))
        return spread / float(self.weights.sum())


def lattice(key: int, axes: Mapping[str, int]) -> Callable[[int, int], dict[str, Array]]:
    """Return a function from (start, stop) to the points of that part, in (0, 1).

    Args:
        key: a seed; the same one gives the same points.
        axes: variable to the number of its axis, from 0.
    """
    primes = _primes(max(axes.values(), default=0) + 1)
    shifts = {}
    for name in axes:
        seed = np.random.SeedSequence([key, zlib.crc32(name.encode())])
        shifts[name] = uniforms(np.random.Generator(np.random.PCG64(seed)), (REPEATS, 1))

    def points(start: int, stop: int) -> dict[str, Array]:
        index = np.arange(start, stop, dtype=np.float64)
        found = {}
        for name, axis in axes.items():
            raw = (index * math.sqrt(primes[axis]) + shifts[name]) % 1.0
            folded = 1.0 - np.abs(2.0 * raw - 1.0)
            found[name] = np.clip(folded, 2.0**-54, 1.0 - 2.0**-53)
        return found

    return points


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found if prime * prime <= number):
            found.append(number)
        number += 1
    return found
