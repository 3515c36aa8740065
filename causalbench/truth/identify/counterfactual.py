"""Identify quantities of rung 3, where a diagram is shown.

A plain conjunction with every experiment permitted goes to ID* and IDC*; what they leave, nested
terms, conditions of several values and restricted experiments go to ctf-ID and ctf-IDC; then
stated monotone mechanisms are used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from causalbench.errors import ZeroProbabilityError
from causalbench.query.render import quote, render_quantity
from causalbench.truth.identify.ctf import ZERO, Ctf, Failure
from causalbench.truth.identify.ctf_network import Network
from causalbench.truth.identify.ctf_nodes import Values
from causalbench.truth.identify.estimand import Estimand, Index, Linear, Ratio
from causalbench.truth.identify.idstar import idc_star
from causalbench.truth.identify.means import by_labels
from causalbench.truth.identify.monotone import Monotone
from causalbench.truth.identify.rename import tidy
from causalbench.truth.identify.unnest import Event, Unnester

if TYPE_CHECKING:
    from collections.abc import Iterator

    from causalbench.graph import Diagram
    from causalbench.query.ast import Probability, Quantity
    from causalbench.truth.identify.ctf_nodes import Node
    from causalbench.truth.permitted import Ground

__all__ = ["identify_counterfactual", "identify_counterfactuals", "why_not"]

Found = tuple[Estimand, str, str]  # estimand, method, source

_CTF = "Correa, Lee and Bareinboim (2021)"
_SOURCES = {
    "axioms": "Galles and Pearl (1998)",
    "ID*": "Shpitser and Pearl (2008)",
    "IDC*": "Shpitser and Pearl (2008)",
    "ctf-ID": _CTF,
    "ctf-IDC": _CTF,
    "ctf-ID, consistency": f"{_CTF}; Pearl (2009), section 7.3",
    "ctf-IDC, consistency": f"{_CTF}; Pearl (2009), section 7.3",
    "monotonicity": "Pearl (1999); Tian and Pearl (2000)",
}


def identify_counterfactual(ground: Ground, quantity: Quantity) -> Found | None:
    """Return an estimand for a quantity of any rung, its method and its source, or None.

    Args:
        ground: what may be looked at.
        quantity: without hidden variables.

    Raises:
        AccessError: a variable that is hidden or does not exist.
        QueryError: a label that does not exist, or a mean of values without numbers.
        ZeroProbabilityError: a condition that can't happen in any world.
    """
    return next(identify_counterfactuals(ground, quantity), None)


def identify_counterfactuals(ground: Ground, quantity: Quantity) -> Iterator[Found]:
    """Yield estimands of one quantity that differ in the values of variables that don't matter.

    Where one such value never happens, the next estimand may still divide by nothing that is zero.

    Args:
        ground: as in `identify_counterfactual`.
        quantity: as in `identify_counterfactual`.
    """
    met = set()
    for idle in range(max(map(len, ground.labels.values()))):
        found = _Search(ground, idle).quantity(quantity)
        if found is None:
            return
        estimand, method = tidy(found[0]), found[1]
        if estimand in met:
            return
        met.add(estimand)
        yield estimand, method, _SOURCES[method]


def why_not(ground: Ground, quantity: Quantity) -> str | None:
    """Say in a few words what stands in the way; None if nothing does.

    Args:
        ground: as in `identify_counterfactual`.
        quantity: as in `identify_counterfactual`.
    """
    search = _Search(ground)
    if search.quantity(quantity) is not None:
        return None
    if search.failure is None:
        return "there are too many cases to write out"
    return _reason(search.failure)


class _Search:
    """Tries the methods one after the other; keeps the first failure."""

    def __init__(self, ground: Ground, idle: int = 0) -> None:
        self.ground = ground
        self.idle = idle
        self.network = _network(ground.diagram)
        self.failure: Failure | None = None

    def quantity(self, quantity: Quantity) -> tuple[Estimand, str] | None:
        """Return an estimand and its method."""
        return by_labels(self.ground, quantity, self.probability, [*_SOURCES])

    def probability(self, quantity: Probability) -> tuple[Estimand, str] | None:
        """Return an estimand of P(event | given) and its method."""
        unnester = Unnester(self.ground)
        given = unnester.events(quantity.given)
        target = unnester.events(quantity.event)
        ctf = Ctf(self.ground, self.network, unnester, self.idle)
        if given is None or not ctf.possible(given):
            msg = f"the condition of {render_quantity(quantity)} can't happen; ask under another."
            raise ZeroProbabilityError(msg)
        suffix = "C" if given else ""
        if target is None:
            return ZERO, "axioms"
        both = (*given, *target)
        above, below = ctf.measured(both), ctf.measured(given)
        if above is not None and below is not None:
            return Ratio(above, below), "axioms"
        if self.ground.all_experiments and _plain((*given, *target)):
            star = idc_star(self.network, target, given, unnester)
            if star is not None:
                return star, f"ID{suffix}*"
        found = ctf.conditional(both, given) if given else ctf.joint(both)
        if found is not None:
            return found, f"ctf-ID{suffix}" + ctf.used_consistency * ", consistency"
        self.failure = self.failure or ctf.failure
        monotone = Monotone(self.ground.assumptions, unnester, self.network)
        above = self.monotone(ctf, monotone, both) if monotone.signs else None
        below = self.monotone(ctf, monotone, given) if above is not None else None
        if above is None or below is None:
            return None
        return (Ratio(above, below) if given else above), "monotonicity"

    def monotone(self, ctf: Ctf, monotone: Monotone, events: tuple[Event, ...]) -> Estimand | None:
        """Return P(events), rewritten as often as need be."""
        found = ctf.joint(events)
        if found is not None:
            return found
        copies = self.network.settle(events, Values(ctf.unnester))
        for parts in monotone.rewrites(copies or {}):
            terms = []
            for weight, left in parts:
                part = self.monotone(ctf, monotone, left)
                if part is None:
                    break
                terms.append((weight, part))
            else:
                return Linear(tuple(terms))
        return None


@lru_cache(maxsize=256)
def _network(diagram: Diagram) -> Network:
    return Network(diagram)


def _plain(events: tuple[Event, ...]) -> bool:
    """Tell whether all values and settings are labels."""
    return not any(
        isinstance(value, Index)
        for event in events
        for value in (event.value, *(value for _, value in event.setting))
    )


def _reason(failure: Failure) -> str:
    """Say why a factor is not identified."""
    shown = ", ".join(_written(node) for node in failure.factor)
    if failure.name is None:
        return f"the c-factor of {{{shown}}} is not identified from what is permitted"
    two = [node.variable for node in failure.factor]
    if len(set(two)) < len(two):
        return f"the factor {{{shown}}} asks one mechanism at two settings of {failure.name}"
    return f"the factor {{{shown}}} needs two values of {failure.name} at once"


def _written(node: Node) -> str:
    """Write a node as y[x=0]; a summed value as its variable's name."""
    inside = ", ".join(
        quote(name) if isinstance(value, Index) else f"{quote(name)}={quote(value)}"
        for name, value in node.parents
    )
    return quote(node.variable) + (f"[{inside}]" if inside else "")
