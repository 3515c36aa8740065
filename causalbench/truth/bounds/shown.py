"""Bound a query where the diagram is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from causalbench.errors import CertificateError
from causalbench.truth.bounds.ends import exact_end
from causalbench.truth.bounds.factors import Factors
from causalbench.truth.bounds.latents import Latent
from causalbench.truth.bounds.problem import Problem
from causalbench.truth.bounds.relax import outer_ends
from causalbench.truth.bounds.responses import shape_of
from causalbench.truth.bounds.search import Free, State, climb
from causalbench.truth.bounds.trivial import trivial_ends
from causalbench.truth.bounds.types import Bounds
from causalbench.truth.bounds.witness import with_laws, witness

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.scm import SCM
    from causalbench.truth.bounds.problem import Part
    from causalbench.truth.bounds.responses import Component
    from causalbench.truth.permitted import Permitted

__all__ = ["shown_bounds"]

_SHARP = 1e-9


@dataclass
class _Side:
    """One end as it is put together: its numbers, and what moves the world there."""

    outer: float
    inner: float
    laws: list[tuple[Component, NDArray[np.float64]]]
    latents: list[Latent]


def shown_bounds(permitted: Permitted, world: SCM, query: Query) -> Bounds:
    """Return bounds over all worlds with the diagram and the permitted laws.

    Args:
        permitted: the laws; the diagram is shown.
        world: the world, which witnesses share everything with that the query leaves alone.
        query: over visible variables.
    """
    ground = permitted.ground
    shape = shape_of(
        ground.diagram, ground.labels, ground.numbers, ground.manipulable, ground.assumptions
    )
    problem = Problem(shape, query, Factors(permitted, shape))
    if not problem.consistent:
        msg = (
            "no law of response types meets the permitted laws, so the diagram or an assumption "
            "does not fit them; check them."
        )
        raise CertificateError(msg)
    low = _Side(problem.constant, problem.constant, [], [])
    high = _Side(problem.constant, problem.constant, [], [])
    # A coupling told of a mechanism whose hidden causes are shared is left out: that is sound, but
    # a world made without it is no witness.
    told = any(shape.couplings.keys() & set(b.component.members) for b in problem.blocks)
    exact, ratio, drawn = True, False, not told
    for group in problem.groups:
        drawn = _add(problem, world, group, low, high) and drawn
        exact = exact and len(group) == 1 and group[0].linear
        ratio = ratio or not all(part.whole for part in group)
    made = tuple(_built(world, side) for side in (low, high))
    found = tuple(witness(permitted, world, each, query) for each in made) if drawn else None
    inner = (low.inner, high.inner)
    if found is not None:
        inner = (found[0].value, found[1].value)
        if max(abs(inner[0] - low.inner), abs(inner[1] - high.inner)) > _SHARP:
            msg = "a witness does not attain the end that it was built for; please report it."
            raise CertificateError(msg)
    least, most = trivial_ends(permitted, query)
    low.outer, high.outer = max(low.outer, least), min(high.outer, most)
    gap = max(abs(inner[0] - low.outer), abs(inner[1] - high.outer))
    sharp = found is not None and gap <= _SHARP
    if sharp:
        low.outer, high.outer = inner
    method, source = _name(exact=exact, ratio=ratio)
    return Bounds(
        min(low.outer, inner[0]),
        max(high.outer, inner[1]),
        *inner,
        sharp,
        method,
        source,
        None if found is None else (found[0], found[1]),
    )


def _add(problem: Problem, world: SCM, group: list[Part], low: _Side, high: _Side) -> bool:
    """Add a group's ends; tell whether laws that attain the inner ones are known."""
    numbers = sorted({number for part in group for number in part.blocks()})
    components = [problem.blocks[number].component for number in numbers]
    cliques = all(component.clique for component in components)
    linear = len(group) == 1 and group[0].linear
    outer: dict[int, float] = {}
    for side, sign in ((low, -1), (high, 1)):
        if linear:
            end = exact_end(problem.blocks, group, sign)
            outer[sign] = end.outer
            if cliques:
                side.inner += end.inner
                side.laws += [
                    (problem.blocks[number].component, law) for number, law in end.points.items()
                ]
    if not linear:
        outer[-1], outer[1] = outer_ends(problem.blocks, group)
    low.outer += outer[-1]
    high.outer += outer[1]
    if linear and cliques:
        return True
    for side, sign in ((low, -1), (high, 1)):
        states: dict[int, State] = {}
        for number, component in zip(numbers, components, strict=True):
            if component.clique:
                states[number] = Free(problem.blocks[number])
                continue
            latent = Latent.of(world, problem.blocks[number])
            if latent is None:
                return False
            states[number] = latent
            side.latents.append(latent)
        value, _ = climb(states, group, sign)
        side.inner += value
        side.laws += [
            (problem.blocks[number].component, state.get(0))
            for number, state in states.items()
            if isinstance(state, Free)
        ]
    return True


def _built(world: SCM, side: _Side) -> SCM:
    made = with_laws(world, side.laws)
    for latent in side.latents:
        made = latent.into(made)
    return made


def _name(*, exact: bool, ratio: bool) -> tuple[str, str]:
    if exact and not ratio:
        return (
            "linear program over response types",
            "Balke and Pearl (1997); Sachs and others (2022)",
        )
    if exact:
        return (
            "linear-fractional program over response types",
            "Balke and Pearl (1997); Charnes and Cooper (1962)",
        )
    return (
        "polynomial program over response types, lifted for the outer ends",
        "Zhang, Tian and Bareinboim (2022); Sherali and Adams (1990)",
    )
