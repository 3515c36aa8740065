"""Build the worlds that attain the ends, and check that they agree on what is permitted."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import CertificateError, TooWideError
from causalbench.scm import SCM, Mechanism, Variable
from causalbench.truth.certificate import Witness
from causalbench.truth.exact import value
from causalbench.truth.laws import interventional_tables, law

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.truth.bounds.responses import Component, Shape
    from causalbench.truth.permitted import Permitted

    Vector = NDArray[np.float64]

__all__ = ["agree", "fresh", "with_laws", "witness"]

_AGREE = 1e-9
_CELLS = 2**22


def fresh(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that nothing has: the wanted one, with marks added where it must be."""
    held = set(taken)
    while wanted in held:
        wanted += "'"
    return wanted


def with_laws(world: SCM, shape: Shape, laws: Mapping[int, Vector]) -> SCM:
    """Return a world whose components have given laws of response types; the others are kept.

    Args:
        world: the world to start from.
        shape: its diagram, or the one to draw.
        laws: number of a component -> float64[joint types].
    """
    structure = shape.structure
    taken = set(world.names)
    hidden: dict[str, Variable] = {}
    mechanisms: dict[str, Mechanism] = {}
    for number, masses in sorted(laws.items()):
        component = shape.components[number]
        support = np.flatnonzero(masses > 0.0)
        chance = masses[support] / masses[support].sum()
        tables = _tables(component, support)
        parents = [
            tuple(structure.names[p] for p in structure.parents[m]) for m in component.members
        ]
        if len(component.members) == 1:
            mechanisms[structure.names[component.members[0]]] = Mechanism(
                parents[0], chance, tables[0]
            )
            continue
        name = fresh(f"u_{number}", taken)
        taken.add(name)
        count = len(support)
        hidden[name] = Variable(name, tuple(f"t{i}" for i in range(count)), hidden=True)
        mechanisms[name] = Mechanism((), chance, np.arange(count))
        for member, above, table in zip(component.members, parents, tables, strict=True):
            mechanisms[structure.names[member]] = Mechanism((name, *above), np.ones(1), table[None])
    return _assembled(world, hidden, mechanisms)


def _tables(component: Component, support: NDArray[np.intp]) -> list[NDArray[np.int64]]:
    """Return each member's table over (joint type in the support, parents...)."""
    structure = component.shape.structure
    found = []
    for member, functions, types in zip(
        component.members, component.functions, component.types(support), strict=True
    ):
        cards = [structure.cards[p] for p in structure.parents[member]]
        found.append(functions[types].reshape(len(support), *cards))
    return found


def _assembled(
    world: SCM, hidden: Mapping[str, Variable], mechanisms: Mapping[str, Mechanism]
) -> SCM:
    """Put mechanisms into a world, and drop the hidden variables that nothing reads any more."""
    variables = {**world.variables, **hidden}
    parts = {**world.mechanisms, **mechanisms}
    needed, stack = set(world.visible), list(world.visible)
    while stack:
        for parent in parts[stack.pop()].parents:
            if parent not in needed:
                needed.add(parent)
                stack.append(parent)
    return SCM(
        {name: each for name, each in variables.items() if name in needed},
        {name: each for name, each in parts.items() if name in needed},
        world.couplings_known,
    )


def witness(permitted: Permitted, world: SCM, made: SCM, query: Query) -> Witness:
    """Return a checked witness.

    Raises:
        CertificateError: it differs from the world in something that is permitted or shown.
    """
    if permitted.knowledge.shown != "none" and made.diagram != world.diagram:
        msg = f"a witness draws {made.diagram} and the world {world.diagram}; please report it."
        raise CertificateError(msg)
    off = agree(permitted, world, made)
    if not off <= _AGREE:
        msg = (
            f"a witness differs by {off:.3g} in a permitted law; its numbers are at the edge of "
            "rounding. Use a world whose probabilities are further from 0, and report it."
        )
        raise CertificateError(msg)
    return Witness(made, value(made, query))


def agree(permitted: Permitted, world: SCM, made: SCM) -> float:
    """Return by how much two worlds differ at most in the permitted laws.

    Raises:
        TooWideError: the permitted laws have more than 2^22 cells.
    """
    names = world.visible
    cells = float(np.prod([world.variable(name).cardinality for name in names], dtype=float))
    settable = [name for name in names if name in permitted.manipulable]
    if cells * 2.0 ** len(settable) > _CELLS:
        msg = (
            f"the permitted laws have {cells * 2.0 ** len(settable):.3g} cells and a check takes "
            f"{_CELLS}; ask of a world with fewer variables, or let experiments set fewer."
        )
        raise TooWideError(msg)
    if not settable:
        return float(np.abs(permitted.law(names) - law(made, names)).max())
    if len(settable) == len(names):
        own, other = interventional_tables(world), interventional_tables(made)
        return max(float(np.abs(own[key] - other[key]).max()) for key in own)
    worst = 0.0
    for size in range(2 ** len(settable)):
        forced = [name for i, name in enumerate(settable) if size >> i & 1]
        free = [name for name in names if name not in forced]
        for labels in product(*(world.variable(name).labels for name in forced)):
            do = dict(zip(forced, labels, strict=True))
            worst = max(worst, float(np.abs(permitted.law(free, do) - law(made, free, do)).max()))
    return worst
