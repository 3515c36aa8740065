"""Write estimands shorter: as textbooks do, where the textbook has the case.

Every rule is an equality of the calculus of probability, so it holds wherever no condition has
probability zero; where one does, the shorter estimand may be defined though the longer is not, and
is right then (see `causalbench.truth.identify.evaluate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.truth.identify.estimand import (
    Estimand,
    Index,
    Law,
    Linear,
    Product,
    Ratio,
    Setting,
    Sum,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["simplify"]

_ONE = Product(())


def simplify(estimand: Estimand) -> Estimand:
    """Return an equal, shorter estimand.

    Chains become joint laws, ``P(a | b) P(b)`` is ``P(b, a)``; sums that are 1 or that only drop a
    variable go; what a sum does not run over moves in front of it; ratios are cancelled, and
    ``P(a, b) / P(b)`` is ``P(a | b)``.
    """
    match estimand:
        case Law(()):
            return _ONE
        case Product(factors):
            return _product(simplify(factor) for factor in factors)
        case Sum(over, body):
            return _sum(over, simplify(body))
        case Ratio(above, below):
            return _ratio(simplify(above), simplify(below))
        case Linear(terms, constant):
            return _linear(terms, constant)
    return estimand


def _factors(node: Estimand) -> list[Estimand]:
    return list(node.factors) if isinstance(node, Product) else [node]


def _product(factors: Iterable[Estimand]) -> Estimand:
    """Flatten a product and join its chains."""
    flat = [part for factor in factors for part in _factors(factor)]
    at = 0
    while at < len(flat):
        near = _joined(flat, at)
        if near is None:
            at += 1
        else:
            other, law = near
            flat[min(at, other)] = law
            del flat[max(at, other)]
            at = 0
    flat.sort(key=_rank)
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _rank(factor: Estimand) -> int:
    """Put laws in front, and sums, which reach to the end, behind."""
    return 0 if isinstance(factor, Law) else 2 if isinstance(factor, Sum) else 1


def _joined(factors: Sequence[Estimand], at: int) -> tuple[int, Law] | None:
    """Find the factor P(b | c) that makes P(a | b, c) at a place into P(b, a | c)."""
    law = factors[at]
    if not isinstance(law, Law) or not law.given:
        return None
    for other, inner in enumerate(factors):
        if (
            isinstance(inner, Law)
            and other != at
            and inner.do == law.do
            and len(inner.outcome) + len(inner.given) == len(law.given)
            and all(setting in law.given for setting in inner.outcome + inner.given)
        ):
            return other, Law(inner.outcome + law.outcome, inner.given, law.do)
    return None


def _sum(over: tuple[Index, ...], body: Estimand) -> Estimand:
    """Carry out the sums that only drop a variable, and move what they do not touch in front."""
    if isinstance(body, Sum) and not {*over} & {*body.over}:
        over, body = over + body.over, body.body
    factors = _factors(body)
    left = list(over)
    changed = True
    while changed:
        changed = False
        for index in left:
            dropped = _dropped(factors, index)
            if dropped is not None:
                left.remove(index)
                factors = _factors(_product(dropped))
                changed = True
                break
    if not left:
        return _product(factors)
    inside = [factor for factor in factors if any(_uses(factor, index) for index in left)]
    front = [factor for factor in factors if factor not in inside]
    whole = Sum(tuple(left), _product(inside))
    return _product([*front, whole]) if front else whole


def _dropped(factors: Sequence[Estimand], index: Index) -> list[Estimand] | None:
    """Sum over an index that stands in the outcome of one law alone, else None."""
    users = [at for at, factor in enumerate(factors) if _uses(factor, index)]
    if index.among is not None or len(users) != 1:
        return None
    law = factors[users[0]]
    if not isinstance(law, Law) or (index.variable, index) not in law.outcome:
        return None
    if _stands(law.given, index) or _stands(law.do, index):
        return None
    outcome = tuple([setting for setting in law.outcome if setting[1] != index])
    return [
        *factors[: users[0]],
        Law(outcome, law.given, law.do) if outcome else _ONE,
        *factors[users[0] + 1 :],
    ]


def _stands(settings: Sequence[Setting], index: Index) -> bool:
    """Tell whether an index is a value among settings."""
    for _, value in settings:  # most values are this very object, or no index at all
        if value is index or (isinstance(value, Index) and value == index):
            return True
    return False


def _uses(node: Estimand, index: Index) -> bool:
    """Tell whether an index is free in a node."""
    match node:
        case Law(outcome, given, do):
            return _stands(outcome, index) or _stands(given, index) or _stands(do, index)
        case Sum(over, body):
            return index not in over and _uses(body, index)
        case Product(factors):
            return any(_uses(factor, index) for factor in factors)
        case Ratio(above, below):
            return _uses(above, index) or _uses(below, index)
        case Linear(terms):
            return any(_uses(term, index) for _, term in terms)
    return False


def _ratio(above: Estimand, below: Estimand) -> Estimand:
    """Cancel common factors, then a law that is a margin of another."""
    top, bottom = _factors(above), _factors(below)
    for factor in list(bottom):
        if factor in top:
            top.remove(factor)
            bottom.remove(factor)
    for factor in list(bottom):
        for at, law in enumerate(top):
            conditional = _conditional(law, factor)
            if conditional is not None:
                top[at] = conditional
                bottom.remove(factor)
                break
    numerator = _product(top)
    return Ratio(numerator, _product(bottom)) if bottom else numerator


def _conditional(law: Estimand, margin: Estimand) -> Law | None:
    """Return P(a | b, c) for P(a, b | c) over P(b | c), else None."""
    if not (isinstance(law, Law) and isinstance(margin, Law) and law.do == margin.do):
        return None
    if len(law.given) != len(margin.given) or len(margin.outcome) >= len(law.outcome):
        return None
    if not all(setting in law.given for setting in margin.given):
        return None
    if not all(setting in law.outcome for setting in margin.outcome):
        return None
    rest = tuple([setting for setting in law.outcome if setting not in margin.outcome])
    return Law(rest, margin.outcome + margin.given, law.do)


def _linear(terms: Sequence[tuple[float, Estimand]], constant: float) -> Estimand:
    """Drop terms of weight 0, and put ones to the constant."""
    kept: dict[Estimand, float] = {}
    for weight, term in terms:
        short = simplify(term)
        if short == _ONE:
            constant += weight
        elif weight:
            kept[short] = kept.get(short, 0.0) + weight
    parts = tuple((weight, term) for term, weight in kept.items() if weight)
    if len(parts) == 1 and parts[0][0] == 1.0 and not constant:
        return parts[0][1]
    return Linear(parts, constant)
