"""Bound a query by a program over the joint law of the worlds that it mentions; no diagram.

A column is what the mentioned variables are in every mentioned world, the actual one included. It
obeys composition: where a world's values are what another one sets besides, the two agree. That
holds in every SCM, whatever its causal order, so the ends are sound. Where all that is set is one
group of variables, and only seeing is permitted, they are sharp: let that group come first, and
one hidden cause choose the column.

Reference: Galles and Pearl (1998) for composition; Manski (1990) for its use in bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.errors import TooWideError, ZeroProbabilityError
from causalbench.query.algebra import is_nested, terms
from causalbench.query.ast import Expectation
from causalbench.truth.bounds.ends import End, exact_end
from causalbench.truth.bounds.problem import Part
from causalbench.truth.bounds.program import Program
from causalbench.truth.bounds.responses import LIMIT
from causalbench.truth.bounds.search import Free, climb
from causalbench.truth.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.query.ast import Atom, Quantity, Query, Subscript
    from causalbench.truth.permitted import Permitted

    Vector = NDArray[np.float64]

__all__ = ["JointWorlds", "joint_worlds"]

_ROUNDED = 1e-13  # a chance that is no more than this is round-off


@dataclass(frozen=True, eq=False)
class _Forms:
    """Linear forms over one program's columns; an `Open`."""

    program: Program
    data: Vector
    events: tuple[int, ...]
    forms: NDArray[np.float64]

    def matrix(self) -> NDArray[np.float64]:
        """Return the forms."""
        return self.forms


