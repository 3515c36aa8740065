"""Lay out a question to a world of additive noise: which noise is known, which is left to chance.

A node is a variable together with what its parents are: other nodes, or numbers. Worlds in which a
variable's parents are the same share its node, and a node whose value is observed is a number to
its children, so that worlds merge above their interventions and below what was seen. All copies of
a variable share one noise. An observed value tells the noise once the parents are known (abduction
by inversion); otherwise it weighs what the parents may have been, by the density of the noise that
it takes.

Reference: Shpitser and Pearl (2007), What counterfactuals can be tested, for the merging of worlds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from causalbench.errors import QueryError, UnknownNameError, suggest
from causalbench.query.ast import Term
from causalbench.scm.additive import noise_of
from causalbench.truth.discrete import no_such_case
from causalbench.truth.worlds import misplaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from causalbench.query.ast import Atom, Operator, Subscript
    from causalbench.scm import SCM
    from causalbench.scm.additive import AdditiveMechanism
    from causalbench.scm.mechanism import LinearMechanism
    from causalbench.scm.noise import Noise

__all__ = ["Cut", "Node", "Place", "Plan", "agree", "holds", "number_of"]

_AGREE = 1e-8  # numbers that differ by less, in the scale of what is stated, are one number
Place = int | float  # the number of a node, or a number
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """A variable, given nodes (by number) or numbers for its parents."""

    variable: str
    parents: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A comparison of a node with a number, other than an observed equality."""

    node: int
    op: Operator
    value: float


