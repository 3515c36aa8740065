"""Put an estimand into its final form: sums flattened, indices with as few primes as will do."""

from __future__ import annotations

from dataclasses import replace
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
from causalbench.truth.identify.simplify import simplify

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["tidy"]


def tidy(estimand: Estimand) -> Estimand:
    """Return an equal estimand, shorter where `simplify` can, with as few primes as will do."""
    return _renamed(simplify(_flat(estimand)), {})


def _flat(node: Estimand) -> Estimand:
    """Write linear combinations of linear combinations as one, and 0 / a as 0."""
    match node:
        case Product(factors):
            return Product(tuple([_flat(factor) for factor in factors]))
        case Sum(over, body):
            return Sum(over, _flat(body))
        case Ratio(above, below):
            top = _flat(above)
            return top if top == Linear(()) else Ratio(top, _flat(below))
        case Linear(terms, constant):
            flat: list[tuple[float, Estimand]] = []
            for weight, term in terms:
                inner = _flat(term)
                if isinstance(inner, Linear):
                    flat += [(weight * w, part) for w, part in inner.terms]
                    constant += weight * inner.constant
                else:
                    flat.append((weight, inner))
            return Linear(tuple(flat), constant)
    return node


def _renamed(node: Estimand, names: Mapping[Index, Index]) -> Estimand:
    """Rename bound indices; an inner sum never takes the mark of an outer one."""
    match node:
        case Law(outcome, given, do):
            return Law(*(_settings(part, names) for part in (outcome, given, do)))
        case Product(factors):
            return Product(tuple([_renamed(factor, names) for factor in factors]))
        case Ratio(above, below):
            return Ratio(_renamed(above, names), _renamed(below, names))
        case Linear(terms, constant):
            return Linear(tuple([(w, _renamed(term, names)) for w, term in terms]), constant)
        case Sum(over, body):
            inner = dict(names)
            for index in over:
                taken = {i.mark for i in inner.values() if i.variable == index.variable}
                mark = next(m for m in range(len(taken) + 1) if m not in taken)
                inner[index] = replace(index, mark=mark)
            return Sum(tuple([inner[index] for index in over]), _renamed(body, inner))
    return node


def _settings(part: tuple[Setting, ...], names: Mapping[Index, Index]) -> tuple[Setting, ...]:
    return tuple([(n, names[v] if isinstance(v, Index) else v) for n, v in part])
