"""Work out kernels K(v1..vk | parents of every copy) from a family's own numbers.

Noise and table: sum the noise values under which every copy takes its value. CPT and coupling, in
closed form: under the independent coupling different rows of the CPT answer on their own, so their
entries multiply; under the quantile couplings one uniform number answers every row, so the share is
the length of an intersection of intervals, which for binary values is the least of the entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import CouplingError
from causalbench.scm.tables import UNKNOWN, TableMechanism, uncoupled_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from causalbench.scm.couplings import Coupling
    from causalbench.truth.family import Family, Part
    from causalbench.truth.family_program import Writer
    from causalbench.truth.structure import KernelSpec, Structure

__all__ = ["kernel_rows"]

Case = frozenset[tuple[int, int]]  # (row of the parents, value) of each different copy


def kernel_rows(
    writer: Writer, family: Family, structure: Structure, spec: KernelSpec
) -> NDArray[np.int64]:
    """Return the rows of a kernel, in the shape that `Compiled.kernel` gives it.

    Args:
        writer: takes the lines that work the kernel out.
        family: any family of the layout.
        structure: its template's shape.
        spec: the variable and its copies.
    """
    variable, copies = spec
    name = structure.names[variable]
    own: Any = family.template.mechanisms[name]
    maker = _maker(writer, family, structure, variable)
    sizes: dict[int, int] = {}
    for _, references in copies:
        for parent, reference in zip(structure.parents[variable], references, strict=True):
            if reference >= 0:
                sizes[reference] = structure.cards[parent]
    joint = [sizes[axis] for axis in range(len(sizes))]
    free = [structure.cards[variable] for fixed, _ in copies if fixed < 0]
    strides = np.array([int(np.prod(own.shape[k + 1 :])) for k in range(len(own.shape))], dtype=int)
    rows = np.empty((*joint, *free), dtype=np.int64)
    known: dict[Case, int] = {}
    for index in np.ndindex(*joint, *free):
        at, values = index[: len(joint)], iter(index[len(joint) :])
        case = set()
        for fixed, references in copies:
            codes = [~ref if ref < 0 else at[ref] for ref in references]
            row = int(np.dot(strides, codes)) if codes else 0
            case.add((row, next(values) if fixed < 0 else fixed))
        key = frozenset(case)
        found = known.get(key)
        if found is None:
            twice = len({row for row, _ in key}) < len(key)  # one row cannot give two values
            if not twice and len(key) > 1 and _is_uncoupled(family, name):
                raise CouplingError(f"{uncoupled_text([name])}.")
            found = known[key] = writer.zero if twice else maker.share(key)
        rows[index] = found
    return rows


def _maker(
    writer: Writer, family: Family, structure: Structure, variable: int
) -> _Table | _Template | _Noise | _Cpt:
    """Return what works out the shares of one variable's cases."""
    name = structure.names[variable]
    own: Any = family.template.mechanisms[name]
    if name in family.parts:
        if family.parts[name].form == "cpt":
            card = structure.cards[variable]
            return _Cpt(writer, family.parts[name], own.parents, own.shape, card)
        return _Noise(writer, family.parts[name], own.table)
    if isinstance(own, TableMechanism):
        return _Table(writer, own.cpt)
    return _Template(writer, own.noise, own.table)


def _is_uncoupled(family: Family, name: str) -> bool:
    part = family.parts.get(name)
    if part is None:
        return isinstance(family.template.mechanisms[name], TableMechanism)
    return part.coupling == UNKNOWN


class _Table:
    """A CPT that all sets share."""

    def __init__(self, writer: Writer, cpt: NDArray[np.float64]) -> None:
        self.writer, self.rows = writer, cpt.reshape(-1, cpt.shape[-1])

    def share(self, case: Case) -> int:
        """Return the row of the probability that the one parents' row gives its value."""
        (place,) = case
        return self.writer.constant(float(self.rows[place]))


