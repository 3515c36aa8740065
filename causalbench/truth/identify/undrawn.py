"""Identify quantities of any rung where no diagram is shown: by algebra and stated assumptions.

Without a diagram every world is possible, so only what holds in all of them is used:
effectiveness and composition; consistency, which makes {Y[t, x] = y, X[t] != x} the event
{Y[t, x] = y} less {Y[t] = y, X[t] = x}; and stated monotone mechanisms where every other variable
is forced or known, since any that is free might carry an effect of its own.

References: Galles and Pearl, An axiomatic characterization of causal counterfactuals (1998);
Pearl, Causality (2nd edition), section 7.3; Tian and Pearl, Probabilities of causation (2000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.errors import ZeroProbabilityError
from causalbench.graph import Diagram
from causalbench.query.render import render_quantity
from causalbench.truth.identify.ctf_network import certain
from causalbench.truth.identify.ctf_nodes import Values
from causalbench.truth.identify.estimand import Estimand, Index, Law, Linear, Product, Ratio, Sum
from causalbench.truth.identify.means import by_labels
from causalbench.truth.identify.monotone import Monotone
from causalbench.truth.identify.rename import tidy
from causalbench.truth.identify.unnest import Event, Unnester
from causalbench.truth.permitted import Ground

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from causalbench.query.ast import Probability, Quantity
    from causalbench.truth.identify.ctf_network import Copies
    from causalbench.truth.identify.estimand import Setting

__all__ = ["identify_undrawn"]

_ZERO = Linear(())
_PEARL = "Pearl (2009), section 7.3"
_SOURCES = {
    "axioms": "Galles and Pearl (1998)",
    "consistency": _PEARL,
    "monotonicity": "Pearl (1999); Tian and Pearl (2000)",
}


def identify_undrawn(
    labels: Mapping[str, tuple[str, ...]],
    numbers: Mapping[str, tuple[float, ...] | None],
    manipulable: frozenset[str],
    quantity: Quantity,
    assumptions: tuple[str, ...] = (),
) -> tuple[Estimand, str, str] | None:
    """Return an estimand that holds in every world, its method and its source, or None.

    Args:
        labels: visible variable -> its values, in rising order where it is said to be monotone.
        numbers: visible variable -> one number for each value, or None.
        manipulable: the variables that experiments may set, alone or together.
        quantity: without hidden variables.
        assumptions: as in `Knowledge`.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: a label that does not exist, or a mean of values without numbers.
        ZeroProbabilityError: a condition that can't happen in any world.
    """
    # The edges are never looked at; a ground is what reads the atoms.
    ground = Ground(Diagram(labels), labels, numbers, manipulable, assumptions)
    methods = [*_SOURCES]

    def probability(part: Probability) -> tuple[Estimand, str] | None:
        return _Undrawn(ground).probability(part)

    found = by_labels(ground, quantity, probability, methods)
    if found is None:
        return None
    estimand, method = found
    return tidy(estimand), method, _SOURCES[method]


class _Undrawn:
    """The search for one probability."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.unnester = Unnester(ground)
        self.monotone = Monotone(ground.assumptions, self.unnester, None)
        self.method = "axioms"

    def probability(self, quantity: Probability) -> tuple[Estimand, str] | None:
        """Return an estimand of P(event | given) and its method."""
        given, target = self.unnester.events(quantity.given), self.unnester.events(quantity.event)
        if given is None or self._settle(given) is None:
            msg = f"the condition of {render_quantity(quantity)} can't happen; ask under another."
            raise ZeroProbabilityError(msg)
        if target is None:
            return _ZERO, self.method
        above = self._joint((*given, *target), frozenset())
        below = self._joint(given, frozenset()) if given else None
        if above is None or (given and below is None):
            return None
        return (above if below is None else Ratio(above, below)), self.method

    def _joint(
        self, events: Iterable[Event], turned: frozenset[tuple[str, tuple[Setting, ...]]]
    ) -> Estimand | None:
        """Return P(events), or None.

        Args:
            events: a conjunction.
            turned: the copies to which consistency has been applied.
        """
        copies = self._settle(events)
        if copies is None:
            return _ZERO
        if len({setting for _, setting in copies}) <= 1:
            return self._law(copies)
        for parts in self.monotone.rewrites(copies):
            found = [(weight, self._joint(left, turned)) for weight, left in parts]
            terms = [(weight, part) for weight, part in found if part is not None]
            if len(terms) == len(found):
                self.method = "monotonicity"
                return Linear(tuple(terms))
        return self._consistent(copies, turned)

    def _law(self, copies: Copies) -> Estimand | None:
        """Return the law of one world, if it may be measured."""
        if not copies:
            return Product(())
        setting = next(iter(copies))[1]
        if not self.ground.manipulable.issuperset(name for name, _ in setting):
            return None
        seen = {name: value for (name, _), value in copies.items()}
        forced = dict(setting)
        law = Law(
            tuple([(name, seen[name]) for name in self.ground.labels if name in seen]),
            (),
            tuple([(name, forced[name]) for name in self.ground.labels if name in forced]),
        )
        values = [value for _, value in (*law.outcome, *law.do)]
        over = tuple(dict.fromkeys(value for value in values if isinstance(value, Index)))
        return Sum(over, law) if over else law

    def _consistent(
        self, copies: Copies, turned: frozenset[tuple[str, tuple[Setting, ...]]]
    ) -> Estimand | None:
        """Write X[t] != x as everything less X[t] = x, where the others are of the world t, x."""
        for key, value in copies.items():
            name, setting = key
            labels = self.ground.labels[name]
            held = (value,) if isinstance(value, str) else value.among or labels
            left = [label for label in labels if label not in held]
            larger = tuple(sorted({**dict(setting), name: left[0]}.items())) if left else ()
            if len(left) != 1 or key in turned or not any(s == larger for _, s in copies):
                continue
            others = [Event(n, s, v) for (n, s), v in copies.items() if (n, s) != key]
            without = self._joint(others, turned | {key})
            if without is None:
                continue
            at = self._joint([*others, Event(name, setting, left[0])], turned | {key})
            if at is not None:
                if self.method == "axioms":
                    self.method = "consistency"
                return Linear(((1.0, without), (-1.0, at)))
        return None

    def _settle(self, events: Iterable[Event]) -> Copies | None:
        """Use effectiveness and composition; None where the events can't happen together."""
        values = Values(self.unnester)
        waiting = list(events)
        changed = True
        while changed:
            known = len(values.bound)
            copies: Copies = {}
            for event in waiting:
                setting = values.setting(event.setting)
                own = dict(setting).get(event.variable)
                if own is None:
                    own = copies.setdefault((event.variable, setting), event.value)
                if not values.equal(own, event.value):
                    return None
            copies = {key: values.resolve(value) for key, value in copies.items()}
            reduced = [
                Event(name, _composed(setting, copies), value)
                for (name, setting), value in copies.items()
            ]
            changed = len(values.bound) > known or any(
                event.setting != setting
                for event, (_, setting) in zip(reduced, copies, strict=True)
            )
            waiting = reduced
        return certain(copies)


def _composed(setting: tuple[Setting, ...], copies: Copies) -> tuple[Setting, ...]:
    """Drop settings that only set what would have been so anyway: composition."""
    for smaller in sorted({s for _, s in copies}, key=len):
        if len(smaller) < len(setting) and set(smaller) <= set(setting):
            dropped = [entry for entry in setting if entry not in smaller]
            if all(copies.get((name, smaller)) == value for name, value in dropped):
                return smaller
    return setting
