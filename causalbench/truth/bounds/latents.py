"""Move the response types of members whose hidden causes are several: the diagram as drawn.

The world's own hidden causes and their law stay; what moves is each member's law of response types
given their values, one member at a time. So every law reached has the diagram's independences.

Reference: Zhang, Tian and Bareinboim (2022), Partial counterfactual identification from
observational and experimental data: canonical models with one hidden cause a clique.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from causalbench.scm import SCM, Mechanism
from causalbench.truth.bounds.program import Program
from causalbench.truth.bounds.witness import cut
from causalbench.truth.laws import law

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from causalbench.truth.bounds.problem import Block
    from causalbench.truth.bounds.responses import Component, Event

    Vector = NDArray[np.float64]

__all__ = ["Latent"]

_CELLS = 2**16


class Latent:
    """A component with the hidden causes of one world.

    Args:
        block: the component's open events.
        hidden: the hidden causes, with how many values each has.
        chance: their joint law, flat.
        above: per member, its hidden causes, as positions in ``hidden``.
        laws: per member, P(type | hidden causes), float64[combinations, types].
        events: what the permitted laws say the chance of.
    """

    def __init__(
        self,
        block: Block,
        hidden: tuple[tuple[str, int], ...],
        chance: Vector,
        above: list[tuple[int, ...]],
        laws: list[NDArray[np.float64]],
        events: list[Event],
    ) -> None:
        self._component: Component = block.component
        self._forms = block.events
        self._events = events
        self._hidden = hidden
        self._chance = chance
        self._above = above
        self._laws = laws
        grid = np.indices([card for _, card in hidden]).reshape(len(hidden), -1)
        self._row = [
            np.ravel_multi_index(grid[list(own)], [hidden[i][1] for i in own])
            if own
            else np.zeros(grid.shape[1], dtype=np.intp)
            for own in above
        ]
        self._data = [
            np.array([self._chance_of(e) for e in self._with(k)]) for k in range(len(laws))
        ]

    @classmethod
    def of(cls, world: SCM, block: Block) -> Latent | None:
        """Return the state that a world is in, or None where its hidden causes have visible ones.

        Args:
            world: the world.
            block: a component of its diagram.
        """
        component = block.component
        structure = component.shape.structure
        names = [structure.names[member] for member in component.members]
        unseen = set(world.hidden)
        used = [h for h in world.hidden if any(h in world.parents(name) for name in names)]
        if not used or not world.full_diagram.ancestors(used) <= unseen:
            return None
        hidden = tuple((name, world.variable(name).cardinality) for name in used)
        if np.prod([card for _, card in hidden], dtype=float) > _CELLS:
            return None
        above, laws = [], []
        for name, member, functions in zip(
            names, component.members, component.functions, strict=True
        ):
            mechanism = world.mechanism(name)
            if not isinstance(mechanism, Mechanism):
                return None
            own = tuple(i for i, (h, _) in enumerate(hidden) if h in mechanism.parents)
            order = [used[i] for i in own] + [structure.names[p] for p in structure.parents[member]]
            if sorted(order) != sorted(mechanism.parents):
                return None
            table = mechanism.table.transpose(
                0, *(1 + mechanism.parents.index(each) for each in order)
            )
            rows = int(np.prod([hidden[i][1] for i in own], dtype=int))
            table = table.reshape(len(mechanism.noise), rows, functions.shape[1])
            types = _numbers(table, functions)
            if types is None:
                return None
            given = np.zeros((rows, len(functions)))
            for noise, chance in enumerate(mechanism.noise):
                given[np.arange(rows), types[noise]] += chance
            above.append(own)
            laws.append(given)
        return cls(block, hidden, law(world, used).ravel(), above, laws, _events(component))

    def _with(self, move: int) -> list[Event]:
        member = self._component.members[move]
        return [event for event in self._events if any(m == member for m, _, _ in event)]

    def _fits(self, place: int, event: Event) -> NDArray[np.bool_]:
        functions = self._component.functions[place]
        fits = np.ones(len(functions), dtype=bool)
        for member, row, value in event:
            if member == self._component.members[place]:
                fits &= functions[:, row] == value
        return fits

    def _rest(self, event: Event, move: int) -> Vector:
        """Return the chance of each hidden value with what all other members must do."""
        total = self._chance
        touched = {member for member, _, _ in event}
        for place, member in enumerate(self._component.members):
            if place != move and member in touched:
                total = total * (self._laws[place] @ self._fits(place, event))[self._row[place]]
        return total

    def _chance_of(self, event: Event) -> float:
        return float(self._rest(event, -1).sum())

    def _slopes(self, events: list[Event], move: int) -> NDArray[np.float64]:
        rows, types = self._laws[move].shape
        found = np.zeros((len(events), rows, types))
        for number, event in enumerate(events):
            mass = np.bincount(self._row[move], weights=self._rest(event, move), minlength=rows)
            found[number] = mass[:, None] * self._fits(move, event)
        return found.reshape(len(events), -1)

    def values(self) -> Vector:
        """Return the values of the block's forms."""
        return np.array([self._chance_of(event) for event in self._forms])

    def moves(self) -> int:
        """Return how many members there are."""
        return len(self._laws)

    def gradient(self, move: int) -> NDArray[np.float64]:
        """Return the forms as linear forms of one member's law."""
        return self._slopes(self._forms, move)

    def best(self, move: int, cost: Vector) -> Vector | None:
        """Return the law of one member's types that makes a form smallest, the others held."""
        rows, types = self._laws[move].shape
        whole = np.kron(np.eye(rows), np.ones(types))
        told = self._slopes(self._with(move), move)
        program = Program(np.concatenate([whole, told]), mass=float(rows))
        kept = program.reduce(np.concatenate([np.ones(rows), self._data[move]]))
        found = None if kept is None else program.least(kept, cost)
        return None if found is None else found.point

    def put(self, move: int, law: Vector) -> None:
        """Take over a member's law."""
        given = law.reshape(self._laws[move].shape)
        self._laws[move] = given / given.sum(axis=1, keepdims=True)

    def get(self, move: int) -> Vector:
        """Return a member's law, flat."""
        return self._laws[move].ravel()

    def into(self, world: SCM) -> SCM:
        """Return a world whose members have these laws."""
        structure = self._component.shape.structure
        made = {}
        for member, own, given, functions in zip(
            self._component.members,
            self._above,
            self._laws,
            self._component.functions,
            strict=True,
        ):
            noise, types = cut(given)  # one noise for all hidden values
            cards = [self._hidden[i][1] for i in own]
            cards += [structure.cards[p] for p in structure.parents[member]]
            parents = [self._hidden[i][0] for i in own]
            parents += [structure.names[p] for p in structure.parents[member]]
            made[structure.names[member]] = Mechanism(
                tuple(parents), noise, functions[types].reshape(len(noise), *cards)
            )
        return world.replace(mechanisms=made)


def _numbers(table: NDArray[np.int64], functions: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """Return the number of each function in a list, or None where one is not allowed."""
    known = {row.tobytes(): number for number, row in enumerate(np.ascontiguousarray(functions))}
    flat = np.ascontiguousarray(table.reshape(-1, table.shape[-1]))
    found = [known.get(row.tobytes(), -1) for row in flat]
    if min(found) < 0:
        return None
    return np.array(found, dtype=np.intp).reshape(table.shape[:-1])


def _events(component: Component) -> list[Event]:
    """Return the events whose chances the permitted laws tell, positivity or not."""
    shape = component.shape
    return [
        component.event(group, codes)
        for group in component.laws
        for codes in product(
            *(range(shape.structure.cards[p]) for p in (*group, *shape.outer(group)))
        )
    ]