class JointWorlds:
    """The columns for some worlds of some variables, and the permitted laws as rows.

    Attributes:
        names: the variables, in declared order.
        worlds: the subscripts, the actual world first.
        codes: int[columns, worlds, variables].

    Raises:
        TooWideError: more than 2e6 columns times rows.
    """

    def __init__(
        self, permitted: Permitted, names: tuple[str, ...], worlds: tuple[Subscript, ...]
    ) -> None:
        self.names = names
        self.worlds = worlds
        self._permitted = permitted
        self._structure = Structure(
            tuple((name, permitted.labels[name], permitted.numbers[name], ()) for name in names)
        )
        cards = self._structure.cards
        forced = [self._forced(world) for world in worlds]
        axes: list[range] = []
        size = 1.0
        for setting in forced:
            for place, card in enumerate(cards):
                code = setting.get(place)
                axes.append(range(card) if code is None else range(code, code + 1))
                size *= 1 if code is not None else card
        if size > LIMIT:
            msg = (
                f"{len(worlds)} worlds of {', '.join(names)} have {size:.3g} joint values and the "
                f"limit is {LIMIT:.0e}; ask of fewer worlds or variables at once."
            )
            raise TooWideError(msg)
        grid = np.array(list(product(*axes)), dtype=np.intp)
        codes = grid.reshape(-1, len(worlds), len(names))
        self.codes = codes[self._composed(codes, forced)]
        self._program, self._data = self._constraints(forced)

    def _forced(self, world: Subscript) -> dict[int, int]:
        return {
            self._structure.index[name]: self._structure.code(self._structure.index[name], label)
            for name, label in world
            if isinstance(label, str)
        }

    def _composed(self, codes: NDArray[np.intp], forced: list[dict[int, int]]) -> NDArray[np.bool_]:
        kept = np.ones(len(codes), dtype=bool)
        for small, settings in enumerate(forced):
            for large, more in enumerate(forced):
                if small != large and settings.items() <= more.items():
                    extra = [place for place in more if place not in settings]
                    met = np.ones(len(codes), dtype=bool)
                    for place in extra:
                        met &= codes[:, small, place] == more[place]
                    same = (codes[:, small] == codes[:, large]).all(axis=1)
                    kept &= same | ~met
        return kept

    def _constraints(self, forced: list[dict[int, int]]) -> tuple[Program, Vector]:
        rows = [np.ones(len(self.codes))]
        data = [1.0]
        cards = self._structure.cards
        for number, settings in enumerate(forced):
            free = [place for place in range(len(self.names)) if place not in settings]
            do = {
                self.names[place]: self._structure.values[place][code]
                for place, code in settings.items()
            }
            if not self._permitted.allows(do):
                continue
            table = self._permitted.law([self.names[place] for place in free], do)
            if len(self.codes) * (len(rows) + table.size) > LIMIT:
                raise TooWideError(
                    "bounds over the joint law of the query's worlds need too many columns; ask "
                    "of fewer worlds or variables at once."
                )
            cell = np.zeros(len(self.codes), dtype=np.intp)
            for place in free:
                cell = cell * cards[place] + self.codes[:, number, place]
            rows += list((cell == np.arange(table.size)[:, None]).astype(np.float64))
            data += table.ravel().tolist()
        program = Program(np.stack(rows))
        kept = program.reduce(np.array(data))
        if kept is None:
            raise ZeroProbabilityError("the permitted laws contradict one another.")
        return program, kept

    def _holds(self, atoms: tuple[Atom, ...]) -> NDArray[np.bool_]:
        found = np.ones(len(self.codes), dtype=bool)
        for atom in atoms:
            number = self.worlds.index(atom.term.subscript)
            place = self._structure.index[atom.term.variable]
            allowed = list(self._structure.allowed(atom))
            found &= np.isin(self.codes[:, number, place], allowed)
        return found

    def _form(self, quantity: Quantity) -> tuple[Vector, Vector]:
        """Return a quantity's numerator and denominator."""
        below = self._holds(quantity.given).astype(np.float64)
        if isinstance(quantity, Expectation):
            place = self._structure.index[quantity.term.variable]
            numbers = np.array(self._structure.numbers_of(place, "E[...]"))
            number = self.worlds.index(quantity.term.subscript)
            return below * numbers[self.codes[:, number, place]], below
        return below * self._holds(quantity.event), below

    def ends(self, query: Query) -> tuple[End, End]:
        """Return both ends; their points are laws of the columns.

        Args:
            query: its terms name these worlds and variables alone.
        """
        sums: dict[bytes, tuple[Vector, Vector]] = {}
        linear = np.full(len(self.codes), query.constant)
        for weight, quantity in query.terms:
            above, below = self._form(quantity)
            told = self._program.identified(below)
            if told is None:
                held, _ = sums.setdefault(below.tobytes(), (np.zeros(len(below)), below))
                held += weight * above
                continue
            whole = float(told @ self._data)
            if not whole > _ROUNDED:
                raise ZeroProbabilityError(
                    "the condition never happens, so nothing can be asked given it; drop or "
                    "change a part of the condition."
                )
            linear = linear + weight / whole * above
        constant = 0.0
        told = self._program.identified(linear)
        if told is not None:
            constant, linear = float(told @ self._data), np.zeros(len(linear))
        forms = [each for pair in sums.values() for each in pair] + [linear]
        block = _Forms(self._program, self._data, tuple(range(len(forms))), np.stack(forms))
        parts = [Part({((0, 2 * i),): 1.0}, {((0, 2 * i + 1),): 1.0}) for i in range(len(sums))]
        if not parts or told is None:
            parts.append(Part({((0, len(forms) - 1),): 1.0}, {(): 1.0}))
        low, high = self._end(block, parts, -1), self._end(block, parts, 1)
        return (
            End(constant + low.outer, constant + low.inner, low.points),
            End(constant + high.outer, constant + high.inner, high.points),
        )

    def _end(self, block: _Forms, parts: list[Part], sign: int) -> End:
        """Bound each part by itself, and look for one law that attains all ends."""
        ends = [exact_end([block], [part], sign) for part in parts]
        if len(ends) == 1:
            return ends[0]
        state = Free(block)
        found, _ = climb({0: state}, parts, sign)
        return End(sum(end.outer for end in ends), found, {0: state.get(0)})


def joint_worlds(permitted: Permitted, query: Query) -> JointWorlds | None:
    """Return the program for a query, or None where a subscript is nested.

    Args:
        permitted: the laws.
        query: over visible variables.
    """
    worlds: dict[Subscript, None] = {(): None}
    named: set[str] = set()
    for _, quantity in query.terms:
        for term in terms(quantity):
            if is_nested(term):
                return None
            worlds[term.subscript] = None
            named |= {term.variable, *(name for name, _ in term.subscript)}
    names = tuple(name for name in permitted.names if name in named)
    return JointWorlds(permitted, names, tuple(worlds))
