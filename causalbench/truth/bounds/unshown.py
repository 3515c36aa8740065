"""Bound a query where no diagram is shown."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import CausalBenchError, TooWideError
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth.bounds.joint import joint_worlds
from causalbench.truth.bounds.orders import few_orders, order_ends
from causalbench.truth.bounds.shown import shown_bounds
from causalbench.truth.bounds.trivial import trivial_ends
from causalbench.truth.bounds.types import Bounds
from causalbench.truth.bounds.witness import fresh, with_laws, witness
from causalbench.truth.permitted import Permitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.truth.bounds.ends import End
    from causalbench.truth.bounds.joint import JointWorlds
    from causalbench.truth.certificate import Witness

    Vector = NDArray[np.float64]

__all__ = ["unshown_bounds"]

_SHARP = 1e-9
_ORDERS = "linear programs over response types, one a causal order"
_ORDERS_SOURCE = "Tian and Pearl (2000); Balke and Pearl (1997)"
_JOINT = "linear program over the joint law of the worlds asked"
_JOINT_SOURCE = "Manski (1990); Galles and Pearl (1998)"


def unshown_bounds(permitted: Permitted, world: SCM, query: Query) -> Bounds:
    """Return bounds over all worlds with the permitted laws, whatever their diagram.

    Args:
        permitted: the laws.
        world: the world.
        query: over visible variables.
    """
    free = not permitted.manipulable and not permitted.knowledge.assumptions
    joint: JointWorlds | None = None
    if free or not few_orders(permitted):
        with suppress(TooWideError):  # the ends below hold without it, only less tightly
            joint = joint_worlds(permitted, query)
    if joint is not None and free and _one_group(joint):
        low, high = joint.ends(query)
        made = [_chosen(permitted, world, joint, end) for end in (low, high)]
        found = [witness(permitted, world, each, query) for each in made]
        return _bounds((low.outer, high.outer), (found[0], found[1]), _JOINT, _JOINT_SOURCE)
    if few_orders(permitted):
        (low, below), (high, above) = order_ends(permitted, query)
        ends = (low.outer, high.outer)
        made = [
            with_laws(world, [(shape.components[0], end.points[0])])
            for end, shape in ((low, below), (high, above))
        ]
        found = [witness(permitted, world, each, query) for each in made]
        return _bounds(ends, (found[0], found[1]), _ORDERS, _ORDERS_SOURCE)
    least, most = trivial_ends(permitted, query)
    method, source = "the range of the query", "by definition"
    if joint is not None:
        low, high = joint.ends(query)
        least, most = max(least, low.outer), min(most, high.outer)
        method, source = _JOINT, _JOINT_SOURCE
    return _bounds((least, most), _drawn(permitted, world, query), method, source)


def _one_group(joint: JointWorlds) -> bool:
    """Tell whether all worlds set the same variables."""
    return len({tuple(name for name, _ in world) for world in joint.worlds if world}) <= 1


def _bounds(
    outer: tuple[float, float],
    witnesses: tuple[Witness, Witness] | None,
    method: str,
    source: str,
) -> Bounds:
    if witnesses is None:
        return Bounds(*outer, *outer, False, method, source, None)  # noqa: FBT003
    inner = (witnesses[0].value, witnesses[1].value)
    sharp = max(inner[0] - outer[0], outer[1] - inner[1]) <= _SHARP
    ends = inner if sharp else (min(outer[0], inner[0]), max(outer[1], inner[1]))
    return Bounds(*ends, *inner, sharp, method, source, witnesses)


def _drawn(permitted: Permitted, world: SCM, query: Query) -> tuple[Witness, Witness] | None:
    """Return witnesses that share the world's own diagram: some, perhaps not the furthest."""
    known = replace(permitted.knowledge, shown="diagram")
    try:
        return shown_bounds(Permitted(world, known), world, query).witnesses
    except CausalBenchError:
        return None  # said by the missing witnesses


def _chosen(permitted: Permitted, world: SCM, joint: JointWorlds, end: End) -> SCM:
    """Return the world in which one hidden cause chooses the column; what is set comes first.

    The variables that the query leaves alone follow their law given the actual world's values.
    """
    names = world.visible
    first = [name for name, _ in next((w for w in joint.worlds if w), ())]
    masses = end.points[0]
    columns = np.flatnonzero(masses > 0.0)
    rest = [name for name in names if name not in joint.names]
    units, chance, others = _units(permitted, joint, columns, masses, rest)
    hidden = fresh("u", world.names)
    count = len(chance)
    variables: dict[str, Variable] = {name: world.variable(name) for name in names}
    variables[hidden] = Variable(hidden, tuple(f"t{i}" for i in range(count)), hidden=True)
    mechanisms = {hidden: Mechanism((), chance / chance.sum(), np.arange(count))}
    cards = [world.variable(name).cardinality for name in first]
    for place, name in enumerate(joint.names):
        natural = joint.codes[units, 0, place]
        if name in first:
            mechanisms[name] = Mechanism((hidden,), np.ones(1), natural[None])
            continue
        table = np.empty((1, count, *cards), dtype=np.int64)
        table[:] = natural.reshape(1, count, *(1,) * len(cards))
        for number, subscript in enumerate(joint.worlds):
            if subscript:
                codes = (world.variable(each).code(dict(subscript)[each]) for each in first)
                at: Any = (0, slice(None), *codes)
                table[at] = joint.codes[units, number, place]
        mechanisms[name] = Mechanism((hidden, *first), np.ones(1), table)
    for place, name in enumerate(rest):
        mechanisms[name] = Mechanism((hidden,), np.ones(1), others[None, :, place])
    return SCM(variables, mechanisms)


def _units(
    permitted: Permitted,
    joint: JointWorlds,
    columns: NDArray[np.intp],
    masses: Vector,
    rest: list[str],
) -> tuple[NDArray[np.intp], Vector, NDArray[np.intp]]:
    """Split each column by the values of the variables that the query leaves alone."""
    if not rest:
        return columns, masses[columns], np.zeros((len(columns), 0), dtype=np.intp)
    table = permitted.law([*joint.names, *rest])
    shape = table.shape[len(joint.names) :]
    units, chance, others = [], [], []
    for column in columns:
        given = table[tuple(joint.codes[column, 0])].ravel()
        cells = np.flatnonzero(given)
        units.append(np.full(len(cells), column))
        chance.append(masses[column] * given[cells] / given.sum())
        others.append(np.array(np.unravel_index(cells, shape)).T)
    return np.concatenate(units), np.concatenate(chance), np.concatenate(others)
