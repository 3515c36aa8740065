"""List the response types of a diagram's components, and the laws that constrain them.

A response type of a variable is a function from its visible parents' values to its value; a
component's law is a law over the joint types of its members. Only the shape matters here, no
number, so everything is made once for a diagram.

Reference: Balke and Pearl (1997), Bounds on treatment effects from studies with imperfect
compliance; Sachs and others (2022), A general method for deriving tight symbolic bounds on causal
effects; Tian and Pearl (2002) for the components.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from causalbench.errors import QueryError, TooWideError
from causalbench.truth.bounds.program import Program
from causalbench.truth.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from causalbench.graph import Diagram

__all__ = ["LIMIT", "Component", "Event", "Shape", "power", "shape_of"]

LIMIT = 2 * 10**6
"""The most response types times constraints that a component may have."""

# What some members of a component do: (variable, row of its parents' values, value).
Event = frozenset[tuple[int, int, int]]


class Shape:
    """A diagram with its variables' values and the assumptions about its mechanisms.

    Attributes:
        structure: positions, values and visible parents.
        diagram: what was given.
        components: the c-components, positions in causal order.
        home: position -> number of its component.
        siblings: position -> positions joined to it by ``<->``.
        settable: the positions that experiments may set.
        slopes: position -> (parent, +1 where it may only rise with it, else -1).
        couplings: position -> the coupling of its mechanism that is told.
        expanded: what `expand` has worked out.
    """

    def __init__(
        self,
        diagram: Diagram,
        signature: tuple[Any, ...],
        manipulable: frozenset[str],
        assumptions: tuple[str, ...],
    ) -> None:
        described = {name: (labels, numbers) for name, labels, numbers in signature}
        self.structure = Structure(
            tuple((name, *described[name], diagram.parents(name)) for name in diagram.order())
        )
        index = self.structure.index
        self.diagram = diagram
        self.siblings = tuple(
            frozenset(index[other] for other in diagram.siblings(name))
            for name in self.structure.names
        )
        self.settable = frozenset(index[name] for name in manipulable)
        self.slopes = _slopes(self.structure, assumptions)
        self.couplings = _couplings(self.structure, assumptions)
        self.components = tuple(
            Component(self, tuple(sorted(index[name] for name in group)))
            for group in diagram.c_components()
        )
        self.home = {p: n for n, each in enumerate(self.components) for p in each.members}
        self.expanded: dict[Any, Any] = {}

    def outer(self, group: Iterable[int]) -> tuple[int, ...]:
        """Return the parents of a group that are outside it, in causal order."""
        members = set(group)
        found = {p for member in members for p in self.structure.parents[member]}
        return tuple(sorted(found - members))

    def beside(self, group: Iterable[int]) -> frozenset[int]:
        """Return the siblings of a group that are outside it."""
        members = frozenset(group)
        return frozenset().union(*(self.siblings[p] for p in members)) - members

    def reachable(self, group: Iterable[int]) -> bool:
        """Tell whether permitted laws give Q[group], the law of a group with all else set."""
        members = frozenset(group)
        return self.settable.issuperset(self.outer(members)) or self.settable >= self.beside(
            members
        )


class Component:
    """A c-component: members, their response types, and which laws constrain them.

    Args:
        shape: the diagram.
        members: positions, in causal order.
        rows: for a single member, the rows of its parents' values to keep apart, sorted; None for
            all of them.
    """

    def __init__(
        self, shape: Shape, members: tuple[int, ...], rows: tuple[int, ...] | None = None
    ) -> None:
        self.shape = shape
        self.members = members
        self.rows = rows
        self._place = {position: number for number, position in enumerate(members)}
        self._programs: dict[Any, Program] = {}
        self._bare: dict[Event, NDArray[np.float64]] = {}
        self._narrow: dict[tuple[int, ...], Component] = {}

    @cached_property
    def clique(self) -> bool:
        """Whether one hidden cause of all members is what the diagram draws."""
        near = self.shape.siblings
        return all(near[p].issuperset(set(self.members) - {p}) for p in self.members)

    def split(self, events: Iterable[Event]) -> dict[Event, Component]:
        """Return, for each event, the part of the component that holds all it speaks of.

        The rows of one member without siblings may be coupled at will. So rows that no event joins
        are parts of their own, and rows that none speaks of are left out; laws of the parts always
        extend to one law of all rows. An assumption about the member ties its rows.
        """
        asked = list(events)
        if len(self.members) > 1 or self.members[0] in self.shape.slopes:
            return dict.fromkeys(asked, self)
        groups: list[set[int]] = []
        for event in asked:
            rows = {row for _, row, _ in event}
            joined = [group for group in groups if group & rows]
            groups = [group for group in groups if not group & rows]
            groups.append(rows.union(*joined))
        found = {}
        for event in asked:
            mine = next(group for group in groups if any(row in group for _, row, _ in event))
            key = tuple(sorted(mine))
            if key not in self._narrow:
                self._narrow[key] = Component(self.shape, self.members, key)
            found[event] = self._narrow[key]
        return found

    def rows_of(self, member: int) -> int:
        """Return how many value combinations of a member's parents are kept apart."""
        if self.rows is not None:
            return len(self.rows)
        structure = self.shape.structure
        return math.prod(structure.cards[p] for p in structure.parents[member])

    @cached_property
    def functions(self) -> tuple[NDArray[np.int64], ...]:
        """Per member, its functions: int64[types, rows], those that the assumptions allow.

        Raises:
            TooWideError: more joint types than `LIMIT`.
        """
        cards = self.shape.structure.cards
        total = 1.0
        for member in self.members:
            total *= power(cards[member], self.rows_of(member))
        if total > LIMIT and not any(m in self.shape.slopes for m in self.members):
            raise TooWideError(self._too_wide(total))
        found = []
        for member in self.members:
            rows, card = self.rows_of(member), cards[member]
            if power(card, rows) > LIMIT:
                raise TooWideError(self._too_wide(power(card, rows)))
            table = np.array(np.unravel_index(np.arange(card**rows), (card,) * rows)).T
            found.append(table[self._allowed(member, table)])
        if math.prod(len(each) for each in found) > LIMIT:
            raise TooWideError(self._too_wide(math.prod(len(each) for each in found)))
        return tuple(found)

    def _too_wide(self, size: float) -> str:
        names = ", ".join(self.shape.structure.names[p] for p in self.members)
        count = f"{size:.3g}" if math.isfinite(size) else "over 1e300"
        return (
            f"the joint response types of {names} are {count} and the limit is {LIMIT:.0e}; "
            "ask of a world with fewer parents or values there."
        )

    def _allowed(self, member: int, table: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which functions respect the monotone and antitone assumptions."""
        structure = self.shape.structure
        parents = structure.parents[member]
        shape = tuple(structure.cards[p] for p in parents)
        kept = np.ones(len(table), dtype=bool)
        for parent, sign in self.shape.slopes.get(member, ()):
            steps = np.diff(table.reshape(len(table), *shape), axis=1 + parents.index(parent))
            kept &= (sign * steps >= 0).reshape(len(table), -1).all(axis=1)
        return kept

    @property
    def count(self) -> int:
        """How many joint types there are."""
        return math.prod(len(each) for each in self.functions)

    def types(self, chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
        """Return, for joint types, the number of each member's own type."""
        return np.unravel_index(chosen, tuple(len(each) for each in self.functions))

    def indicator(self, event: Event) -> NDArray[np.float64]:
        """Return 1 for each joint type that does what the event says, float64[count]."""
        found = self._bare.get(event)
        if found is None:
            masks = [np.ones(len(each), dtype=bool) for each in self.functions]
            for member, row, value in event:
                place = self._place[member]
                column = row if self.rows is None else self.rows.index(row)
                masks[place] &= self.functions[place][:, column] == value
            whole = np.ones((1,), dtype=bool)
            for mask in masks:
                whole = (whole[:, None] & mask[None, :]).reshape(-1)
            found = self._bare[event] = whole.astype(np.float64)
        return found

    @cached_property
    def laws(self) -> tuple[tuple[int, ...], ...]:
        """The groups W of members whose Q[W] is permitted and not implied by a larger one's."""
        reach = [group for group in _subsets(self.members) if self.shape.reachable(group)]
        return tuple(
            group
            for group in reach
            if not any(
                len(other) > len(group) and set(group) < set(other) and self.ancestral(group, other)
                for other in reach
            )
        )

    def ancestral(self, group: tuple[int, ...], within: tuple[int, ...]) -> bool:
        """Tell whether a group holds all its parents within a larger group."""
        parents = self.shape.structure.parents
        rest = set(within) - set(group)
        return not any(rest.intersection(parents[member]) for member in group)

    def event(self, group: tuple[int, ...], codes: tuple[int, ...]) -> Event:
        """Return what members do where they and their outer parents take given values.

        Args:
            group: members.
            codes: of the group, and then of its outer parents.
        """
        structure = self.shape.structure
        value = dict(zip((*group, *self.shape.outer(group)), codes, strict=True))
        found = set()
        for member in group:
            row = 0
            for parent in structure.parents[member]:
                row = row * structure.cards[parent] + value[parent]
            found.add((member, row, value[member]))
        return frozenset(found)

    def covers(self, groups: tuple[tuple[int, ...], ...]) -> NDArray[np.bool_]:
        """Tell, for all cells of Q[W] of all groups, which speak of rows that are kept apart."""
        cards = self.shape.structure.cards
        found = []
        for group in groups:
            axes = (*group, *self.shape.outer(group))
            if self.rows is None:
                found += [True] * math.prod(cards[p] for p in axes)
                continue
            for codes in product(*(range(cards[p]) for p in axes)):
                found.append(all(row in self.rows for _, row, _ in self.event(group, codes)))
        return np.array(found, dtype=bool)

    def program(self, groups: tuple[tuple[int, ...], ...], known: NDArray[np.bool_]) -> Program:
        """Return the program whose rows are the values of Q[W] for each group, where known.

        Args:
            groups: sets of members.
            known: for all cells of all groups, which of them the data settle.

        Raises:
            TooWideError: more types times rows than `LIMIT`.
        """
        key = (groups, known.tobytes())
        found = self._programs.get(key)
        if found is None:
            if self.count * (int(known.sum()) + 1) > LIMIT:
                raise TooWideError(self._too_wide(float(self.count) * (int(known.sum()) + 1)))
            rows, at = [np.ones(self.count)], 0
            cards = self.shape.structure.cards
            for group in groups:
                axes = (*group, *self.shape.outer(group))
                for codes in product(*(range(cards[p]) for p in axes)):
                    if known[at]:
                        rows.append(self.indicator(self.event(group, codes)))
                    at += 1
            self._bare.clear()  # rows are kept by the program
            found = self._programs[key] = Program(np.stack(rows))
        return found


def power(card: int, rows: float) -> float:
    """Return how many functions there are, infinite where floats end."""
    try:
        return math.pow(card, rows)
    except OverflowError:
        return math.inf


def _subsets(members: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the nonempty subsets, members in order."""
    count = len(members)
    return [tuple(members[i] for i in range(count) if mask >> i & 1) for mask in range(1, 2**count)]


def _slopes(
    structure: Structure, assumptions: tuple[str, ...]
) -> dict[int, tuple[tuple[int, int], ...]]:
    """Read the assumptions: variable -> (parent, +1 if it may only rise with it, else -1)."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for text in assumptions:
        kind, _, rest = text.partition(":")
        if kind not in {"monotone", "antitone"}:
            continue
        cause, arrow, effect = (part.strip() for part in rest.partition("->"))
        if not arrow or cause not in structure.index or effect not in structure.index:
            msg = f"assumption '{text}' names no edge; write e.g. 'monotone: x -> y'."
            raise QueryError(msg)
        here, there = structure.index[cause], structure.index[effect]
        if here in structure.parents[there]:
            sign = 1 if kind == "monotone" else -1
            found[there] = (*found.get(there, ()), (here, sign))
    return found


def _couplings(structure: Structure, assumptions: tuple[str, ...]) -> dict[int, str]:
    """Read which couplings are told."""
    found = {}
    for text in assumptions:
        kind, _, rest = text.partition(":")
        name, _, told = rest.partition("=")
        if kind == "coupling" and name.strip() in structure.index:
            found[structure.index[name.strip()]] = told
    return found


@lru_cache(maxsize=64)
def _made(
    nodes: tuple[str, ...],  # part of the key: parents are listed in this order
    diagram: Diagram,
    signature: tuple[Any, ...],
    manipulable: frozenset[str],
    assumptions: tuple[str, ...],
) -> Shape:
    del nodes
    return Shape(diagram, signature, manipulable, assumptions)


def shape_of(
    diagram: Diagram,
    labels: Mapping[str, tuple[str, ...]],
    numbers: Mapping[str, tuple[float, ...] | None],
    manipulable: frozenset[str],
    assumptions: tuple[str, ...] = (),
) -> Shape:
    """Return the shape, shared between all worlds that have it.

    Args:
        diagram: over the visible variables.
        labels: variable -> its values.
        numbers: variable -> their numbers, or None.
        manipulable: what experiments may set.
        assumptions: as in `Knowledge`.

    Raises:
        QueryError: an assumption that names no edge.
    """
    signature = tuple((name, labels[name], numbers[name]) for name in diagram.nodes)
    return _made(diagram.nodes, diagram, signature, manipulable, assumptions)
