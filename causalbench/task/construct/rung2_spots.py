"""What a rung-2 question is about: what is set, seen and asked for, and whether that is settled.

Everything here looks at diagrams alone, so it costs nothing beside the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench import rng as draws
from causalbench.task.construct.net import coin
from causalbench.truth.identify.mixed import Mixed
from causalbench.truth.identify.shpitser import HedgeError, id_conditional, id_joint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from causalbench.graph import Diagram
    from causalbench.task.construct.order import Order

    Diagrams = tuple[Diagram, Diagram]

__all__ = ["Target", "identified", "targets"]

_MOTIF_FIRST = 0.5  # how often the motif's own x and y are tried before others
_SEEN = 0.5  # how often a stated policy looks at something first


@dataclass(frozen=True)
class Target:
    """Where to look for a question.

    Args:
        xs: the variables that are set.
        y: the outcome.
        seen: the evidence, or what a policy looks at.
    """

    xs: tuple[str, ...]
    y: str
    seen: tuple[str, ...] = ()


def targets(
    rng: np.random.Generator,
    order: Order,
    diagrams: Diagrams,
    first: tuple[str, str] = ("x", "y"),
) -> Iterator[Target]:
    """Yield what a question of the form may be about, in random order.

    Where the agent sees the diagram, every x is a cause of y on both sides: "P(y | x) if there is a
    path, else P(y)" must not pay. Elsewhere some x is one on some side.

    Args:
        rng: draws the order.
        order: what is wanted.
        diagrams: of the two sides.
        first: the cause and the effect that are tried before others, often. Where the diagram is
            shown they always are, and no other cause is tried, as it is this one's ways that
            became confounding.
    """
    names = diagrams[0].nodes
    causes = (first[0],) if order.drawn else names
    pairs = [(x, y) for x in causes for y in names if x != y]
    pairs = [pairs[int(place)] for place in draws.permutation(rng, len(pairs))]
    if order.drawn or coin(rng, _MOTIF_FIRST):
        pairs.sort(key=lambda pair: pair != first)
    for x, y in pairs:
        if not _reaches(order, diagrams, x, y):
            continue
        others = [name for name in names if name not in {x, y}]
        others = [others[int(place)] for place in draws.permutation(rng, len(others))]
        for target in _of_form(rng, order, diagrams, x, y, others):
            if order.terms.cell != "diagram" or all(
                identified(each, target, order) for each in diagrams
            ):
                yield target


def _of_form(
    rng: np.random.Generator,
    order: Order,
    diagrams: Diagrams,
    x: str,
    y: str,
    others: Sequence[str],
) -> Iterator[Target]:
    """Yield targets of a form for one x and y."""
    form = order.form
    later = {name for each in diagrams for name in each.descendants([x])}
    if form in {"conditional-interventional", "CATE"} or (
        form == "soft-intervention" and coin(rng, _SEEN)
    ):
        for z in others:
            if z not in later or form == "conditional-interventional":
                yield Target((x,), y, (z,))
    elif form in {"joint-intervention", "CDE"}:
        for z in others:
            between = form != "CDE" or _reaches(order, diagrams, x, z)
            if between and _reaches(order, diagrams, z, y):
                yield Target((x, z), y)
    else:
        yield Target((x,), y)


def _reaches(order: Order, diagrams: Diagrams, cause: str, effect: str) -> bool:
    """Say whether a variable is a cause of another on both sides; in a lab, on either."""
    found = [cause in each.ancestors([effect]) for each in diagrams]
    return all(found) if order.drawn else any(found)


def identified(diagram: Diagram, target: Target, order: Order) -> bool:
    """Say whether a diagram and the laws that are given settle P(y | do(xs), seen).

    With the law under every single intervention, two variables may be set together in thought if
    the second step is settled by the law under the first.

    Reference:
        Shpitser and Pearl (2006), ID and IDC, complete for the law that is seen.
    """
    if order.terms.laws != "do":
        return _settled(diagram, target.xs, target, order)
    if len(target.xs) == 1:
        return True
    return any(
        _settled(
            diagram.induced(name for name in diagram.nodes if name != given),
            [x for x in target.xs if x != given],
            target,
            order,
        )
        for given in target.xs
    )


def _settled(diagram: Diagram, xs: Sequence[str], target: Target, order: Order) -> bool:
    """Say whether ID, or IDC, finds a formula."""
    graph = Mixed(diagram)
    y, x, z = graph.mask([target.y]), graph.mask(xs), graph.mask(target.seen)
    try:
        if order.form == "soft-intervention":
            id_joint(graph, y | z, x)
        else:
            id_conditional(graph, y, x, z, id_joint)
    except HedgeError:
        return False
    return True
