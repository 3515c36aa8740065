"""Pack queries for every world with the same names: one subscript is one parallel world.

A packed query knows declared names, values and their numbers; no graph and no mechanism.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from causalbench.query.ast import Expectation, Term
from causalbench.truth.compiled.layout import COLUMN, EVENT, POSSIBLE, RATIO
from causalbench.truth.structure import structure_of
from causalbench.truth.worlds import misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from causalbench.query.ast import Atom, Constant, Quantity, Query, Subscript
    from causalbench.scm import SCM

__all__ = ["Asked", "Names", "names_of"]

_KEPT = 4096
_HEAD = 12  # words of a quantity's head, in the order that `layout` numbers them

Part = tuple[list[int], list[float]]  # a quantity's words and numbers, places counted from its own


class Asked:
    """A packed query.

    Attributes:
        address: of its whole numbers; good while this object lives.
    """

    __slots__ = ("_floats", "_ints", "address")

    def __init__(self, constant: float, weights: list[float], parts: list[Part]) -> None:
        floats = [constant, *weights]
        ints = [0, 0, 0, len(parts)]
        at = 4 + len(parts)
        for words, _ in parts:
            ints.append(at)
            at += len(words)
        for words, numbers in parts:
            low = len(ints)
            ints += words
            ints[low + 4] = len(floats)
            ints[low + 6] += low
            ints[low + 8] += low
            ints[low + 10] += low
            floats += numbers
        self._floats = array("d", floats)
        ints[0], ints[1] = self._floats.buffer_info()
        ints[2] = len(ints)
        self._ints = array("q", ints)
        self.address = self._ints.buffer_info()[0]


class _Request:
    """The terms of one quantity, grouped by world."""

    def __init__(self, names: Names, scm: SCM) -> None:
        self.names, self.scm = names, scm
        self.terms: dict[Term, int] = {}
        self.forced: list[list[int]] = []
        self.targets: list[list[int]] = []
        self._worlds: dict[Subscript, int] = {}

    def term(self, term: Term) -> int:
        """Return a term's number, adding it and its world where they are new."""
        found = self.terms.get(term)
        if found is None:
            position = self.names.position(term.variable, self.scm)
            world = self._worlds.get(term.subscript)
            if world is None:
                world = self._world(term.subscript)
            found = self.terms[term] = len(self.terms)
            self.targets[world] += (found, position)
        return found

    def _world(self, subscript: Subscript) -> int:
        """Add a world after those that its nested values come from."""
        forced: list[int] = []
        for name, setting in subscript:
            position = self.names.position(name, self.scm)
            if isinstance(setting, Term):
                if setting.variable != name:
                    raise misplaced(name, setting.variable)
                forced += (position, self.term(setting))
            else:
                forced += (position, ~self.names.code(position, setting, self.scm))
        world = self._worlds[subscript] = len(self.forced)
        self.forced.append(forced)
        self.targets.append([])
        return world

    def atoms(self, atoms: Iterable[Atom]) -> tuple[int, list[int]]:
        """Return how many atoms say something, and their words."""
        count = 0
        words: list[int] = []
        for atom in atoms:
            term = self.term(atom.term)
            position = self.names.index[atom.term.variable]
            if atom.op == "=":
                words += (term, self.names.code(position, atom.value, self.scm), 0)
            else:
                card = self.names.cards[position]
                codes = self.names.allowed(atom, self.scm)
                if len(codes) == card:
                    continue
                if len(codes) == 1:
                    words += (term, *codes, 0)
                else:
                    words += (term, -1, card, *(int(code in codes) for code in range(card)))
            count += 1
        return count, words