class Plan:
    """The nodes of some terms and of a condition, and what the condition tells of their noise.

    Args:
        scm: a world whose variables are all real.
        given: the condition.
        targets: the terms asked about.

    Raises:
        QueryError: a name or a value that the world does not have.
        ZeroProbabilityError: the condition contradicts what is forced or otherwise stated.
    """

    def __init__(self, scm: SCM, given: tuple[Atom, ...], targets: Sequence[Term]) -> None:
        self.scm, self.given = scm, given
        self.nodes: list[Node] = []
        self.facts: dict[int, float] = {}
        self.cuts: list[Cut] = []
        self._index: dict[tuple[Node, tuple[bool, ...]], int] = {}
        self._cells: dict[tuple[Subscript, str], Place] = {}
        self._inner: set[str] = set()  # what is set to a nested value
        self._build([*targets, *(atom.term for atom in given)])

    def place(self, term: Term) -> Place:
        """Return the node of a term, or the number that it is forced or observed to be."""
        return self._known(self._cells[term.subscript, term.variable])

    def mechanism(self, variable: str) -> LinearMechanism | AdditiveMechanism:
        """Return a variable's mechanism."""
        return self.scm.mechanisms[variable]  # type: ignore[return-value]

    def law(self, variable: str) -> Noise:
        """Return the law of a variable's noise."""
        return noise_of(self.mechanism(variable))

    @cached_property
    def copies(self) -> dict[str, list[int]]:
        """Each variable's nodes, causes before effects."""
        found: dict[str, list[int]] = {}
        for number, node in enumerate(self.nodes):
            found.setdefault(node.variable, []).append(number)
        return found

    @cached_property
    def solved(self) -> dict[str, int]:
        """The variables whose noise an observation tells, with the node that does.

        Of several observed copies the one with the least chance in its parents is taken.
        """
        return self._analysis[0]

    @cached_property
    def noise_chance(self) -> dict[str, frozenset[str]]:
        """Variable -> the variables whose chance its noise hangs on, itself where it is free."""
        return self._analysis[1]

    @cached_property
    def mean_chance(self) -> list[frozenset[str]]:
        """Node -> the variables whose chance its parents hang on."""
        return self._analysis[2]

    def chance(self, place: Place) -> frozenset[str]:
        """Return the variables whose chance a value hangs on; none where it is known."""
        if isinstance(place, float) or place in self.facts:
            return _NONE
        return self.mean_chance[place] | self.noise_chance[self.nodes[place].variable]

    def bounds(self, variable: str) -> list[Cut]:
        """Return the inequalities of the condition on a variable's nodes."""
        return [cut for cut in self.cuts if self.nodes[cut.node].variable == variable]

    @cached_property
    def _analysis(self) -> tuple[dict[str, int], dict[str, frozenset[str]], list[frozenset[str]]]:
        solved: dict[str, int] = {}
        noise: dict[str, frozenset[str]] = {}
        means: list[frozenset[str]] = [_NONE] * len(self.nodes)

        def value(place: Place) -> frozenset[str]:
            if isinstance(place, float) or place in self.facts:
                return _NONE
            return means[place] | noise[self.nodes[place].variable]

        for variable, numbers in self.copies.items():
            for number in numbers:
                parents = [value(place) for place in self.nodes[number].parents]
                means[number] = _NONE.union(*parents)
            seen = [number for number in numbers if number in self.facts]
            if self.law(variable).law == "none":
                noise[variable] = _NONE
            elif seen:
                solved[variable] = min(seen, key=lambda number: (len(means[number]), number))
                noise[variable] = means[solved[variable]]
            else:
                cut = (means[cut.node] for cut in self.bounds(variable))
                noise[variable] = frozenset({variable}).union(*cut)
        return solved, noise, means

    def _build(self, terms: Sequence[Term]) -> None:
        worlds: dict[Subscript, None] = {}
        for term in terms:
            self._collect(term, worlds)
        wanted = self.scm.full_diagram.ancestors({term.variable for term in terms} | self._inner)
        for variable in self.scm.order:
            if variable not in wanted:
                continue
            for world in worlds:
                self._cells[world, variable] = self._cell(world, variable)
            for atom in self.given:
                if atom.term.variable == variable:
                    self._observe(atom)

    def _collect(self, term: Term, worlds: dict[Subscript, None]) -> None:
        """List a term's worlds, inner ones first."""
        self._check(term.variable)
        for name, setting in term.subscript:
            self._check(name)
            if isinstance(setting, Term):
                if setting.variable != name:
                    raise misplaced(name, setting.variable)
                self._collect(setting, worlds)
                self._inner.add(name)
        worlds[term.subscript] = None

    def _check(self, name: str) -> None:
        if name not in self.scm.variables:
            known = self.scm.names
            hint = suggest(name, known)
            msg = f"the world has no variable '{name}'; it has {', '.join(known)}.{hint}"
            raise UnknownNameError(msg)

    def _cell(self, world: Subscript, variable: str) -> Place:
        setting = dict(world).get(variable)
        if isinstance(setting, Term):
            return self._cells[setting.subscript, variable]
        if setting is not None:
            return number_of(variable, setting)
        parents = self.scm.mechanisms[variable].parents
        node = Node(variable, tuple(self._known(self._cells[world, p]) for p in parents))
        # The node 1 and the number 1.0 are equal in Python, and not the same parent.
        key = node, tuple(isinstance(place, float) for place in node.parents)
        if key not in self._index:
            self._index[key] = len(self.nodes)
            self.nodes.append(node)
        return self._index[key]

    def _known(self, place: Place) -> Place:
        return place if isinstance(place, float) else self.facts.get(place, place)

    def _observe(self, atom: Atom) -> None:
        place = self._known(self._cells[atom.term.subscript, atom.term.variable])
        stated = number_of(atom.term.variable, atom.value)
        if isinstance(place, float):
            if not holds(place, atom.op, stated):
                raise no_such_case(self.given)
        elif atom.op == "=":
            self.facts[place] = stated
        else:
            self.cuts.append(Cut(place, atom.op, stated))


def number_of(name: str, value: object) -> float:
    """Return a stated value as a number.

    Raises:
        QueryError: it is a label.
    """
    if isinstance(value, int | float):
        return float(value)
    msg = f"'{name}' is real and '{value}' is no number; compare it with a number."
    raise QueryError(msg)


def agree(found: float, stated: float) -> bool:
    """Tell whether two numbers are one, but for rounding."""
    return abs(found - stated) <= _AGREE * (1.0 + abs(stated))


def holds(found: float, op: Operator, stated: float) -> bool:
    """Tell whether a known number compares as stated; numbers that agree are equal."""
    equal = agree(found, stated)
    return {
        "=": equal,
        "!=": not equal,
        "<": found < stated and not equal,
        "<=": found < stated or equal,
        ">": found > stated and not equal,
        ">=": found > stated or equal,
    }[op]
