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
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from causalbench.query.ast import Query
    from causalbench.truth.bounds.responses import Component
    from causalbench.truth.permitted import Permitted
    from causalbench.truth.structure import Structure

    Vector = NDArray[np.float64]

__all__ = ["agree", "cut", "fresh", "with_laws", "witness"]

# Rows of a lone mechanism, the chances of what they do together, and that: int[n, rows].
_Rows = tuple[tuple[int, ...], "Vector", "NDArray[np.int64]"]

_AGREE = 1e-9
_CELLS = 2**22


def fresh(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that nothing has: the wanted one, with marks added where it must be."""
    held = set(taken)
    while wanted in held:
        wanted += "'"
    return wanted


def with_laws(world: SCM, laws: Sequence[tuple[Component, Vector]]) -> SCM:
    """Return a world whose components have given laws of response types; the others are kept.

    Args:
        world: the world to start from.
        laws: components, each with float64[joint types].
    """
    taken = set(world.names)
    hidden: dict[str, Variable] = {}
    mechanisms: dict[str, Mechanism] = {}
    alone: dict[int, list[_Rows]] = {}
    for component, masses in laws:
        structure = component.shape.structure
        support = np.flatnonzero(masses > 0.0)
        chance = masses[support] / masses[support].sum()
        types = component.types(support)
        tables = [each[own] for each, own in zip(component.functions, types, strict=True)]
        first = component.members[0]
        if len(component.members) == 1:
            rows = component.rows or tuple(range(tables[0].shape[1]))
            alone.setdefault(first, []).append((rows, chance, tables[0]))
            continue
        name = fresh(f"u_{structure.names[first]}", taken)
        taken.add(name)
        count = len(support)
        hidden[name] = Variable(name, tuple(f"t{i}" for i in range(count)), hidden=True)
        mechanisms[name] = Mechanism((), chance, np.arange(count))
        for member, table in zip(component.members, tables, strict=True):
            parents = structure.parents[member]
            cards = [structure.cards[p] for p in parents]
            mechanisms[structure.names[member]] = Mechanism(
                (name, *(structure.names[p] for p in parents)),
                np.ones(1),
                table.reshape(1, count, *cards),
            )
    for member, groups in alone.items():
        structure = laws[0][0].shape.structure
        mechanisms[structure.names[member]] = _joined(world, structure, member, groups)
    return _assembled(world, hidden, mechanisms)


def _joined(world: SCM, structure: Structure, member: int, groups: list[_Rows]) -> Mechanism:
    """Return a lone mechanism with given laws of groups of rows; the world says the other rows.

    Groups may be coupled at will, so one noise draws from all of them.
    """
    parents = structure.parents[member]
    cards = [structure.cards[p] for p in parents]
    names = tuple(structure.names[p] for p in parents)
    held = {row for rows, _, _ in groups for row in rows}
    parts = list(groups)
    for row in range(int(np.prod(cards, dtype=int))):
        if row not in held:
            codes = np.unravel_index(row, cards)
            do = {
                structure.names[p]: structure.values[p][int(code)]
                for p, code in zip(parents, codes, strict=True)
            }
            chance = law(world, [structure.names[member]], do)
            parts.append(((row,), chance, np.arange(len(chance))[:, None]))
    laws = np.zeros((len(parts), max(len(chance) for _, chance, _ in parts)))
    for number, (_, chance, _) in enumerate(parts):
        laws[number, : len(chance)] = chance
    noise, drawn = cut(laws)
    table = np.empty((len(noise), int(np.prod(cards, dtype=int))), dtype=np.int64)
    for number, (rows, chance, values) in enumerate(parts):
        table[:, list(rows)] = values[np.minimum(drawn[:, number], len(chance) - 1)]
    return Mechanism(names, noise, table.reshape(len(noise), *cards))


def cut(laws: NDArray[np.float64]) -> tuple[Vector, NDArray[np.intp]]:
    """Draw from several laws by one noise: cut [0, 1] wherever some law changes its value.

    Args:
        laws: float64[laws, values].

    Returns:
        The noise, float64[n], and what each law draws, int[n, laws].
    """
    sums = np.minimum(np.cumsum(laws, axis=1), 1.0)
    sums[:, -1] = 1.0
    cuts = np.unique(np.concatenate([[0.0], sums.ravel()]))
    middle = (cuts[1:] + cuts[:-1]) / 2
    return np.diff(cuts), np.stack([np.searchsorted(row, middle) for row in sums], axis=1)


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