class Names:
    """The declared names of a world, with their values and the values' numbers.

    Attributes:
        index: position by name.
        cards: how many values each has.
        queries: those packed so far, by id; the query is kept, so that its id stays its own.
        parsed: queries parsed so far, by text.
    """

    def __init__(self, key: tuple[tuple[Any, ...], ...]) -> None:
        self.index = {item[0]: position for position, item in enumerate(key)}
        self.cards = [len(item[1]) for item in key]
        self._codes = [{label: code for code, label in enumerate(item[1])} for item in key]
        self.queries: dict[int, tuple[Query, Asked]] = {}
        self.parsed: dict[str, Any] = {}
        self._quantities: dict[Any, Asked] = {}

    def position(self, name: str, scm: SCM) -> int:
        """Return a variable's declared position.

        Raises:
            UnknownNameError: the world has no such variable.
        """
        found = self.index.get(name)
        return structure_of(scm).position(name) if found is None else found

    def code(self, position: int, label: Constant, scm: SCM) -> int:
        """Return the code of a value.

        Raises:
            UnknownNameError: the variable has no such value.
        """
        found = self._codes[position].get(label)
        if found is None:
            structure = structure_of(scm)
            return structure.code(structure.position(scm.names[position]), label)
        return found

    def allowed(self, atom: Atom, scm: SCM) -> frozenset[int]:
        """Return the codes for which an atom holds; errors as `Structure.allowed`."""
        position = self.position(atom.term.variable, scm)
        if atom.op == "=":
            return frozenset((self.code(position, atom.value, scm),))
        return structure_of(scm).allowed(atom)

    def query(self, query: Query, scm: SCM) -> Asked:
        """Pack a query, or find it packed.

        Raises:
            UnknownNameError: a variable or value that the world does not have.
            QueryError: a comparison that the values do not allow, or a misplaced nested value.
        """
        found = self.queries.get(id(query))
        if found is not None and found[0] is query:
            return found[1]
        weights = [weight for weight, _ in query.terms]
        asked = Asked(query.constant, weights, [self._part(q, scm) for _, q in query.terms])
        if len(self.queries) >= _KEPT:
            self.queries.clear()
        self.queries[id(query)] = (query, asked)
        return asked

    def quantity(self, quantity: Quantity, scm: SCM) -> Asked:
        """Pack one quantity, or find it packed; errors as `query`."""
        found = self._quantities.get(quantity)
        if found is None:
            found = self._keep(quantity, self._part(quantity, scm))
        return found

    def possible(self, given: tuple[Atom, ...], scm: SCM) -> Asked:
        """Pack the question whether a condition can be; errors as `query`."""
        found = self._quantities.get(given)
        if found is None:
            request = _Request(self, scm)
            found = self._keep(given, _assemble(request, POSSIBLE, (), given, -1, [], clamp=False))
        return found

    def _keep(self, key: Any, part: Part) -> Asked:
        if len(self._quantities) >= _KEPT:
            self._quantities.clear()
        asked = self._quantities[key] = Asked(0.0, [1.0], [part])
        return asked

    def _part(self, quantity: Quantity, scm: SCM) -> Part:
        request = _Request(self, scm)
        given = quantity.given
        if isinstance(quantity, Expectation):
            term = quantity.term
            target = request.term(term)
            structure = structure_of(scm)
            numbers = structure.numbers_of(structure.position(term.variable), "E[...]")
            return _assemble(request, COLUMN, (), given, target, list(numbers), clamp=False)
        event = quantity.event
        if not given:
            return _assemble(request, EVENT, event, (), -1, [], clamp=True)
        if not event or any(atom.term != event[0].term for atom in event):
            return _assemble(request, RATIO, event, given, -1, [], clamp=True)
        target = request.term(event[0].term)
        column = [1.0] * self.cards[self.index[event[0].term.variable]]
        for atom in event:
            codes = self.allowed(atom, scm)
            column = [x if code in codes else 0.0 for code, x in enumerate(column)]
        return _assemble(request, COLUMN, (), given, target, column, clamp=True)


def _assemble(
    request: _Request,
    kind: int,
    event: tuple[Atom, ...],
    given: tuple[Atom, ...],
    target: int,
    numbers: list[float],
    *,
    clamp: bool,
) -> Part:
    n_event, first = request.atoms(event)
    n_given, second = request.atoms(given)
    listed: list[int] = []
    for forced, targets in zip(request.forced, request.targets, strict=True):
        listed += (len(forced) // 2, *forced, len(targets) // 2, *targets)
    at = _HEAD + len(listed)
    head = [
        kind,
        len(request.forced),
        len(request.terms),
        target,
        0,  # the numbers' place, which the query knows
        int(clamp),
        _HEAD,
        n_event,
        at,
        n_given,
        at + len(first),
        len(numbers),
    ]
    return head + listed + first + second, numbers


_names: dict[Any, Names] = {}


def names_of(scm: SCM) -> Names:
    """Return the names of a discrete world, shared with every world that has the same ones."""
    key = tuple([(name, v.values, v.numbers) for name, v in scm.variables.items()])
    found = _names.get(key)
    if found is None:
        if len(_names) >= _KEPT:
            _names.clear()
        found = _names[key] = Names(key)
    return found
