"""Turn the identification of probabilities into that of means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.query.ast import Atom, Probability
from causalbench.truth.identify.asked import numbers_of
from causalbench.truth.identify.estimand import Estimand, Linear
from causalbench.truth.values import not_visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from causalbench.query.ast import Quantity
    from causalbench.truth.permitted import Ground

__all__ = ["by_labels"]

Found = tuple[Estimand, str]


def by_labels(
    ground: Ground,
    quantity: Quantity,
    probability: Callable[[Probability], Found | None],
    methods: Sequence[str],
) -> Found | None:
    """Identify a quantity by way of probabilities: E[Y | e] is the sum of y P(Y = y | e).

    One label whose probability is not identified can be had from all the others, so it does not
    matter where the mean is measured from it.

    Args:
        ground: has labels and numbers.
        quantity: a probability or a mean.
        probability: the way to identify a probability: an estimand and its method.
        methods: all methods, the one that assumes most last; it is named for the whole.

    Raises:
        AccessError: a mean of a variable that is hidden or does not exist.
        QueryError: a mean of values without numbers.
    """
    if isinstance(quantity, Probability):
        return probability(quantity)
    name = quantity.term.variable
    if name not in ground.labels:
        raise not_visible(name, ground.labels)
    numbers = dict(zip(ground.labels[name], numbers_of(ground, name, "E[...]"), strict=True))
    origin = 0.0
    found: dict[str, Found] = {}
    failed: list[str] = []
    for label in sorted(numbers, key=lambda label: numbers[label] == origin):
        if not failed and numbers[label] == origin:
            break  # the rest counts for nothing
        part = probability(Probability((Atom(quantity.term, "=", label),), quantity.given))
        if part is not None:
            found[label] = part
            continue
        failed.append(label)
        origin = numbers[label]
        if len(failed) > 1:
            return None
    terms = [(numbers[label] - origin, part[0]) for label, part in found.items()]
    used = [method for _, method in found.values()]
    return Linear(tuple(terms), origin), max(used, key=[*methods].index, default=methods[0])
