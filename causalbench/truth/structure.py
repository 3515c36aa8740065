"""Compile a discrete world once: its shape (shared between worlds) and its numbers.

A `Structure` holds what a plan depends on: names, values, parents. Worlds that differ in their
numbers alone share it, and with it every elimination plan. A `Compiled` holds one world's noise,
tables and the kernels worked out from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import (
    CouplingError,
    QueryError,
    TooWideError,
    UnknownNameError,
    suggest,
)
from causalbench.scm.tables import TableMechanism, uncoupled_text
from causalbench.truth.alive import WhileAlive
from causalbench.truth.values import allowed, no_value, numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Constant
    from causalbench.scm import SCM

__all__ = ["LIMIT", "Compiled", "KernelSpec", "Structure", "compiled", "structure_of"]

LIMIT = 2**26
"""The most cells that any one table may have (half a gibibyte of floats)."""

_CHUNK = 2**22
_KEPT = 4096
_STRUCTURES = 512

# (variable, copies); a copy is (code it is fixed to or -1, one reference per parent); a reference
# is the number of a joint parent axis, or ~code where the parent is a constant.
KernelSpec = tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]


class Structure:
    """The shape of a discrete world, in topological order.

    Attributes:
        names: variables, parents before children.
        values: the labels of each.
        numbers: the numbers of each one's values, or None.
        parents: positions of each one's parents, in the mechanism's order.
        ancestors: a bit mask of each one's ancestors, itself included.
        plans: elimination plans made so far, by request.
    """

    def __init__(self, signature: tuple[tuple[Any, ...], ...]) -> None:
        self.names: tuple[str, ...] = tuple(item[0] for item in signature)
        self.values: tuple[tuple[str, ...], ...] = tuple(item[1] for item in signature)
        self.numbers: tuple[tuple[float, ...] | None, ...] = tuple(item[2] for item in signature)
        self.index = {name: position for position, name in enumerate(self.names)}
        self.parents = tuple(tuple(self.index[name] for name in item[3]) for item in signature)
        self.cards = tuple(len(labels) for labels in self.values)
        self.codes = tuple({label: code for code, label in enumerate(v)} for v in self.values)
        masks: list[int] = []
        for position, parents in enumerate(self.parents):
            mask = 1 << position
            for parent in parents:
                mask |= masks[parent]
            masks.append(mask)
        self.ancestors = tuple(masks)
        self.plans: dict[Any, Any] = {}

    def position(self, name: str) -> int:
        """Return a variable's position.

        Raises:
            UnknownNameError: the world has no such variable.
        """
        found = self.index.get(name)
        if found is None:
            hint = suggest(name, self.names)
            msg = f"the world has no variable '{name}'; it has {', '.join(self.names)}.{hint}"
            raise UnknownNameError(msg)
        return found

    def code(self, position: int, label: Constant) -> int:
        """Return the code of a value.

        Raises:
            UnknownNameError: the variable has no such value.
        """
        found = self.codes[position].get(label)  # type: ignore[arg-type]
        if found is None:
            raise no_value(self.names[position], label, self.values[position])
        return found

    def allowed(self, atom: Atom) -> frozenset[int]:
        """Return the codes for which an atom holds.

        Raises:
            UnknownNameError: a variable or value that the world does not have.
            QueryError: an order comparison of values that have no numbers.
        """
        position = self.position(atom.term.variable)
        return frozenset(allowed(atom, self.values[position], self.numbers[position]))

    def numbers_of(self, position: int, purpose: str) -> tuple[float, ...]:
        """Return the numbers of a variable's values, wanted for a stated purpose.

        Raises:
            QueryError: its values have none.
        """
        labels, numbers = self.values[position], self.numbers[position]
        return numbers_of(self.names[position], labels, numbers, purpose)


class Compiled:
    """One world's numbers, ready for the engine.

    Attributes:
        structure: its shape.
        noise: per variable, the probabilities of its noise, float64[S]; None where the world gives
            a table without a coupling.
        tables: per variable, the code for each noise value and parents, intp[S, *cards]; or None.
        cpts: per variable without a coupling, P(value | parents), float64[*cards, card]; else None.
    """

    def __init__(self, scm: SCM, structure: Structure) -> None:
        self.structure = structure
        self.noise: list[NDArray[np.float64] | None] = []
        self.tables: list[NDArray[np.intp] | None] = []
        self.cpts: list[NDArray[np.float64] | None] = []
        for name in structure.names:
            mechanism: Any = scm.mechanism(name)
            if isinstance(mechanism, TableMechanism):
                self.noise.append(None)
                self.tables.append(None)
                self.cpts.append(mechanism.cpt)
                continue
            self.noise.append(np.asarray(mechanism.noise, dtype=np.float64))
            self.tables.append(np.asarray(mechanism.table, dtype=np.intp))
            self.cpts.append(None)
        self._kernels: dict[KernelSpec, NDArray[np.float64]] = {}

    def kernel(self, spec: KernelSpec) -> NDArray[np.float64]:
        """Return K(v1..vk | parents of every copy), the shared noise summed out.

        Args:
            spec: the variable and its copies.

        Returns:
            Array over the joint parent axes, then one axis per copy that is not fixed.

        Raises:
            CouplingError: several copies of a variable whose coupling the world does not give.
            TooWideError: the table would exceed `LIMIT` cells.
        """
        found = self._kernels.get(spec)
        if found is None:
            if len(self._kernels) >= _KEPT:
                self._kernels.clear()
            found = self._kernels[spec] = self._make(spec)
        return found

    def _make(self, spec: KernelSpec) -> NDArray[np.float64]:
        variable, copies = spec
        parents, cards = self.structure.parents[variable], self.structure.cards
        card = cards[variable]
        sizes: dict[int, int] = {}
        for _, references in copies:
            for parent, reference in zip(parents, references, strict=True):
                if reference >= 0:
                    sizes[reference] = cards[parent]
        joint = tuple(sizes[axis] for axis in range(len(sizes)))
        free = sum(1 for fixed, _ in copies if fixed < 0)
        rows, columns = _product(joint), card**free
        if rows * columns > LIMIT:
            msg = (
                f"'{self.structure.names[variable]}' in {len(copies)} worlds at once needs a table "
                f"of {rows * columns} cells and the limit is {LIMIT}; ask of fewer worlds or "
                "values at once."
            )
            raise TooWideError(msg)
        noise, table = self.noise[variable], self.tables[variable]
        if noise is None or table is None:
            return self._read(variable, copies).reshape(joint + (card,) * free)
        step = max(1, _CHUNK // rows)
        total: NDArray[np.float64] | None = None
        for start in range(0, len(noise), step):
            part = _kernel(
                noise[start : start + step], table[start : start + step], copies, joint, card
            )
            total = part if total is None else total + part
        assert total is not None  # noqa: S101  (a mechanism has at least one noise value)
        return total.reshape(joint + (card,) * free)

    def _read(
        self, variable: int, copies: tuple[tuple[int, tuple[int, ...]], ...]
    ) -> NDArray[np.float64]:
        """Read the one copy of a variable without a coupling off its table."""
        cpt = self.cpts[variable]
        if len(copies) > 1 or cpt is None:
            name = self.structure.names[variable]
            raise CouplingError(f"{uncoupled_text([name])}.")
        fixed, references = copies[0]
        index = tuple(~ref if ref < 0 else slice(None) for ref in references)
        axes = [ref for ref in references if ref >= 0]
        found = cpt[(*index, slice(None) if fixed < 0 else fixed)]
        order = sorted(range(len(axes)), key=axes.__getitem__)
        if fixed < 0:
            order.append(len(axes))
        return np.ascontiguousarray(found.transpose(order))


def _product(sizes: tuple[int, ...]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total


def _kernel(
    noise: NDArray[np.float64],
    table: NDArray[np.intp],
    copies: tuple[tuple[int, tuple[int, ...]], ...],
    joint: tuple[int, ...],
    card: int,
) -> NDArray[np.float64]:
    """Sum the noise out of the copies' indicator functions, as float64[rows * columns]."""
    count, rows = len(noise), _product(joint)
    weight = noise.reshape(count, *(1,) * len(joint))
    code: NDArray[np.intp] | int = 0
    columns = 1
    for fixed, references in copies:
        index = tuple(~ref if ref < 0 else slice(None) for ref in references)
        axes = [ref for ref in references if ref >= 0]
        local = table[(slice(None), *index)]
        order = sorted(range(len(axes)), key=axes.__getitem__)
        if order != list(range(len(axes))):
            local = local.transpose(0, *(position + 1 for position in order))
        shape = [1] * len(joint)
        for axis in axes:
            shape[axis] = joint[axis]
        local = local.reshape(count, *shape)
        if fixed >= 0:
            weight = weight * (local == fixed)
        else:
            code = code * card + local
            columns *= card
    full = (count, *joint)
    if columns == 1:
        summed: NDArray[np.float64] = np.broadcast_to(weight, full).sum(axis=0).reshape(-1)
        return summed
    offset = np.arange(0, rows * columns, columns).reshape(joint)
    cells = offset + code
    if cells.shape != full:
        cells = np.broadcast_to(cells, full)
    if weight.shape != full:
        weight = np.broadcast_to(weight, full)
    weights = weight.reshape(-1)
    counts: NDArray[Any] = np.bincount(cells.reshape(-1), weights=weights, minlength=rows * columns)
    return counts


_structures: dict[Any, Structure] = {}
_compiled: WhileAlive[Compiled] = WhileAlive()


def compiled(scm: SCM) -> Compiled:
    """Return the compiled form of a discrete world, made once while the world lives.

    Raises:
        QueryError: the world is not discrete.
    """
    found = _compiled.of(scm)
    if found is not None:
        return found
    if not scm.is_discrete:
        msg = (
            "this world is not discrete and tables exist for discrete worlds alone; "
            "ask truth(world, query), which knows linear-Gaussian worlds too."
        )
        raise QueryError(msg)
    return _compiled.keep(scm, Compiled(scm, structure_of(scm)))


def structure_of(scm: SCM) -> Structure:
    """Return the world's shape, shared with every world of the same shape."""
    signature = []
    for name in scm.order:
        variable = scm.variable(name)
        labels = tuple(variable.values or ())
        signature.append((name, labels, variable.numbers, tuple(scm.parents(name))))
    key = tuple(signature)
    found = _structures.get(key)
    if found is None:
        if len(_structures) >= _STRUCTURES:
            _structures.clear()
        found = _structures[key] = Structure(key)
    return found
