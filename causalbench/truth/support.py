"""Prove that a condition cannot be: by the intervals within which variables must lie.

Bounded noise and bounded functions bound what depends on them. Interval arithmetic may give wider
bounds than there are, never narrower ones, so that what falls outside is impossible.

Reference: Moore, Kearfott, Cloud (2009), Introduction to Interval Analysis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from causalbench.scm.additive import AdditiveMechanism

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causalbench.scm.expression import Expression
    from causalbench.scm.mechanism import LinearMechanism
    from causalbench.scm.noise import Noise
    from causalbench.truth.additive import Plan

__all__ = ["Interval", "impossible", "range_of"]

Interval = tuple[float, float]
_ALL: Interval = (-math.inf, math.inf)
_SLACK = 1e-9  # of rounding, in the scale of a bound


def impossible(plan: Plan) -> bool:
    """Tell whether a plan's condition certainly has no mass and no density."""
    ranges: list[Interval] = []
    for number, node in enumerate(plan.nodes):
        mechanism = plan.mechanism(node.variable)
        parents = {
            name: (place, place) if isinstance(place, float) else ranges[place]
            for name, place in zip(mechanism.parents, node.parents, strict=True)
        }
        found = _sum(_mean(mechanism, parents), _support(plan.law(node.variable)))
        stated = plan.facts.get(number)
        if stated is not None:
            if not _slack(found)[0] <= stated <= _slack(found)[1]:
                return True
            found = stated, stated
        ranges.append(found)
    for cut in plan.cuts:
        low, high = _slack(ranges[cut.node])
        if (cut.op in {">", ">="} and high <= cut.value) or (
            cut.op in {"<", "<="} and low >= cut.value
        ):
            return True
    return False


def range_of(expression: Expression, values: Mapping[str, Interval]) -> Interval:
    """Return bounds on an expression, given bounds on its variables."""
    stack: list[Interval] = []
    for kind, what, size in expression.steps:
        if kind == "number":
            stack.append((float(what), float(what)))
        elif kind == "name":
            stack.append(values[str(what)])
        else:
            operands = stack[-size:]
            del stack[-size:]
            stack.append(_step(str(what), operands))
    return stack.pop()


def _step(what: str, operands: list[Interval]) -> Interval:
    first = operands[0]
    if what in _ONE:
        return _ONE[what](first)
    if what in {"min", "max"}:
        pick = min if what == "min" else max
        return pick(a for a, _ in operands), pick(b for _, b in operands)
    return _TWO[what](first, operands[1]) if what in _TWO else (0.0, 1.0)  # a comparison


def _sum(first: Interval, second: Interval) -> Interval:
    return first[0] + second[0], first[1] + second[1]


def _negative(x: Interval) -> Interval:
    return -x[1], -x[0]


def _product(first: Interval, second: Interval) -> Interval:
    corners = [0.0 if 0.0 in {a, b} else a * b for a in first for b in second]
    return min(corners), max(corners)


def _quotient(first: Interval, second: Interval) -> Interval:
    low, high = second
    return _ALL if low <= 0 <= high else _product(first, (1 / high, 1 / low))


def _power(base: Interval, exponent: Interval) -> Interval:
    low, high = base
    power = exponent[0]
    if exponent[0] != exponent[1] or power < 0 or (low < 0 and not power.is_integer()):
        return (0.0, math.inf) if low >= 0 or power % 2 == 0 == exponent[1] % 2 else _ALL
    ends = [_raised(low, power), _raised(high, power)]
    if power % 2 == 0 and low < 0 < high:
        ends.append(0.0)
    return min(ends), max(ends)


def _raised(base: float, power: float) -> float:
    try:
        return float(base**power)
    except OverflowError:
        return -math.inf if base < 0 and power % 2 == 1 else math.inf


def _exp(x: Interval) -> Interval:
    low, high = (math.exp(min(v, 700.0)) for v in x)
    return low, high if x[1] <= 700 else math.inf  # noqa: PLR2004


def _log(x: Interval) -> Interval:
    low, high = (math.log(v) if v > 0 else -math.inf for v in x)
    return low, high


def _sqrt(x: Interval) -> Interval:
    return math.sqrt(max(x[0], 0.0)), math.sqrt(max(x[1], 0.0))


def _abs(x: Interval) -> Interval:
    ends = abs(x[0]), abs(x[1])
    return 0.0 if x[0] <= 0 <= x[1] else min(ends), max(ends)


def _wave(_: Interval) -> Interval:
    return -1.0, 1.0


_ONE: dict[str, Callable[[Interval], Interval]] = {
    "neg": _negative,
    "sin": _wave,
    "cos": _wave,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "tanh": lambda x: (math.tanh(x[0]), math.tanh(x[1])),
    "abs": _abs,
}
_TWO: dict[str, Callable[[Interval, Interval], Interval]] = {
    "+": _sum,
    "-": lambda a, b: _sum(a, _negative(b)),
    "*": _product,
    "/": _quotient,
    "**": _power,
}


def _mean(
    mechanism: LinearMechanism | AdditiveMechanism, parents: Mapping[str, Interval]
) -> Interval:
    if isinstance(mechanism, AdditiveMechanism):
        return range_of(mechanism.formula, parents)
    total = mechanism.intercept, mechanism.intercept
    for name, weight in zip(mechanism.parents, mechanism.weights.tolist(), strict=True):
        total = _sum(total, _product((weight, weight), parents[name]))
    return total


def _support(law: Noise) -> Interval:
    if law.law == "none":
        return 0.0, 0.0
    return (law.parameters[0], law.parameters[1]) if law.law == "uniform" else _ALL


def _slack(x: Interval) -> Interval:
    low, high = (_SLACK * (1.0 + abs(v)) if math.isfinite(v) else 0.0 for v in x)
    return x[0] - low, x[1] + high