class _Template:
    """A mechanism that all sets share: its kernels are constants."""

    def __init__(
        self, writer: Writer, noise: NDArray[np.float64], table: NDArray[np.int64]
    ) -> None:
        self.writer, self.noise, self.table = writer, noise, table.reshape(len(noise), -1)

    def share(self, case: Case) -> int:
        """Return the row of the probability that each parents' row gives its value."""
        return self.writer.constant(float(self.noise[_match(self.table, case)].sum()))


class _Noise:
    """Noise for each set, with one table or with one for each set."""

    def __init__(self, writer: Writer, part: Part, table: NDArray[np.int64]) -> None:
        self.writer, self.part = writer, part
        self.table = table.reshape(len(table), -1) if part.form == "noise" else None
        self.columns = int(np.prod(table.shape[1:], dtype=np.int64))

    def share(self, case: Case) -> int:
        """Return the row of the probability that each parents' row gives its value."""
        writer, part = self.writer, self.part
        if self.table is not None:
            chosen = np.flatnonzero(_match(self.table, case)).tolist()
            if len(chosen) == part.size:
                return writer.one
            return writer.add(writer.load(part.row + s) for s in chosen)
        sums = []
        for s in range(part.size):
            row, start = writer.load(part.row + s), part.table_row + s * self.columns
            for column, value in sorted(case):
                row = writer.select(row, start + column, value)
            sums.append(row)
        return writer.add(sums)


class _Cpt:
    """A CPT for each set, and a coupling."""

    def __init__(
        self,
        writer: Writer,
        part: Part,
        parents: tuple[str, ...],
        shape: tuple[int, ...],
        card: int,
    ) -> None:
        self.writer, self.part, self.card = writer, part, card
        self.parents, self.shape = parents, shape

    def share(self, case: Case) -> int:
        """Return the row of the probability that each parents' row gives its value."""
        return self._share(case, self.part.coupling)

    def _share(self, case: Case, coupling: Coupling) -> int:
        writer = self.writer
        if len(case) == 1:
            ((row, value),) = case
            return self._entry(row, value)
        if coupling == "independent":
            return writer.multiply(self._entry(row, value) for row, value in sorted(case))
        if coupling == "monotone":
            return self._overlap(case, np.zeros(self.shape, dtype=bool).ravel())
        options: Mapping[str, Any] = coupling  # type: ignore[assignment]
        if "antitone" in coupling:
            axis = self.parents.index(options["antitone"]["in"])
            return self._overlap(case, (np.indices(self.shape)[axis] % 2 == 1).ravel())
        mixture = options["mixture"]
        parts = [self._share(case, each) for each in mixture["of"]]
        weights = [writer.constant(weight) for weight in mixture["weights"]]
        return writer.add(writer.multiply(pair) for pair in zip(weights, parts, strict=True))

    def _entry(self, row: int, value: int) -> int:
        return self.writer.load(self.part.row + row * self.card + value)

    def _overlap(self, case: Case, turned: NDArray[np.bool_]) -> int:
        """Return the length of what the copies' intervals of the uniform number share."""
        if self.card == 2 and len({value ^ bool(turned[row]) for row, value in case}) == 1:  # noqa: PLR2004
            return self.writer.gap(
                [self._entry(row, v) for row, v in sorted(case)], [self.writer.zero]
            )
        tops, bottoms = [], []
        for row, value in sorted(case):
            values = range(self.card)
            order = list(reversed(values)) if turned[row] else list(values)
            place = order.index(value)
            bottoms.append(self._below(row, order[:place]))
            tops.append(self._below(row, order[: place + 1]))
        return self.writer.gap(tops, bottoms)

    def _below(self, row: int, values: list[int]) -> int:
        """Return the row of the chance of some of the values."""
        if len(values) == self.card:
            return self.writer.one
        return self.writer.add(self._entry(row, value) for value in values)


def _match(table: NDArray[np.int64], case: Case) -> NDArray[np.bool_]:
    """Tell for which noise values each parents' row gives its value."""
    found = np.ones(len(table), dtype=bool)
    for column, value in case:
        found &= table[:, column] == value
    return found
